"""Deep Q-learning of many lanes at once (Mnih et al. 2015).

The semantics are those of Stable-Baselines3's DQN where the two overlap: the order of acting,
storing, target update and training; Huber loss; Adam; clipping by the global norm; a time limit
bootstraps and a death does not. Departures:

- squared loss, exponential decay, Double DQN and running observation scales are offered as well;
- the replay holds one environment's transitions per lane, and indices are 32-bit fractions of its
  fill (a bias below fill / 2**32);
- random numbers are counter-based (see `randomness`), so single draws differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts, Step
from agents.exactness import network_is_exact
from agents.exploration import EpsilonGreedy
from agents.hparams import Hparams
from agents.networks import Activations, initial_weights, laid_out, no_weights
from agents.normalization import RunningScale, Scale
from agents.optimizer import LaneAdam
from agents.randomness import Draws, Purpose, generator
from agents.replay import Replay, Transitions
from agents.stacks import Stack
from agents.targets import double_target, loss_slope, max_target

EXPLORATION_BLOCK = 256
REPLAY_BLOCK_WORDS = 4_096


class DeepQ:
    """Deep Q-learning lanes of equal shaping hyperparameters."""

    def __init__(
        self, hparams: Hparams, facts: EnvFacts, budget_steps: int, device: torch.device
    ) -> None:
        self._shaping = hparams
        self._facts = facts
        self._budget_steps = budget_steps
        self._device = device
        self._sizes = (facts.features, *hparams.hidden_layers, facts.actions)
        self._online = self._target = no_weights(self._sizes, device)
        self._optimizer = LaneAdam(self._online)
        self._replay = Replay(facts.features, device)
        self._exploration = EpsilonGreedy()
        self._scale = RunningScale(facts.features, device) if self._normalizes else None
        block = max(1, REPLAY_BLOCK_WORDS // hparams.batch_size)
        self._replay_draws = Draws(Purpose.REPLAY, words=hparams.batch_size, block=block)
        self._action_draws = Draws(Purpose.EXPLORATION, words=2, block=EXPLORATION_BLOCK)
        self._lanes: list[Hparams] = []
        self._steps_to_target = 0
        self._fit()

    @property
    def _normalizes(self) -> bool:
        return self._shaping.normalize_observations

    def admit(self, hparams: Hparams, seed: int) -> None:
        fresh = initial_weights(self._sizes, generator(seed, Purpose.WEIGHTS))
        weights = laid_out(fresh, self._device)
        self._online = self._online.joined(weights)
        self._target = self._target.joined(weights)
        self._optimizer.admit(hparams.learning_rate, hparams.max_grad_norm, weights)
        self._replay.admit(min(hparams.buffer_size, self._budget_steps))
        self._exploration.admit(hparams)
        if self._scale is not None:
            self._scale.admit()
        self._replay_draws.admit(seed)
        self._action_draws.admit(seed)
        self._lanes.append(hparams)
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        self._online = self._online.selected(rows)
        self._target = self._target.selected(rows)
        for part in (self._optimizer, self._replay, self._exploration, self._scale):
            if part is not None:
                part.keep(rows)
        self._replay_draws.keep(rows)
        self._action_draws.keep(rows)
        self._lanes = [self._lanes[row] for row in rows]
        self._fit()

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._scale is not None:
            self._scale.observe(observations)
        draws = self._action_draws.next()
        self._shown[...] = observations
        inputs = self._scaled(self._acting_inputs.to(self._device))
        values = self._acting.values(self._online, inputs).cpu().numpy()
        greedy = values[:, :, 0].argmax(axis=1)
        return self._exploration.choose(greedy, self._facts.actions, steps, draws)

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        self._replay.store(observations, actions, step.reward, step.terminated, next_observations)
        self._update_targets(steps)
        if steps[0] % self._shaping.train_freq == 0:  # lanes are admitted in step with each other
            learning = steps > self._learning_starts
            for _ in range(self._shaping.gradient_steps):
                draws = self._replay_draws.next()  # counted by the lane's rounds, learning or not
                if learning.any():
                    self._update(self._replay.sample(draws, out=self._batch), learning)

    def is_exact(self) -> bool:
        return all(
            network_is_exact(self._sizes, self._shaping.activation, batch, self._device)
            for batch in (1, self._shaping.batch_size)
        )

    def policy(self, rows: Sequence[int]) -> "DeepQPolicy":
        scale = self._scale.scale(rows) if self._scale is not None else None
        return DeepQPolicy(self._shaping.activation, self._online.selected(rows), scale)

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        finite = self._online.finite().tolist()
        return [not finite[row] for row in rows]

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        """`layers.N.weight` [outputs, inputs] and `layers.N.bias`, as torch's Linear has them."""
        named = {}
        *hidden, last = (layer[row] for layer in self._online.layers)
        for number, layer in enumerate([*hidden, last.T]):
            named[f"layers.{number}.weight"] = layer[:-1].T.contiguous().cpu()
            named[f"layers.{number}.bias"] = layer[-1].clone().cpu()
        if self._scale is not None:
            scale = self._scale.scale([row])
            named["observation.mean"] = scale.mean.flatten().cpu()
            named["observation.inverse_std"] = scale.inverse_std.flatten().cpu()
        return named

    @staticmethod
    def load_policy(
        hparams: Hparams, facts: EnvFacts, tensors: Mapping[str, Tensor]
    ) -> "DeepQPolicy":
        """The policy of one lane from what `tensors` gave. Raises ValueError if they do not fit."""
        sizes = (facts.features, *hparams.hidden_layers, facts.actions)
        shapes: dict[str, tuple[int, ...]] = {}
        for number, (inputs, outputs) in enumerate(pairwise(sizes)):
            shapes[f"layers.{number}.weight"] = (outputs, inputs)
            shapes[f"layers.{number}.bias"] = (outputs,)
        if hparams.normalize_observations:
            shapes["observation.mean"] = shapes["observation.inverse_std"] = (facts.features,)
        found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if found != shapes:
            raise ValueError(f"expected {shapes}, found {found}")
        if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
            raise ValueError("expected 32-bit floating point numbers")
        layers = len(sizes) - 1
        weights = [
            torch.cat([tensors[f"layers.{n}.weight"].T, tensors[f"layers.{n}.bias"][None]])[None]
            for n in range(layers)
        ]
        scale = None
        if hparams.normalize_observations:
            mean, inverse = tensors["observation.mean"], tensors["observation.inverse_std"]
            scale = Scale(mean[None, None], inverse[None, None])
        return DeepQPolicy(hparams.activation, laid_out(weights, torch.device("cpu")), scale)

    def _update(self, batch: Transitions, learning: NDArray[np.bool_]) -> None:
        """One gradient step of every learning lane on its own batch."""
        observation = self._scaled(batch.observation)
        next_observation = self._scaled(batch.next_observation)
        next_values = self._training.values(self._target, next_observation)
        discount = batch.goes_on * self._gamma
        if self._shaping.double:
            next_values = next_values.clone()
            chooser = self._training.values(self._online, next_observation)
            target = double_target(batch.reward, discount, next_values, chooser)
        else:
            target = max_target(batch.reward, discount, next_values)
        values = self._training.values(self._online, observation)
        action = batch.action[:, None, :].long()
        error = values.gather(1, action).squeeze(1).sub_(target)
        slope = loss_slope(error, self._shaping.loss)
        self._errors.zero_().scatter_(1, action, slope[:, None, :])
        self._training.gradients(self._online, observation, self._errors, out=self._gradients)
        if not learning.all():
            idle = torch.from_numpy(~learning).to(self._device)[:, None, None]
            for layer in self._gradients.layers:
                layer.masked_fill_(idle, 0.0)  # not a product: zero times infinity is no zero
        self._optimizer.step(self._online, self._gradients, learning)

    def _update_targets(self, steps: NDArray[np.int64]) -> None:
        """Move the target weights of the lanes whose own clock says so."""
        self._steps_to_target -= 1
        if self._steps_to_target > 0:
            return
        self._steps_to_target = int((self._target_interval - steps % self._target_interval).min())
        for row in np.flatnonzero(steps % self._target_interval == 0):
            tau = self._lanes[row].tau
            for target, online in zip(self._target.layers, self._online.layers, strict=True):
                if tau == 1.0:
                    target[row].copy_(online[row])
                else:
                    target[row].lerp_(online[row], tau)

    def _scaled(self, inputs: Tensor) -> Tensor:
        return inputs if self._scale is None else self._scale.scale().apply(inputs)

    def _fit(self) -> None:
        """Allocate the working memory for the lanes there are now."""
        lanes, batch = len(self._lanes), self._shaping.batch_size
        activation = self._shaping.activation
        self._acting = Activations(self._sizes, activation, lanes, 1, self._device)
        self._acting_inputs = torch.ones((lanes, 1, self._facts.features + 1))
        self._shown = self._acting_inputs.numpy()[:, 0, :-1]
        self._training = Activations(self._sizes, activation, lanes, batch, self._device)
        self._batch = self._replay.batch_buffer(batch)
        self._errors = torch.zeros((lanes, self._facts.actions, batch), device=self._device)
        self._gradients = self._online.zeros()
        self._steps_to_target = 0  # unknown: look at the next step
        gamma = [hparams.gamma for hparams in self._lanes]
        self._gamma = torch.tensor(gamma, dtype=torch.float32, device=self._device)[:, None]
        self._target_interval: NDArray[np.int64] = np.array(
            [hparams.target_update_interval for hparams in self._lanes], dtype=np.int64
        )
        self._learning_starts: NDArray[np.int64] = np.array(
            [hparams.learning_starts for hparams in self._lanes], dtype=np.int64
        )


@dataclass(frozen=True)
class DeepQPolicy:
    """Greedy action of frozen networks."""

    activation: str
    weights: Stack
    scale: Scale | None

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        lanes, episodes, features = observations.shape
        device = self.weights.flat.device
        inputs = torch.ones((lanes, episodes, features + 1), device=device)
        inputs[:, :, :-1] = torch.from_numpy(observations)
        if self.scale is not None:
            inputs = self.scale.apply(inputs)
        *hidden, last = self.weights.layers
        sizes = (features, *(layer.shape[2] for layer in hidden), last.shape[1])
        room = Activations(sizes, self.activation, lanes, episodes, device)
        return room.values(self.weights, inputs).argmax(dim=1).cpu().numpy()
