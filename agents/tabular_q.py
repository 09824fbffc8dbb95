"""Tabular Q-learning of many lanes at once (Watkins 1989; Watkins & Dayan 1992)."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts, Step
from agents.exploration import EpsilonGreedy
from agents.hparams import Hparams
from agents.randomness import Draws, Normals, Purpose
from agents.tables import TablePolicy, named_table, states, with_lane
from agents.tabular_hparams import TabularQHparams

EXPLORATION_BLOCK = 256


class TabularQ:
    """Q(s, a) <- Q(s, a) + learning_rate (r + gamma max_b Q(s', b) - Q(s, a)), from zeros.

    A terminated episode has no future; a time limit bootstraps. Exploration is epsilon-greedy, or
    greedy by Q(s, a) + z / episode with z of a standard normal distribution: the lesson on
    FrozenLake has it, and with it a table of zeros is no dead end.
    """

    def __init__(self, facts: EnvFacts) -> None:
        self._facts = facts
        self._lanes: list[TabularQHparams] = []
        self._tables = np.empty((0, facts.features, facts.actions))
        self._exploration = EpsilonGreedy()
        self._draws = Draws(Purpose.EXPLORATION, words=2, block=EXPLORATION_BLOCK)
        self._noise = Normals(Purpose.NOISE, words=facts.actions, block=EXPLORATION_BLOCK)
        self._fit()

    def admit(self, hparams: Hparams, seed: int) -> None:
        assert isinstance(hparams, TabularQHparams)
        self._lanes.append(hparams)
        self._tables = with_lane(self._tables, self._facts, 0.0)
        self._exploration.admit(hparams)
        self._draws.admit(seed)
        self._noise.admit(seed)
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        index = list(rows)
        self._lanes = [self._lanes[row] for row in index]
        self._tables = self._tables[index]
        for part in (self._exploration, self._draws, self._noise):
            part.keep(index)
        self._fit()

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        draws = self._draws.next()
        values = self._tables[self._every, states(observations)]
        chosen = self._exploration.choose(values.argmax(axis=1), self._facts.actions, steps, draws)
        if not self._noisy.any():
            return chosen
        noise = self._noise.next() / (self._exploration.episodes[:, None] + 1)
        return np.where(self._noisy, (values + noise).argmax(axis=1), chosen)

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        state, lanes = states(observations), self._every
        best = self._tables[lanes, states(next_observations)].max(axis=1)
        target = step.reward + np.where(step.terminated, 0.0, self._gamma * best)
        error = target - self._tables[lanes, state, actions]
        self._tables[lanes, state, actions] += self._rate * error
        self._exploration.end((step.terminated | step.truncated).astype(np.int64))

    def is_exact(self, episodes: int) -> bool:
        return True  # looked up, added and multiplied number by number

    def policy(self, rows: Sequence[int]) -> TablePolicy:
        return TablePolicy(self._tables[list(rows)])

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        return [not np.isfinite(self._tables[row]).all() for row in rows]

    def readings(self, row: int, steps: NDArray[np.int64]) -> Mapping[str, float]:
        found = {"mean_q": float(self._tables[row].mean())}
        if not self._noisy[row]:
            found["epsilon"] = float(self._exploration.epsilon(steps)[row])
        return found

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        return named_table(self._tables, row)

    def _fit(self) -> None:
        self._every = np.arange(len(self._lanes))
        self._rate = np.array([lane.learning_rate for lane in self._lanes])
        self._gamma = np.array([lane.gamma for lane in self._lanes])
        self._noisy = np.array(
            [lane.exploration == "noise" for lane in self._lanes], dtype=np.bool_
        )
