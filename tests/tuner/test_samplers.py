"""Our TPE proposes what Optuna's does; only wide log ranges of whole numbers are rounded."""

from math import log
from statistics import mean
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from tuner.samplers import WIDE, make_sampler

WIDE_RANGE = IntDistribution(10, 5_000, log=True)
BEST = 300


def proposals(
    sampler: BaseSampler, trials: int, space: dict[str, BaseDistribution]
) -> list[dict[str, Any]]:
    """What is asked while trials are told how near 300 their `whole` is."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask(space)
        study.tell(trial, -abs(log(trial.params["whole"] / BEST)))
    return [trial.params for trial in study.get_trials(deepcopy=False)]


def distance(found: list[dict[str, Any]]) -> float:
    return mean(abs(log(params["whole"] / BEST)) for params in found)


def test_proposals_in_a_wide_range_are_whole_and_as_good_as_optunas() -> None:
    space: dict[str, BaseDistribution] = {"whole": WIDE_RANGE}
    ours, optunas = [], []
    for seed in range(10):
        found = proposals(make_sampler("tpe", seed), 60, space)
        assert all(type(params["whole"]) is int for params in found)
        assert all(10 <= params["whole"] <= 5_000 for params in found)
        ours.append(distance(found[20:]))
        optunas.append(distance(proposals(TPESampler(seed=seed), 60, space)[20:]))

    by_chance = distance(proposals(RandomSampler(seed=0), 600, space))
    assert mean(ours) < 0.5 * by_chance
    assert mean(ours) == pytest.approx(mean(optunas), rel=0.05)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_end_of_a_wide_range_is_proposed(direction: str) -> None:
    space: dict[str, BaseDistribution] = {"whole": IntDistribution(1, 1 + WIDE, log=True)}
    study = optuna.create_study(direction=direction, sampler=make_sampler("tpe", 1))

    for _ in range(60):
        trial = study.ask(space)
        study.tell(trial, trial.params["whole"])

    assert study.best_value == {"minimize": 1, "maximize": 1 + WIDE}[direction]


def test_every_other_range_is_optunas_own_proposal() -> None:
    space: dict[str, BaseDistribution] = {
        "whole": IntDistribution(10, 9 + WIDE, log=True),
        "steps": IntDistribution(100, 10_000, step=100),
        "rate": FloatDistribution(1e-5, 1e-2, log=True),
    }

    assert proposals(make_sampler("tpe", 3), 20, space) == proposals(TPESampler(seed=3), 20, space)


def test_random_is_optunas_own() -> None:
    space: dict[str, BaseDistribution] = {"whole": WIDE_RANGE}

    found = proposals(make_sampler("random", 3), 20, space)

    assert found == proposals(RandomSampler(seed=3), 20, space)
