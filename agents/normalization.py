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

    def apply(self, inputs: Tensor, out: Tensor) -> None:
        """Scale inputs [lanes, batch, features + 1] into `out`, whose closing one stays."""
        features = torch.sub(inputs[:, :, :-1], self.mean, out=out[:, :, :-1])
        features.mul_(self.inverse_std).clamp_(-CLIP, CLIP)

    def selected(self, rows: Sequence[int]) -> "Scale":
        """The scales of these lanes, in that order."""
        return Scale(self.mean[list(rows)], self.inverse_std[list(rows)])

    def joined(self, lanes: "Scale") -> "Scale":
        """These lanes and, behind them, those."""
        pairs = ((self.mean, lanes.mean), (self.inverse_std, lanes.inverse_std))
        return Scale(*(torch.cat(pair) for pair in pairs))


class RunningScale:
    """Mean and variance of everything a lane observed while training (Welford 1962)."""

    def __init__(self, features: int, device: torch.device) -> None:
        self._device = device
        self._count = np.empty((0, 1))
        self._mean = np.empty((0, features))
        self._squares = np.empty((0, features))
        self._scale: Scale | None = None

    def admit(self) -> None:
        """Add a lane behind the last, that has observed nothing yet."""
        blank = np.zeros((1, self._mean.shape[1]))
        self._count = np.concatenate([self._count, np.zeros((1, 1))])
        self._mean = np.concatenate([self._mean, blank])
        self._squares = np.concatenate([self._squares, blank])
        self._scale = None

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        index = list(rows)
        self._count, self._mean = self._count[index], self._mean[index]
        self._squares = self._squares[index]
        self._scale = None

    def observe(self, observations: NDArray[np.float32]) -> None:
        """Count one more observation of every lane, [lanes, features]."""
        self._count += 1.0
        off = observations - self._mean
        self._mean += off / self._count
        self._squares += off * (observations - self._mean)
        self._scale = None

    def scale(self) -> Scale:
        """The scale of all lanes as it is now."""
        if self._scale is None:
            variance = self._squares / np.maximum(self._count, 1.0)
            inverse = 1.0 / np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
            inverse = np.where(self._count < 2.0, 1.0, inverse)
            self._scale = Scale(self._tensor(self._mean), self._tensor(inverse))
        return self._scale

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)[:, None, :]).to(self._device)
