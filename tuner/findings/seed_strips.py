"""How far apart the seeds of a trial lie, and how far the trials: every score, best trial first."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuner.findings.phrases import configuration, counted, from_to
from tuner.findings.phrases import score as score_of
from tuner.phases import DEFAULT_CONFIG
from tuner.summary import StudySummary, TrialSummary

MOST_TRIALS = 150
MOST_POINTS = 3_000


class Role(StrEnum):
    """What became of a trial."""

    WINNER = "winner"
    FINALIST = "finalist"
    OTHER = "other"


@dataclass(frozen=True)
class Strip:
    """One trial. scores, failed: [seeds] of its tuning seeds; rank: 1 has the highest mean."""

    trial: int
    rank: int
    role: Role
    scores: Sequence[float]
    failed: Sequence[bool]
    mean: float


@dataclass(frozen=True)
class SeedStrips:
    """Trials by their mean over the tuning seeds, best first.

    trials     how many there are; as many of the best as can be told apart have a strip
    threshold  from which the environment counts as solved, if there is one
    winner     None before there is one; may be DEFAULT_CONFIG, which has no strip
    """

    strips: Sequence[Strip]
    trials: int
    score: str
    threshold: float | None
    winner: int | None

    @property
    def title(self) -> str:
        if self.trials == 1:
            return "Every seed of the only complete trial"
        shown = len(self.strips)
        if shown < self.trials:
            return f"Every seed of the best {shown:,} of {self.trials:,} trials"
        return f"Every seed of {self.trials:,} trials"

    @property
    def caption(self) -> str:
        seeds = from_to((len(strip.scores) for strip in self.strips), "seed")
        first = f"A point is a tuning seed ({seeds} a trial), a dash the trial's mean."
        if self.trials > 1:
            first += "\nSorted by these very seeds, so the left end looks better than it is."
        return " ".join([first, *self._about_failures(), *self._about_winner()])

    def _about_failures(self) -> Sequence[str]:
        failed = sum(sum(strip.failed) for strip in self.strips)
        return [f"{counted(failed, 'run')} broke down (crosses)."] if failed else []

    def _about_winner(self) -> Sequence[str]:
        if self.winner is None:
            return ["The finals are not over: there is no winner yet."]
        if self.winner == DEFAULT_CONFIG:
            return ["The default configuration won, which has no tuning seeds."]
        if all(strip.trial != self.winner for strip in self.strips):
            return [f"The winner, {configuration(self.winner)}, lies further right."]
        return []


def seed_strips(summary: StudySummary) -> SeedStrips | None:
    """None as long as no trial is complete."""
    ranked = sorted(summary.complete, key=lambda trial: (-_mean(trial), trial.number))
    if not ranked:
        return None
    choice = summary.finals.choice
    winner = choice.winner if choice else None
    strips: list[Strip] = []
    points = 0
    for rank, trial in enumerate(ranked[:MOST_TRIALS], start=1):
        points += len(trial.runs)
        if strips and points > MOST_POINTS:
            break
        strips.append(_strip(trial, rank, _role(trial.number, winner, summary.finals.finalists)))
    return SeedStrips(strips, len(ranked), score_of(summary.study), summary.env.threshold, winner)


def _strip(trial: TrialSummary, rank: int, role: Role) -> Strip:
    scored = [(run.score, run.failed) for run in trial.runs if run.score is not None]
    scores, failed = [score for score, _ in scored], [failed for _, failed in scored]
    return Strip(trial.number, rank, role, scores, failed, _mean(trial))


def _mean(trial: TrialSummary) -> float:
    assert trial.sample is not None  # it is complete
    return trial.sample.mean


def _role(trial: int, winner: int | None, finalists: Sequence[int]) -> Role:
    if trial == winner:
        return Role.WINNER
    return Role.FINALIST if trial in finalists else Role.OTHER
