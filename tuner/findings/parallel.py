"""Every trial as a line through its hyperparameters' values, and the score it led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from tuner.findings.scales import Scale, positions, scales
from tuner.summary import StudySummary, TrialSummary
from tuner.wording import points

NEEDS = "two complete trials"
BANDS = (0.1, 0.25, 0.5, 1.0)  # best share of the trials that ends each


@dataclass(frozen=True)
class Line:
    """One trial. positions: on each axis, 0 to 1, None where it has no value."""

    trial: int
    score: float
    positions: Sequence[float | None]


@dataclass(frozen=True)
class Band:
    """Trials of like rank, worst first, and what they scored."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Parallel:
    """Bands of trials from the best to the worst; winner: one of the lines, if it is a trial."""

    axes: Sequence[Scale]
    bands: Sequence[Band]
    winner: Line | None

    @property
    def title(self) -> str:
        return "Every trial through its hyperparameters"

    @property
    def caption(self) -> str:
        return (
            "A line is a trial, its colour the rank of its value on tuning seeds; each row is an "
            "axis from the lowest to the highest value searched, on a log scale where the search "
            "was.\nA line leaves out the rows of hyperparameters that the trial did not have."
        )


def parallel(summary: StudySummary) -> Parallel | None:
    """None before there are two trials to compare, or where nothing is searched."""
    if len(summary.complete) < 2 or not summary.study.space:
        return None
    axes = scales(summary.study)
    lines = [_line(trial, positions(axes, trial.params)) for trial in summary.complete]
    winner = next((line for line in lines if line.trial == summary.best), None)
    return Parallel(list(axes.values()), _bands(lines), winner)


def _line(trial: TrialSummary, at: Sequence[float | None]) -> Line:
    assert trial.value is not None
    return Line(trial.number, trial.value, at)


def _bands(lines: Sequence[Line]) -> list[Band]:
    """lines: best first."""
    found, begin = [], 0
    for share in BANDS:
        end = max(begin, ceil(share * len(lines)))
        if end > begin:
            band = lines[begin:end]
            scores = f"{points(band[-1].score)} to {points(band[0].score)}"
            place = f"{begin + 1}" if end == begin + 1 else f"{begin + 1} to {end}"
            found.append(Band(f"rank {place}: {scores}", band[::-1]))
        begin = end
    return found
