"""The episodes that lanes play while they train."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Episode:
    """An episode of training that ended at environment step `step` of its lane.

    length  in steps of its environment
    gained  undiscounted sum of its rewards
    """

    step: int
    length: int
    gained: float


class Episodes:
    """What every lane's episodes brought, each lane with as many environments side by side."""

    def __init__(self, environments: int) -> None:
        self._environments = environments  # of each lane
        self._gained = np.empty(0)  # so far, [lanes * environments]
        self._length = np.empty(0, dtype=np.int64)
        self._ended: list[list[Episode]] = []

    def admit(self) -> None:
        """A lane's environments begin their first episodes, behind the last."""
        self._gained = np.append(self._gained, np.zeros(self._environments))
        self._length = np.append(self._length, np.zeros(self._environments, dtype=np.int64))
        self._ended.append([])

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        each = self._environments
        self._gained = self._gained.reshape(-1, each)[list(rows)].ravel()
        self._length = self._length.reshape(-1, each)[list(rows)].ravel()
        self._ended = [self._ended[row] for row in rows]

    def step(
        self, steps: NDArray[np.int64], reward: NDArray[np.float64], ended: NDArray[np.int64]
    ) -> None:
        """A step of every environment brought `reward`; those at the places `ended` are over.

        steps: of every lane, [lanes]
        """
        self._gained += reward
        self._length += 1
        if not len(ended):
            return
        for place in ended:
            lane = place // self._environments
            episode = Episode(
                int(steps[lane]), int(self._length[place]), float(self._gained[place])
            )
            self._ended[lane].append(episode)
        self._gained[ended] = 0.0
        self._length[ended] = 0

    def taken(self, row: int) -> tuple[Episode, ...]:
        """A lane's episodes that ended since this was asked the last time."""
        ended, self._ended[row] = tuple(self._ended[row]), []
        return ended
