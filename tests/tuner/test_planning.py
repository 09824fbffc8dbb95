"""`tuner plan` says what a study costs and what its seeds can tell, before anything is trained."""

import json
from pathlib import Path

import pytest

from tests.tuner.commands import tuner
from tests.tuner.tiny import changed, written
from tuner.planning import Plan, expected_maximum
from tuner.time_left import finalists_expected

PLAN = Plan("cartpole", 64, 2, 5, 10, 20, 50_000, workers=2, steps_per_second=20_000.0)


def test_the_runs_of_every_phase_and_their_wall_time() -> None:
    assert (PLAN.search_runs.least, PLAN.search_runs.most) == (10 * 3 + 54 * 2, 64 * 5)
    assert (PLAN.confirm_runs.least, PLAN.confirm_runs.most) == (40, 110)
    assert (PLAN.test_runs.least, PLAN.test_runs.most) == (20, 40)
    assert PLAN.runs.most == 470
    assert PLAN.confirm_runs.about == (finalists_expected(0, 0, 64) + 1) * 10  # as `launch` shows
    assert PLAN.wall_s(PLAN.runs.most) == 470 * 50_000 / 40_000


def test_what_the_seeds_can_tell_is_in_words() -> None:
    text = PLAN.text()

    assert "a trial's mean of 2 seeds is known to +-9.0" in text
    assert "the final mean is known to +-0.47" in text
    assert "a difference to the default of 0.9 is seen with 80 % probability" in text
    assert "no failure in 20 would still allow a failure rate of 14%" in text


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 0.0), (3, 0.85), (10, 1.54), (50, 2.25), (500, 3.04)]
)
def test_the_expected_maximum_of_normal_numbers(count: int, expected: float) -> None:
    assert expected_maximum(count) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("trials", "seeds", "gap"), [(50, 1, 1.6), (200, 3, 0.79), (50, 5, 0.41)])
def test_the_optimism_is_that_of_the_closed_form(trials: int, seeds: int, gap: float) -> None:
    plan = Plan("x", trials, seeds, seeds, 10, 20, 1, workers=1, steps_per_second=1.0)

    assert plan.optimism == pytest.approx((gap, gap), rel=0.03)


def test_the_command_measures_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = written(tmp_path, changed(("max = 2", "max = 4")))

    ended = tuner("plan", file, "--workers", "2", "--json", folder=tmp_path)

    assert ended.code == 0, ended.err
    data = json.loads(ended.out)
    assert data["steps_per_second"] > 1_000
    assert data["search_runs"] == {"least": 9, "about": 10, "most": 12}
    assert data["wall_s"]["most"] > data["wall_s"]["least"] > 0
    assert [path.name for path in tmp_path.iterdir()] == [file]
