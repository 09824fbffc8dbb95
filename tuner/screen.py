"""Where progress is shown while a command works. Nobody has to look: a reader that leaves, or a
terminal that is closed, costs no work."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live

from tuner.picture import Picture, plain_line
from tuner.progress import Progress

PLAIN_LINE_EVERY_S = 10.0


class Screen(Protocol):
    """Something that shows progress."""

    def show(self, progress: Progress) -> None:
        """Show where the search stands now."""
        ...


@contextmanager
def progress_screen(console: Console) -> Iterator[Screen]:
    """A live picture on a terminal, a plain line every ten seconds elsewhere."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield _PlainScreen(console)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield _LiveScreen(live)


class ProgressConsole(Console):
    """On stderr. When its reader has left it is silent from then on, and the work goes on."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # for what is still to be flushed, and for errors
        os.close(nowhere)


class _LiveScreen:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._columns = live.console.width

    def show(self, progress: Progress) -> None:
        before, self._columns = self._columns, self._live.console.width
        if self._columns < before:  # the terminal has wrapped what stood there
            self._live.console.clear()
        self._live.update(Picture(progress))


class _PlainScreen:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._shown: tuple[str, int, int] | None = None

    def show(self, progress: Progress) -> None:
        state = (progress.phase, progress.trials_done, progress.runs_done)
        over = progress.phase == "done"
        quiet = time.monotonic() - self._shown_at < PLAIN_LINE_EVERY_S
        if (quiet and self._shown is not None and not over) or (over and state == self._shown):
            return
        self._shown_at, self._shown = time.monotonic(), state
        self._console.print(plain_line(progress), markup=False, highlight=False, soft_wrap=True)
