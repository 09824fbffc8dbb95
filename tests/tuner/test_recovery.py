"""Launches that are killed, interrupted and gone on with end as if nothing had happened."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.tuner import tiny
from tests.tuner.commands import alive, children, started, tuner, wait_until
from tests.tuner.tiny import a_run, changed, opened, recorded, results, states, trials, written
from tuner import study as studies
from tuner.storage import open_for_reading, open_for_writing

LONGER = changed(("trials = 3", "trials = 6"), ("steps = 600", "steps = 2_400"))
FEW_LANES = ("--workers", "1", "--lanes", "3")


def undisturbed(folder: Path) -> list[tuple[int, int, int, float | None, object]]:
    """What the study in `folder` has to have recorded, trained here and now."""
    params = {trial.number: trial.params for trial in trials(folder)}
    return tiny.trained_undisturbed(studies.load(str(folder / "tiny.toml")), params)


def trainers(launch: subprocess.Popen[str]) -> list[int]:
    found = children(launch.pid)
    assert found, "no trainer is at work"
    return found


def test_kill_9_of_the_scheduler_loses_no_finished_run(tmp_path: Path) -> None:
    file = written(tmp_path, LONGER)
    with started("launch", file, *FEW_LANES, folder=tmp_path) as launch:
        wait_until(lambda: recorded(tmp_path))
        orphans = trainers(launch)
        launch.kill()
        launch.wait()
        wait_until(lambda: not any(map(alive, orphans)), timeout_s=3)
    kept, interrupted = recorded(tmp_path), trials(tmp_path)

    again = tuner("launch", file, folder=tmp_path)

    assert again.code == 0, again.err
    assert 0 < len(kept) < 12
    assert set(kept) <= set(recorded(tmp_path))
    assert "RUNNING" in states(interrupted)
    assert states(trials(tmp_path)) == ["COMPLETE"] * 6
    for before, after in zip(interrupted, trials(tmp_path), strict=False):
        assert after.params == before.params
        taken_up = 1 if before.state.name == "RUNNING" else None
        assert after.user_attrs.get("continued") == taken_up
    assert results(tmp_path) == undisturbed(tmp_path)


def test_kill_9_of_trainers_goes_unnoticed_in_the_results(tmp_path: Path) -> None:
    with started("launch", written(tmp_path, LONGER), *FEW_LANES, folder=tmp_path) as launch:
        for runs in (1, 5):  # up to three runs of a dead trainer may be recorded after its death
            wait_until(lambda runs=runs: len(recorded(tmp_path)) >= runs)
            os.kill(trainers(launch)[0], signal.SIGKILL)
        out, err = launch.communicate(timeout=60)

    assert launch.returncode == 0, err
    assert "chosen: trial" in out
    assert states(trials(tmp_path)) == ["COMPLETE"] * 6
    assert results(tmp_path) == undisturbed(tmp_path)


def test_a_trainer_killed_while_it_starts_is_replaced(tmp_path: Path) -> None:
    with started("launch", written(tmp_path), *FEW_LANES, folder=tmp_path) as launch:
        wait_until(lambda: children(launch.pid))
        os.kill(trainers(launch)[0], signal.SIGKILL)
        _, err = launch.communicate(timeout=60)

    assert launch.returncode == 0, err


def test_a_signal_ends_a_launch_in_order_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file = written(tmp_path, LONGER)
    kept: set[object] = set()

    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with started("launch", file, *FEW_LANES, folder=tmp_path) as launch:
            wait_until(lambda before=kept: len(recorded(tmp_path)) > len(before))
            hands = trainers(launch)
            began = time.monotonic()
            launch.send_signal(number)
            _, err = launch.communicate(timeout=20)

        assert launch.returncode == code
        assert time.monotonic() - began < 5
        assert not any(map(alive, hands))
        assert "every finished run is kept; run the same command to go on" in err
        assert "Traceback" not in err
        assert kept < set(recorded(tmp_path))
        kept = set(recorded(tmp_path))
    last = tuner("launch", file, "--workers", "1", folder=tmp_path)

    assert last.code == 0, last.err
    assert kept <= set(recorded(tmp_path))
    assert results(tmp_path) == undisturbed(tmp_path)


def test_a_time_limit_ends_a_launch_with_75(tmp_path: Path) -> None:
    text = changed(("steps = 600", "steps = 2_000_000"))

    ended = tuner("launch", written(tmp_path, text), *FEW_LANES, "--timeout", "2s", folder=tmp_path)

    assert ended.code == 75
    assert "--timeout is over" in ended.err and "run the same command to go on" in ended.err


def test_a_trial_whose_runs_are_all_recorded_is_told_without_training(tmp_path: Path) -> None:
    """As after a kill -9 between the last run's record and the word to Optuna."""
    file = written(tmp_path, changed(("trials = 3", "trials = 1")))
    opened(tmp_path, file)
    curve = {"steps": [100, 200, 300, 400, 500, 600], "returns": [[1.0, 3.0]] * 6}
    with open_for_writing(tiny.url(tmp_path)) as store:
        store.record(a_run(seed_index=0, score=2.0, curve=curve))
        store.record(a_run(seed_index=1, score=4.0, curve=curve))

    ended = tuner("launch", file, *FEW_LANES, folder=tmp_path)

    assert ended.code == 0, ended.err
    [trial] = trials(tmp_path)
    assert (trial.state.name, trial.value) == ("COMPLETE", 3.0)
    assert [row[3] for row in results(tmp_path)] == [2.0, 4.0]


def test_a_run_recorded_as_failed_counts_after_a_crash_too(tmp_path: Path) -> None:
    """As after a kill -9 between the record of a failed run and the word to Optuna; and without a
    score, as it was recorded before failed runs had one."""
    file = written(tmp_path, changed(("trials = 3", "trials = 1")))
    opened(tmp_path, file)
    with open_for_writing(tiny.url(tmp_path)) as store:
        store.record(a_run(status="failed", score=None, curve={}, error="env_error: gone"))

    ended = tuner("launch", file, *FEW_LANES, folder=tmp_path)

    [trial] = trials(tmp_path)
    assert ended.code == 0, ended.err
    assert trial.state.name == "COMPLETE"
    assert trial.user_attrs["failed"] == 1
    with open_for_reading(tiny.url(tmp_path)) as store:
        figures = store.optuna_study("tiny").user_attrs["env_figures"]
    assert trial.user_attrs["seed_scores"][0] == figures["random_score"]
