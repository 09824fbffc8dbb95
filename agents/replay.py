"""Replay rings of many lanes, each of its own capacity, in one tensor of rows.

A row is one transition, laid out so that a sampled batch feeds the first layer as it is: the
observation and the next observation each end in a one that multiplies the bias row.

    observation | 1 | next observation | 1 | action | reward | goes_on | padding to 64 bytes
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FLOATS_PER_CACHE_LINE = 16


@dataclass(frozen=True)
class Transitions:
    """Views of sampled rows, each [lanes, batch, ...]; features end in a one.

    goes_on is 0 where the episode terminated, else 1.
    """

    observation: Tensor
    next_observation: Tensor
    action: Tensor
    reward: Tensor
    goes_on: Tensor


class Replay:
    """The rings of a cohort. Ring r of a lane is `rows[base : base + capacity]`."""

    def __init__(self, features: int, device: torch.device) -> None:
        self._features = features
        used = 2 * (features + 1) + 3
        self._width = -(-used // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE
        self._device = device
        self._rows = torch.empty((0, self._width), device=device)
        self._base = np.empty(0, dtype=np.int64)
        self._capacity = np.empty(0, dtype=np.int64)
        self._stored = np.empty(0, dtype=np.int64)

    def admit(self, capacity: int) -> None:
        """Add an empty ring for a lane behind the last."""
        self._base = np.append(self._base, self._free_place(capacity))
        self._capacity = np.append(self._capacity, capacity)
        self._stored = np.append(self._stored, 0)

    def keep(self, rows: Sequence[int]) -> None:
        """Let the rings of these lanes stay, in that order."""
        index = list(rows)
        self._base = self._base[index]
        self._capacity = self._capacity[index]
        self._stored = self._stored[index]

    def store(
        self,
        observation: NDArray[np.float32],
        action: NDArray[np.int64],
        reward: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        next_observation: NDArray[np.float32],
    ) -> None:
        """Write one transition of every lane over its oldest. All [lanes, ...]."""
        width = self._features + 1
        staged = np.ones((len(action), self._width), dtype=np.float32)
        staged[:, : width - 1] = observation
        staged[:, width : 2 * width - 1] = next_observation
        staged[:, 2 * width] = action
        staged[:, 2 * width + 1] = reward
        staged[:, 2 * width + 2] = ~terminated
        place = torch.from_numpy(self._base + self._stored % self._capacity)
        self._rows.index_copy_(0, place.to(self._device), torch.from_numpy(staged).to(self._device))
        self._stored += 1

    def sample(self, draws: NDArray[np.uint32], out: Tensor) -> Transitions:
        """Uniform draws with replacement from what each lane has stored.

        draws  [lanes, batch]          one word of 32 bits each
        out    [lanes, batch, width]   receives the rows
        """
        stored = np.minimum(self._stored, self._capacity)
        place = ((draws.astype(np.int64) * stored[:, None]) >> 32) + self._base[:, None]
        flat = torch.from_numpy(place.ravel()).to(self._device)
        torch.index_select(self._rows, 0, flat, out=out.view(-1, self._width))
        width = self._features + 1
        return Transitions(
            observation=out[:, :, :width],
            next_observation=out[:, :, width : 2 * width],
            action=out[:, :, 2 * width],
            reward=out[:, :, 2 * width + 1],
            goes_on=out[:, :, 2 * width + 2],
        )

    def batch_buffer(self, batch: int) -> Tensor:
        """Room for one sampled batch of every lane, [lanes, batch, width]."""
        return torch.empty((len(self._base), batch, self._width), device=self._device)

    def _free_place(self, capacity: int) -> int:
        """First gap between the rings that is large enough, else the end, grown as needed."""
        end = 0
        for lane in np.argsort(self._base, kind="stable"):
            if self._base[lane] - end >= capacity:
                return end
            end = int(self._base[lane] + self._capacity[lane])
        if end + capacity > len(self._rows):
            rows = max(end + capacity, len(self._rows) * 3 // 2)
            grown = torch.empty((rows, self._width), device=self._device)
            grown[:end] = self._rows[:end]
            self._rows = grown
        return end
