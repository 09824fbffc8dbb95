"""Adam for stacked lanes, with a learning rate, a clock and a clip norm per lane."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from agents.networks import Weights

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# 1 - beta^n for n = 0, 1, ...; beyond the table both are 1 in double precision
_UPDATES = np.arange(40_000)
_CORRECTION1 = 1.0 - BETA1**_UPDATES
_CORRECTION2 = 1.0 - BETA2**_UPDATES


class LaneAdam:
    """Adam (Kingma & Ba 2015, Algorithm 1) with torch's defaults, one per lane.

    Before the step a lane's gradient is scaled so that its global norm is at most `max_grad_norm`,
    as torch.nn.utils.clip_grad_norm_ does.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._learning_rate = np.empty(0)
        self._max_norm = torch.empty(0, device=device)
        self._updates = np.empty(0, dtype=np.int64)
        self._mean: Weights = []
        self._square: Weights = []
        self._room: Weights = []

    def admit(self, learning_rate: float, max_grad_norm: float, weights: Weights) -> None:
        """Add a lane behind the last. weights: that lane's own, [1, inputs + 1, outputs] each."""
        self._learning_rate = np.append(self._learning_rate, learning_rate)
        norm = torch.tensor([max_grad_norm], device=self._device)
        self._max_norm = torch.cat([self._max_norm, norm])
        self._updates = np.append(self._updates, 0)
        zeros = [torch.zeros_like(layer, device=self._device) for layer in weights]
        self._mean = stacked(self._mean, zeros)
        self._square = stacked(self._square, zeros)
        self._room = [torch.empty_like(layer) for layer in self._mean]

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        index = torch.tensor(list(rows), dtype=torch.int64, device=self._device)
        self._learning_rate = self._learning_rate[list(rows)]
        self._max_norm = self._max_norm[index]
        self._updates = self._updates[list(rows)]
        self._mean = [layer[index] for layer in self._mean]
        self._square = [layer[index] for layer in self._square]
        self._room = [torch.empty_like(layer) for layer in self._mean]

    def step(self, weights: Weights, gradients: Weights, learning: np.ndarray) -> None:
        """Move the weights of the lanes in `learning` [lanes] bool.

        A lane that does not learn yet must come with a gradient of zero; it stays as it is.
        """
        self._clip(gradients)
        self._updates += learning
        count = np.clip(self._updates, 1, len(_UPDATES) - 1)
        correction1, correction2 = _CORRECTION1[count], np.sqrt(_CORRECTION2[count])
        # w -= (lr / c1) m / (sqrt(v) / c2 + eps), rearranged to w += m / (sqrt(v) a + b)
        scale = -correction1 / self._learning_rate
        factors = np.stack([scale / correction2, scale * EPSILON]).astype(np.float32)
        a, b = torch.from_numpy(factors).to(self._device)[:, :, None, None]
        for weight, gradient, mean, square, room in zip(
            weights, gradients, self._mean, self._square, self._room, strict=True
        ):
            mean.lerp_(gradient, 1.0 - BETA1)
            square.mul_(BETA2).addcmul_(gradient, gradient, value=1.0 - BETA2)
            torch.sqrt(square, out=room)
            torch.addcmul(b, room, a, out=room)
            weight.addcdiv_(mean, room)

    def _clip(self, gradients: Weights) -> None:
        squares = torch.zeros_like(self._max_norm)
        for layer in gradients:
            squares += torch.linalg.vector_norm(layer.flatten(1), dim=1).square_()
        norm = squares.sqrt_()  # added layer by layer: a reduction over layers minds the lanes
        too_long = norm > self._max_norm
        if bool(too_long.any()):  # else every factor is exactly one, and nothing would change
            factor = torch.where(too_long, self._max_norm / (norm + 1e-6), 1.0)[:, None, None]
            for layer in gradients:
                layer.mul_(factor)


def stacked(lanes: Weights, lane: Weights) -> Weights:
    """The stack with one more lane at its end."""
    if not lanes:
        return [layer.clone() for layer in lane]
    return [torch.cat([old, new]) for old, new in zip(lanes, lane, strict=True)]


def selected(weights: Weights, rows: Sequence[int]) -> Weights:
    """Copies of these lanes' weights, in that order."""
    index = torch.tensor(list(rows), dtype=torch.int64, device=weights[0].device)
    return [layer[index] for layer in weights]


def all_finite(weights: Weights) -> Tensor:
    """Which lanes hold neither NaN nor infinity, [lanes] bool."""
    return torch.stack([layer.isfinite().flatten(1).all(dim=1) for layer in weights]).all(dim=0)
