"""Replay rings of many lanes, each of its own capacity, in one array of rows.

A row is one transition, laid out so that a sampled batch feeds the first layer as it is: the
observation and the next observation each end in a one that multiplies the bias row.

    observation | 1 | next observation | 1 | action | reward | goes_on | padding to 64 bytes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agents.n_step import Completed
from agents.stacks import whole_lines

Floats = NDArray[np.float32]
Rows = TypeVar("Rows", Floats, Tensor)


@dataclass(frozen=True)
class Transitions(Generic[Rows]):
    """Views of sampled rows, each [lanes, batch, ...]; features end in a one.

    goes_on is 0 where the episode terminated, else 1; of n steps gamma^(n-1).
    """

    observation: Rows
    next_observation: Rows
    action: Rows
    reward: Rows
    goes_on: Rows


class Replay:
    """The rings of a cohort. Ring r of a lane is `rows[base : base + capacity]`."""

    def __init__(self, features: int) -> None:
        self._features = features
        self.width = whole_lines(2 * (features + 1) + 3)  # of a row, in floats
        self._rows = np.empty((0, self.width), dtype=np.float32)
        self._base = np.empty(0, dtype=np.int64)
        self._capacity = np.empty(0, dtype=np.int64)
        self._stored = np.empty(0, dtype=np.int64)
        self._fit()

    def admit(self, capacity: int) -> None:
        """Add an empty ring for a lane behind the last."""
        self._base = np.append(self._base, self._free_place(capacity))
        self._capacity = np.append(self._capacity, capacity)
        self._stored = np.append(self._stored, 0)
        self._rows[self._base[-1]] = 0.0  # what is sampled, for nothing, while the ring is empty
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        """Let the rings of these lanes stay, in that order."""
        index = list(rows)
        self._base = self._base[index]
        self._capacity = self._capacity[index]
        self._stored = self._stored[index]
        self._fit()

    def store(
        self,
        observation: Floats,
        action: NDArray[np.int64],
        reward: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        next_observation: Floats,
    ) -> NDArray[np.int64]:
        """Write one transition of every lane over its oldest. All [lanes, ...].

        Returns their places in the lanes' rings.
        """
        _fill(self._new, observation, action, reward, ~terminated, next_observation)
        place = self._stored % self._capacity
        self._rows[self._base + place] = self._new_rows
        self._stored += 1
        return place

    def append(self, lane: NDArray[np.int64], transitions: Completed) -> NDArray[np.int64]:
        """Write any number of transitions over the oldest of their lanes, by which they are sorted.

        Returns their places in the lanes' rings.
        """
        rows = np.ones((len(lane), 1, self.width), dtype=np.float32)
        _fill(
            self.views(rows),
            transitions.observation,
            transitions.action,
            transitions.reward,
            transitions.goes_on,
            transitions.next_observation,
        )
        before = np.arange(len(lane)) - np.searchsorted(lane, lane)  # of the same lane
        place = (self._stored[lane] + before) % self._capacity[lane]
        self._rows[self._base[lane] + place] = rows[:, 0]
        self._stored += np.bincount(lane, minlength=len(self._stored))
        return place

    @property
    def is_empty(self) -> NDArray[np.bool_]:
        """Whether nothing is stored yet, [lanes]."""
        empty: NDArray[np.bool_] = self._stored == 0
        return empty

    @property
    def fill(self) -> NDArray[np.int64]:
        """How many transitions each lane holds."""
        return np.minimum(self._stored, self._capacity)

    def uniform(self, draws: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Places drawn with replacement from what each lane has stored, [lanes, batch].

        draws  [lanes, batch]  one word of 32 bits each
        """
        place = np.multiply(draws, self.fill[:, None], dtype=np.int64)
        return np.right_shift(place, 32, out=place)

    def read(self, place: NDArray[np.int64], out: Floats) -> None:
        """The rows at these places [lanes, batch], into [lanes, batch, width]."""
        row = place + self._base[:, None]
        self._rows.take(row, axis=0, out=out, mode="clip")  # all are inside: "clip" is just quick

    def views(self, rows: Rows) -> Transitions[Rows]:
        """What stands where in sampled rows [lanes, batch, width]."""
        width = self._features + 1
        return Transitions(
            observation=rows[:, :, :width],
            next_observation=rows[:, :, width : 2 * width],
            action=rows[:, :, 2 * width],
            reward=rows[:, :, 2 * width + 1],
            goes_on=rows[:, :, 2 * width + 2],
        )

    def _fit(self) -> None:
        """Allocate the working memory for the lanes there are now."""
        self._new_rows = np.ones((len(self._base), self.width), dtype=np.float32)
        self._new = self.views(self._new_rows[:, None])

    def _free_place(self, capacity: int) -> int:
        """First gap between the rings that is large enough, else the end, grown as needed."""
        end = 0
        for lane in np.argsort(self._base, kind="stable"):
            if self._base[lane] - end >= capacity:
                return end
            end = int(self._base[lane] + self._capacity[lane])
        if end + capacity > len(self._rows):
            rows = max(end + capacity, len(self._rows) * 3 // 2)
            grown = np.empty((rows, self.width), dtype=np.float32)
            for base, held in zip(self._base, np.maximum(self.fill, 1), strict=True):
                grown[base : base + held] = self._rows[base : base + held]
            self._rows = grown  # what was never written takes no memory yet
        return end


def _fill(
    new: Transitions[Floats],
    observation: Floats,
    action: NDArray[np.int64],
    reward: NDArray[np.float64],
    goes_on: NDArray[np.bool_] | NDArray[np.float64],
    next_observation: Floats,
) -> None:
    """Write transitions [transitions, ...] into rows of one each."""
    new.observation[:, 0, :-1] = observation
    new.next_observation[:, 0, :-1] = next_observation
    new.action[:, 0] = action
    new.reward[:, 0] = reward
    new.goes_on[:, 0] = goes_on
