"""What a launch has before it, told again every second from what it has done."""

from collections.abc import Callable

from tuner.pace import Pace
from tuner.progress import Lanes
from tuner.time_left import Ahead, Forecast, forecast

EVERY_S = 1.0


class Outlook:
    """The pace of one launch, and its forecast. steps_per_run: environment steps."""

    def __init__(self, steps_per_run: int) -> None:
        self._pace = Pace(steps_per_run)
        self._told_at: float | None = None
        self._forecast = Forecast(0, None)

    @property
    def steps_per_second(self) -> float | None:
        return self._pace.steps_per_second

    def see(
        self, elapsed_s: float, steps_done: int, lanes: Lanes | None, ahead: Callable[[], Ahead]
    ) -> Forecast:
        """The forecast at this moment of the launch."""
        self._pace.see(elapsed_s, steps_done, lanes.busy if lanes else 0)
        if self._told_at is None or elapsed_s - self._told_at >= EVERY_S or lanes is None:
            self._told_at = elapsed_s
            self._forecast = forecast(ahead(), lanes.number if lanes else 0, self._pace.speed)
        seconds, passed = self._forecast.seconds, elapsed_s - self._told_at
        return Forecast(
            self._forecast.runs, None if seconds is None else max(0.0, seconds - passed)
        )
