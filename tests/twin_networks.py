"""The network of the slow twin, of every head: torch's own modules, in double precision."""

from functools import partial

import torch
from torch import Tensor, nn

from agents.deep_q_hparams import DeepQHparams
from agents.networks import initial_weights
from agents.randomness import Purpose, generator


def first_network(hparams: DeepQHparams, features: int, actions: int, seed: int) -> nn.Sequential:
    """The network a lane of this seed begins with."""
    match hparams.head:
        case "plain":
            head, inputs, outputs = nn.Sequential, features, actions
        case "dueling":
            head, inputs, outputs = Dueling, features, actions + 1
        case "state_action":
            head, inputs, outputs = partial(StateAction, actions), features + 1, 1
    sizes = (inputs, *hparams.hidden_layers, outputs)
    layers: list[nn.Module] = []
    for values in initial_weights(sizes, generator(seed, Purpose.WEIGHTS)):
        inputs, outputs = values.shape[0] - 1, values.shape[1]
        linear = nn.Linear(inputs, outputs, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(values[:-1].T)
            linear.bias.copy_(values[-1])
        layers += [linear, nn.Tanh() if hparams.activation == "tanh" else nn.ReLU()]
    return head(*layers[:-1])


class Dueling(nn.Sequential):
    """Equation 9 of Wang et al. (2016)."""

    def forward(self, observations: Tensor) -> Tensor:
        outputs = super().forward(observations)
        value, advantage = outputs[:, :1], outputs[:, 1:]
        return value + advantage - advantage.mean(dim=1, keepdim=True)


class StateAction(nn.Sequential):
    """A value of one action, whose number is the last input."""

    def __init__(self, actions: int, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.actions = actions

    def forward(self, observations: Tensor) -> Tensor:
        numbers = [torch.full((len(observations), 1), float(a)) for a in range(self.actions)]
        pairs = [torch.cat([observations, number], dim=1) for number in numbers]
        return torch.cat([super(StateAction, self).forward(pair) for pair in pairs], dim=1)
