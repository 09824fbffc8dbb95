"""How many lanes a trainer gets, by the study, by a measurement, and in a launch."""

from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import tuner
from tests.tuner.fragile_env import installed
from tests.tuner.tiny import changed, written
from tuner import study as studies
from tuner.lane_count import LaneRoom, lane_room
from tuner.study import Study, parse

LONG = ("steps = 600", "steps = 400_000")


@pytest.mark.parametrize(
    ("trials", "workers", "most"),
    [(1, 1, 2), (10, 1, 20), (10, 2, 10), (40, 1, 20), (41, 1, 22), (400, 2, 100)],
)
def test_a_quarter_of_the_trials_are_in_flight_or_as_many_as_tpe_draws_at_random(
    trials: int, workers: int, most: int
) -> None:
    text = changed(("trials = 3", f"trials = {trials}"))

    assert lane_room(parse(text.encode(), "tiny.toml"), workers, features=4).most == most


def test_replays_must_fit_into_memory() -> None:
    text = changed(("trials = 3", "trials = 400"), ("steps = 600", "steps = 1_000_000"))
    text = text.replace("learning_starts = 100", "buffer_size = 1_000_000")

    few = lane_room(parse(text.encode(), "tiny.toml"), 2, features=1_000).most
    none = lane_room(parse(text.encode(), "tiny.toml"), 2, features=10**9).most

    assert 1 == none <= few < 100


@pytest.mark.parametrize(
    ("searched", "cohorts"),
    [
        ("", 1),  # [8] and [16] are both filled up to 16
        ("batch_size = { choices = [16, 30, 32, 64] }", 3),
        ("batch_size = { low = 1, high = 48 }", 3),
        ("train_freq = { low = 1, high = 4 }", 4),
        ("tau = { choices = [0.1, 1.0] }", 1),
    ],
)
def test_every_shape_of_the_space_counts(searched: str, cohorts: int) -> None:
    text = changed(("batch_size = 16\n", ""), ("[fixed]", f"{searched}\n\n[fixed]"))

    assert lane_room(parse(text.encode(), "tiny.toml"), 1, features=4).cohorts == cohorts


@pytest.mark.parametrize(
    ("room", "rates", "lanes"),
    [
        (LaneRoom(60, 1, 10**9), [1.0, 2.0, 4.0, 4.3, 4.4], 16),
        (LaneRoom(60, 3, 10**9), [1.0, 2.0, 4.0, 4.3, 4.4], 48),
        (LaneRoom(60, 9, 10**9), [1.0, 2.0, 4.0, 4.3, 4.4], 60),
        (LaneRoom(60, 1, 10**9), [1.0, 1.0, 1.0, 1.0, 1.0], 4),
        (LaneRoom(6, 1, 10**9), [1.0, 2.0], 6),
        (LaneRoom(2, 5, 10**9), [1.0], 2),
    ],
)
def test_the_fewest_lanes_that_are_nearly_as_fast_as_any(
    room: LaneRoom, rates: list[float], lanes: int
) -> None:
    assert room.lanes(rates) == lanes


def test_short_studies_are_not_worth_a_measurement_and_shipped_ones_are() -> None:
    def measured(study: Study) -> bool:
        return lane_room(study, workers=2, features=4).measured

    assert not measured(parse(changed().encode(), "tiny.toml"))
    assert measured(studies.load("quickstart"))


def test_a_measurement_that_can_change_nothing_is_left_out() -> None:
    assert LaneRoom(most=5, cohorts=1, steps=10**9).measured
    assert not LaneRoom(most=4, cohorts=1, steps=10**9).measured
    assert not LaneRoom(most=24, cohorts=6, steps=10**9).measured


def launched(folder: Path, text: str, **options: Any) -> str:
    """What a launch of some seconds says of its lanes."""
    arguments = ("launch", written(folder, text), "--workers", "1", "--timeout", "15")
    return tuner(*arguments, folder=folder, **options).err


def test_a_launch_measures_and_then_trains(tmp_path: Path) -> None:
    said = launched(tmp_path, changed(LONG, ('env = "CartPole-v1"', 'env = "MountainCar-v0"')))

    assert "lanes 4 of 4 (" in said or "lanes 6 of 6 (" in said  # 3 trials x 2 seeds, or fewer


def test_a_trainer_that_dies_while_it_measures_does_not_stop_the_study(tmp_path: Path) -> None:
    (tmp_path / "fuse").touch()
    kwargs = f'{{ fault = "die", fuse = "{tmp_path}/fuse" }}'
    env = f'env = "Fragile-v0"\nenv_kwargs = {kwargs}'

    said = launched(tmp_path, changed(LONG, ('env = "CartPole-v1"', env)), env=installed(tmp_path))

    assert not (tmp_path / "fuse").exists()
    assert "lanes 4 of 4 (" in said
