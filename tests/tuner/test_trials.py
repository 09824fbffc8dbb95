"""The sampler is asked in memory, and proposes what it would have proposed on the database."""

from pathlib import Path
from statistics import fmean

import numpy as np
import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial

from tests.tuner import tiny
from tests.tuner.tiny import changed, states
from tuner import study as studies
from tuner.errors import StorageError
from tuner.evidence import EnvFigures, Sample
from tuner.search_space import distributions
from tuner.storage import open_for_writing
from tuner.study import Study
from tuner.trials import OpenTrial, Trials

STARTUP = 10  # so many complete trials Optuna's TPE waits for before it proposes


def searched() -> Study:
    return studies.parse(changed(('name = "random"', 'name = "tpe"')).encode(), "tiny.toml")


def told(trials: Trials, asked: OpenTrial) -> None:
    """The trial ends; a third of them are pruned."""
    trials.report(asked.number, 1, 0.5)
    if asked.number % 3 == 2:
        trials.prune(asked.number)
    else:
        scores = (1e3 * asked.params["learning_rate"], 2.0)
        sample = Sample(seeds=(4, 8), scores=scores, failed=0, env=EnvFigures())
        trials.complete(asked.number, fmean(scores), sample)


def test_a_proposal_is_that_of_the_sampler_on_the_database(tmp_path: Path) -> None:
    study = searched()
    with open_for_writing(tiny.url(tmp_path)) as store:
        trials = Trials(study, store)
        begin(trials)
        before = store.optuna_study("tiny").get_trials()
        proposed = trials.ask()

    assert proposed.params == proposed_by_optuna(study, before, tmp_path / "twin")


def proposed_by_optuna(study: Study, before: list[FrozenTrial], folder: Path) -> dict[str, object]:
    """What TPE proposes when it looks at a database that holds these trials."""
    entropy = np.random.SeedSequence([study.study.master_seed, len(before)])
    folder.mkdir()
    with open_for_writing(tiny.url(folder)) as store:
        twin = optuna.create_study(
            storage=store.optuna,
            direction="maximize",
            sampler=TPESampler(seed=int(entropy.generate_state(1)[0])),
        )
        twin.add_trials(before)
        return twin.ask(distributions(study.study.agent, study.space)).params


def test_a_restart_changes_no_proposal(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir()
    halves.mkdir()
    with open_for_writing(tiny.url(whole)) as store:
        trials = Trials(searched(), store)
        begin(trials)
        undisturbed = trials.ask()

    with open_for_writing(tiny.url(halves)) as store:
        begin(Trials(searched(), store))
    with open_for_writing(tiny.url(halves)) as store:
        trials = Trials(searched(), store)
        trials.take_up()
        continued = trials.ask()

    assert continued == undisturbed


def begin(trials: Trials) -> None:
    """Enough for TPE to propose something, and one trial left open."""
    for _ in range(2 * STARTUP):
        told(trials, trials.ask())
    trials.ask()


def test_an_asked_trial_stands_whole_in_the_database(tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path)) as store:
        asked = Trials(searched(), store).ask()

        [trial] = tiny.trials(tmp_path)

    assert trial.state.name == "RUNNING"
    assert trial.params == asked.params


def test_an_enqueued_trial_is_taken_up(tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path)) as store:
        told(trials := Trials(searched(), store), trials.ask())
        store.optuna_study("tiny").enqueue_trial({"learning_rate": 3e-3})
    with open_for_writing(tiny.url(tmp_path)) as store:
        trials = Trials(searched(), store)

        [taken] = trials.take_up()
        following = trials.ask()

    assert (taken.number, taken.continued, taken.params["learning_rate"]) == (1, 0, 3e-3)
    assert taken.params.keys() == following.params.keys()
    assert states(tiny.trials(tmp_path)) == ["COMPLETE", "RUNNING", "RUNNING"]


def test_a_trial_that_another_program_adds_is_refused(tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path)) as store:
        trials = Trials(searched(), store)
        trials.ask()
        store.optuna_study("tiny").ask()

        with pytest.raises(StorageError, match="another program added trial 1 to study 'tiny'"):
            trials.ask()
