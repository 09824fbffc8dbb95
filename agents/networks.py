"""Stacked multilayer perceptrons: one network per lane, forward and hand-written backward.

Hidden layers are [lanes, inputs + 1, outputs]; the last row is the bias, met by a one at the end of
every input, so that its gradient comes out of the same product as the rest. The last layer is thin
and lies the other way round, [lanes, actions, inputs + 1], a product that MKL does in a quarter of
the time.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from agents.stacks import Stack


def initial_weights(sizes: Sequence[int], draws: np.random.Generator) -> list[Tensor]:
    """One lane's first weights, [1, inputs + 1, outputs] for every layer.

    Weights and biases are uniform within 1 / sqrt(inputs), torch's own default for Linear.
    sizes: features, hidden widths, actions.
    """
    weights = []
    for inputs, outputs in pairwise(sizes):
        bound = 1.0 / np.sqrt(inputs)
        values = draws.uniform(-bound, bound, size=(1, inputs + 1, outputs))
        weights.append(torch.from_numpy(values.astype(np.float32)))
    return weights


def no_weights(sizes: Sequence[int], device: torch.device) -> Stack:
    """The weights of no lanes."""
    layers = [torch.empty((0, inputs + 1, outputs)) for inputs, outputs in pairwise(sizes)]
    return laid_out(layers, device)


def laid_out(weights: Sequence[Tensor], device: torch.device) -> Stack:
    """Weights that are [lanes, inputs + 1, outputs] in every layer, as `Activations` takes them."""
    *hidden, last = (layer.to(device) for layer in weights)
    return Stack([*hidden, last.mT])


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
        self._after_transposed = [after.mT for after in self._after]
        self._units = [after[:, :, :-1] for after in self._after]
        self._errors = [torch.empty_like(before) for before in self._before]
        self._values = torch.empty((lanes, sizes[-1], batch), device=device)

    def values(self, weights: Stack, inputs: Tensor) -> Tensor:
        """Action values, [lanes, actions, batch], valid until the next call.

        inputs  [lanes, batch, features + 1], ending in a one
        """
        *hidden, last = weights.layers
        for layer, before, units, after in zip(
            hidden, self._before, self._units, self._after, strict=True
        ):
            torch.bmm(inputs, layer, out=before)
            if self._tanh:
                torch.tanh(before, out=units)
            else:
                torch.clamp_min(before, 0.0, out=units)
            inputs = after
        return torch.bmm(last, inputs.mT, out=self._values)

    def gradients(self, weights: Stack, inputs: Tensor, errors: Tensor, out: Stack) -> None:
        """Backpropagate through the last `values` call into `out`, shaped like `weights`.

        errors  [lanes, actions, batch], the loss differentiated by the action values
        """
        last = len(weights.layers) - 1
        torch.bmm(errors, self._after[-1] if last else inputs, out=out.layers[last])
        above = errors.mT  # [lanes, batch, outputs] of the layer above
        for layer in range(last - 1, -1, -1):
            back = weights.layers[layer + 1]
            back = back[:, :, :-1] if layer + 1 == last else back[:, :-1].mT
            error, units = self._errors[layer], self._units[layer]
            torch.bmm(above, back, out=error)
            if self._tanh:
                torch.ops.aten.tanh_backward.grad_input(error, units, grad_input=error)
            else:
                torch.ops.aten.threshold_backward.grad_input(error, units, 0.0, grad_input=error)
            below = self._after_transposed[layer - 1] if layer else inputs.mT
            torch.bmm(below, error, out=out.layers[layer])
            above = error
