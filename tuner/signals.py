"""Ctrl-C and SIGTERM as a question that loops can ask."""

import signal
from types import FrameType, TracebackType
from typing import Any

from tuner.errors import Stopped

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class StopSignals:
    """Inside this context the first signal is remembered; the second raises `Stopped` at once."""

    def __init__(self, *, at_once: bool = False) -> None:
        self._at_once = at_once
        self._code: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in EXIT_CODES:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def code(self) -> int | None:
        """The exit code a signal asks for, or None."""
        return self._code

    def _hear(self, number: int, frame: FrameType | None) -> None:
        code = EXIT_CODES[signal.Signals(number)]
        if self._at_once or self._code is not None:
            raise Stopped("stopped", code)
        self._code = code
