"""Adam for stacked lanes, with a learning rate, a clock and a clip norm per lane."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agents.stacks import Stack

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# 1 - beta^n for n = 0, 1, ...; beyond the table both are 1 in double precision
_UPDATES = np.arange(40_000)
_MINUS_CORRECTION1 = BETA1**_UPDATES - 1.0
_ROOT_CORRECTION2 = np.sqrt(1.0 - BETA2**_UPDATES)


class LaneAdam:
    """Adam (Kingma & Ba 2015, Algorithm 1) with torch's defaults, one per lane.

    Before the step a lane's gradient is scaled so that its global norm is at most `max_grad_norm`,
    as torch.nn.utils.clip_grad_norm_ does.
    """

    def __init__(self, weights: Stack) -> None:
        """For weights of this shape; their lanes are yet to be admitted."""
        self._device = weights.flat.device
        self._learning_rate = np.empty(0)
        self._max_norm = np.empty(0, dtype=np.float32)
        self._updates = np.empty(0, dtype=np.int64)
        self._mean = self._square = weights.selected([])

    def admit(self, learning_rate: float, max_grad_norm: float, weights: Stack) -> None:
        """Add a lane behind the last. weights: that lane's own."""
        self._learning_rate = np.append(self._learning_rate, learning_rate)
        self._max_norm = np.append(self._max_norm, np.float32(max_grad_norm))
        self._updates = np.append(self._updates, 0)
        self._mean = self._mean.joined(weights.zeros())
        self._square = self._square.joined(weights.zeros())
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        self._learning_rate = self._learning_rate[list(rows)]
        self._max_norm = self._max_norm[list(rows)]
        self._updates = self._updates[list(rows)]
        self._mean = self._mean.selected(rows)
        self._square = self._square.selected(rows)
        self._fit()

    def step(self, weights: Stack, gradients: Stack, learning: NDArray[np.bool_]) -> None:
        """Move the weights of the lanes in `learning` [lanes] bool.

        A lane that does not learn yet must come with a gradient of zero; it stays as it is.
        """
        self._clip(gradients)
        self._updates += learning
        count = np.minimum(np.maximum(self._updates, 1), len(_UPDATES) - 1)
        # w -= (lr / c1) m / (sqrt(v) / c2 + eps), rearranged to w += m / (sqrt(v) a + b)
        scale = _MINUS_CORRECTION1[count] / self._learning_rate
        self._factors[0, :, 0, 0] = scale / _ROOT_CORRECTION2[count]
        self._factors[1, :, 0, 0] = scale * EPSILON
        a, b = self._factors_tensor.to(self._device)
        mean, square, room = self._mean.flat, self._square.flat, self._room
        mean.lerp_(gradients.flat, 1.0 - BETA1)
        square.mul_(BETA2).addcmul_(gradients.flat, gradients.flat, value=1.0 - BETA2)
        torch.sqrt(square, out=room.flat)
        for layer in room.layers:
            torch.addcmul(b, layer, a, out=layer)
        weights.flat.addcdiv_(mean, room.flat)

    def _clip(self, gradients: Stack) -> None:
        for layer, norms in zip(gradients.layers, self._norms_of_layers, strict=True):
            torch.linalg.vector_norm(layer, dim=(1, 2), out=norms)
        norm = self._norms.cpu().numpy()
        # Added layer by layer: a reduction over the layers rounds by the number of lanes.
        squares = norm[0] * norm[0]
        for layer_norm in norm[1:]:
            squares += layer_norm * layer_norm
        norm = np.sqrt(squares)
        too_long = norm > self._max_norm
        if too_long.any():  # else every factor is exactly one, and nothing would change
            safe = np.where(too_long, self._max_norm / (norm + np.float32(1e-6)), np.float32(1.0))
            factor = torch.from_numpy(safe).to(self._device)[:, None, None]
            for layer in gradients.layers:
                layer.mul_(factor)

    def _fit(self) -> None:
        """Allocate the working memory for the lanes there are now."""
        lanes = self._mean.lanes
        self._room = self._mean.zeros()
        self._factors = np.empty((2, lanes, 1, 1), dtype=np.float32)
        self._factors_tensor = torch.from_numpy(self._factors)
        self._norms = torch.empty((len(self._room.layers), lanes), device=self._device)
        self._norms_of_layers = list(self._norms)
