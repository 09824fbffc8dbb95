"""Which trial gets another seed, which are confirmed, which wins. Pure functions.

A race spends seeds where they can change the choice: every trial starts with a few, and only those
that may still be the best get more. It is a rule for the budget and claims nothing; claims come
from seeds that chose nothing. It compares means, whatever a study calls a trial's value: of so few
seeds nothing else has a standard error worth the name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pvariance

from tuner.seed_statistics import shrunken_variance, trial_value, typical_variance, variance

Z = 0.67  # standard errors a trial may lie behind and stay: one-sided 25 % at each look
FIRST_TRIALS = 10  # measured alike before anybody is raced out: they tell what noise there is
SEEDS_TO_LEAD = 3
UNEQUAL = 3.0  # ratio of standard deviations from which each trial's own is used
LEAST_SHORTLIST, MOST_SHORTLIST = 3, 10
LEAST_SIGNAL = 0.01  # of the variance between trials, that is believed to be real

Field = Mapping[int, Sequence[float]]  # trial → scores of its tuning seeds so far


@dataclass(frozen=True)
class Noise:
    """What a study's scores say about seeds and trials (one-way random effects).

    within   variance over the seeds of a trial, pooled
    between  variance of the trials' true means, at least a hundredth of that of the seen ones
    centre   mean of the trials' means
    """

    within: float
    between: float
    centre: float

    def weight(self, seeds: int) -> float:
        """The share of the differences between trials of so many seeds that is real."""
        whole = self.between + self.within / seeds
        return self.between / whole if whole > 0 else 1.0

    @property
    def is_none(self) -> bool:
        """Whether every score there is is the same."""
        return self.within == 0.0 and self.between == 0.0

    def shrunken(self, mean: float, seeds: int) -> float:
        """A trial's mean drawn towards the centre by what its few seeds are worth."""
        return self.centre + self.weight(seeds) * (mean - self.centre)


def noise(field: Field) -> Noise | None:
    """None before two trials have scores and one has two seeds."""
    scored = [scores for scores in field.values() if scores]
    freedom = sum(len(scores) - 1 for scores in scored)
    if len(scored) < 2 or not freedom:
        return None
    within = sum((len(s) - 1) * variance(s) for s in scored if len(s) > 1) / freedom
    means = list(_means(field).values())
    seen = variance(means)
    between = seen - fmean(within / len(scores) for scores in scored)
    return Noise(within, max(between, LEAST_SIGNAL * seen), fmean(means))


@dataclass(frozen=True)
class Rule:
    """How a study races: seeds at first, seeds at most, and how far behind a trial may lie."""

    start: int
    most: int
    z: float = Z

    def seeds_at_first(self, trial: int) -> int:
        """How many seeds a trial gets before it is judged."""
        return self.start if trial >= FIRST_TRIALS else max(self.start, min(3, self.most))


@dataclass(frozen=True)
class Decision:
    """What was decided on a trial with so many seeds, and the numbers behind it.

    verdict         contender (another seed), raced out, or full (it has all the seeds there are)
    value           its mean
    leader          the trial it was compared with: at least 3 seeds, the highest shrunken mean
    difference      its mean less the leader's
    standard_error  of that difference
    """

    trial: int
    seeds: int
    value: float
    verdict: str
    leader: int | None = None
    leader_seeds: int | None = None
    leader_value: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    z: float | None = None

    @property
    def goes_on(self) -> bool:
        return self.verdict == "contender"


def decide(trial: int, field: Field, rule: Rule) -> Decision:
    """Whether a trial whose seeds are all scored gets another one.

    It does unless it lies more than `z` standard errors behind the leader, or no score of the study
    differs from any other: then nobody leads, and more of the same would not change that.
    """
    values = _means(field)
    seeds, value = len(field[trial]), values[trial]
    if seeds >= rule.most:
        return Decision(trial, seeds, value, "full")
    known = noise(field)
    leader = _leader(field, values, known, rule)
    if known is None or leader is None:
        return Decision(trial, seeds, value, "contender")
    if known.is_none:
        return Decision(trial, seeds, value, "raced out")
    difference = value - values[leader]
    error = _standard_error(field, trial, leader, known)
    return Decision(
        trial=trial,
        seeds=seeds,
        value=value,
        verdict="raced out" if difference + rule.z * error < 0 else "contender",
        leader=leader,
        leader_seeds=len(field[leader]),
        leader_value=values[leader],
        difference=difference,
        standard_error=error,
        z=rule.z,
    )


