"""Run seeds: four pools that cannot meet.

Seed `index` of a purpose is 4 * p(index) + code, where p permutes 0 .. 2**30 - 1 and depends on
the study's master seed, and the code tells the purposes apart. Seeds of one pool are therefore
distinct, and seeds of two pools are never equal.
"""

from enum import IntEnum

import numpy as np

POOL = 2**30


class Pool(IntEnum):
    """What a run is for. The numbers are part of every seed: never change or reuse one.

    tune finds configurations, confirm chooses among the best, test chooses nothing; fresh seeds
    belong to nobody's study: `tuner verify --seeds` takes them.
    """

    TUNE = 0
    CONFIRM = 1
    TEST = 2
    FRESH = 3

    @property
    def word(self) -> str:
        """The purpose as the `runs` table has it."""
        return self.name.lower()


def run_seed(master_seed: int, pool: Pool, index: int) -> int:
    """The seed of run number `index` for that purpose, 0 to 2**32 - 1."""
    state = np.random.SeedSequence(master_seed).generate_state(2)
    offset, factor = int(state[0]), int(state[1]) | 1  # odd, so that multiplying permutes
    return 4 * ((offset + factor * index) % POOL) + int(pool)
