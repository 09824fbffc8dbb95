"""A trial in somebody's own Optuna loop gives what `tuner launch` gives."""

from statistics import fmean

import optuna
import pytest

import tuner
from tests.tuner.conftest import Finished
from tests.tuner.tiny import trials
from tuner.errors import StudyError


def test_the_same_parameters_give_the_same_trials_as_a_launch(finished: Finished) -> None:
    launched = trials(finished.folder)[:2]
    own = optuna.create_study(direction="maximize")
    for trial in launched:
        own.enqueue_trial(trial.params)

    own.optimize(tuner.objective(str(finished.folder / "tiny.toml")), n_trials=2)

    for ours, theirs in zip(own.trials, launched, strict=True):
        assert ours.params == theirs.params
        assert ours.distributions == theirs.distributions
        assert ours.value == theirs.value
        assert ours.intermediate_values == theirs.intermediate_values
        assert ours.user_attrs == theirs.user_attrs


def test_a_study_may_be_given_as_an_object_and_samples_its_own_space(finished: Finished) -> None:
    own = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))

    own.optimize(tuner.objective(finished.study), n_trials=1)

    [trial] = own.trials
    assert set(trial.params) == set(finished.study.space)
    assert trial.value == pytest.approx(fmean(trial.user_attrs["seed_scores"]), abs=1e-3)


def test_an_unknown_study_is_refused_before_any_trial() -> None:
    with pytest.raises(StudyError, match="did you mean 'quickstart'"):
        tuner.objective("quikstart")


def test_the_package_has_nothing_else_of_that_sort() -> None:
    with pytest.raises(AttributeError, match="no attribute 'objectives'"):
        _ = tuner.objectives  # type: ignore[attr-defined]
