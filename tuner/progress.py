"""Where a study stands at one moment, for screens and scripts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

PHASES = ("search", "confirm", "test")


@dataclass(frozen=True)
class Best:
    """The trial with the highest value so far.

    curve  its mean over seeds at each mark, as far as it came
    """

    trial: int
    value: float
    scores: tuple[float, ...]
    curve: tuple[float, ...] = ()

    @property
    def std(self) -> float | None:
        """Over its seeds; None for one."""
        return stdev(self.scores) if len(self.scores) > 1 else None


@dataclass(frozen=True)
class Lanes:
    """Of a launch, seen from within.

    per_cohort  how many were trained by one call, on average
    """

    number: int
    busy: int
    per_cohort: float


@dataclass(frozen=True)
class Progress:
    """A study as a launch has it, or as its database tells. None: not known.

    phase    start, search, searched (and not confirmed), confirm, test or done
    running  whether a launch is at work on it, on the part that phase names
    states   how many trials ended otherwise than complete
    runs     those recorded and those to come, as far as can be told
    lanes    None before they are chosen, and from outside
    elapsed_s  of this launch; of a study that stands still, as long as its lanes were at work
    measures   what scores are measured by: a random agent's, the environment's threshold
    """

    study: str
    phase: str
    running: bool
    trials: int
    trials_done: int
    states: Sequence[tuple[str, int]]
    runs: int
    runs_done: int
    lanes: Lanes | None
    steps_per_second: float | None
    elapsed_s: float
    left_s: float | None
    best: Best | None
    measures: Sequence[float] = ()

    def as_data(self) -> dict[str, Any]:
        """For scripts."""
        best = None if self.best is None else asdict(self.best) | {"std": self.best.std}
        return asdict(self) | {"best": best, "states": dict(self.states)}


def mean_curve(curves: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The mean of seeds at each mark, over those that came so far. curves: [seeds][marks]"""
    longest = max(map(len, curves), default=0)
    return tuple(
        fmean(curve[mark] for curve in curves if len(curve) > mark) for mark in range(longest)
    )
