"""One deep-Q agent, written the way a textbook would: autograd, single environments, Python lists.

It is the slow twin that `agents.deep_q` is checked against. It takes the same random numbers as a
lane of the same seed and the same first weights; all arithmetic is its own, and in double
precision, so that what differs is the rounding of the lane.
"""

import copy
import math
from collections.abc import Mapping
from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.deep_q_hparams import DeepQHparams, filled_up
from agents.randomness import Draws, Purpose, environment_seed
from tests.twin_networks import first_network


class Transition(NamedTuple):
    observation: NDArray[np.float32]
    action: int
    reward: float
    terminated: bool
    next_observation: NDArray[np.float32]
    steps: int = 1


class Twin:
    """One agent: its networks, its replay and its own clock.

    Transitions are remembered once they are `n_steps` long, or their episode is over. With several
    environments it acts in all of them, takes in what each of them brought, and then learns.
    """

    def __init__(
        self, hparams: DeepQHparams, features: int, actions: int, seed: int, budget_steps: int
    ) -> None:
        self.hparams = hparams
        self.budget_steps = budget_steps
        self.actions = actions
        self.online = first_network(hparams, features, actions, seed)
        self.target = copy.deepcopy(self.online)
        self.adam = torch.optim.Adam(self.online.parameters(), lr=hparams.learning_rate)
        self.replay: list[Transition] = []
        self.priority: list[float] = []
        self.largest_priority = 1.0
        self.stored = 0
        self.open: list[list[Transition]] = [[] for _ in range(hparams.num_envs)]
        self.observed: list[NDArray[np.float32]] = []
        words = 2 * hparams.num_envs
        self.exploration_draws = one_lane(Draws(Purpose.EXPLORATION, words=words, block=1), seed)
        words = filled_up(hparams.batch_size)
        self.replay_draws = one_lane(Draws(Purpose.REPLAY, words=words, block=1), seed)
        self.updates = self.clipped_updates = 0
        self.readings: dict[str, float] = {}
        self.episodes = 0
        self.deaths = 0
        self.time_limits = 0

    def act(self, observations: list[NDArray[np.float32]], step: int) -> list[int]:
        """Epsilon-greedy, in every environment."""
        self.observed += observations
        words = self.exploration_draws.next()[0].tolist()
        return [
            second * self.actions >> 32
            if first < self.epsilon(step) * 2**32
            else self.greedy(observation)
            for observation, first, second in zip(
                observations, words[::2], words[1::2], strict=True
            )
        ]

    def greedy(self, observation: NDArray[np.float32]) -> int:
        with torch.no_grad():
            return int(self.online(self.scaled(observation[None])).argmax())

    def epsilon(self, step: int) -> float:
        h = self.hparams
        if step < h.learning_starts:
            return 1.0
        step = self.episodes if h.epsilon_clock == "episodes" else step
        if h.epsilon_decay == "linear":
            share = min(step / h.epsilon_decay_steps, 1.0)
            return h.epsilon_start * (1.0 - share) + h.epsilon_end * share
        left = math.exp(-step / h.epsilon_decay_steps)
        return h.epsilon_end + (h.epsilon_start - h.epsilon_end) * left

    def learn(self, brought: list[tuple[Transition, bool]], step: int) -> None:
        """Take in what the steps up to `step` brought, one of every environment, and learn.

        brought: of every environment its transition, and whether its episode ended
        """
        for environment, (transition, ended) in enumerate(brought):
            self.lengthen(environment, transition, ended)
            self.episodes += ended
        passed = range(step - len(brought) + 1, step + 1)
        if any(moment % self.hparams.target_update_interval == 0 for moment in passed):
            self.update_target()
        if self.hparams.learning_rate_decay == "linear":
            left = max(0.0, 1.0 - step / self.budget_steps)
            self.adam.param_groups[0]["lr"] = left * self.hparams.learning_rate
        for moment in passed:
            if moment % self.hparams.train_freq == 0:
                for _ in range(self.hparams.gradient_steps):
                    words = self.replay_draws.next()[0].tolist()
                    if step > self.hparams.learning_starts and self.replay:
                        self.update(words, step)

    def lengthen(self, environment: int, last: Transition, ended: bool) -> None:
        """Let every open transition of an environment reach to the end of the last one."""
        open_ones = [
            Transition(
                t.observation,
                t.action,
                t.reward + self.hparams.gamma**t.steps * last.reward,
                last.terminated,
                last.next_observation,
                t.steps + 1,
            )
            for t in self.open[environment]
        ] + [last]
        while open_ones and (ended or open_ones[0].steps == self.hparams.n_steps):
            self.remember(open_ones.pop(0))
        self.open[environment] = open_ones

    def remember(self, transition: Transition) -> None:
        if len(self.replay) < self.hparams.buffer_size:
            self.replay.append(transition)
            self.priority.append(self.largest_priority)
        else:
            place = self.stored % self.hparams.buffer_size
            self.replay[place], self.priority[place] = transition, self.largest_priority
        self.stored += 1

    def update_target(self) -> None:
        tau = self.hparams.tau
        with torch.no_grad():
            for old, new in zip(self.target.parameters(), self.online.parameters(), strict=True):
                old.copy_((1.0 - tau) * old + tau * new)

    def update(self, words: list[int], step: int) -> None:
        self.adam.zero_grad()
        places, weights = self.sampled(words, step)
        batch = [self.replay[place] for place in places]
        losses, errors = self.losses(batch)
        values = errors + self.targets(batch)
        self.readings = {"loss": float(losses.detach().mean()), "mean_q": float(values.mean())}
        self.updates += 1
        (losses * weights).mean().backward()
        if self.hparams.priority_alpha > 0.0:
            for place, error in zip(places, errors.tolist(), strict=True):
                self.priority[place] = abs(error) + 1e-6
                self.largest_priority = max(self.largest_priority, self.priority[place])
        largest = self.hparams.max_grad_norm
        norm = nn.utils.clip_grad_norm_(self.online.parameters(), largest)
        self.clipped_updates += bool(norm > largest)
        self.adam.step()

    def sampled(self, words: list[int], step: int) -> tuple[list[int], Tensor]:
        """Which transitions, and how much each counts."""
        h = self.hparams
        own = words[: h.batch_size]  # a lane draws some more, and counts them as zero
        if h.priority_alpha == 0.0:
            return [word * len(self.replay) >> 32 for word in own], torch.ones(len(own))
        shares = np.array(self.priority) ** h.priority_alpha
        limits = np.cumsum(shares)
        places = [int(np.searchsorted(limits, word / 2**32 * limits[-1], "right")) for word in own]
        beta = h.priority_beta + (1.0 - h.priority_beta) * min(step / self.budget_steps, 1.0)
        weights = (len(self.replay) * shares[places] / limits[-1]) ** -beta
        return places, torch.from_numpy(weights / weights.max())

    def losses(self, batch: list[Transition]) -> tuple[Tensor, Tensor]:
        """Loss and TD error of every transition."""
        h = self.hparams
        now = self.scaled(np.stack([t.observation for t in batch]))
        targets = self.targets(batch)
        values = self.online(now)[range(len(batch)), [t.action for t in batch]]
        loss = nn.functional.smooth_l1_loss if h.loss == "huber" else nn.functional.mse_loss
        return loss(values, targets, reduction="none"), values.detach() - targets

    def targets(self, batch: list[Transition]) -> Tensor:
        h = self.hparams
        later = self.scaled(np.stack([t.next_observation for t in batch]))
        with torch.no_grad():
            later_values = self.target(later)
            best = (self.online if h.double else self.target)(later).argmax(dim=1)
            return torch.stack(
                [
                    torch.tensor(t.reward, dtype=torch.float64)
                    + (0.0 if t.terminated else h.gamma**t.steps * later_values[place, best[place]])
                    for place, t in enumerate(batch)
                ]
            )

    def scaled(self, observations: NDArray[np.float32]) -> Tensor:
        inputs = np.asarray(observations, dtype=np.float64)
        if self.hparams.normalize_observations and self.observed:
            seen = np.array(self.observed, dtype=np.float64)
            deviation = np.sqrt(np.maximum(seen.var(axis=0), 1e-8)) if len(seen) > 1 else 1.0
            inputs = np.clip((inputs - seen.mean(axis=0)) / deviation, -10.0, 10.0)
        return torch.from_numpy(inputs)

    def layers(self) -> list[nn.Linear]:
        return [layer for layer in self.online if isinstance(layer, nn.Linear)]

    def tensors(self) -> dict[str, Tensor]:
        """Weights and biases, by the names that a lane gives them."""
        named = {}
        for number, layer in enumerate(self.layers()):
            named[f"layers.{number}.weight"] = layer.weight.detach()
            named[f"layers.{number}.bias"] = layer.bias.detach()
        return named

    def take_over(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on with a lane's weights instead of its own."""
        with torch.no_grad():
            for name, own in self.tensors().items():
                own.copy_(tensors[name])


def train(
    hparams: DeepQHparams, env_id: str, seed: int, steps: int
) -> tuple[Twin, dict[int, list[int]]]:
    """The twin after its whole budget, and every action it took, by its environments' seeds."""
    seeds = environment_seeds(hparams, seed)
    envs = [gymnasium.make(env_id, disable_env_checker=True) for _ in seeds]
    space = envs[0].observation_space.shape
    assert space is not None
    twin = Twin(hparams, *space, int(envs[0].action_space.n), seed, steps)  # type: ignore[attr-defined]
    observations = [env.reset(seed=own)[0] for env, own in zip(envs, seeds, strict=True)]
    taken: dict[int, list[int]] = {own: [] for own in seeds}
    for step in range(0, steps, len(envs)):
        actions = twin.act(observations, step)
        brought = []
        for place, (env, action) in enumerate(zip(envs, actions, strict=True)):
            after, reward, terminated, truncated, _ = env.step(action)
            before = observations[place]
            transition = Transition(before, action, float(reward), terminated, after)
            brought.append((transition, terminated or truncated))
            observations[place] = env.reset()[0] if terminated or truncated else after
            taken[seeds[place]].append(action)
            twin.deaths += terminated
            twin.time_limits += truncated and not terminated
        twin.learn(brought, step + len(envs))
    for env in envs:
        env.close()
    return twin, taken


def environment_seeds(hparams: DeepQHparams, seed: int) -> list[int]:
    """Those of an agent's environments."""
    others = [environment_seed(seed, Purpose.ENVIRONMENT, n) for n in range(1, hparams.num_envs)]
    return [environment_seed(seed, Purpose.ENVIRONMENT), *others]


def greedy_return(twin: Twin, env_id: str, seed: int) -> float:
    """What one episode without exploration brings."""
    env = gymnasium.make(env_id, disable_env_checker=True)
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(twin.greedy(observation))
        total, over = total + float(reward), terminated or truncated
    env.close()
    return total


def one_lane(draws: Draws, seed: int) -> Draws:
    draws.admit(seed)
    return draws
