"""What the race decided, one decision after the other, and who led."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tuner.findings.phrases import counted
from tuner.racing import Decision, Z
from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.summary import StudySummary

MOST_DECISIONS = 2_500
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Judged:
    """A decision. runs: how many tuning runs were recorded when it fell."""

    runs: int
    decision: Decision


@dataclass(frozen=True)
class Race:
    """The decisions in their order, the last ones if there are very many. decisions: of all."""

    judged: Sequence[Judged]
    decisions: int
    most_seeds: int

    @property
    def leaders(self) -> Sequence[Judged]:
        """The decisions at which the leader, or its mean, was not what it was before."""
        found: list[Judged] = []
        for judged in self.judged:
            now = judged.decision
            if now.leader is None:
                continue
            before = found[-1].decision if found else None
            if before is None or (before.leader, before.leader_value) != (
                now.leader,
                now.leader_value,
            ):
                found.append(judged)
        return found

    @property
    def title(self) -> str:
        return "Which trials got more seeds, and which were raced out"

    @property
    def caption(self) -> str:
        verdicts = [judged.decision.verdict for judged in self.judged]
        counts = (
            f"{counted(verdicts.count('contender'), 'time')} another seed, "
            f"{verdicts.count('raced out'):,} raced out, "
            f"{verdicts.count('full'):,} full ({counted(self.most_seeds, 'seed')})"
        )
        first = f"A point is a decision on a trial by its mean so far: {counts}."
        if len(self.judged) < self.decisions:
            first += f"\nThe last {len(self.judged):,} of {self.decisions:,} decisions are shown."
        return (
            f"{first}\nRaced out is who lies more than {Z:g} standard errors of the difference "
            "below the leader.\nNo intervals: the race spends seeds and claims nothing."
        )


def race(summary: StudySummary) -> Race | None:
    """None as long as nothing is decided, and where every trial gets its seeds without a race."""
    recorded = sorted(
        (run for run in summary.finals.runs if run.purpose == Pool.TUNE.word), key=_moment
    )
    fell = _when(recorded)
    judged = [
        Judged(fell[trial.number, decision.seeds], decision)
        for trial in summary.trials
        for decision in trial.race
        if (trial.number, decision.seeds) in fell
    ]
    judged.sort(key=lambda one: (one.runs, one.decision.trial))
    if all(one.decision.verdict == "full" for one in judged):
        return None
    return Race(judged[-MOST_DECISIONS:], len(judged), summary.study.seeds.max)


def _when(recorded: Sequence[Run]) -> Mapping[tuple[int, int], int]:
    """(trial, so many of its runs) → how many of all runs were recorded by then."""
    found: dict[tuple[int, int], int] = {}
    of_trial: dict[int, int] = {}
    for count, run in enumerate(recorded, start=1):
        of_trial[run.trial] = of_trial.get(run.trial, 0) + 1
        found[run.trial, of_trial[run.trial]] = count
    return found


def _moment(run: Run) -> datetime:
    return run.recorded_at or BEGINNING