def replay(scored: Iterable[tuple[int, float]], rule: Rule) -> Iterator[Decision]:
    """Every decision of a search again, from nothing but its trials' scores in their order.

    scored  (trial, score) of the tuning runs as they were recorded
    """
    field: dict[int, list[float]] = {}
    granted: dict[int, int] = {}
    for trial, score in scored:
        field.setdefault(trial, []).append(score)
        if len(field[trial]) == granted.setdefault(trial, rule.seeds_at_first(trial)):
            decision = decide(trial, field, rule)
            granted[trial] += decision.goes_on
            yield decision


def shortlist(field: Field) -> list[int]:
    """The trials worth confirming, best first: 3 to 10, if there are so many.

    All whose shrunken mean lies within two standard errors of the best one's.
    """
    values = _means(field)
    known = noise(field)
    if known is not None:
        values = {trial: known.shrunken(v, len(field[trial])) for trial, v in values.items()}
    ranked = sorted(values, key=lambda trial: (-values[trial], trial))
    if known is None or not ranked:
        return ranked[:LEAST_SHORTLIST]
    best = ranked[0]
    near = [
        trial
        for place, trial in enumerate(ranked)
        if place < LEAST_SHORTLIST
        or values[best] - values[trial] <= 2 * _pooled_error(field, trial, best, known.within)
    ]
    return near[:MOST_SHORTLIST]


@dataclass(frozen=True)
class Choice:
    """The winner among finalists, and why.

    values          of each, over its tuning and confirmation seeds together
    highest         the finalist with the highest value
    standard_error  of the highest's value; those within it count as equal
    """

    winner: int
    values: Mapping[int, float]
    highest: int
    standard_error: float


def choose(finalists: Field, costs: Mapping[int, float], across: str = "mean") -> Choice:
    """Of the finalists within one standard error of the highest value, the one with the smallest
    standard deviation; of equals the cheapest, then the one that stands first.

    finalists  trial → scores of all its tuning and confirmation seeds, at least two
    across     what makes one value of them; its standard error is the jackknife's (Tukey 1958)
    """
    typical = typical_variance(finalists.values())
    values = {trial: trial_value(across, scores, typical) for trial, scores in finalists.items()}
    highest = max(values, key=lambda trial: values[trial])
    error = _jackknife_error(finalists[highest], across, typical)
    equals = [trial for trial in finalists if values[highest] - values[trial] <= error]
    winner = min(equals, key=lambda trial: (pvariance(finalists[trial]), costs[trial]))
    return Choice(winner, values, highest, error)


def _jackknife_error(scores: Sequence[float], across: str, typical: float | None) -> float:
    """Of a value across seeds; of the mean it is the standard deviation over the root of n."""
    n = len(scores)
    without = [trial_value(across, [*scores[:k], *scores[k + 1 :]], typical) for k in range(n)]
    return sqrt((n - 1) / n * sum((value - fmean(without)) ** 2 for value in without))


def _means(field: Field) -> dict[int, float]:
    return {trial: fmean(scores) for trial, scores in field.items() if scores}


def _leader(
    field: Field, values: Mapping[int, float], known: Noise | None, rule: Rule
) -> int | None:
    if known is None:
        return None
    enough = min(SEEDS_TO_LEAD, rule.most)
    able = [trial for trial in values if len(field[trial]) >= enough]
    shrunken = {trial: known.shrunken(values[trial], len(field[trial])) for trial in able}
    return min(able, key=lambda trial: (-shrunken[trial], trial), default=None)


def _standard_error(field: Field, one: int, other: int, known: Noise) -> float:
    """Of the difference of two trials' means: pooled, or each its own if they differ much."""
    typical = typical_variance(field.values())
    variances = [shrunken_variance(field[trial], typical) for trial in (one, other)]
    if max(variances) <= UNEQUAL**2 * min(variances):
        return _pooled_error(field, one, other, known.within)
    return sqrt(sum(v / len(field[t]) for v, t in zip(variances, (one, other), strict=True)))


def _pooled_error(field: Field, one: int, other: int, within: float) -> float:
    return sqrt(within * (1 / len(field[one]) + 1 / len(field[other])))
