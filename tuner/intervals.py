"""What a few seeds can tell: intervals, rates and comparisons. Pure functions, 95 % unless said.

Which interval is printed depends on how many seeds there are, because their true coverage does: the
percentile bootstrap of a mean covers 84 % at five seeds even for normal data, Student's t 95 %. No
interval sees what was not sampled, hence the bounds on failure rates beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, stdev, variance

import numpy as np
from scipy import stats

LEVEL = 0.95
ACCUSING_LEVEL = 0.99  # of what a claim must contradict to be called false
DRAWS = 5_000
SEEDS_FOR_AN_INTERVAL = 3  # computed; shown in words from five on
SEEDS_TO_SHOW = 5
SEEDS_FOR_BOTH = 10
SEEDS_FOR_BOOTSTRAP = 20
SENSIBLE = 3.0  # times the width of t; beyond, some resamples had hardly any spread


@dataclass(frozen=True)
class Interval:
    """From low to high, and by which method."""

    low: float
    high: float
    method: str

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def mean_interval(
    scores: Sequence[float], bounds: tuple[float, float] | None = None
) -> Interval | None:
    """Of the mean over all seeds there could be, clipped to what the environment can return.

    None for one or two scores, and where all are equal: these say nothing about the spread.
    3 to 9 scores Student's t; 10 to 19 the wider of t and bootstrap-t; from 20 on bootstrap-t.
    Where so many scores are nearly equal that bootstrap-t has no end, or one that says nothing, t.
    """
    n = len(scores)
    if n < SEEDS_FOR_AN_INTERVAL or len(set(scores)) == 1:
        return None
    found = t_interval(scores)
    if n >= SEEDS_FOR_BOTH:
        resampled = bootstrap_t_interval(scores)
        wider = n >= SEEDS_FOR_BOOTSTRAP or resampled.half_width > found.half_width
        if wider and resampled.half_width <= SENSIBLE * found.half_width:
            found = resampled
    low, high = bounds or (-inf, inf)
    return Interval(max(found.low, low), min(found.high, high), found.method)


def t_interval(scores: Sequence[float]) -> Interval:
    """Student's t interval of the mean of two scores or more."""
    n = len(scores)
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * stdev(scores) / sqrt(n)
    return Interval(fmean(scores) - half, fmean(scores) + half, "t")


def bootstrap_t_interval(scores: Sequence[float], draws: int = DRAWS) -> Interval:
    """The studentized bootstrap interval of the mean (Efron 1981), resampled by a fixed seed.

    Resamples of one repeated score lie infinitely many of their standard errors away; where these
    are more than the interval leaves out, it has no end on that side.
    """
    data = np.sort(np.asarray(scores, dtype=np.float64))  # the order of seeds means nothing
    resamples = data[np.random.default_rng(0).integers(len(data), size=(draws, len(data)))]
    away = resamples.mean(axis=1) - data.mean()
    alike = resamples.min(axis=1) == resamples.max(axis=1)
    errors = np.where(alike, 1.0, resamples.std(axis=1, ddof=1) / sqrt(len(data)))
    studentized = np.where(alike, np.copysign(inf, away), away / errors)
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(studentized, ends, method="inverted_cdf")
    error = data.std(ddof=1) / sqrt(len(data))
    return Interval(
        float(data.mean() - high * error), float(data.mean() - low * error), "bootstrap-t"
    )


def median_interval(scores: Sequence[float]) -> Interval:
    """From the lowest to the highest score: it misses the median of all seeds there could be with
    a probability of 2^(1-n), whatever their distribution."""
    return Interval(min(scores), max(scores), f"{1 - 2.0 ** (1 - len(scores)):.1%}")


def claim_interval(
    scores: Sequence[float], claimed: Sequence[float], bounds: tuple[float, float] | None = None
) -> Interval | None:
    """Where the mean of the claimed scores must lie if they are of the same kind as these, 99 %.

    Student's t with the spread of both together, because few new scores often show none. Of honest
    claims about 1 % lie outside, whether their scores are normal, skewed, or mostly at a limit.
    None where there is no spread at all.
    """
    n, m = len(scores), len(claimed)
    freedom = n + m - 2
    if freedom < 1:
        return None
    squares = sum((k - 1) * variance(s) for k, s in ((n, scores), (m, claimed)) if k > 1)
    if squares == 0:
        return None
    quantile = float(stats.t.ppf((1 + ACCUSING_LEVEL) / 2, freedom))
    half = quantile * sqrt(squares / freedom * (1 / n + 1 / m))
    low, high = bounds or (-inf, inf)
    return Interval(max(fmean(scores) - half, low), min(fmean(scores) + half, high), "t")


def rate_interval(successes: int, n: int) -> Interval:
    """Of a rate that was `successes` of n (Clopper and Pearson 1934, two-sided)."""
    found = stats.binomtest(successes, n).proportion_ci(LEVEL, method="exact")
    return Interval(float(found.low), float(found.high), "Clopper-Pearson")


def highest_rate(successes: int, n: int) -> float:
    """How large a rate may still be that showed itself so often (Clopper-Pearson, one-sided)."""
    if successes == n:
        return 1.0
    return float(stats.beta.ppf(LEVEL, successes + 1, n - successes))


def difference_interval(ours: Sequence[float], theirs: Sequence[float]) -> Interval | None:
    """Of the difference of two means with variances of their own (Welch 1947).

    None where either has fewer than two scores, or neither has any spread.
    """
    if min(len(ours), len(theirs)) < 2:
        return None
    parts = [variance(ours) / len(ours), variance(theirs) / len(theirs)]
    if sum(parts) == 0:
        return None
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(scores) - 1) for part, scores in zip(parts, (ours, theirs), strict=True)
    )
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * sqrt(sum(parts))
    middle = fmean(ours) - fmean(theirs)
    return Interval(middle - half, middle + half, "Welch t")


def probability_better(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """That a seed of ours scores more than one of theirs, ties counted half (Mann-Whitney)."""
    a, b = np.asarray(ours)[:, None], np.asarray(theirs)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def probability_better_interval(
    ours: Sequence[float], theirs: Sequence[float], draws: int = DRAWS
) -> Interval | None:
    """Of `probability_better`, both sides resampled by a fixed seed (percentiles).

    None where every seed of one side is above every seed of the other, or all are equal: resamples
    then know no doubt, which these few seeds do not justify.
    """
    if probability_better(ours, theirs) in (0.0, 1.0) or len({*ours, *theirs}) == 1:
        return None
    ours, theirs = sorted(ours), sorted(theirs)
    random = np.random.default_rng(0)
    better = np.asarray(ours)[:, None] - np.asarray(theirs)[None, :]
    wins = (better > 0) + 0.5 * (better == 0)
    rows = random.integers(len(ours), size=(draws, len(ours)))
    columns = random.integers(len(theirs), size=(draws, len(theirs)))
    found = [wins[np.ix_(r, c)].mean() for r, c in zip(rows, columns, strict=True)]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), "bootstrap")


def visible_difference(n: int, power: float = 0.8) -> float:
    """The smallest true difference of two means, in standard deviations over seeds, that a
    comparison of n seeds each at the 5 % level sees with that probability (normal approximation).
    """
    quantiles = stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(power)
    return float(quantiles * sqrt(2 / max(1, n - 1)))


def half_width(n: int) -> float | None:
    """Of the t interval of a mean of n seeds, in standard deviations over seeds; None below 2."""
    return float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) / sqrt(n) if n > 1 else None
