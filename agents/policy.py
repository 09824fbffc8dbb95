"""The greedy policy of frozen networks."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.deep_q_hparams import DeepQHparams, filled_up
from agents.environments import EnvFacts
from agents.heads import ActionValues, inputs_and_outputs
from agents.mirror import Mirror
from agents.networks import stacked
from agents.normalization import Scale
from agents.stacks import Stack


class DeepQPolicy:
    """Lanes of frozen networks that act greedily.

    hparams  of any of the lanes: only what they share is read
    scale    None where observations stay as they are

    What a lane does is a function of its own network and the shape of the observations.
    """

    def __init__(
        self, hparams: DeepQHparams, actions: int, weights: Stack, scale: Scale | None
    ) -> None:
        self._hparams, self._actions = hparams, actions
        self._weights, self._scale = weights, scale
        self._bound: tuple[Mirror, Tensor, ActionValues] | None = None

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        shown, inputs, values = self._bound_to(*observations.shape)
        shown.array[:, :, :-1] = observations
        shown.push()
        if self._scale is not None:
            self._scale.apply(shown.tensor, out=inputs)
        chosen: NDArray[np.int64] = values().argmax(axis=1)
        return chosen

    def selected(self, rows: Sequence[int]) -> "DeepQPolicy":
        scale = None if self._scale is None else self._scale.selected(rows)
        return DeepQPolicy(self._hparams, self._actions, self._weights.selected(rows), scale)

    def joined(self, lanes: "DeepQPolicy") -> "DeepQPolicy":
        scale = self._scale
        if scale is not None and lanes._scale is not None:
            scale = scale.joined(lanes._scale)
        weights = self._weights.joined(lanes._weights)
        return DeepQPolicy(self._hparams, self._actions, weights, scale)

    def _bound_to(
        self, lanes: int, episodes: int, features: int
    ) -> tuple[Mirror, Tensor, ActionValues]:
        """Observations as they are, as the network sees them, and its pass over them."""
        if self._bound is None or self._bound[0].array.shape[1] != episodes:
            device = self._weights.flat.device
            shown = torch.ones((lanes, episodes, features + 1), device=device)
            inputs = shown if self._scale is None else torch.ones_like(shown)
            head, activation = self._hparams.head, self._hparams.activation
            values = ActionValues(head, self._actions, self._weights, inputs, activation)
            self._bound = Mirror(shown), inputs, values
        return self._bound


def layer_sizes(hparams: DeepQHparams, facts: EnvFacts, *, filled: bool) -> tuple[int, ...]:
    """Inputs, hidden widths and outputs of a network: its own, or `filled` up as computed."""
    widths = map(filled_up, hparams.hidden_layers) if filled else hparams.hidden_layers
    inputs, outputs = inputs_and_outputs(hparams.head, facts.features, facts.actions)
    return (inputs, *widths, outputs)


def named_tensors(weights: Sequence[Tensor], scale: Scale | None) -> dict[str, Tensor]:
    """One network, [inputs + 1, outputs] for every layer, for a file that other programs can read.

    `layers.N.weight` [outputs, inputs] and `layers.N.bias`, as torch's Linear has them.
    """
    named = {}
    for number, layer in enumerate(weights):
        named[f"layers.{number}.weight"] = layer[:-1].T.contiguous()
        named[f"layers.{number}.bias"] = layer[-1].clone()
    if scale is not None:
        named["observation.mean"] = scale.mean.flatten().cpu()
        named["observation.inverse_std"] = scale.inverse_std.flatten().cpu()
    return named


def load_policy(
    hparams: DeepQHparams, facts: EnvFacts, tensors: Mapping[str, Tensor]
) -> DeepQPolicy:
    """The policy of one lane from its `named_tensors`. Raises ValueError if they do not fit."""
    sizes = layer_sizes(hparams, facts, filled=False)
    expected: dict[str, tuple[int, ...]] = {}
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        expected[f"layers.{number}.weight"] = (outputs, inputs)
        expected[f"layers.{number}.bias"] = (outputs,)
    if hparams.normalize_observations:
        expected["observation.mean"] = expected["observation.inverse_std"] = (facts.features,)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected:
        raise ValueError(f"expected {expected}, found {found}")
    if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
        raise ValueError("expected 32-bit floating point numbers")
    weights = [
        torch.cat([tensors[f"layers.{n}.weight"].T, tensors[f"layers.{n}.bias"][None]])
        for n in range(len(sizes) - 1)
    ]
    scale = None
    if hparams.normalize_observations:
        mean, inverse = tensors["observation.mean"], tensors["observation.inverse_std"]
        scale = Scale(mean[None, None], inverse[None, None])
    filled = layer_sizes(hparams, facts, filled=True)
    lane = stacked(weights, filled, torch.device("cpu"))
    return DeepQPolicy(hparams, facts.actions, lane, scale)
