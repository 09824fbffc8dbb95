"""How long a run trains, and when it is evaluated."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Budget:
    """How long a run trains and how often it is evaluated.

    The marks are `evaluations` equally spaced environment steps, the last of them at `steps`; at
    each, `episodes` greedy episodes are played.
    """

    steps: int
    evaluations: int
    episodes: int

    @cached_property
    def marks(self) -> tuple[int, ...]:
        """The steps at which a lane is evaluated, rising."""
        return tuple(self.steps * k // self.evaluations for k in range(1, self.evaluations + 1))
