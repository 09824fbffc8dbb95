"""The search, told by hand what its runs score."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tuner import tiny
from tests.tuner.tiny import changed
from tuner import messages
from tuner import study as studies
from tuner.evidence import EnvFigures
from tuner.phases import RunKey, Work
from tuner.recorder import Recorder, Training, with_scores
from tuner.search import Search
from tuner.seed_pools import Pool
from tuner.storage import Store, open_for_reading, open_for_writing
from tuner.study import Study
from tuner.trials import Trials

ENV = EnvFigures(random_score=22.0)
RANDOM_SCORE = 22.0


def raced(trials: int = 14, most: int = 4) -> Study:
    text = changed(("trials = 3", f"trials = {trials}"), ("max = 2", f"max = {most}"))
    return studies.parse(text.encode(), "tiny.toml")


@contextmanager
def searching(study: Study, folder: Path) -> Iterator[tuple[Search, Store]]:
    """A search as a launch begins it, on whatever the database holds."""
    with open_for_writing(tiny.url(folder)) as store:
        trials = Trials(study, store)
        runs = with_scores(store.runs(study.name), ENV.random_score)
        yield Search(study, trials, ENV, runs), store


def works(search: Search, count: int) -> list[Work]:
    found = [search.next_work() for _ in range(count)]
    return [work for work in found if work is not None]


def over(search: Search, store: Store, study: Study, work: Work, score: float) -> None:
    """A run is recorded and scored."""
    store.record(
        tiny.a_run(
            trial=work.key.trial,
            seed_index=work.key.index,
            seed=study.run_seed(Pool.TUNE, work.key.index),
            score=score,
        )
    )
    search.scored(work.key, score)


def test_the_seed_of_a_contender_is_trained_before_a_new_trial(tmp_path: Path) -> None:
    study = raced()
    with searching(study, tmp_path) as (search, store):
        first = works(search, 6)  # three seeds of each of two trials
        for work in first[:3]:
            over(search, store, study, work, 500.0)

        granted, new = works(search, 2)

    assert [work.key.trial for work in first] == [0, 0, 0, 1, 1, 1]
    assert (granted.key.trial, granted.key.index) == (0, 3)
    assert (new.key.trial, new.key.index) == (2, 0)


def test_a_trial_that_lost_its_scheduler_between_decision_and_value_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by kill -9 after the last decision was recorded."""
    study = raced(trials=2, most=3)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with searching(study, tmp_path) as (search, store), monkeypatch.context() as patch:
        patch.setattr(Trials, "complete", killed)
        one, two, last = works(search, 3)
        over(search, store, study, one, 10.0)
        over(search, store, study, two, 20.0)
        with pytest.raises(KeyboardInterrupt):
            over(search, store, study, last, 30.0)

    with searching(study, tmp_path):
        pass

    [trial] = tiny.trials(tmp_path)
    assert (trial.state.name, trial.value) == ("COMPLETE", 20.0)
    assert [decision["verdict"] for decision in trial.user_attrs["race"]] == ["full"]


@pytest.mark.parametrize(("across", "value"), [("mean", 200.0), ("cvar", 100.0), ("iqm", 190.0)])
def test_a_trial_is_told_what_its_study_calls_a_value_and_races_by_its_mean(
    tmp_path: Path, across: str, value: float
) -> None:
    study = raced(trials=2, most=3)
    objective = study.objective.model_copy(update={"across_seeds": across})
    study = study.model_copy(update={"objective": objective})
    with searching(study, tmp_path) as (search, store):
        for work, score in zip(works(search, 3), (100.0, 180.0, 320.0), strict=True):
            over(search, store, study, work, score)

    [trial, *_] = tiny.trials(tmp_path)
    assert trial.value == pytest.approx(value)
    assert trial.user_attrs["race"][-1]["value"] == 200.0


@pytest.mark.parametrize(
    ("reached", "score"), [([], RANDOM_SCORE), ([[9.0, 11.0]], 10.0), ([[90.0]], RANDOM_SCORE)]
)
def test_a_run_that_diverges_is_recorded_as_failed_and_scores_as_a_random_agent_or_less(
    tmp_path: Path, reached: list[list[float]], score: float
) -> None:
    study = raced()
    key = RunKey(0, Pool.TUNE, 0)
    marks = dict(enumerate(reached, 1))
    training = Training(Work(key, study.hparams({})), marks)
    diverged = messages.Failed(key.name, "diverged", "weights are not finite", 1.0)

    with open_for_writing(tiny.url(tmp_path)) as store:
        Recorder(study, store).record(diverged, training, 1, RANDOM_SCORE)

    with open_for_reading(tiny.url(tmp_path)) as store:
        [run] = store.runs(study.name)
    assert (run.status, run.score) == ("failed", score)
    assert run.error == "diverged: weights are not finite"


def test_failed_runs_of_old_databases_score_as_such_runs_do_today() -> None:
    failed = tiny.a_run(status="failed", score=None, error="crash: gone")

    assert [run.score for run in with_scores([failed, tiny.a_run(score=7.0)], 22.0)] == [22.0, 7.0]
