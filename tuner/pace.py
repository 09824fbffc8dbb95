"""How fast a launch that is at work proceeds, seen from outside."""

import time
from dataclasses import dataclass

from tuner.storage import Store
from tuner.summary import StudySummary
from tuner.writer_lock import Writer


@dataclass(frozen=True)
class Pace:
    """Environment steps of finished runs per second since the launch began; left_s at that rate."""

    steps_per_second: float
    left_s: float | None


def pace(store: Store, summary: StudySummary, writer: Writer) -> Pace:
    """The pace of a study that `writer` may be at work on."""
    steps = summary.study.budget.steps
    elapsed = max(1.0, time.time() - writer.since)
    rate = store.finished_since(summary.study.name, writer.since) * steps / elapsed
    left = (summary.runs_expected - summary.runs_finished) * steps
    return Pace(rate, left / rate if rate else None)
