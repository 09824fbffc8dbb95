"""Stacked multilayer perceptrons: one network per lane, forward and hand-written backward.

Layer weights are [lanes, inputs + 1, outputs]; the last row is the bias, met by a one at the end of
every input. The bias gradient then comes out of the same product as the rest.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

Weights = list[Tensor]


def initial_weights(sizes: Sequence[int], draws: np.random.Generator) -> Weights:
    """One lane's first weights, [1, inputs + 1, outputs] per layer.

    Weights and biases are uniform within 1 / sqrt(inputs), torch's own default for Linear.
    sizes: features, hidden widths, actions.
    """
    weights = []
    for inputs, outputs in pairwise(sizes):
        bound = 1.0 / np.sqrt(inputs)
        values = draws.uniform(-bound, bound, size=(1, inputs + 1, outputs))
        weights.append(torch.from_numpy(values.astype(np.float32)))
    return weights


class Activations:
    """Room for one pass through the networks of `lanes` lanes at `batch` inputs each.

    Everything is allocated once; `values` and `gradients` allocate nothing.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        lanes: int,
        batch: int,
        device: torch.device,
    ) -> None:
        hidden = sizes[1:-1]
        self._tanh = activation == "tanh"
        self._before = [torch.empty((lanes, batch, width), device=device) for width in hidden]
        self._after = [torch.ones((lanes, batch, width + 1), device=device) for width in hidden]
        self._units = [after[:, :, :-1] for after in self._after]
        self._errors = [torch.empty_like(before) for before in self._before]
        self._values = torch.empty((lanes, batch, sizes[-1]), device=device)

    def values(self, weights: Weights, inputs: Tensor) -> Tensor:
        """Action values, [lanes, batch, actions], valid until the next call.

        inputs  [lanes, batch, features + 1], ending in a one
        """
        for layer, before in enumerate(self._before):
            torch.bmm(inputs, weights[layer], out=before)
            if self._tanh:
                torch.tanh(before, out=self._units[layer])
            else:
                torch.clamp_min(before, 0.0, out=self._units[layer])
            inputs = self._after[layer]
        return torch.bmm(inputs, weights[-1], out=self._values)

    def gradients(self, weights: Weights, inputs: Tensor, errors: Tensor, out: Weights) -> None:
        """Backpropagate through the last `values` call into `out`, shaped like `weights`.

        errors  [lanes, batch, actions], the loss differentiated by the action values
        """
        for layer in range(len(weights) - 1, 0, -1):
            torch.bmm(self._after[layer - 1].transpose(1, 2), errors, out=out[layer])
            below = self._errors[layer - 1]
            torch.bmm(errors, weights[layer][:, :-1].transpose(1, 2), out=below)
            units = self._units[layer - 1]
            if self._tanh:
                torch.ops.aten.tanh_backward.grad_input(below, units, grad_input=below)
            else:
                torch.ops.aten.threshold_backward.grad_input(below, units, 0.0, grad_input=below)
            errors = below
        torch.bmm(inputs.transpose(1, 2), errors, out=out[0])
