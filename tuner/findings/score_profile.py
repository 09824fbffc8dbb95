"""How many runs reach how much: the winner beside the default configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.evidence import Difference, Sample
from tuner.intervals import Interval, probability_better_interval
from tuner.summary import StudySummary
from tuner.wording import points

NEEDS = "the winner and the default configuration on confirmation or test seeds"
RESAMPLES = 2_000


@dataclass(frozen=True)
class Reaching:
    """One configuration. share, low, high: [thresholds] of its runs that score as much or more."""

    name: str
    seeds: int
    mean: float
    share: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Profile:
    """Two configurations on seeds of one kind. thresholds: every score there is, rising."""

    pool: str
    thresholds: Sequence[float]
    ours: Reaching
    theirs: Reaching
    probability_better: float
    probability_within: Interval | None

    @property
    def title(self) -> str:
        return f"Share of the runs that reach a score: {self.ours.name} and {self.theirs.name}"

    @property
    def caption(self) -> str:
        within = self.probability_within
        known = "" if within is None else f" ({within.low:.2f} to {within.high:.2f}, bootstrap)"
        return (
            f"Score distributions (Agarwal et al. 2021) over {self.ours.seeds} and "
            f"{self.theirs.seeds} {self.pool} seeds; bands: 2.5 to 97.5 % of "
            f"{RESAMPLES:,} bootstrap resamples of the seeds, at each score.\n"
            f"P({self.ours.name} better than {self.theirs.name}) = "
            f"{self.probability_better:.2f}{known}; means {points(self.ours.mean)} and "
            f"{points(self.theirs.mean)}."
        )


def profile(summary: StudySummary) -> Profile | None:
    """None where the winner is the default, or one of them has no fresh seeds yet."""
    if summary.best is None:
        return None
    evidence = summary.evidence(summary.best)
    if evidence.over_default is None:
        return None
    pool = "test" if evidence.status == "tested" and evidence.default_test else "confirmation"
    return profile_of(evidence.over_default, pool, (f"trial {summary.best}", "default"))


def profile_of(difference: Difference, pool: str, names: tuple[str, str]) -> Profile:
    """Of any two samples; names: of ours and of theirs."""
    ours, theirs = difference.ours, difference.theirs
    thresholds = sorted({*ours.scores, *theirs.scores})
    return Profile(
        pool,
        thresholds,
        _reaching(names[0], ours, thresholds),
        _reaching(names[1], theirs, thresholds),
        difference.probability_better,
        probability_better_interval(ours.scores, theirs.scores),
    )


def _reaching(name: str, sample: Sample, thresholds: Sequence[float]) -> Reaching:
    n = sample.n
    reached = np.sort(np.asarray(sample.scores))[:, None] >= np.asarray(thresholds)[None, :]
    times = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    low, high = np.quantile(times @ reached.astype(np.float64) / n, [0.025, 0.975], axis=0)
    share = reached.mean(axis=0)
    return Reaching(name, n, sample.mean, share.tolist(), low.tolist(), high.tolist())
