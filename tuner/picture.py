"""A study's progress as a picture for terminals, and as one plain line."""

import os
from collections.abc import Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tuner.progress import PHASES, Best, Progress
from tuner.sparkline import sparkline
from tuner.wording import points

WIDEST = 76
LABELS = 7  # columns, the space behind them included


class Picture:
    """What rich draws of a moment, as wide as the terminal allows."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = is_plain(console.encoding, os.environ)
        width = min(WIDEST, options.max_width - 1)
        rows = _Rows(self._progress, width - LABELS, plain)
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=LABELS - 1, style="dim", no_wrap=True)
        grid.add_column(width=max(1, width - LABELS), overflow="fold")
        for label, content in rows.all():
            grid.add_row(label, content)
        yield grid
        yield Segment("")


class _Rows:
    """The rows, each a label and what stands beside it. width: columns for the latter."""

    def __init__(self, progress: Progress, width: int, plain: bool) -> None:
        self._progress = progress
        self._width = width
        self._plain = plain
        self._dot = ", " if plain else " · "

    def all(self) -> Iterator[tuple[str, Text]]:
        progress = self._progress
        yield "study", Text(progress.study, style="bold")
        yield "phase", self._phase()
        trials = f"{progress.trials_done} of {progress.trials}"
        yield "trials", self._bar(progress.trials_done, progress.trials, trials)
        if progress.states:
            yield (
                "",
                Text(", ".join(f"{n} {state}" for state, n in progress.states), style="yellow"),
            )
        yield "runs", self._bar(progress.runs_done, progress.runs, runs_text(progress))
        if progress.lanes is not None:
            yield "lanes", Text(self._lanes())
        elif progress.running and progress.phase == "start":
            yield "lanes", Text("being measured")
        if progress.steps_per_second is not None:
            yield "pace", Text(f"{progress.steps_per_second:,.0f} steps/s")
        yield "best", self._best(progress.best)
        if progress.best is not None and progress.best.curve:
            yield "", self._curve(progress.best)
        yield "time", Text(self._dot.join(_times(progress)))

    def _phase(self) -> Text:
        """All of them, the one at hand bright."""
        progress, text = self._progress, Text()
        between = " > " if self._plain else " → "
        for number, phase in enumerate(PHASES):
            style = "bold cyan" if phase == progress.phase and progress.running else "dim"
            text.append(between if number else "", "dim").append(phase, style)
        if progress.phase == "done":
            return text.append(between, "dim").append("done", "bold green")
        if progress.phase == "searched":
            return Text("searched, not confirmed: `tuner confirm`", "yellow")
        if not progress.running:
            where = "" if progress.phase == "start" else f" in {progress.phase}"
            return Text(f"interrupted{where}; launch again to go on", "yellow")
        return text

    def _bar(self, done: int, whole: int, text: str) -> Text:
        width = max(8, self._width - 20)
        full = width * min(done, whole) // max(1, whole)
        mark = "=" if self._plain else "━"
        bar = Text(mark * full, "green" if done >= whole else "cyan", no_wrap=True)
        bar.append(("." if self._plain else mark) * (width - full), "bright_black")
        return bar.append(f" {text}", "not dim default")

    def _lanes(self) -> str:
        lanes = self._progress.lanes
        assert lanes is not None
        busy = f"{lanes.busy} of {lanes.number} busy"
        return f"{busy}{self._dot}{lanes.per_cohort:.1f} to a cohort" if lanes.per_cohort else busy

    def _best(self, best: Best | None) -> Text:
        if best is None:
            return Text("none yet", style="dim")
        text = Text(points(best.value), style="bold")
        if best.std is not None:
            text.append(f" {'+-' if self._plain else '±'} {points(best.std)}", "not bold")
        text.append(
            f"{self._dot}trial {best.trial}{self._dot}seeds {_scores(best)}", "not bold dim"
        )
        return text

    def _curve(self, best: Best) -> Text:
        known = [*best.curve, *self._progress.measures]
        low, high = min(known), max(known)
        ends = f" {points(low, 0)} to {points(high, 0)}"
        width = max(4, self._width - len(ends))
        line = sparkline(best.curve, low, high, width, plain=self._plain)
        return Text(line, style="cyan", no_wrap=True).append(ends, "dim")


def plain_line(progress: Progress) -> str:
    """The same in a line, for logs."""
    lanes, rate = progress.lanes, progress.steps_per_second
    busy = f"{lanes.busy} of {lanes.number} ({lanes.per_cohort:.1f} to a cohort)" if lanes else ""
    return (
        f"{progress.phase}: trials {progress.trials_done}/{progress.trials}, "
        f"runs {progress.runs_done}/{progress.runs}, lanes {busy or 'being measured'}, "
        f"{0 if rate is None else rate:,.0f} steps/s, best {_best_text(progress.best)}, "
        f"{', '.join(_times(progress))}"
    )


def is_plain(encoding: str, environment: Mapping[str, str]) -> bool:
    """Whether there is nothing but ASCII to draw with: by the stream's encoding or the locale.

    Python writes UTF-8 in the locale C, too, where the terminal need not understand it.
    """
    if not encoding.lower().replace("-", "").startswith("utf"):
        return True
    locale = environment.get("LC_ALL") or environment.get("LANG") or ""
    return locale in ("C", "POSIX")


def runs_text(progress: Progress) -> str:
    """How many runs are over, of how many there will be."""
    about = "" if progress.phase == "done" else "about "
    return f"{progress.runs_done} of {about}{progress.runs}"


def _times(progress: Progress) -> Iterator[str]:
    if progress.elapsed_s or progress.running:
        yield f"{clock(progress.elapsed_s)} used"
    if progress.running and progress.phase != "done":
        left = progress.left_s
        yield "time left unknown" if left is None else f"{clock(left)} left"


def _best_text(best: Best | None) -> str:
    if best is None:
        return "none yet"
    return f"{points(best.value)} (trial {best.trial}; seeds {_scores(best)})"


def _scores(best: Best) -> str:
    return " ".join(points(score, decimals=0) for score in best.scores)


def clock(seconds: float) -> str:
    """As "2:05" or "1:02:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
