"""From evaluations to numbers: one run's score, one trial's value. Pure functions."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

FINAL_SHARE = 0.1
FINAL_MARKS = 5
PRIOR_SEEDS = 4  # what the typical variance counts beside a trial's own seeds
CAUTION = 0.5  # standard deviations that mean_minus_std takes off
WORST_SHARE = 0.25  # of the seeds, for cvar


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


def broken_score(random_score: float, reached: float | None) -> float:
    """What a run scores that broke down: as much as a random agent, or less if it already did.

    reached: its score by the marks it came to; None before the first
    """
    return random_score if reached is None else min(random_score, reached)


@dataclass(frozen=True)
class Spread:
    """How a configuration did over its seeds. std is None for a single seed."""

    scores: tuple[float, ...]
    mean: float
    std: float | None
    minimum: float
    maximum: float


def across_seeds(scores: Sequence[float]) -> Spread:
    """The spread of at least one score. Raises ValueError where one is not finite."""
    if not all(map(math.isfinite, scores)):
        raise ValueError(f"scores must be finite numbers (got {list(scores)})")
    return Spread(
        scores=tuple(scores),
        mean=fmean(scores),
        std=math.sqrt(variance(scores)) if len(scores) > 1 else None,
        minimum=min(scores),
        maximum=max(scores),
    )


def trial_value(name: str, scores: Sequence[float], typical: float | None = None) -> float:
    """A trial's number from its seeds' scores.

    mean            what the next seed may be expected to score
    iqm             mean of the middle half, the scores at its edges counted in part
    mean_minus_std  mean less half a standard deviation, shrunken towards the `typical` variance
    cvar            mean of the worst quarter of the seeds, rounded up
    """
    ordered = sorted(across_seeds(scores).scores)
    match name:
        case "iqm":
            return interquartile_mean(ordered)
        case "mean_minus_std":
            return fmean(ordered) - CAUTION * math.sqrt(shrunken_variance(ordered, typical))
        case "cvar":
            return fmean(ordered[: math.ceil(WORST_SHARE * len(ordered))])
        case "mean":
            return fmean(scores)
    raise ValueError(f"unknown value across seeds '{name}'")


def variance(scores: Sequence[float]) -> float:
    """Of at least two scores, over n - 1; 0 exactly where all are equal.

    The standard library's is exact to the last bit, and fifty times as slow.
    """
    if min(scores) == max(scores):
        return 0.0
    mean = fmean(scores)
    return math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1)


def interquartile_mean(ordered: Sequence[float]) -> float:
    """The mean of the middle half of rising scores, exact for any number of them.

    Score j of n stands for the share from (j-1)/n to j/n of the distribution; what of it lies
    between 1/4 and 3/4 is its weight (the fractional trimmed mean).
    """
    n = len(ordered)
    weights = [max(0.0, min(j + 1, 0.75 * n) - max(j, 0.25 * n)) for j in range(n)]
    return math.fsum(w * y for w, y in zip(weights, ordered, strict=True)) / math.fsum(weights)


def shrunken_variance(scores: Sequence[float], typical: float | None) -> float:
    """The variance over seeds, drawn towards the typical one as if that came from 4 more seeds.

    0 where nothing is known: a single seed and no typical variance.
    """
    own = variance(scores) if len(scores) > 1 else 0.0
    if typical is None:
        return own
    freedom = len(scores) - 1
    return (PRIOR_SEEDS * typical + freedom * own) / (PRIOR_SEEDS + freedom)


def typical_variance(trials: Iterable[Sequence[float]]) -> float | None:
    """The median over trials of the variance over their seeds; None before any has two."""
    found = [variance(scores) for scores in trials if len(scores) > 1]
    return median(found) if found else None
