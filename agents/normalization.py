"""Running scale of observations, one per lane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CLIP = 10.0
SMALLEST_VARIANCE = 1e-8


@dataclass(frozen=True)
class Scale:
    """Mean and inverse standard deviation of some lanes, both [lanes, 1, features] float32."""

    mean: Tensor
    inverse_std: Tensor

    def apply(self, inputs: Tensor) -> Tensor:
        """Scaled copy of inputs [lanes, batch, features + 1]; the closing one stays."""
        scaled = torch.ones_like(inputs, memory_format=torch.contiguous_format)
        features = (inputs[:, :, :-1] - self.mean) * self.inverse_std
        scaled[:, :, :-1] = features.clamp_(-CLIP, CLIP)
        return scaled


class RunningScale:
    """Mean and variance of everything a lane observed while training (Welford 1962)."""

    def __init__(self, features: int, device: torch.device) -> None:
        self._device = device
        self._count = np.empty((0, 1))
        self._mean = np.empty((0, features))
        self._squares = np.empty((0, features))

    def admit(self) -> None:
        """Add a lane behind the last, that has observed nothing yet."""
        blank = np.zeros((1, self._mean.shape[1]))
        self._count = np.concatenate([self._count, np.zeros((1, 1))])
        self._mean = np.concatenate([self._mean, blank])
        self._squares = np.concatenate([self._squares, blank])

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        index = list(rows)
        self._count, self._mean = self._count[index], self._mean[index]
        self._squares = self._squares[index]

    def observe(self, observations: NDArray[np.float32]) -> None:
        """Count one more observation of every lane, [lanes, features]."""
        self._count += 1.0
        off = observations - self._mean
        self._mean += off / self._count
        self._squares += off * (observations - self._mean)

    def scale(self, rows: Sequence[int] | None = None) -> Scale:
        """The scale of these lanes (all of them by default) as it is now."""
        index = slice(None) if rows is None else list(rows)
        variance = self._squares[index] / np.maximum(self._count[index], 1.0)
        fresh = self._count[index] < 2.0
        inverse = np.where(fresh, 1.0, 1.0 / np.sqrt(np.maximum(variance, SMALLEST_VARIANCE)))
        return Scale(self._tensor(self._mean[index]), self._tensor(inverse))

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)[:, None, :]).to(self._device)
