"""What a launch has before it, told again every second from what it has done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tuner.pace import Pace
from tuner.progress import Lanes
from tuner.time_left import Ahead, forecast

EVERY_S = 1.0


@dataclass(frozen=True)
class Moment:
    """A launch's own figures. lanes: None while none are chosen or at work."""

    elapsed_s: float
    steps_done: int
    runs_done: int
    lanes: Lanes | None


class Outlook:
    """The pace of one launch, and its forecast as it was told last. steps_per_run: environment's.

    runs  of the whole study
    """

    def __init__(self, steps_per_run: int) -> None:
        self._pace = Pace(steps_per_run)
        self._lanes = 0
        self._told_at = self._now = float("-inf")
        self._left_s: float | None = None
        self.runs = 0

    @property
    def steps_per_second(self) -> float | None:
        return self._pace.steps_per_second

    @property
    def left_s(self) -> float | None:
        """Seconds; None before anything is known."""
        if self._left_s is None:
            return None
        return max(0.0, self._left_s - (self._now - self._told_at))

    def expect(self, rates: Mapping[int, float]) -> None:
        """What was measured before: environment steps per second of so many lanes together."""
        self._pace.expect(rates)

    def see(self, moment: Moment, ahead: Callable[[], Ahead]) -> None:
        """Where the launch stands now. ahead: asked when the forecast is due."""
        self._now = moment.elapsed_s
        if moment.lanes is not None:
            self._lanes = moment.lanes.number
        self._pace.see(self._now, moment.steps_done, moment.lanes.busy if moment.lanes else 0)
        if self._now - self._told_at < EVERY_S:
            return
        found = forecast(ahead(), self._lanes, self._pace.speed)
        self._told_at, self._left_s = self._now, found.seconds
        self.runs = moment.runs_done + found.runs
