"""From ranges and choices to what Optuna samples, and from its samples to hyperparameters."""

from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from agents.deep_q_hparams import DeepQHparams
from agents.errors import HparamsError
from tuner import study as studies
from tuner.search_space import Choices, Range, distributions, label, suggest_all, to_hparams
from tuner.space_problems import space_problems

LAYERS = Choices(choices=[[], [64], [64, 64], [128, 32, 8]])  # type: ignore[arg-type]
SPACE: dict[str, Range | Choices] = {
    "learning_rate": Range(low=1e-5, high=1e-2, log=True),
    "gamma": Range(low=0, high=1),
    "buffer_size": Range(low=1_000, high=9_000, step=2_000),
    "train_freq": Range(low=1, high=256, log=True),
    "hidden_layers": LAYERS,
    "double": Choices(choices=(True, False)),
    "loss": Choices(choices=("huber", "mse")),
}
FIXED = {"batch_size": 16, "tau": 0.5}


def test_ranges_and_choices_become_optuna_distributions() -> None:
    assert distributions("deep_q", SPACE) == {
        "learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
        "gamma": FloatDistribution(0.0, 1.0),
        "buffer_size": IntDistribution(1_000, 9_000, step=2_000),
        "train_freq": IntDistribution(1, 256, log=True),
        "hidden_layers": CategoricalDistribution(("none", "64", "64-64", "128-32-8")),
        "double": CategoricalDistribution((True, False)),
        "loss": CategoricalDistribution(("huber", "mse")),
    }


def test_a_whole_number_range_in_steps_may_end_before_its_high() -> None:
    uneven = {"buffer_size": Range(low=1_000, high=8_000, step=2_000)}

    [found] = distributions("deep_q", uneven).values()

    assert found == IntDistribution(1_000, 7_000, step=2_000)


@pytest.mark.parametrize(
    ("value", "text"), [([64, 64], "64-64"), ((8,), "8"), ([], "none"), (0.5, 0.5), ("mse", "mse")]
)
def test_lists_get_short_names_and_everything_else_stays(value: Any, text: Any) -> None:
    assert label(value) == text


params = st.fixed_dictionaries(
    {
        "learning_rate": st.floats(1e-5, 1e-2),
        "gamma": st.floats(0.0, 1.0),
        "buffer_size": st.sampled_from(range(1_000, 9_001, 2_000)),
        "train_freq": st.integers(1, 256),
        "hidden_layers": st.sampled_from([label(value) for value in LAYERS.choices]),
        "double": st.booleans(),
        "loss": st.sampled_from(["huber", "mse"]),
    }
)


@given(params)
def test_sampled_params_become_exactly_these_hparams(sampled: dict[str, Any]) -> None:
    hparams = to_hparams("deep_q", SPACE, FIXED, sampled)

    kept = {name: label(getattr(hparams, name)) for name in sampled}
    assert kept == sampled
    assert (hparams.batch_size, hparams.tau) == (16, 0.5)
    assert hparams.max_grad_norm == DeepQHparams().max_grad_norm
    assert type(hparams.buffer_size) is type(hparams.train_freq) is int
    assert type(hparams.gamma) is float


def test_what_optuna_samples_of_every_shipped_study_are_valid_hparams() -> None:
    for study in map(studies.load, studies.shipped_names()):
        searched = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(20):
            trial = searched.ask()
            suggest_all(trial, study.study.agent, study.space)
            hparams = study.hparams(trial.params)

            unconditional = {name for name in study.space if not study.space[name].when}
            assert unconditional <= set(trial.params) <= set(study.space)
            assert all(getattr(hparams, name) is not None for name in trial.params)


def test_params_outside_the_space_are_refused() -> None:
    with pytest.raises(HparamsError, match="gamma: must be at most 1"):
        to_hparams("deep_q", SPACE, FIXED, {"gamma": 1.5})


def problems(space: dict[str, Range | Choices], fixed: dict[str, Any]) -> list[str]:
    return space_problems("deep_q", space, fixed, budget_steps=5_000, marks=100)


def test_a_good_space_has_no_problems() -> None:
    assert problems(SPACE, FIXED) == []


@pytest.mark.parametrize(
    ("space", "fixed", "fragment"),
    [
        (
            {"batch_size": Choices(choices=(32, 4_096))},
            {"buffer_size": 1_000},
            "batch_size up to 4096 can exceed",
        ),
        (
            {"buffer_size": Range(low=32, high=9_000)},
            {},
            "batch_size up to 64 can exceed",
        ),
        (
            {"learning_starts": Choices(choices=(100, 5_000))},
            {},
            "learning_starts up to 5000 is not below [budget] steps 5000",
        ),
        (
            {"num_envs": Choices(choices=(1, 64))},
            {},
            "num_envs up to 64 is more than the 50 steps from one of 100 marks to the next",
        ),
    ],
    ids=["batch above buffer", "buffer below the default batch", "never learns", "marks skipped"],
)
def test_combinations_that_cannot_be_trained_are_refused(
    space: dict[str, Range | Choices], fixed: dict[str, Any], fragment: str
) -> None:
    [problem] = problems(space, fixed)

    assert fragment in problem
