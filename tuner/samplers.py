"""The samplers and pruners a study may name, from Optuna."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

FIRST_PRUNED = 0.2  # of a trial, which is never pruned
WIDE = 100  # whole numbers in a log range, from which single ones do not matter


def make_sampler(name: str, seed: int) -> BaseSampler:
    """`random` or `tpe`."""
    return RandomSampler(seed=seed) if name == "random" else WideTPESampler(seed=seed)


def make_pruner(name: str, marks: int) -> BasePruner | None:
    """`none`, `median` or `hyperband`, of a trial with so many marks.

    Nothing is pruned in the first fifth of the marks: deep Q-learning learns late.
    """
    first = max(1, ceil(FIRST_PRUNED * marks))
    match name:
        case "median":
            return MedianPruner(n_startup_trials=5, n_warmup_steps=first)
        case "hyperband":
            return HyperbandPruner(min_resource=first, max_resource=marks, reduction_factor=2)
    return None


class WideTPESampler(TPESampler):
    """TPE that takes wide log ranges of whole numbers as continuous, and rounds.

    Optuna integrates its densities over each whole number's interval, which is four fifths of a
    proposal's cost at 1,000 trials (`scripts/benchmark_sampler`); with 100 numbers and more the
    density at a point says the same.
    """

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The proposal, {} while there are too few trials for one."""
        continuous = {name: _continuous(found) for name, found in search_space.items()}
        return _rounded(super().sample_relative(study, trial, continuous), search_space)


def _continuous(distribution: BaseDistribution) -> BaseDistribution:
    """The same range without steps, if it is wide; each whole number keeps its share."""
    match distribution:
        case IntDistribution(low=low, high=high, log=True) if high - low >= WIDE:
            return FloatDistribution(low - 0.5, high + 0.5, log=True)
    return distribution


def _rounded(
    params: Mapping[str, Any], search_space: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    found = dict(params)
    for name, distribution in search_space.items():
        if name in found and isinstance(distribution, IntDistribution):
            found[name] = min(max(round(found[name]), distribution.low), distribution.high)
    return found
