"""How fast the lanes are, from what a launch has trained so far. Pure but for its memory."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from tuner.time_left import Speed

CHUNK_S = 1.0
LEAST_WINDOW_S = 20.0
HALF = 0.5  # of a run's time that other lanes do not change, before anything else is seen
MEASURED_S = 1.0  # of a launch that each measured rate counts as
TRUST = 0.02  # what that counts, beside all that was seen


@dataclass(frozen=True)
class _Chunk:
    """A while of a launch. busy: lanes on average; steps: environment steps of them together."""

    seconds: float
    busy: float
    steps: int


class _Line:
    """A straight line through points of different weights (least squares)."""

    def __init__(self) -> None:
        self._weight = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float, weight: float) -> None:
        self._weight += weight
        self._x += weight * x
        self._y += weight * y
        self._xx += weight * x * x
        self._xy += weight * x * y

    def slope_share(self) -> float:
        """How much of y grows with x, at the mean of x: 0 to 1, a half as long as x is the same."""
        x, y = self._x / self._weight, self._y / self._weight
        spread = max(0.0, self._xx / self._weight - x * x)
        together = self._xy / self._weight - x * y
        trust = TRUST * x * x
        share = (together + trust * HALF * y / x) / (spread + trust) * x / y
        return min(1.0, max(0.0, share))

    def share_at(self, x: float) -> float:
        """The same at another x."""
        share, mean = self.slope_share(), self._x / self._weight
        return share * x / mean / (1 - share + share * x / mean)


class Pace:
    """A launch's speed over its last two rounds of runs, and at least 20 seconds.

    What part of it hangs on the lanes that are busy is told by the whole launch.
    steps_per_run  environment steps
    """

    def __init__(self, steps_per_run: int) -> None:
        self._steps_per_run = steps_per_run
        self._chunks: deque[_Chunk] = deque()
        self._line = _Line()
        self._seen_s: float | None = None
        self._seen_steps = 0
        self._seconds = self._lane_seconds = 0.0

    def expect(self, rates: Mapping[int, float]) -> None:
        """What was measured before: environment steps per second of so many lanes together."""
        for busy, rate in rates.items():
            self._line.add(busy, self._steps_per_run * busy / rate, MEASURED_S)

    def see(self, elapsed_s: float, steps_done: int, busy: int) -> None:
        """Where the launch stands now: seconds and steps since it began, lanes that train."""
        before = self._seen_s
        self._seen_s = elapsed_s
        if before is None or (steps_done == 0 and not self._chunks):  # nothing trains yet
            return
        self._seconds += elapsed_s - before
        self._lane_seconds += busy * (elapsed_s - before)
        if self._seconds < CHUNK_S:
            return
        steps = steps_done - self._seen_steps
        if steps and self._lane_seconds:
            chunk = _Chunk(self._seconds, self._lane_seconds / self._seconds, steps)
            self._chunks.append(chunk)
            run_s = self._steps_per_run * chunk.busy * chunk.seconds / chunk.steps
            self._line.add(chunk.busy, run_s, chunk.seconds)
        self._seen_steps, self._seconds, self._lane_seconds = steps_done, 0.0, 0.0
        self._forget()

    @property
    def steps_per_second(self) -> float | None:
        """Of all lanes together; None before anything is known."""
        seconds = sum(chunk.seconds for chunk in self._chunks)
        return sum(chunk.steps for chunk in self._chunks) / seconds if seconds else None

    @property
    def speed(self) -> Speed | None:
        """What a run takes, by the lanes that are busy."""
        rate = self.steps_per_second
        if rate is None:
            return None
        seconds = sum(chunk.seconds for chunk in self._chunks)
        busy = sum(chunk.busy * chunk.seconds for chunk in self._chunks) / seconds
        run_s = self._steps_per_run * busy / rate
        share = self._line.share_at(busy)
        return Speed(run_s * (1 - share), run_s * share / busy)

    def _forget(self) -> None:
        """What is older than two rounds."""
        rate = self.steps_per_second
        if rate is None:
            return
        whole = sum(chunk.seconds for chunk in self._chunks)
        busy = max(chunk.busy for chunk in self._chunks)
        window = max(LEAST_WINDOW_S, 2 * self._steps_per_run * busy / rate)
        while len(self._chunks) > 1 and whole - self._chunks[0].seconds > window:
            whole -= self._chunks.popleft().seconds
