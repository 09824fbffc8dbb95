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
        self._sampled: tuple[Tensor, Transitions] | None = None
        self._fit()

    def admit(self, capacity: int) -> None:
        """Add an empty ring for a lane behind the last."""
        self._base = np.append(self._base, self._free_place(capacity))
        self._capacity = np.append(self._capacity, capacity)
        self._stored = np.append(self._stored, 0)
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
        observation: NDArray[np.float32],
        action: NDArray[np.int64],
        reward: NDArray[np.float64],
        terminated: NDArray[np.bool_],
        next_observation: NDArray[np.float32],
    ) -> None:
        """Write one transition of every lane over its oldest. All [lanes, ...]."""
        width = self._features + 1
        staged = self._staged.numpy()
        staged[:, : width - 1] = observation
        staged[:, width : 2 * width - 1] = next_observation
        staged[:, 2 * width] = action
        staged[:, 2 * width + 1] = reward
        staged[:, 2 * width + 2] = ~terminated
        place = torch.from_numpy(self._base + self._stored % self._capacity)
        self._rows.index_copy_(0, place.to(self._device), self._staged.to(self._device))
        self._stored += 1

    def sample(self, draws: NDArray[np.uint32], out: Tensor) -> Transitions:
        """Uniform draws with replacement from what each lane has stored.

        draws  [lanes, batch]          one word of 32 bits each
        out    [lanes, batch, width]   receives the rows
        """
        stored = np.minimum(self._stored, self._capacity)
        place = np.multiply(draws, stored[:, None], dtype=np.int64)
        np.right_shift(place, 32, out=place)
        np.add(place, self._base[:, None], out=place)
        flat = torch.from_numpy(place.reshape(-1)).to(self._device)
        torch.index_select(self._rows, 0, flat, out=out.view(-1, self._width))
        if self._sampled is None or self._sampled[0] is not out:
            self._sampled = (out, self._views(out))
        return self._sampled[1]

    def _views(self, out: Tensor) -> Transitions:
        width = self._features + 1
        return Transitions(
            observation=out[:, :, :width],
            next_observation=out[:, :, width : 2 * width],
            action=out[:, :, 2 * width],
            reward=out[:, :, 2 * width + 1],
            goes_on=out[:, :, 2 * width + 2],
        )

    def _fit(self) -> None:
        """Allocate the working memory for the lanes there are now."""
        self._staged = torch.ones((len(self._base), self._width))
        self._sampled = None

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
