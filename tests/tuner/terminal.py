"""A real terminal for commands: a pane of tmux, of a size that may change."""

import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tuner.commands import COMMAND, ROOT

NEEDED = "TUNER_TESTS_NEED_BROWSER"  # where it is 1 the tools that tests look through are there


class Terminal:
    """A pane with a shell in it."""

    def __init__(self, server: str) -> None:
        self._server = server

    def tuner(self, *arguments: str) -> None:
        """Type a command; when it is over the pane says `ended` with its exit code."""
        self._tmux(
            "send-keys", "-t", "it", "-l", f"{shlex.join([*COMMAND, *arguments])}; echo ended $?"
        )
        self._tmux("send-keys", "-t", "it", "Enter")

    def press(self, key: str) -> None:
        """As tmux names keys: C-c."""
        self._tmux("send-keys", "-t", "it", key)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-t", "it", "-x", str(columns), "-y", str(rows))

    def lines(self, *, colours: bool = False) -> list[str]:
        """What it shows, from the top."""
        options = ("-e",) if colours else ()
        return self._tmux("capture-pane", "-p", *options, "-t", "it").rstrip("\n").split("\n")

    def text(self) -> str:
        """All that was ever written and not overwritten, wrapped lines joined again."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "it")

    def _tmux(self, *command: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self._server, *command], check=True, capture_output=True, text=True
        ).stdout


@contextmanager
def terminal(
    folder: Path, columns: int, rows: int, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """A pane of that size with a shell in `folder`. Skips the test where there is no tmux."""
    if shutil.which("tmux") is None:
        if os.environ.get(NEEDED) == "1":
            pytest.fail(f"tmux is not installed, and {NEEDED}=1 wants it")
        pytest.skip("tmux is not installed; it is the terminal of this test")
    server = f"tuner-test-{uuid.uuid4().hex[:12]}"
    known = {"PYTHONPATH": str(ROOT), "PS1": "$ ", "LANG": "C.UTF-8"} | dict(env or {})
    given = [f"{name}={value}" for name, value in known.items()]
    size = ["-x", str(columns), "-y", str(rows)]
    shell = ["env", "-u", "TUNER_STORAGE", "-u", "COLUMNS", "-u", "LINES", *given, "sh"]
    tmux = ["tmux", "-L", server, "-f", "/dev/null", "-u"]
    subprocess.run(
        [*tmux, "new-session", "-d", "-s", "it", *size, "-c", str(folder), *shell],
        check=True,
    )
    try:
        yield Terminal(server)
    finally:
        subprocess.run(["tmux", "-L", server, "kill-server"], check=False)
