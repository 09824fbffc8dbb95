"""What the seeds of a study say about the configuration it chose. Pure functions.

Three pools of seeds tell three things: the tuning seeds found the configuration, the confirmation
seeds chose it among the finalists, the test seeds chose nothing. Only the last give an honest mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from statistics import fmean
from typing import Any

from tuner.intervals import (
    SEEDS_TO_SHOW,
    Interval,
    difference_interval,
    highest_rate,
    mean_interval,
    median_interval,
    probability_better,
    probability_better_interval,
    rate_interval,
)
from tuner.seed_statistics import Spread, across_seeds

UNRELIABLE = 0.5
RANDOM_EPISODES = 100  # that a random agent plays to be measured


@dataclass(frozen=True)
class EnvFigures:
    """What scores are measured by, recorded when the study began.

    random_score  mean return of an agent that acts at random; what a failed run scores; None in
                  studies that began before it was measured
    threshold     the return from which the environment counts as solved; None if it names none, or
                  if scores are no returns at the end of training (`auc`)
    bounds        lowest and highest return of an episode, where they are known
    """

    random_score: float | None = None
    threshold: float | None = None
    bounds: tuple[float, float] | None = None

    @property
    def measures(self) -> list[float]:
        """The random score and the threshold, as far as there are such."""
        return [figure for figure in (self.random_score, self.threshold) if figure is not None]


def measured_by(
    score: str,
    random_returns: Sequence[float],
    threshold: float | None,
    bounds: tuple[float, float] | None,
) -> EnvFigures:
    """What scores of this name are measured by. threshold: of the environment's returns."""
    return EnvFigures(fmean(random_returns), threshold if score == "final" else None, bounds)


@dataclass(frozen=True)
class Sample:
    """The runs of one configuration on one pool of seeds. failed: how many of them broke down."""

    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    failed: int
    env: EnvFigures

    @cached_property
    def spread(self) -> Spread:
        return across_seeds(self.scores)

    @cached_property
    def interval(self) -> Interval | None:
        return mean_interval(self.scores, self.env.bounds)

    @property
    def shown_interval(self) -> Interval | None:
        """The interval for people to read; None for the few seeds of which it says too little."""
        return self.interval if self.n >= SEEDS_TO_SHOW else None

    @property
    def median_interval(self) -> Interval | None:
        """For 5 to 9 seeds, where Student's t leans on a shape it cannot see."""
        return median_interval(self.scores) if 5 <= self.n <= 9 else None

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def mean(self) -> float:
        return self.spread.mean

    @property
    def solved(self) -> int | None:
        """How many reached the environment's threshold; None if it has none."""
        if self.env.threshold is None:
            return None
        return sum(score >= self.env.threshold for score in self.scores)

    @property
    def highest_failure_rate(self) -> float:
        """How often runs may break down although we saw no more of it than this."""
        return highest_rate(self.failed, self.n)

    def as_data(self) -> dict[str, Any]:
        """For hparams.json and scripts."""
        interval, median, solved = self.interval, self.median_interval, self.solved
        return {
            "seeds": list(self.seeds),
            "scores": list(self.scores),
            "mean": self.mean,
            "std": self.spread.std,
            "min": self.spread.minimum,
            "max": self.spread.maximum,
            "ci95": None if interval is None else [interval.low, interval.high],
            "ci_method": None if interval is None else interval.method,
            "median_within": None if median is None else [*_ends(median), median.method],
            "threshold": self.env.threshold,
            "solved": solved,
            "solved_ci95": None if solved is None else _ends(rate_interval(solved, self.n)),
            "failed": self.failed,
            "failure_rate_upper95": self.highest_failure_rate,
        }


@dataclass(frozen=True)
class Difference:
    """Of the means of two samples. interval: None where neither has any spread."""

    ours: Sample
    theirs: Sample

    @property
    def mean(self) -> float:
        return self.ours.mean - self.theirs.mean

    @cached_property
    def interval(self) -> Interval | None:
        return difference_interval(self.ours.scores, self.theirs.scores)

    @property
    def probability_better(self) -> float:
        return probability_better(self.ours.scores, self.theirs.scores)

    def as_data(self) -> dict[str, Any]:
        """For hparams.json and scripts."""
        interval = self.interval
        likely = probability_better_interval(self.ours.scores, self.theirs.scores)
        return {
            "mean": self.mean,
            "ci95": None if interval is None else _ends(interval),
            "ci_method": None if interval is None else interval.method,
            "probability_better": self.probability_better,
            "probability_better_ci95": None if likely is None else _ends(likely),
        }


@dataclass(frozen=True)
class Evidence:
    """Everything about one configuration of a study.

    trial        None: the agent's default configuration
    trials       how many were told a value
    best_tune    the highest mean of a trial's tuning seeds
    reliability  share of the differences between trials that is real; None if unknown
    tested_before  other configurations of this study that were tested on the same seeds earlier
    """

    trial: int | None
    trials: int
    best_tune: float | None
    tune: Sample | None
    confirm: Sample | None
    test: Sample | None
    default_confirm: Sample | None
    default_test: Sample | None
    reliability: float | None
    tested_before: Sequence[int] = ()

    @property
    def status(self) -> str:
        """tested, confirmed, or unconfirmed."""
        if self.test is not None:
            return "tested"
        return "unconfirmed" if self.confirm is None else "confirmed"

    @property
    def gap(self) -> Difference | None:
        """How much of the tuning mean was luck."""
        if self.tune is None or self.test is None:
            return None
        return Difference(self.tune, self.test)

    @property
    def confirm_gap(self) -> Difference | None:
        """The part of it that showed itself on the confirmation seeds."""
        if self.tune is None or self.confirm is None:
            return None
        return Difference(self.tune, self.confirm)

    @property
    def over_default(self) -> Difference | None:
        """What the search gained over the agent's default configuration."""
        if self.trial is None:
            return None
        if self.test is not None and self.default_test is not None:
            return Difference(self.test, self.default_test)
        if self.confirm is not None and self.default_confirm is not None:
            return Difference(self.confirm, self.default_confirm)
        return None

    def as_data(self) -> dict[str, Any]:
        """For hparams.json and scripts; what is not known is left out."""
        gap, confirm_gap, over_default = self.gap, self.confirm_gap, self.over_default
        found: dict[str, Any] = {
            "status": self.status,
            "trial": self.trial,
            "trials": self.trials,
            "best_tune_mean": self.best_tune,
            "tune": self.tune and self.tune.as_data(),
            "confirm": self.confirm and self.confirm.as_data(),
            "test": self.test and self.test.as_data(),
            "default_config_confirm": self.default_confirm and self.default_confirm.as_data(),
            "default_config_test": self.default_test and self.default_test.as_data(),
            "optimism_gap": gap and gap.mean,
            "optimism_gap_ci95": gap and gap.interval and _ends(gap.interval),
            "optimism_gap_to_confirm": confirm_gap and confirm_gap.mean,
            "difference_to_default": over_default and over_default.as_data(),
            "reliability": self.reliability,
            "tested_before": list(self.tested_before) or None,
        }
        return {key: value for key, value in found.items() if value is not None}


def _ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def env_figures(data: Mapping[str, Any]) -> EnvFigures:
    """As they were recorded, of this version or a later one."""
    known = {field.name for field in fields(EnvFigures)}
    found = {key: value for key, value in data.items() if key in known}
    bounds = found.get("bounds")
    return EnvFigures(**{**found, "bounds": None if bounds is None else (bounds[0], bounds[1])})
