"""Stacked multilayer perceptrons: one network per lane, forward and hand-written backward.

Hidden layers are [lanes, inputs + 1, outputs]; the last row is the bias, met by a one at the end of
every input, so that its gradient comes out of the same product as the rest. The last layer is thin
and lies the other way round, [lanes, actions, inputs + 1], which is faster.

Passes are bound to their memory once and allocate nothing when called.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from agents.products import product
from agents.stacks import Shape, Stack, aligned

threshold_backward = torch.ops.aten.threshold_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


def initial_weights(sizes: Sequence[int], draws: np.random.Generator) -> list[Tensor]:
    """One network's first weights, [inputs + 1, outputs] for every layer.

    Weights and biases are uniform within 1 / sqrt(inputs), torch's own default for Linear.
    sizes: features, hidden widths, actions.
    """
    weights = []
    for inputs, outputs in pairwise(sizes):
        bound = 1.0 / np.sqrt(inputs)
        values = draws.uniform(-bound, bound, size=(inputs + 1, outputs))
        weights.append(torch.from_numpy(values.astype(np.float32)))
    return weights


def shapes(sizes: Sequence[int]) -> list[Shape]:
    """How the layers of such networks lie in a stack."""
    *hidden, (inputs, actions) = pairwise(sizes)
    return [*((below + 1, above) for below, above in hidden), (actions, inputs + 1)]


def stacked(weights: Sequence[Tensor], sizes: Sequence[int], device: torch.device) -> Stack:
    """One network as a lane among networks of `sizes`, which may be wider: the rest is zero.

    Units that only zeros lead to and from stay zero, and so do their gradients, for ever.
    weights: [inputs + 1, outputs] for every layer, the bias last.
    """
    lane = Stack.zeros(shapes(sizes), 1, device)
    for place, own in zip(_as_given(lane, 0), weights, strict=True):
        inputs, outputs = own.shape[0] - 1, own.shape[1]
        place[:inputs, :outputs] = own[:-1].to(device)
        place[-1, :outputs] = own[-1].to(device)
    return lane


def unstacked(weights: Stack, row: int, sizes: Sequence[int]) -> list[Tensor]:
    """The network of one lane without the zeros around it: what was `stacked`, now."""
    taken = []
    for layer, (inputs, outputs) in zip(_as_given(weights, row), pairwise(sizes), strict=True):
        taken.append(torch.cat([layer[:inputs, :outputs], layer[-1:, :outputs]]).cpu())
    return taken


def _as_given(weights: Stack, row: int) -> list[Tensor]:
    """A lane's layers, all [inputs + 1, outputs]."""
    *hidden, last = (layer[row] for layer in weights.layers)
    return [*hidden, last.T]


class Hidden:
    """Room for the hidden activations of `lanes` lanes at `batch` inputs each.

    outputs  [lanes, batch, width + 1]  of each layer, ending in a one
    units    [lanes, batch, width]      views of them without it
    """

    def __init__(self, weights: Stack, batch: int) -> None:
        lanes, device = weights.lanes, weights.flat.device
        widths = [layer.shape[2] for layer in weights.layers[:-1]]
        made = [aligned(lanes, batch, width + 1, device) for width in widths]
        self.flat = [flat for flat, _ in made]
        self.outputs = [outputs for _, outputs in made]
        self.units = [outputs[:, :, :-1] for outputs in self.outputs]


class Forward:
    """A pass of `inputs` [lanes, batch, features + 1], each ending in a one, through `weights`.

    Every call reads what they hold then and returns `values`, [lanes, actions, batch]. Passes that
    share `hidden` overwrite each other's activations; `values` are each pass's own.
    """

    def __init__(
        self, weights: Stack, inputs: Tensor, activation: str, hidden: Hidden | None = None
    ) -> None:
        lanes, batch, _ = inputs.shape
        self.weights, self.inputs, self.tanh = weights, inputs, activation == "tanh"
        self.hidden = hidden or Hidden(weights, batch)
        *layers, last = weights.layers
        self.values = aligned(lanes, last.shape[1], batch, inputs.device)[1]
        self._calls: list[Callable[[], object]] = []
        below = inputs
        for layer, flat, outputs, units in zip(
            layers, self.hidden.flat, self.hidden.outputs, self.hidden.units, strict=True
        ):
            self._calls.append(product(below, layer, out=units))
            # Over all of the memory at once. ReLU leaves the ones alone, tanh does not.
            self._calls.append(partial(torch.tanh_ if self.tanh else torch.relu_, flat))
            if self.tanh:
                self._calls.append(partial(outputs[:, :, -1].fill_, 1.0))
            below = outputs
        self._calls.append(product(last, below.mT, out=self.values))

    def __call__(self) -> Tensor:
        for call in self._calls:
            call()
        return self.values


class Backward:
    """Backpropagation through the latest call of `forward`, into `gradients`.

    errors     [lanes, actions, batch]  the loss differentiated by the values
    gradients  shaped like the weights
    """

    def __init__(self, forward: Forward, errors: Tensor, gradients: Stack) -> None:
        hidden, weights = forward.hidden, forward.weights.layers
        inputs = [forward.inputs, *hidden.outputs]
        last = len(weights) - 1
        self._calls: list[Callable[[], object]] = []
        self._calls.append(product(errors, inputs[last], out=gradients.layers[last]))
        above = errors.mT  # [lanes, batch, outputs] of the layer above
        for layer in range(last - 1, -1, -1):
            back = weights[layer + 1]
            back = back[:, :, :-1] if layer + 1 == last else back[:, :-1].mT
            units = hidden.units[layer]
            lanes, batch, width = units.shape
            error = aligned(lanes, batch, width, errors.device)[1]
            self._calls.append(product(above, back, out=error))
            if forward.tanh:
                self._calls.append(partial(tanh_backward, error, units, grad_input=error))
            else:
                self._calls.append(partial(threshold_backward, error, units, 0.0, grad_input=error))
            self._calls.append(product(inputs[layer].mT, error, out=gradients.layers[layer]))
            above = error

    def __call__(self) -> None:
        for call in self._calls:
            call()
