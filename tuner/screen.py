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

from tuner.evidence import Sample
from tuner.pace import Pace
from tuner.phases import DEFAULT_CONFIG
from tuner.progress import Best, Progress
from tuner.summary import StudySummary, TrialSummary
from tuner.wording import points, sentence

SHOWN_TRIALS = 10
PHASES = {
    "start": "starting",
    "search": "search: trials on tuning seeds",
    "confirm": "confirmation: the finalists on fresh seeds",
    "test": "test: winner and default on seeds that chose nothing",
}
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
        grid.add_row("phase", PHASES[progress.phase])
        grid.add_row("trials", f"{progress.trials_done} of {progress.trials}")
        grid.add_row("runs", f"{progress.runs_done} of about {progress.runs}")
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
        self._shown: tuple[str, int, int] | None = None

    def show(self, progress: Progress) -> None:
        state = (progress.phase, progress.trials_done, progress.runs_done)
        over = progress.steps_left == 0
        quiet = time.monotonic() - self._shown_at < PLAIN_LINE_EVERY_S
        if (quiet and self._shown is not None and not over) or (over and state == self._shown):
            return
        self._shown_at, self._shown = time.monotonic(), state
        self._console.print(
            f"{progress.phase}: trials {progress.trials_done}/{progress.trials}, "
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
    """The best trials with every seed's score, the finals, and the configuration they lead to."""
    complete = summary.complete
    if not complete:
        console.print("no complete trial yet")
        return
    shown = complete[:SHOWN_TRIALS]
    title = f"{escape(summary.study.name)}: best {len(shown)} of {len(complete)} trials"
    table = Table(title=title)
    for name in ("trial", summary.study.objective.across_seeds, "std", "min"):
        table.add_column(name, justify="right")
    table.add_column("every seed's score; hyperparameters")
    for trial in shown:
        assert trial.sample is not None and trial.value is not None
        table.add_row(
            str(trial.number),
            points(trial.value),
            *_spread_cells(trial.sample),
            f"{scores_text(trial.sample)}\n[dim]{_params_text(trial)}[/dim]",
        )
    console.print(table)
    print_finals(console, summary)
    best = summary.chosen()
    console.print(f"\nchosen: {configuration_text(best)}", highlight=False)
    hparams = summary.finals.hparams(best)
    settings = ", ".join(f"{name}={_short(value)}" for name, value in hparams.model_dump().items())
    console.print(Text(f"  {settings}"))
    console.print(Text(f"\n{sentence(summary.evidence(best))}"))


def print_finals(console: Console, summary: StudySummary) -> None:
    """The finalists as far as they are confirmed, and the tests."""
    evidences = {trial: summary.evidence(trial) for trial in summary.finals.finalists}
    if all(found.confirm is None for found in evidences.values()):
        return
    table = Table(title="on fresh seeds")
    table.add_column("configuration")
    for name in ("tune", "confirm", "std", "test"):
        table.add_column(name, justify="right")
    table.add_column("every confirmation seed's score")
    for trial, found in evidences.items():
        confirm = found.confirm
        table.add_row(
            configuration_text(trial),
            *(points(s.mean) if s else "" for s in (found.tune, confirm)),
            points(confirm.spread.std) if confirm and confirm.spread.std is not None else "",
            points(found.test.mean) if found.test else "",
            scores_text(confirm) if confirm else "to be trained",
        )
    console.print(table)


def configuration_text(configuration: int) -> str:
    """A trial, or the agent's default configuration, by name."""
    return "default" if configuration == DEFAULT_CONFIG else f"trial {configuration}"


def print_state(console: Console, summary: StudySummary, pace: Pace | None) -> None:
    """How many trials and runs there are, how fast it goes, why the last failure failed."""
    words = {"RUNNING": "running" if pace else "interrupted (launch again to go on)"}
    counts = ", ".join(
        f"{n} {words.get(state, state.lower())}" for state, n in summary.counts.items()
    )
    console.print(
        f"{escape(summary.study.name)}: {counts or 'no trial yet'}, "
        f"of {summary.study.study.trials}; "
        f"{summary.runs_finished} of {_about(summary)} runs finished",
        highlight=False,
    )
    if pace is not None and pace.left_s is not None:
        console.print(
            f"{pace.steps_per_second:,.0f} steps/s, {_clock(pace.left_s)} left", highlight=False
        )
    if summary.last_failure is not None:
        console.print(Text(f"the last failure: {summary.last_failure}"))


def _about(summary: StudySummary) -> str:
    exact = summary.runs_finished == summary.runs_expected
    return f"{'' if exact else 'about '}{summary.runs_expected}"


def print_next_steps(
    console: Console, tuner: str, summary: StudySummary, storage_option: str
) -> None:
    """What to type after a launch. tuner: what this program is called by."""
    name = summary.study.name
    steps = [
        (f"dashboard{storage_option}", "look at the trials in a browser"),
        (f"export {name}{storage_option} -o hparams.json", "write the configuration"),
        ("verify hparams.json", "train the seeds of its claim again"),
        ("train hparams.json --seeds 0:10 --out trained", "train it for yourself"),
    ]
    if not summary.finals.is_tested:
        steps.insert(0, (f"confirm {name}{storage_option}", "confirm and test on fresh seeds"))
    console.print("\nnext:", highlight=False)
    for command, what in steps:
        console.print(Text(f"  {tuner} {command:<52} # {what}"), soft_wrap=True)


def scores_text(sample: Sample) -> str:
    """Every seed's score, side by side, and how many of the runs failed."""
    failed = f" ({sample.failed} failed)" if sample.failed else ""
    return " ".join(points(score) for score in sample.scores) + failed


def _spread_cells(sample: Sample) -> tuple[str, str]:
    std = "" if sample.spread.std is None else points(sample.spread.std)
    return std, points(sample.spread.minimum)


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
    scores = " ".join(points(score, decimals=0) for score in best.scores)
    return f"{points(best.value)} (trial {best.trial}; seeds {scores})"


def _left(progress: Progress) -> str:
    return "time left unknown" if progress.left_s is None else f"{_clock(progress.left_s)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
