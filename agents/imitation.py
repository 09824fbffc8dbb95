"""Behaviour cloning: what a policy does, as pairs, and classifiers that learn to do the same.

A classifier is a network of torch's own, trained with cross entropy: one at a time, not a lane.
Its answer, the action of the highest score, is the greedy policy of a plain Q-network with its
weights, so that `policy` hands it over as one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, EnvSpec
from agents.errors import EnvError
from agents.exactness import exact_arithmetic
from agents.lane_envs import make_lane_envs
from agents.learner import GreedyPolicy
from agents.networks import initial_weights
from agents.normalization import CLIP, SMALLEST_VARIANCE, Scale
from agents.policy import DeepQPolicy, load_policy, named_tensors
from agents.randomness import Purpose, environment_seed, generator

BATCH_SIZE = 64
LEARNING_RATE = 1e-3
JUDGED_AT_ONCE = 65_536  # pairs, whose hidden activations are held at the same time


class Part(IntEnum):
    """Which of two disjoint sets of episodes. The numbers are part of every seed."""

    TRAIN = 0
    TEST = 1


@dataclass(frozen=True)
class Pairs:
    """What a policy saw and what it did then.

    observations  [pairs, features] float32
    actions       [pairs] int64, from 0
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]


def collect(
    policy: GreedyPolicy, env: EnvSpec, facts: EnvFacts, *, part: Part, samples: int, seed: int
) -> Pairs:
    """The first `samples` pairs of greedy episodes, one after the other; the last may be cut.

    policy: of one lane. Raises EnvError with the traceback where the environment fails.
    """
    observations = np.empty((samples, facts.features), dtype=np.float32)
    actions = np.empty(samples, dtype=np.int64)
    envs = make_lane_envs(env, facts)
    episode = 0
    envs.admit(episode_seed(seed, part, episode))
    with exact_arithmetic():
        for row in range(samples):
            observations[row] = envs.observations[0]
            chosen = policy.actions(envs.observations[None])[0]
            actions[row] = chosen[0]
            step = envs.step(chosen)
            if envs.failures:
                raise EnvError(f"env '{env.id}' failed: {envs.failures[0]}")
            if step.terminated[0] or step.truncated[0]:
                envs.keep([])
                episode += 1
                envs.admit(episode_seed(seed, part, episode))
    envs.keep([])
    return Pairs(observations, actions)


def episode_seed(seed: int, part: Part, episode: int) -> int:
    """Even for the training pairs and odd for the test pairs: no episode is in both."""
    return environment_seed(seed, Purpose.IMITATION, part, episode) // 2 * 2 + part


@dataclass(frozen=True)
class Fit:
    """How well a classifier answers. loss: mean cross entropy; accuracy: share of right answers."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """What a classifier has reached after `number` passes over the training pairs."""

    number: int
    train: Fit
    test: Fit


class Classifier:
    """A network with ReLU from observations, standardised by the training pairs, to actions.

    Its numbers are a function of pairs, hidden layers and seed.
    """

    def __init__(
        self, hidden_layers: Sequence[int], train: Pairs, facts: EnvFacts, seed: int
    ) -> None:
        self.hidden_layers = tuple(hidden_layers)
        self._facts, self._scale = facts, observation_scale(train)
        self._learned = train
        draws = generator(seed, Purpose.IMITATION)
        first = initial_weights((facts.features, *hidden_layers, facts.actions), draws)
        with _gradients():
            self._layers = [_linear(weights) for weights in first]
            self._network = nn.Sequential(*_with_relu(self._layers))
            self._adam = torch.optim.Adam(self._network.parameters(), LEARNING_RATE, fused=True)
            self._order = torch.Generator().manual_seed(int(draws.integers(2**63)))

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(weights.numel() for weights in self._network.parameters())

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """Weights and scale by name, for a file that other programs can read."""
        pairs = ((layer.weight.detach(), layer.bias.detach()) for layer in self._layers)
        weights = [torch.cat([weight.T, bias[None]]) for weight, bias in pairs]
        return named_tensors(weights, self._scale)

    @property
    def policy(self) -> DeepQPolicy:
        """What it would do."""
        hparams = DeepQHparams(hidden_layers=self.hidden_layers, normalize_observations=True)
        return load_policy(hparams, self._facts, self.tensors)

    def train(self, test: Pairs, epochs: int) -> Iterator[Epoch]:
        """Learn its pairs so many times over, in minibatches of another order each time."""
        with _gradients():
            learned, asked = self._examples(self._learned), self._examples(test)
        for number in range(1, epochs + 1):
            with _gradients():
                self._learn(*learned)
                epoch = Epoch(number, self._fit(*learned), self._fit(*asked))
            yield epoch

    def _examples(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """inputs [pairs, features], actions [pairs]"""
        inputs = torch.from_numpy(pairs.observations) - self._scale.mean[0]
        inputs.mul_(self._scale.inverse_std[0]).clamp_(-CLIP, CLIP)
        return inputs, torch.from_numpy(pairs.actions)

    def _learn(self, inputs: Tensor, actions: Tensor) -> None:
        order = torch.randperm(len(inputs), generator=self._order)
        for batch in torch.split(order, BATCH_SIZE):
            self._adam.zero_grad()
            loss = functional.cross_entropy(self._network(inputs[batch]), actions[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    @torch.no_grad()
    def _fit(self, inputs: Tensor, actions: Tensor) -> Fit:
        loss, right = 0.0, 0
        parts = (torch.split(whole, JUDGED_AT_ONCE) for whole in (inputs, actions))
        for shown, done in zip(*parts, strict=True):
            scores = self._network(shown)
            loss += float(functional.cross_entropy(scores, done, reduction="sum"))
            right += int((scores.argmax(dim=1) == done).sum())
        return Fit(loss / len(inputs), right / len(inputs))


def observation_scale(pairs: Pairs) -> Scale:
    """Every feature by its mean and standard deviation; one that never varies keeps its unit."""
    mean = pairs.observations.mean(axis=0, dtype=np.float64)
    variance = pairs.observations.var(axis=0, dtype=np.float64)
    inverse = np.where(
        variance < SMALLEST_VARIANCE, 1.0, 1.0 / np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
    )
    return Scale(*(torch.from_numpy(row.astype(np.float32)[None, None]) for row in (mean, inverse)))


def _linear(weights: Tensor) -> nn.Linear:
    """A layer from [inputs + 1, outputs]; on "meta" torch makes no weights, which it would draw."""
    layer = nn.Linear(weights.shape[0] - 1, weights.shape[1], device="meta")
    layer.weight = nn.Parameter(weights[:-1].T.contiguous())
    layer.bias = nn.Parameter(weights[-1].clone())
    return layer


def _with_relu(layers: Sequence[nn.Module]) -> Iterator[nn.Module]:
    yield layers[0]
    for layer in layers[1:]:
        yield nn.ReLU()
        yield layer


@contextmanager
def _gradients() -> Iterator[None]:
    """Exact arithmetic that can be differentiated."""
    with exact_arithmetic(), torch.inference_mode(False), torch.enable_grad():
        yield
