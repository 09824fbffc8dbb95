"""An environment that goes wrong ends its trial, and a study only if nothing else is left."""

from pathlib import Path
from statistics import fmean

from tests.tuner import tiny
from tests.tuner.commands import tuner
from tests.tuner.fragile_env import installed
from tests.tuner.tiny import changed, results, states, trials, written
from tuner.storage import Run, open_for_reading

ONE_TRAINER = ("--workers", "1")
ENV = 'env = "CartPole-v1"'


def broken(folder: Path, fault: str, *, once: bool = False, after: int = 0, trials: int = 4) -> str:
    """A study file on Fragile-v0.

    after: steps of one environment that go well; 150 are more than an episode has, so that only
    training meets the fault
    once: one step of one run goes wrong, all others are fine
    """
    kwargs = f'fault = "{fault}", after = {150 if once else after}'
    if once:
        (folder / "fuse").touch()
        kwargs += f', fuse = "{folder}/fuse"'
    env = f'env = "Fragile-v0"\nenv_kwargs = {{ {kwargs} }}'
    return written(folder, changed((ENV, env), ("trials = 3", f"trials = {trials}")))


def test_an_environment_that_raises_at_once_is_refused_before_anything_is_trained(
    tmp_path: Path,
) -> None:
    file = broken(tmp_path, "raise")

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4
    assert "env 'Fragile-v0' failed under random actions" in ended.err
    assert "RuntimeError: the pole snapped" in ended.err
    assert 'fragile.py", line' in ended.err
    assert "mend it, then launch again: nothing is recorded yet" in ended.err
    assert results(tmp_path) == []


def test_an_environment_that_always_raises_later_ends_the_study_with_its_traceback(
    tmp_path: Path,
) -> None:
    file = broken(tmp_path, "raise", after=150)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4
    assert "runs failed; the last one by" in ended.err
    assert "RuntimeError: the pole snapped" in ended.err
    assert 'fragile.py", line' in ended.err
    assert 'tuner/cli.py", line' not in ended.err
    failed = [row for row in runs(tmp_path) if row.failed]
    assert len(failed) >= 3
    assert {row.error.split(":")[0] for row in failed} == {"env_error"}


def test_runs_that_diverge_are_a_matter_of_the_search_and_end_no_study(tmp_path: Path) -> None:
    """Rewards so large, from the 151st step of training on, that every weight overflows."""
    file = broken(tmp_path, "huge", after=150)
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace("[fixed]", '[fixed]\nloss = "mse"'))

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert {run.error.split(":")[0] for run in runs(tmp_path) if run.error} == {"diverged"}
    assert all(run.failed for run in runs(tmp_path))
    random_score = env_figures(tmp_path)["random_score"]
    assert all(run.score is not None and run.score <= random_score for run in runs(tmp_path))
    assert states(trials(tmp_path)) == ["COMPLETE"] * 4
    assert [trial.user_attrs["failed"] for trial in trials(tmp_path)] == [2] * 4
    assert "2 failures in 3" in ended.out or "3 failures in 3" in " ".join(ended.out.split())


def test_a_run_that_breaks_down_scores_as_a_random_agent_and_counts(tmp_path: Path) -> None:
    file = broken(tmp_path, "raise", once=True)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    [failed] = [run for run in runs(tmp_path) if run.failed]
    figures = env_figures(tmp_path)
    assert 15 < figures["random_score"] < 30
    assert failed.score is not None and failed.score <= figures["random_score"]
    assert states(trials(tmp_path)) == ["COMPLETE"] * 4
    trial = trials(tmp_path)[failed.trial]
    assert trial.user_attrs["failed"] == 1
    assert failed.score in trial.user_attrs["seed_scores"]
    assert trial.value == fmean(trial.user_attrs["seed_scores"])
    assert "(1 failed)" in ended.out or failed.purpose != "tune"


def runs(folder: Path) -> list[Run]:
    """Everything that is recorded, of all purposes."""
    with open_for_reading(tiny.url(folder)) as store:
        return store.runs("tiny", purpose=None)


def env_figures(folder: Path) -> dict[str, float]:
    """What the study measures scores by."""
    with open_for_reading(tiny.url(folder)) as store:
        found: dict[str, float] = store.optuna_study("tiny").user_attrs["env_figures"]
    return found


def test_an_environment_that_kills_its_process_once_changes_nothing(tmp_path: Path) -> None:
    file = broken(tmp_path, "die", once=True, trials=2)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert states(trials(tmp_path)) == ["COMPLETE", "COMPLETE"]
    assert len(results(tmp_path)) == 4


def test_an_environment_that_always_kills_its_process_ends_the_study(tmp_path: Path) -> None:
    file = broken(tmp_path, "die", after=150)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4, ended.err
    assert "killed its trainer 3 times" in ended.err
    assert all(run.failed for run in runs(tmp_path))


def test_an_environment_that_kills_its_process_at_once_ends_the_study(tmp_path: Path) -> None:
    file = broken(tmp_path, "die")

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4, ended.err
    assert "killed its process 3 times under random actions" in ended.err
    assert results(tmp_path) == []


def test_an_environment_that_hangs_is_stopped_by_the_time_limit(tmp_path: Path) -> None:
    file = broken(tmp_path, "hang")

    ended = tuner(
        "launch", file, *ONE_TRAINER, "--timeout", "3", folder=tmp_path, env=installed(tmp_path)
    )

    assert ended.code == 75


def test_an_environment_that_prints_disturbs_nobody(tmp_path: Path) -> None:
    file = broken(tmp_path, "chatter", trials=1)

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 0, ended.err
    assert "noise" not in ended.out + ended.err


def test_rewards_that_are_no_numbers_fail_their_runs_and_name_the_cause(tmp_path: Path) -> None:
    file = broken(tmp_path, "nan")
    text = (tmp_path / file).read_text().replace("learning_starts = 100", "learning_starts = 200")
    (tmp_path / file).write_text(text)  # so that a mark comes before the first update

    ended = tuner("launch", file, *ONE_TRAINER, folder=tmp_path, env=installed(tmp_path))

    assert ended.code == 4, ended.err
    assert "finite" in ended.err or "NaN" in ended.err


def test_an_environment_without_a_time_limit_does_not_evaluate_for_ever(tmp_path: Path) -> None:
    text = changed((ENV, 'env = "CliffWalking-v1"'), ("trials = 3", "trials = 1"))

    ended = tuner(
        "launch", written(tmp_path, text), *ONE_TRAINER, "--timeout", "50", folder=tmp_path
    )

    assert ended.code != 75, "no run was over after 50 s"
