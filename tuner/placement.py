"""Which trainer a run is given to."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

# How much more than another a trainer may have to do, and still get a lane that fits its cohorts.
IMBALANCE = 1.25


@dataclass(frozen=True)
class Place:
    """What a run asks of a trainer: a lane in this cohort, `cost` of a cohort's own time."""

    cohort: Hashable
    cost: float


@dataclass
class Load:
    """The runs that a trainer holds."""

    runs: dict[str, Place] = field(default_factory=dict)

    @property
    def time(self) -> float:
        """Of one step of everything, in units of a cohort's own time."""
        places = self.runs.values()
        return len({place.cohort for place in places}) + sum(place.cost for place in places)

    def holds(self, cohort: Hashable) -> bool:
        """Whether lanes of this cohort are here."""
        return any(place.cohort == cohort for place in self.runs.values())


def best_load(loads: Sequence[Load], cohort: Hashable) -> Load:
    """Of those with room: the one with least to do, or one where this cohort is already.

    A cohort that is there saves the time of its own, as long as the loads stay balanced.
    """
    bearable = IMBALANCE * min(load.time for load in loads) + 1.0
    fitting = [load for load in loads if load.holds(cohort) and load.time <= bearable]
    return min(fitting or loads, key=lambda load: load.time)
