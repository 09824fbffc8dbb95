"""Where a search stands, for screens and scripts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Best:
    """The trial with the highest value so far."""

    trial: int
    value: float
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Progress:
    """A launch at one moment. Steps are environment steps of all lanes together.

    phase: start, search, confirm or test
    runs: those recorded and those to come, as far as can be told
    lanes: those there are; 0 until they are chosen
    lanes_per_cohort: how many lanes were trained by one call, on average
    """

    phase: str
    trials: int
    trials_done: int
    runs: int
    runs_done: int
    lanes: int
    busy_lanes: int
    lanes_per_cohort: float
    steps_done: int
    steps_left: int
    elapsed_s: float
    best: Best | None

    @property
    def steps_per_second(self) -> float:
        """Since this launch began."""
        return self.steps_done / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds to the end at this rate; None before anything is known."""
        rate = self.steps_per_second
        return self.steps_left / rate if rate else None
