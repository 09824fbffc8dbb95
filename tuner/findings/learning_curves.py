"""How the leading trials learned: every seed's curve, and their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from tuner.findings.phrases import counted, from_to
from tuner.summary import StudySummary, TrialSummary

LEADING = 5
MOST_SEEDS = 20  # drawn of a trial
MOST_POINTS = 10_000  # of all curves together


@dataclass(frozen=True)
class TrialCurves:
    """One trial. seeds: [seeds][marks] mean return at each mark; mean: [marks] over seeds.

    failed  how many other runs of it broke down
    """

    trial: int
    steps: Sequence[int]
    seeds: Sequence[Sequence[float]]
    mean: Sequence[float]
    failed: int


@dataclass(frozen=True)
class LearningCurves:
    """The trials with the highest values, best first, and the winner, wherever it stands.

    episodes  played at each mark
    winner    None before there is one; DEFAULT_CONFIG, which has no curve here, may be
    """

    trials: Sequence[TrialCurves]
    episodes: int
    winner: int | None

    @property
    def every(self) -> int:
        """To draw them, every so manieth mark is taken, counted from the last."""
        curves = sum(1 + min(len(trial.seeds), MOST_SEEDS) for trial in self.trials)
        return ceil(curves * max(len(trial.steps) for trial in self.trials) / MOST_POINTS)

    @property
    def title(self) -> str:
        if len(self.trials) == 1:
            return f"Learning curves of trial {self.trials[0].trial}"
        return f"Learning curves of the {len(self.trials)} leading trials"

    @property
    def caption(self) -> str:
        return "\n".join(filter(None, (self._curves, self._left_out, self._warning)))

    @property
    def _curves(self) -> str:
        seeds = from_to((len(trial.seeds) for trial in self.trials), "tuning seed")
        episodes = counted(self.episodes, "greedy episode")
        point = f"a point is the mean return of {episodes}."
        if all(len(trial.seeds) == 1 for trial in self.trials):
            return f"One tuning seed: it shows nothing of the noise between seeds; {point}"
        return f"Every seed thin, their mean bold ({seeds} a trial); {point}"

    @property
    def _left_out(self) -> str:
        parts = []
        if failed := sum(trial.failed for trial in self.trials):
            parts.append(f"{counted(failed, 'run')} that broke down left out.")
        if any(len(trial.seeds) > MOST_SEEDS for trial in self.trials):
            parts.append(f"The first {MOST_SEEDS} seeds of each are drawn, the mean is of all.")
        if self.every > 1:
            parts.append(f"One mark in {self.every} is drawn.")
        return " ".join(parts)

    @property
    def _warning(self) -> str:
        """Of a single trial nothing was chosen."""
        many = len(self.trials) > 1
        return "These seeds chose these trials: expect less of others." if many else ""


def learning_curves(summary: StudySummary) -> LearningCurves | None:
    """None as long as no trial with a whole curve is complete."""
    winner = summary.finals.choice.winner if summary.finals.choice else None
    whole = [trial for trial in summary.complete if not all(run.failed for run in trial.runs)]
    won = [trial for trial in whole[LEADING:] if trial.number == winner]
    found = [_curves(trial) for trial in whole[: LEADING - len(won)] + won]
    return LearningCurves(found, summary.study.budget.episodes, winner) if found else None


def _curves(trial: TrialSummary) -> TrialCurves:
    runs = [run for run in trial.runs if not run.failed]
    seeds = [[fmean(mark) for mark in run.curve["returns"]] for run in runs]
    mean = [fmean(column) for column in zip(*seeds, strict=True)]
    return TrialCurves(
        trial.number, runs[0].curve["steps"], seeds, mean, len(trial.runs) - len(runs)
    )
