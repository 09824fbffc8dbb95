"""How a network gives values to actions, and the way back for the gradient.

plain         an output for every action
dueling       Q(s, a) = V(s) + A(s, a) - mean_b A(s, b), the output of V first (Wang et al. 2016,
              equation 9); both are linear in the last hidden layer, which they share
state_action  the number of the action is an input, its value the only output
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.deep_q_hparams import Head
from agents.mirror import Mirror
from agents.networks import Forward, Hidden
from agents.stacks import Stack

Floats = NDArray[np.float32]


def inputs_and_outputs(head: Head, features: int, actions: int) -> tuple[int, int]:
    """What a network has of either, the bias apart."""
    if head == "state_action":
        return features + 1, 1
    return features, actions + (head == "dueling")


def choices(head: Head, actions: int) -> int:
    """Among how many values of a pass that of a given action is: alone, where it is an input."""
    return 1 if head == "state_action" else actions


def action_values(head: Head, outputs: Floats) -> Floats:
    """outputs [lanes, outputs, batch] → values [lanes, actions, batch]"""
    if head != "dueling":
        return outputs
    advantage = outputs[:, 1:]
    values: Floats = outputs[:, :1] + (advantage - advantage.mean(axis=1, keepdims=True))
    return values


def output_errors(head: Head, slope: Floats, taken: NDArray[np.bool_], out: Floats) -> None:
    """The loss differentiated by every output.

    slope  [lanes, batch]           the loss differentiated by the value of the action taken
    taken  [lanes, choices, batch]  whether it is that action
    out    [lanes, outputs, batch]  receives the result
    """
    if head == "dueling":
        out[:, 0] = slope
        share = taken - np.float32(1.0 / taken.shape[1])
        np.multiply(slope[:, None], share, out=out[:, 1:])
    else:
        np.multiply(slope[:, None], taken, out=out)


class ActionValues:
    """The values of all actions at `observations` [lanes, batch, features + 1] that end in a one.

    Every call reads what these and `weights` hold then. Passes that share `hidden` overwrite each
    other's activations.
    """

    def __init__(
        self,
        head: Head,
        actions: int,
        weights: Stack,
        observations: Tensor,
        activation: str,
        hidden: Hidden | None = None,
    ) -> None:
        self._head, self._actions, self._observations = head, actions, observations
        if head == "state_action":
            observations, hidden = self._with_every_action(), None
        self._forward = Forward(weights, observations, activation, hidden)
        self._outputs = Mirror(self._forward.values)

    def __call__(self) -> Floats:
        """[lanes, actions, batch]"""
        if self._head == "state_action":
            self._pairs[..., :-2].copy_(self._observations[:, None, :, :-1])
        self._forward()
        outputs = self._outputs.pull()
        if self._head == "state_action":
            return outputs.reshape(len(outputs), self._actions, -1)
        return action_values(self._head, outputs)

    def _with_every_action(self) -> Tensor:
        """[lanes, actions * batch, features + 2]: features, number of the action, one."""
        lanes, batch, inputs = self._observations.shape
        device = self._observations.device
        self._pairs = torch.ones((lanes, self._actions, batch, inputs + 1), device=device)
        self._pairs[..., -2] = torch.arange(self._actions, device=device)[:, None]
        return self._pairs.view(lanes, -1, inputs + 1)
