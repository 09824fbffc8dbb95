"""From evaluations to numbers: one run's score, one trial's value. Pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

FINAL_SHARE = 0.1
FINAL_MARKS = 5


def run_score(name: str, steps: Sequence[int], returns: Sequence[Sequence[float]]) -> float:
    """One run's number from its evaluations.

    steps    [marks]            environment step of each mark, rising
    returns  [marks][episodes]  returns of the greedy episodes played there
    final    mean over the last 10 % of the marks, at least 5 (all, if there are fewer)
    auc      mean over the steps between the first and the last mark (trapezoids)
    """
    means = [fmean(episodes) for episodes in returns]
    if name == "auc" and len(means) > 1:
        areas = [
            (steps[k + 1] - steps[k]) * (means[k] + means[k + 1]) / 2 for k in range(len(means) - 1)
        ]
        return math.fsum(areas) / (steps[-1] - steps[0])
    marks = max(FINAL_MARKS, math.ceil(FINAL_SHARE * len(means)))
    return fmean(means[-marks:])


@dataclass(frozen=True)
class Spread:
    """How a trial did over its seeds. std is None for a single seed."""

    scores: tuple[float, ...]
    mean: float
    std: float | None
    minimum: float


def across_seeds(scores: Sequence[float]) -> Spread:
    """The trial's value is the mean: what the next seed may be expected to score."""
    return Spread(
        scores=tuple(scores),
        mean=fmean(scores),
        std=stdev(scores) if len(scores) > 1 else None,
        minimum=min(scores),
    )
