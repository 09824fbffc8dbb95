"""The figures of benchmark_growth: what one holds, and how a table shows it."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

MEMORY_GOAL_MB, MEMORY_GOAL_OF = 1_500, (64, 100_000)  # lanes, buffer steps
Columns = tuple[str, ...]
BARE, ONE_BY_ONE, AS_ARRAYS = "bare env.step", "GymnasiumLanes", "numpy lanes"


@dataclass(frozen=True)
class Rate:
    """Updates of all lanes together per second, turn by turn of so many steps of every lane."""

    lanes: int
    units: int
    steps: int
    turns: list[float]

    columns: ClassVar[Columns] = ("lanes", "hidden layers", "updates/s", "spread", "us per update")

    @property
    def per_s(self) -> float:
        return median(self.turns)

    def row(self) -> tuple[str, ...]:
        spread = (max(self.turns) - min(self.turns)) / self.per_s
        shape = (f"{self.lanes}", f"[{self.units}, {self.units}]")
        return (*shape, f"{self.per_s:,.0f}", f"{spread:.0%}", f"{1e6 / self.per_s:,.0f}")


@dataclass(frozen=True)
class Memory:
    """Resident memory of a trainer whose buffers are full; 1 MB is 1,000,000 bytes.

    gap_steps   steps between one lane's admission and the next; 0 admits all at once
    empty_mb    before the lanes, of a trainer that has trained one and let it go
    peak_mb     the most there ever was, imports and growth of the buffers included
    """

    lanes: int
    buffer_steps: int
    gap_steps: int
    empty_mb: float
    full_mb: float
    peak_mb: float

    columns: ClassVar[Columns] = (
        "lanes",
        "buffer, steps",
        "admitted",
        "empty, MB",
        "full, MB",
        "peak, MB",
        "per lane",
    )

    def row(self) -> tuple[str, ...]:
        admitted = f"every {self.gap_steps:,} steps" if self.gap_steps else "at once"
        per_lane = (self.full_mb - self.empty_mb) / self.lanes
        totals = [f"{mb:,.0f}" for mb in (self.empty_mb, self.full_mb, self.peak_mb)]
        return (f"{self.lanes}", f"{self.buffer_steps:,}", admitted, *totals, f"{per_lane:.2f}")

    @property
    def goal_sentence(self) -> str:
        """Whether the goal is met; empty where it says nothing."""
        if (self.lanes, self.buffer_steps) != MEMORY_GOAL_OF:
            return ""
        admitted = "one by one" if self.gap_steps else "at once"
        return (
            f"{self.lanes} lanes of {self.buffer_steps:,} steps, admitted {admitted}, hold "
            f"{self.full_mb:,.0f} MB and at most held {self.peak_mb:,.0f} MB. The goal of less "
            f"than {MEMORY_GOAL_MB:,} MB is {'met' if self.peak_mb < MEMORY_GOAL_MB else 'missed'}."
        )


@dataclass(frozen=True)
class EnvCost:
    """Microseconds per lane and step of a form of an environment, turn by turn.

    bare_turns  those of the bare environment in the same turns
    """

    env: str
    form: str
    lanes: int
    turns: list[float]
    bare_turns: list[float]

    columns: ClassVar[Columns] = (
        "environment",
        "form",
        "lanes",
        "us per lane and step",
        "above bare, us",
    )

    @property
    def us(self) -> float:
        return median(self.turns)

    @property
    def overhead_us(self) -> float:
        """Beyond the bare environment; a difference of neighbouring turns."""
        return median(a - b for a, b in zip(self.turns, self.bare_turns, strict=True))

    def row(self) -> tuple[str, ...]:
        above = "" if self.form == BARE else f"{self.overhead_us:+.1f}"
        return (self.env, self.form, f"{self.lanes}", f"{self.us:.2f}", above)


@dataclass(frozen=True)
class Search:
    """A whole search, launch by launch. CPU seconds are medians.

    start_and_end_cpu_s  of a launch that finds every trial done
    """

    trials: int
    launches: list[float]
    scheduler_cpu_s: float
    trainer_cpu_s: float
    start_and_end_cpu_s: float

    columns: ClassVar[Columns] = (
        "trials",
        "wall, s",
        "ms per trial",
        "scheduler CPU, s",
        "trainer CPU, s",
        "start and end, s",
    )

    @property
    def wall_s(self) -> float:
        return median(self.launches)

    def row(self) -> tuple[str, ...]:
        cpu_s = (self.scheduler_cpu_s, self.trainer_cpu_s, self.start_and_end_cpu_s)
        each = 1e3 * self.wall_s / self.trials
        return (
            f"{self.trials:,}",
            f"{self.wall_s:.1f}",
            f"{each:,.0f}",
            *(f"{s:.1f}" for s in cpu_s),
        )


Figure = Rate | Memory | EnvCost | Search  # each a row of its section's table
KINDS: dict[str, type[Figure]] = {
    "lanes": Rate,
    "widths": Rate,
    "memory": Memory,
    "environments": EnvCost,
    "trials": Search,
}


@dataclass(frozen=True)
class Report:
    """What a run of benchmark_growth wrote.

    options  those of its command line, but for the file it wrote
    notes    under which conditions the figures of every section arose
    took_s   the wall time of every section
    """

    options: Sequence[str]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    plan: Mapping[str, Any]
    notes: Mapping[str, str]
    took_s: Mapping[str, float]
    figures: Mapping[str, Sequence[Any]]


def read(file: Path) -> Report:
    """The report in this file."""
    found = json.loads(file.read_text())
    figures = {
        section: [KINDS[section](**figure) for figure in figures]
        for section, figures in found.pop("figures").items()
    }
    return Report(**found, figures=figures)


def merged(reports: Sequence[Report]) -> Report:
    """Sections measured apart as one report; of a section measured twice, the last."""
    first = reports[0]
    parts: dict[str, dict[str, Any]] = {"notes": {}, "took_s": {}, "figures": {}}
    for report in reports:
        if (report.machine, report.versions) != (first.machine, first.versions):
            sys.exit("the files are of different machines or versions: their figures do not mix")
        for part, values in parts.items():
            values |= getattr(report, part)
    return replace(first, **parts)


def aligned(columns: Sequence[str], cells: Sequence[str]) -> str:
    """A row for the terminal, under its columns."""
    widths = [max(len(column), 14) for column in columns]
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---:"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
