"""How many runs a trainer should train side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

from agents.hparams import role
from tuner.search_space import Choices
from tuner.study import Study

# A trial is proposed without the results of those in flight. TPE proposes its first ten at random
# anyway; beyond, at most a quarter of the trials should not know of each other.
PROPOSED_AT_RANDOM = 10
SHARE_IN_FLIGHT = 0.25
COUNTS = (4, 8, 16, 32, 64)
NEARLY_BEST = 0.9
STEPS_WORTH_MEASURING = 1_000_000


@dataclass(frozen=True)
class LaneRoom:
    """What a study allows a trainer.

    most      lanes, beyond which the search itself would suffer
    cohorts   shapes that the space can propose; each needs a cohort of its own
    measured  whether the study is long enough that a measurement of a second pays
    """

    most: int
    cohorts: int
    measured: bool

    @property
    def counts(self) -> list[int]:
        """The numbers of lanes in a cohort that are worth trying."""
        return [*(count for count in COUNTS if count < self.most), min(self.most, COUNTS[-1])]

    def lanes(self, rates: Sequence[float]) -> int:
        """For a trainer, from the rates at `counts`: the fewest that are nearly as fast as any."""
        fast = NEARLY_BEST * max(rates)
        enough = next(n for n, rate in zip(self.counts, rates, strict=True) if rate >= fast)
        return min(self.most, enough * self.cohorts)


def lane_room(study: Study, workers: int) -> LaneRoom:
    """The room in which `workers` trainers of this study may choose."""
    trials, seeds = study.study.trials, study.seeds.start
    in_flight = min(trials, max(PROPOSED_AT_RANDOM, ceil(SHARE_IN_FLIGHT * trials)))
    shapes = [
        len(searched.choices) if isinstance(searched, Choices) else COUNTS[-1]
        for name, searched in study.space.items()
        if role(study.study.agent, name) == "shaping"
    ]
    return LaneRoom(
        most=max(1, ceil(in_flight * seeds / workers)),
        cohorts=prod(shapes),
        measured=trials * seeds * study.budget.steps >= STEPS_WORTH_MEASURING,
    )
