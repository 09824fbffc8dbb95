"""What people see of a search: progress while it runs, the table at its end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.pace import Pace
from tuner.progress import Best, Progress
from tuner.seed_statistics import Spread
from tuner.summary import StudySummary, TrialSummary

SHOWN_TRIALS = 10
PLAIN_LINE_EVERY_S = 10.0


class Screen(Protocol):
    """Something that shows progress."""

    def show(self, progress: Progress) -> None:
        """Show where the search stands now."""
        ...


@contextmanager
def progress_screen(console: Console) -> Iterator[Screen]:
    """A live picture on a terminal, a plain line every ten seconds elsewhere."""
    if not console.is_terminal:
        yield _PlainScreen(console)
        return
    with Live(console=console, refresh_per_second=5, transient=True) as live:
        yield _LiveScreen(live)


class _LiveScreen:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, progress: Progress) -> None:
        bar = ProgressBar(total=max(1, progress.runs), completed=progress.runs_done, width=30)
        grid = Table.grid(padding=(0, 2))
        grid.add_row("trials", f"{progress.trials_done} of {progress.trials}")
        grid.add_row("runs", f"{progress.runs_done} of {progress.runs}")
        grid.add_row("", bar)
        grid.add_row("lanes busy", _lanes(progress))
        grid.add_row("steps/s", f"{progress.steps_per_second:,.0f}")
        grid.add_row("best so far", _best(progress.best))
        grid.add_row("time", f"{_clock(progress.elapsed_s)}, {_left(progress)}")
        self._live.update(grid)


class _PlainScreen:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._shown: tuple[int, int] | None = None

    def show(self, progress: Progress) -> None:
        state = (progress.trials_done, progress.runs_done)
        over = progress.trials_done == progress.trials
        quiet = time.monotonic() - self._shown_at < PLAIN_LINE_EVERY_S
        if (quiet and self._shown is not None and not over) or (over and state == self._shown):
            return
        self._shown_at, self._shown = time.monotonic(), state
        self._console.print(
            f"trials {progress.trials_done}/{progress.trials}, "
            f"runs {progress.runs_done}/{progress.runs}, lanes {_lanes(progress)}, "
            f"{progress.steps_per_second:,.0f} steps/s, best {_best(progress.best)}, "
            f"{_clock(progress.elapsed_s)}, {_left(progress)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _lanes(progress: Progress) -> str:
    if not progress.lanes:
        return "being measured"
    used = f"{progress.busy_lanes} of {progress.lanes}"
    return f"{used} ({progress.lanes_per_cohort:.1f} to a cohort)"


def print_results(console: Console, summary: StudySummary) -> None:
    """The best trials with every seed's score, and the configuration they lead to."""
    complete = summary.complete
    if not complete:
        console.print("no complete trial yet")
        return
    shown = complete[:SHOWN_TRIALS]
    title = f"{escape(summary.study.name)}: best {len(shown)} of {len(complete)} trials"
    table = Table(title=title)
    for name in ("trial", "mean", "std", "min"):
        table.add_column(name, justify="right")
    table.add_column("every seed's score", no_wrap=True)
    table.add_column("hyperparameters", overflow="fold")
    for trial in shown:
        table.add_row(str(trial.number), *_spread_cells(trial), _params_text(trial))
    console.print(table)
    best = complete[0]
    console.print(f"\nchosen: trial {best.number}", highlight=False)
    hparams = summary.study.hparams(dict(best.params))
    settings = ", ".join(f"{name}={_short(value)}" for name, value in hparams.model_dump().items())
    console.print(Text(f"  {settings}"))
    console.print(
        "\nIts score comes from the seeds that chose it: expect less on others.", highlight=False
    )


def print_state(console: Console, summary: StudySummary, pace: Pace | None) -> None:
    """How many trials and runs there are, how fast it goes, why the last failure failed."""
    words = {"RUNNING": "running" if pace else "interrupted (launch again to go on)"}
    counts = ", ".join(
        f"{n} {words.get(state, state.lower())}" for state, n in summary.counts.items()
    )
    console.print(
        f"{escape(summary.study.name)}: {counts or 'no trial yet'}, "
        f"of {summary.study.study.trials}; {summary.runs_finished} of {summary.runs} runs finished",
        highlight=False,
    )
    if pace is not None and pace.left_s is not None:
        console.print(
            f"{pace.steps_per_second:,.0f} steps/s, {_clock(pace.left_s)} left", highlight=False
        )
    if summary.last_failure is not None:
        console.print(Text(f"the last failure: {summary.last_failure}"))


def print_next_steps(console: Console, tuner: str, study: str, storage_option: str) -> None:
    """The three commands to type after a search. tuner: what this program is called by."""
    console.print("\nnext:", highlight=False)
    for command, what in (
        (f"dashboard{storage_option}", "look at the trials in a browser"),
        (f"export {study}{storage_option} -o hparams.json", "write the configuration"),
        ("train hparams.json --seeds 0:10 --out trained", "train it on seeds it never saw"),
    ):
        console.print(Text(f"  {tuner} {command:<52} # {what}"), soft_wrap=True)


def scores_text(spread: Spread) -> str:
    """Every seed's score, side by side."""
    return " ".join(f"{score:.1f}" for score in spread.scores)


def _spread_cells(trial: TrialSummary) -> tuple[str, str, str, str]:
    spread = trial.spread
    assert spread is not None
    std = "" if spread.std is None else f"{spread.std:.1f}"
    return f"{spread.mean:.1f}", std, f"{spread.minimum:.1f}", scores_text(spread)


def _params_text(trial: TrialSummary) -> str:
    return escape(" ".join(f"{name}={_short(value)}" for name, value in trial.params.items()))


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value)


def _best(best: Best | None) -> str:
    if best is None:
        return "none yet"
    scores = " ".join(f"{score:.0f}" for score in best.scores)
    return f"{best.mean:.1f} (trial {best.trial}; seeds {scores})"


def _left(progress: Progress) -> str:
    return "time left unknown" if progress.left_s is None else f"{_clock(progress.left_s)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
