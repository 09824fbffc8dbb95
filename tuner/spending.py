"""What a study cost, and what of it failed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.study import USED_POOLS
from tuner.summary import StudySummary
from tuner.wording import configuration_text


@dataclass(frozen=True)
class Purpose:
    """The runs of one purpose. steps: of training alone; training_s: of all runs, summed."""

    name: str
    runs: int
    failed: int
    steps: int
    training_s: float


@dataclass(frozen=True)
class Spent:
    """What a study cost so far.

    work_s  wall time in which at least one run was being trained; None where it was not recorded
    trials  how many are in each state
    seeds   number of tuning seeds → how many complete trials have so many
    """

    purposes: Sequence[Purpose]
    work_s: float | None
    began: datetime | None
    ended: datetime | None
    trials: Mapping[str, int]
    seeds: Mapping[int, int]

    @property
    def whole(self) -> Purpose:
        """All purposes together."""
        return Purpose(
            "all",
            sum(purpose.runs for purpose in self.purposes),
            sum(purpose.failed for purpose in self.purposes),
            sum(purpose.steps for purpose in self.purposes),
            sum(purpose.training_s for purpose in self.purposes),
        )


@dataclass(frozen=True)
class Failure:
    """A trial or a run that failed, and all that is known of why."""

    what: str
    reason: str
    text: str


def spent(summary: StudySummary) -> Spent:
    """Of all runs that are recorded, those of trials without a value included."""
    runs = summary.finals.runs
    spans = [
        (run.recorded_at - timedelta(seconds=run.seconds), run.recorded_at)
        for run in runs
        if run.recorded_at is not None
    ]
    times = [(begin.timestamp(), end.timestamp()) for begin, end in spans]
    return Spent(
        purposes=[_purpose(pool, runs) for pool in USED_POOLS],
        work_s=covered_s(times) if times else None,
        began=min((begin for begin, _ in spans), default=None),
        ended=max((end for _, end in spans), default=None),
        trials=summary.counts,
        seeds=dict(sorted(Counter(t.sample.n for t in summary.complete if t.sample).items())),
    )


def failures(summary: StudySummary) -> list[Failure]:
    """Trials first, then runs, each in their order."""
    trials = [
        Failure(f"trial {trial.number}", _last_line(trial.failure), trial.failure)
        for trial in summary.trials
        if trial.failure is not None
    ]
    runs = [run for run in summary.finals.runs if run.failed]
    return trials + [
        Failure(_run_name(run), _last_line(run.error or ""), run.error or "")
        for run in sorted(runs, key=lambda run: (run.trial, Pool[run.purpose.upper()]))
    ]


def covered_s(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds that lie in at least one of the spans."""
    return sum(end - begin for begin, end in stretches(spans))


def stretches(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """All that lies in at least one of the spans, as spans that neither meet nor overlap."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _purpose(pool: Pool, runs: Sequence[Run]) -> Purpose:
    ours = [run for run in runs if run.purpose == pool.word]
    return Purpose(
        name=pool.word,
        runs=len(ours),
        failed=sum(run.failed for run in ours),
        steps=sum(run.curve["steps"][-1] for run in ours if run.curve.get("steps")),
        training_s=sum(run.seconds for run in ours),
    )


def _run_name(run: Run) -> str:
    return f"{configuration_text(run.trial)}, {run.purpose} seed {run.seed}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "not recorded"
