"""How many runs a trainer should train side by side."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path

from agents.deep_q_hparams import DeepQHparams, filled_up
from agents.kinds import KINDS
from tuner.search_space import Choices, Range
from tuner.study import Study

# A trial is proposed without the results of those in flight. TPE proposes its first ten at random
# anyway; beyond, at most a quarter of the trials should not know of each other.
PROPOSED_AT_RANDOM = 10
SHARE_IN_FLIGHT = 0.25
SHARE_OF_MEMORY = 0.5
COUNTS = (4, 8, 16, 32, 64)
NEARLY_BEST = 0.9
SMALLEST_LANE = 100_000  # bytes of one that has no replay
STEPS_WORTH_MEASURING = 1_000_000


@dataclass(frozen=True)
class LaneRoom:
    """What a study and this machine allow a trainer.

    most     lanes, beyond which the search itself or the memory would suffer
    cohorts  shapes that the space can propose; each needs a cohort of its own
    steps    environment steps of the whole study
    """

    most: int
    cohorts: int
    steps: int

    @property
    def measured(self) -> bool:
        """Whether there is a choice, and work enough that a measurement of a second pays."""
        return COUNTS[0] * self.cohorts < self.most and self.steps >= STEPS_WORTH_MEASURING

    @property
    def counts(self) -> list[int]:
        """The numbers of lanes in a cohort that are worth trying."""
        return [*(count for count in COUNTS if count < self.most), min(self.most, COUNTS[-1])]

    def lanes(self, rates: Sequence[float]) -> int:
        """For a trainer, from the rates at `counts`: the fewest that are nearly as fast as any."""
        fast = NEARLY_BEST * max(rates)
        enough = next(n for n, rate in zip(self.counts, rates, strict=True) if rate >= fast)
        return min(self.most, enough * self.cohorts)


def lane_room(study: Study, workers: int, features: int) -> LaneRoom:
    """The room in which `workers` trainers of this study may choose."""
    trials, seeds = study.study.trials, study.seeds.start
    in_flight = min(trials, max(PROPOSED_AT_RANDOM, ceil(SHARE_IN_FLIGHT * trials)))
    fitting = int(SHARE_OF_MEMORY * _free_memory() / workers / _replay_bytes(study, features))
    shapes = [
        _distinct(name, searched) + bool(searched.when)  # its default, too
        for name, searched in study.space.items()
        if KINDS[study.study.agent].role(name) == "shaping"
    ]
    return LaneRoom(
        most=max(1, min(ceil(in_flight * seeds / workers), fitting)),
        cohorts=prod(shapes),
        steps=trials * seeds * study.budget.steps,
    )


def _distinct(name: str, searched: Range | Choices) -> int:
    """How many shapes these values of a hyperparameter make."""
    if isinstance(searched, Range):
        steps = int((searched.high - searched.low) // (searched.step or 1)) + 1
        sizes = {filled_up(int(searched.low) + n) for n in range(steps)}
        return len(sizes) if name == "batch_size" else steps
    if name == "hidden_layers":
        return len({tuple(map(filled_up, widths)) for widths in searched.choices})
    if name == "batch_size":
        return len(set(map(filled_up, searched.choices)))
    return len(set(searched.choices))


def _replay_bytes(study: Study, features: int) -> int:
    """About what the largest replay of a lane takes: two observations and three numbers a row."""
    default = study.hparams({})
    if not isinstance(default, DeepQHparams):
        return SMALLEST_LANE
    searched = study.space.get("buffer_size")
    match searched:
        case Range():
            largest = int(searched.high)
        case Choices():
            largest = max(searched.choices)
        case None:
            largest = default.buffer_size
    if searched is not None and searched.when:
        largest = max(largest, default.buffer_size)
    return min(largest, study.budget.steps) * 4 * (2 * features + 16)


def _free_memory() -> int:
    """Bytes that can be had without pushing others out."""
    with suppress(OSError, IndexError, ValueError):
        found = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]
        return int(found) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
