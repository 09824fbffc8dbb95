"""How the leading trials learned: every seed's curve, and their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tuner.storage import Run
from tuner.summary import StudySummary

LEADING = 5


@dataclass(frozen=True)
class TrialCurves:
    """One trial. seeds: [seeds][marks] mean return at each mark; mean: [marks] over seeds."""

    trial: int
    steps: Sequence[int]
    seeds: Sequence[Sequence[float]]
    mean: Sequence[float]


@dataclass(frozen=True)
class LearningCurves:
    """The trials with the highest values, best first. episodes: played at each mark."""

    trials: Sequence[TrialCurves]
    episodes: int

    @property
    def title(self) -> str:
        return f"Learning curves of the {len(self.trials)} best trials"

    @property
    def caption(self) -> str:
        seeds = [len(trial.seeds) for trial in self.trials]
        return (
            f"Every seed thin, the mean over {min(seeds)} to {max(seeds)} tuning seeds bold; "
            f"a point is the mean return of {self.episodes} greedy episodes.\n"
            "Runs that broke down are left out. These seeds chose the trials: expect less."
        )


def learning_curves(summary: StudySummary) -> LearningCurves | None:
    """None as long as no trial with a whole curve is complete."""
    found = [_curves(trial.number, trial.runs) for trial in summary.complete[:LEADING]]
    whole = [curves for curves in found if curves is not None]
    return LearningCurves(whole, summary.study.budget.episodes) if whole else None


def _curves(trial: int, runs: Sequence[Run]) -> TrialCurves | None:
    seeds = [[fmean(mark) for mark in run.curve["returns"]] for run in runs if not run.failed]
    if not seeds:
        return None
    steps = next(run.curve["steps"] for run in runs if not run.failed)
    return TrialCurves(trial, steps, seeds, [fmean(column) for column in zip(*seeds, strict=True)])
