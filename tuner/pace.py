"""How fast the lanes are, from what a launch has trained so far. Pure but for its memory."""

from collections import deque
from dataclasses import dataclass

from tuner.time_left import Speed

CHUNK_S = 1.0
LEAST_WINDOW_S = 20.0
HALF = 0.5  # of a run's time that other lanes do not change, before anything else is seen
TRUST = 0.25  # what that counts, beside all that was seen


@dataclass(frozen=True)
class _Chunk:
    """A while of a launch. busy: lanes on average; steps: environment steps of them together."""

    seconds: float
    busy: float
    steps: int


class Pace:
    """A launch's speed over its last two rounds of runs, and at least 20 seconds.

    steps_per_run  environment steps
    """

    def __init__(self, steps_per_run: int) -> None:
        self._steps_per_run = steps_per_run
        self._chunks: deque[_Chunk] = deque()
        self._seen_s: float | None = None
        self._seen_steps = 0
        self._seconds = self._lane_seconds = 0.0

    def see(self, elapsed_s: float, steps_done: int, busy: int) -> None:
        """Where the launch stands now: seconds and steps since it began, lanes that train."""
        before = self._seen_s
        self._seen_s = elapsed_s
        if before is None or (steps_done == 0 and not self._chunks):  # nothing trains yet
            return
        self._seconds += elapsed_s - before
        self._lane_seconds += busy * (elapsed_s - before)
        steps = steps_done - self._seen_steps
        if self._seconds < CHUNK_S:
            return
        if steps and self._lane_seconds:
            self._chunks.append(_Chunk(self._seconds, self._lane_seconds / self._seconds, steps))
        self._seen_steps, self._seconds, self._lane_seconds = steps_done, 0.0, 0.0
        self._forget()

    @property
    def steps_per_second(self) -> float | None:
        """Of all lanes together; None before anything is known."""
        seconds = sum(chunk.seconds for chunk in self._chunks)
        return sum(chunk.steps for chunk in self._chunks) / seconds if seconds else None

    @property
    def speed(self) -> Speed | None:
        """What a run takes, as a straight line over the lanes that are busy (least squares)."""
        rate = self.steps_per_second
        if rate is None:
            return None
        weights = [chunk.seconds for chunk in self._chunks]
        busy = [chunk.busy for chunk in self._chunks]
        times = [self._steps_per_run * c.busy * c.seconds / c.steps for c in self._chunks]
        whole = sum(weights)
        mean_busy = sum(w * b for w, b in zip(weights, busy, strict=True)) / whole
        mean = self._steps_per_run * mean_busy / rate
        spread = sum(w * (b - mean_busy) ** 2 for w, b in zip(weights, busy, strict=True))
        together = sum(
            w * (b - mean_busy) * (t - mean) for w, b, t in zip(weights, busy, times, strict=True)
        )
        assumed, trust = (1 - HALF) * mean / mean_busy, TRUST * whole * mean_busy**2
        slope = (together + trust * assumed) / (spread + trust)
        slope = min(max(slope, 0.0), mean / mean_busy)
        return Speed(mean - slope * mean_busy, slope)

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
