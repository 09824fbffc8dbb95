"""Deep Q-learning of many lanes at once (Mnih et al. 2015).

The semantics are those of Stable-Baselines3's DQN where the two overlap: the order of acting,
storing, target update and training; Huber loss; Adam; clipping by the global norm; a time limit
bootstraps and a death does not. Departures:

- squared loss, exponential decay, decay by episodes, Double DQN, other heads, priorities and
  running observation scales are offered as well;
- transitions over n steps are stored when they are complete, the newest n - 1 are not sampled yet;
- with several environments per agent updates are counted by environment steps, not by steps of
  all of them (also those that a step across `learning_starts` has passed), and their transitions
  share one ring of `buffer_size`, environment by environment;
- replay indices are 32-bit fractions of its fill (a bias below fill / 2**32);
- random numbers are counter-based (see `randomness`), so single draws differ;
- widths and batch sizes are filled up with what weighs nothing (see `deep_q_hparams.filled_up`).

Networks, gradients and Adam live on the device; everything else is numpy beside the environments.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.deep_q_hparams import DeepQHparams, filled_up
from agents.environments import EnvFacts, Step
from agents.exactness import network_is_exact
from agents.exploration import EpsilonGreedy
from agents.heads import ActionValues
from agents.hparams import Hparams
from agents.memory import Memory
from agents.mirror import Mirror
from agents.networks import initial_weights, shapes, stacked, unstacked
from agents.normalization import RunningScale
from agents.optimizer import LaneAdam
from agents.policy import DeepQPolicy, layer_sizes, named_tensors
from agents.randomness import Draws, Purpose, generator
from agents.stacks import Stack
from agents.td_gradient import TDGradient

EXPLORATION_BLOCK = 256
REPLAY_BLOCK_WORDS = 4_096


class DeepQ:
    """Deep Q-learning lanes of equal shaping hyperparameters."""

    def __init__(
        self, hparams: DeepQHparams, facts: EnvFacts, budget_steps: int, device: torch.device
    ) -> None:
        self._shaping = hparams
        self._facts = facts
        self._budget_steps = budget_steps
        self._device = device
        self._environments = hparams.num_envs
        self._sizes = layer_sizes(hparams, facts, filled=True)
        self._batch_size = filled_up(hparams.batch_size)
        self._online = self._target = Stack.zeros(shapes(self._sizes), 0, device)
        self._optimizer = LaneAdam(self._online.flat.shape[1], device)
        self._memory = Memory(facts.features, hparams.num_envs, budget_steps)
        self._exploration = EpsilonGreedy()
        self._scale = (
            RunningScale(facts.features, device) if hparams.normalize_observations else None
        )
        block = max(1, REPLAY_BLOCK_WORDS // self._batch_size)
        self._replay_draws = Draws(Purpose.REPLAY, words=self._batch_size, block=block)
        words = 2 * hparams.num_envs
        self._action_draws = Draws(Purpose.EXPLORATION, words=words, block=EXPLORATION_BLOCK)
        self._lanes: list[DeepQHparams] = []
        self._noted: list[tuple[float, float] | None] = []  # of each lane's gradient before
        self._steps_to_target = 0
        self._fits = False

    def admit(self, hparams: Hparams, seed: int) -> None:
        assert isinstance(hparams, DeepQHparams)
        self._loosen()
        own_sizes = layer_sizes(hparams, self._facts, filled=False)
        fresh = initial_weights(own_sizes, generator(seed, Purpose.WEIGHTS))
        weights = stacked(fresh, self._sizes, self._device)
        self._online = self._online.joined(weights)
        self._target = self._target.joined(weights)
        self._optimizer.admit(hparams.max_grad_norm)
        self._memory.admit(hparams)
        self._exploration.admit(hparams, random_until=hparams.learning_starts)
        if self._scale is not None:
            self._scale.admit()
        self._replay_draws.admit(seed)
        self._action_draws.admit(seed)
        self._lanes.append(hparams)
        self._noted.append(None)

    def keep(self, rows: Sequence[int]) -> None:
        self._loosen()
        self._online = self._online.selected(rows)
        self._target = self._target.selected(rows)
        parts = (self._optimizer, self._memory, self._exploration, self._scale)
        for part in (*parts, self._replay_draws, self._action_draws):
            if part is not None:
                part.keep(rows)
        self._lanes = [self._lanes[row] for row in rows]
        self._noted = [self._noted[row] for row in rows]

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self._fits:
            self._fit()
        shown = observations.reshape(len(self._lanes), self._environments, -1)
        if self._scale is not None:
            for environment in range(self._environments):
                self._scale.observe(shown[:, environment])
        draws = self._action_draws.next().reshape(-1, 2)
        self._shown.array[:, :, :-1] = shown
        self._shown.push()
        if self._scale is not None:
            self._scale.scale().apply(self._shown.tensor, out=self._seen)
        greedy = self._acting().argmax(axis=1).ravel()
        return self._exploration.choose(greedy, self._facts.actions, steps, draws)

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        self._memory.store(observations, actions, step, next_observations)
        if self._counts_episodes:
            ended = step.terminated | step.truncated
            self._exploration.end(ended.reshape(-1, self._environments).sum(axis=1))
        self._update_targets(steps)
        if updates := self._updates_due(int(steps[0])):  # lanes are admitted in step
            learning = (steps > self._learning_starts) & ~self._memory.replay.is_empty
            any_learns = bool(learning.any())
            rates = self._learning_rates(steps)
            for _ in range(updates):
                draws = self._replay_draws.next()  # counted by the lane's rounds, learning or not
                if any_learns:
                    self._update(draws, learning, steps)
                    self._optimizer.step(learning, rates)

    def is_exact(self, episodes: int) -> bool:
        batches = {1, self._environments, episodes, self._batch_size}
        if self._shaping.head == "state_action":  # every observation beside every action
            batches |= {self._facts.actions * batch for batch in batches}
        return all(
            network_is_exact(self._sizes, self._shaping.activation, batch, self._device)
            for batch in batches
        )

    def policy(self, rows: Sequence[int]) -> DeepQPolicy:
        scale = self._scale.scale().selected(rows) if self._scale is not None else None
        weights = self._online.selected(rows)
        return DeepQPolicy(self._shaping, self._facts.actions, weights, scale)

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        finite = self._online.finite()
        return [not finite[row] for row in rows]

    def readings(self, row: int, steps: NDArray[np.int64]) -> Mapping[str, float]:
        updates = self._optimizer.updates(row)
        found = {"epsilon": float(self._exploration.epsilon(steps)[row]), "updates": float(updates)}
        if updates and (latest := self._latest(row)) is not None:
            found["loss"], found["mean_q"] = latest
        return found

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        scale = self._scale.scale().selected([row]) if self._scale is not None else None
        own_sizes = layer_sizes(self._lanes[row], self._facts, filled=False)
        return named_tensors(unstacked(self._online, row, own_sizes), scale)

    def _latest(self, row: int) -> tuple[float, float] | None:
        """Loss and mean value of a lane's latest batch."""
        found = self._gradient.latest(row) if self._fits else None
        return found or self._noted[row]

    def _loosen(self) -> None:
        """The lanes are about to change: note what their gradient knows by their places in it."""
        if self._fits:
            self._noted = [self._latest(row) for row in range(len(self._lanes))]
        self._fits = False

    def _update(
        self, draws: NDArray[np.uint32], learning: NDArray[np.bool_], steps: NDArray[np.int64]
    ) -> None:
        """Work out the gradient of what these draws sample."""
        gradient, memory = self._gradient, self._memory
        sample = memory.sample(draws, out=gradient.sampled)
        errors = gradient(memory.importance(sample, gradient.counted, steps))
        memory.update(sample, errors, gradient.counted, learning)

    def _updates_due(self, step: int) -> int:
        """How many a lane makes after this step, for all that lie behind the step before."""
        rhythm = self._shaping.train_freq
        rounds = step // rhythm - (step - self._environments) // rhythm
        return rounds * self._shaping.gradient_steps

    def _learning_rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of every lane now, [lanes]."""
        if not self._decays.any():
            return self._first_rates
        left = np.maximum(1.0 - steps / self._budget_steps, 0.0)  # the last step may go beyond
        return np.where(self._decays, self._first_rates * left, self._first_rates)

    def _update_targets(self, steps: NDArray[np.int64]) -> None:
        """Move the target weights of the lanes whose own clock says so."""
        self._steps_to_target -= self._environments
        if self._steps_to_target > 0:
            return
        self._steps_to_target = int((self._target_interval - steps % self._target_interval).min())
        due = np.flatnonzero(steps % self._target_interval < self._environments)
        target, online = self._target.flat, self._online.flat
        if len(due) == len(steps) and (self._tau < 1.0).all():
            target.lerp_(online, self._tau)
            return
        for row in due:
            if self._tau[row] == 1.0:
                target[row].copy_(online[row])
            else:
                target[row : row + 1].lerp_(online[row : row + 1], self._tau[row : row + 1])

    def _fit(self) -> None:
        """Bind every computation to the memory of the lanes there are now."""
        self._fits = True
        lanes, shaping = self._lanes, self._shaping
        environments, features = self._environments, self._facts.features
        shown = torch.ones((len(lanes), environments, features + 1), device=self._device)
        self._shown, self._seen = Mirror(shown), shown
        if self._scale is not None:
            self._seen = torch.ones_like(shown)
        actions, activation = self._facts.actions, shaping.activation
        self._acting = ActionValues(shaping.head, actions, self._online, self._seen, activation)
        self._gradient = TDGradient(
            lanes,
            self._online,
            self._target,
            self._memory.replay,
            self._scale,
            self._batch_size,
            self._facts.actions,
        )
        self._optimizer.bind(self._online, self._gradient.gradients)
        self._steps_to_target = 0  # unknown: look at the next step
        self._counts_episodes = self._exploration.counts_episodes
        tau = [[lane.tau] for lane in lanes]
        self._tau: Tensor = torch.tensor(tau, dtype=torch.float32, device=self._device)
        self._target_interval: NDArray[np.int64] = np.array(
            [lane.target_update_interval for lane in lanes], dtype=np.int64
        )
        self._first_rates = np.array([lane.learning_rate for lane in lanes])
        self._decays = np.array([lane.learning_rate_decay == "linear" for lane in lanes])
        self._learning_starts: NDArray[np.int64] = np.array(
            [lane.learning_starts for lane in lanes], dtype=np.int64
        )
