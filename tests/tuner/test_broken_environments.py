"""An environment that goes wrong ends its trial, and a study only if nothing else is left."""

from pathlib import Path

from tests.tuner import tiny
from tests.tuner.commands import tuner
from tests.tuner.fragile_env import installed
from tests.tuner.tiny import changed, results, states, trials, written

ONE_TRAINER = ("--workers", "1")
ENV = 'env = "CartPole-v1"'


def broken(folder: Path, fault: str, *, once: bool, trials: int = 4) -> str:
    """A study file on Fragile-v0. once: one step of one run goes wrong, all others are fine."""
    kwargs = f'fault = "{fault}"'
    if once:
        (folder / "fuse").touch()
        kwargs += f', fuse = "{folder}/fuse"'
    env = f'env = "Fragile-v0"\nenv_kwargs = {{ {kwargs} }}'
    return written(folder, changed((ENV, env), ("trials = 3", f"trials = {trials}")))


def test_an_environment_that_always_raises_ends_the_study_with_its_traceback(
    tmp_path: Path,
) -> None:
    file = broken(tmp_path, "raise", once=False)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4
    assert "runs failed; the last one by" in ended.err
    assert "RuntimeError: the pole snapped" in ended.err
    assert 'fragile.py", line' in ended.err
    assert 'tuner/cli.py", line' not in ended.err
    failed = [trial for trial in trials(tmp_path) if trial.state.name == "FAIL"]
    assert len(failed) >= 3
    assert failed[0].user_attrs["failure"] == "env_error: RuntimeError: the pole snapped"


def test_a_single_failure_takes_its_trial_and_no_other(tmp_path: Path) -> None:
    file = broken(tmp_path, "raise", once=True)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert sorted(states(trials(tmp_path))) == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]
    [failed] = [trial for trial in trials(tmp_path) if trial.state.name == "FAIL"]
    rows = {(trial, index): score for trial, index, _, score, _ in results(tmp_path)}
    assert [key[0] for key, score in rows.items() if score is None] == [failed.number]
    whole = [key for key in rows if key[0] != failed.number]
    assert len(whole) == 3 * tiny.SEEDS and all(rows[key] is not None for key in whole)


def test_an_environment_that_kills_its_process_once_changes_nothing(tmp_path: Path) -> None:
    file = broken(tmp_path, "die", once=True, trials=2)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert states(trials(tmp_path)) == ["COMPLETE", "COMPLETE"]
    assert len(results(tmp_path)) == 4


def test_an_environment_that_always_kills_its_process_ends_the_study(tmp_path: Path) -> None:
    file = broken(tmp_path, "die", once=False)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4, ended.err
    assert "killed its trainer 3 times" in ended.err
    assert set(states(trials(tmp_path))) <= {"FAIL", "RUNNING"}


def test_an_environment_that_hangs_is_stopped_by_the_time_limit(tmp_path: Path) -> None:
    file = broken(tmp_path, "hang", once=False)

    ended = tuner(
        "launch", file, *ONE_TRAINER, "--timeout", "3", folder=tmp_path, env=installed(tmp_path)
    )

    assert ended.code == 75


def test_an_environment_that_prints_disturbs_nobody(tmp_path: Path) -> None:
    file = broken(tmp_path, "chatter", once=False, trials=1)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert "noise" not in ended.out + ended.err


def test_rewards_that_are_no_numbers_fail_their_runs_and_name_the_cause(tmp_path: Path) -> None:
    file = broken(tmp_path, "nan", once=False)
    text = (tmp_path / file).read_text().replace("learning_starts = 100", "learning_starts = 200")
    (tmp_path / file).write_text(text)  # so that a mark comes before the first update

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4, ended.err
    assert "finite" in ended.err or "NaN" in ended.err


def test_an_environment_without_a_time_limit_does_not_evaluate_for_ever(tmp_path: Path) -> None:
    text = changed((ENV, 'env = "CliffWalking-v1"'), ("trials = 3", "trials = 1"))

    ended = tuner(
        "launch", written(tmp_path, text), *ONE_TRAINER, "--timeout", "8", folder=tmp_path
    )

    assert ended.code != 75, "no run was over after 8 s"
