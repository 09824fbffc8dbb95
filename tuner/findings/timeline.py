"""How many lanes were at work, and how the runs came in, without the hours when nobody worked."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tuner.findings.phrases import counted
from tuner.seed_pools import Pool
from tuner.spending import stretches
from tuner.storage import Run
from tuner.summary import StudySummary

WINDOWS = 240
BREAK_S = 60.0  # from which a rest is worth a mark
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
FEWEST_OF_A_UNIT = 3.0
POOLS = (Pool.TUNE, Pool.CONFIRM, Pool.TEST)


@dataclass(frozen=True)
class Timeline:
    """A study's time at work, cut into windows of equal length.

    times     [windows + 1] where they begin and end, in seconds of work
    lanes     of each purpose, [windows] lanes in use on average
    recorded  of each purpose, [windows + 1] runs recorded until then
    breaks_s  where work rested for a minute or more, in seconds of work → for how many seconds
    """

    times: Sequence[float]
    lanes: Mapping[Pool, Sequence[float]]
    recorded: Mapping[Pool, Sequence[int]]
    breaks_s: Mapping[float, float]
    failed: int

    @property
    def unit(self) -> str:
        """In which the time at work is best told."""
        return max(
            (unit for unit, s in UNITS.items() if self.times[-1] >= FEWEST_OF_A_UNIT * s),
            key=lambda unit: UNITS[unit],
            default="seconds",
        )

    @property
    def title(self) -> str:
        return "Lanes at work and runs recorded"

    @property
    def caption(self) -> str:
        columns = [sum(column) for column in zip(*self.lanes.values(), strict=True)]
        mean = sum(columns) / len(columns)
        runs = sum(counts[-1] for counts in self.recorded.values())
        broke = f", {self.failed:,} of them broke down" if self.failed else ""
        text = (
            f"{counted(runs, 'run')}{broke}; a lane is at work while it trains a run that was "
            f"recorded: {mean:.1f} on average, means over windows of {_lasting(self._window_s)}."
        )
        if not self.breaks_s:
            return text
        breaks = counted(len(self.breaks_s), "break")
        rested = _lasting(sum(self.breaks_s.values()))
        return f"{text}\nDotted: {breaks} when nothing was at work, {rested} in all, left out."

    @property
    def _window_s(self) -> float:
        return self.times[1] - self.times[0]


def timeline(summary: StudySummary) -> Timeline | None:
    """None as long as no run is recorded that took any time."""
    runs = [run for run in summary.finals.runs if run.recorded_at is not None]
    if not any(run.seconds > 0 for run in runs):
        return None
    spans, breaks = _spans_of_work(runs)
    whole = max(end for _, end in spans)
    times = [whole * k / WINDOWS for k in range(WINDOWS + 1)]
    by_pool = {
        pool: [s for run, s in zip(runs, spans, strict=True) if run.purpose == pool.word]
        for pool in POOLS
    }
    present = {pool: found for pool, found in by_pool.items() if found}
    return Timeline(
        times,
        {pool: _lanes(found, whole) for pool, found in present.items()},
        {pool: _recorded([end for _, end in found], times) for pool, found in present.items()},
        {at: rest for at, rest in breaks.items() if rest >= BREAK_S},
        sum(run.failed for run in runs),
    )


def _spans_of_work(
    runs: Sequence[Run],
) -> tuple[Sequence[tuple[float, float]], Mapping[float, float]]:
    """When each run began and ended, in seconds of work; and the rests that were cut out.

    Work is all the time in which at least one run was under way.
    """
    spans = [(_end(run) - run.seconds, _end(run)) for run in runs]
    busy = stretches(spans)
    breaks: dict[float, float] = {}
    cuts = [busy[0][0]]  # of each stretch: seconds of the clock before the first run, and of rests
    for (_, until), (begin, _) in pairwise(busy):
        breaks[until - cuts[-1]] = begin - until
        cuts.append(cuts[-1] + begin - until)
    begins = [begin for begin, _ in busy]
    of_span = [cuts[bisect_right(begins, begin) - 1] for begin, _ in spans]
    found = [(begin - cut, end - cut) for (begin, end), cut in zip(spans, of_span, strict=True)]
    return found, breaks


def _end(run: Run) -> float:
    assert isinstance(run.recorded_at, datetime)
    return run.recorded_at.timestamp()


def _lanes(spans: Sequence[tuple[float, float]], whole: float) -> Sequence[float]:
    """[windows] how many of the spans go on, averaged over each window."""
    window = whole / WINDOWS
    found = [0.0] * WINDOWS
    for begin, end in spans:
        for k in range(int(begin / window), min(WINDOWS, int(end / window) + 1)):
            found[k] += max(0.0, min(end, (k + 1) * window) - max(begin, k * window)) / window
    return found


def _recorded(ends: Sequence[float], times: Sequence[float]) -> Sequence[int]:
    """[windows + 1] how many ends lie at each time or before it."""
    last = times[-1]
    return [sum(end <= time or time == last for end in ends) for time in times]


def _lasting(seconds: float) -> str:
    """As "45 s", "12 min", "3.4 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
