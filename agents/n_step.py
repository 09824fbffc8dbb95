"""Transitions over several steps, put together before they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.environments import Step

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Completed:
    """Transitions that are ready, by environment, the oldest first. All [transitions, ...].

    environment  its number, among those of all lanes
    reward       the discounted sum of the rewards on the way
    goes_on      gamma^(k-1) after k steps, by which the value they end at counts beside gamma; 0
                 where the episode terminated
    """

    environment: NDArray[np.int64]
    observation: Floats
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    goes_on: NDArray[np.float64]
    next_observation: Floats


class NStep:
    """n-step returns of every environment (Sutton 1988; Hessel et al. 2018, "multi-step learning").

    A transition is complete n steps after it began or at the end of its episode, where shorter ones
    are: R = r_1 + gamma r_2 + ... + gamma^(k-1) r_k, and then gamma^k times the value of the
    observation it ends at, unless the episode terminated there.
    """

    def __init__(self, features: int) -> None:
        self._n = np.empty(0, dtype=np.int64)
        self._gamma = np.empty(0)
        self._age = np.empty((0, 1), dtype=np.int64)  # steps since it began; -1: a free place
        self._discount = np.empty((0, 1))  # gamma^age
        self._reward = np.empty((0, 1))
        self._action = np.empty((0, 1), dtype=np.int64)
        self._observation = np.empty((0, 1, features), dtype=np.float32)

    def admit(self, n: int, gamma: float, environments: int = 1) -> None:
        """Add a lane's environments behind the last."""
        self._n = np.append(self._n, [n] * environments)
        self._gamma = np.append(self._gamma, [gamma] * environments)
        places = max(n, self._age.shape[1])
        self._age = _grown(self._age, environments, places, blank=-1)
        self._discount = _grown(self._discount, environments, places)
        self._reward = _grown(self._reward, environments, places)
        self._action = _grown(self._action, environments, places)
        self._observation = _grown(self._observation, environments, places)

    def keep(self, rows: Sequence[int]) -> None:
        """Let the environments in `rows` stay, in that order."""
        index = list(rows)
        self._n, self._gamma, self._age = self._n[index], self._gamma[index], self._age[index]
        self._discount, self._reward = self._discount[index], self._reward[index]
        self._action, self._observation = self._action[index], self._observation[index]

    def push(
        self, observation: Floats, action: NDArray[np.int64], step: Step, next_observation: Floats
    ) -> Completed:
        """Take in what a step of every environment brought, all [environments, ...]."""
        every = np.arange(len(self._n))
        free = (self._age < 0).argmax(axis=1)
        self._age[every, free], self._discount[every, free] = 0, 1.0
        self._reward[every, free], self._action[every, free] = 0.0, action
        self._observation[every, free] = observation

        is_open = self._age >= 0
        self._reward += np.where(is_open, self._discount * step.reward[:, None], 0.0)
        ended = step.terminated | step.truncated
        is_complete = is_open & ((self._age == self._n[:, None] - 1) | ended[:, None])
        completed = self._taken(is_complete, step, next_observation)
        self._age[is_open] += 1
        self._discount *= self._gamma[:, None]
        self._age[is_complete] = -1
        return completed

    def _taken(self, which: NDArray[np.bool_], step: Step, next_observation: Floats) -> Completed:
        environment, begun = np.nonzero(which)
        order = np.lexsort((-self._age[environment, begun], environment))
        environment, begun = environment[order], begun[order]
        return Completed(
            environment=environment,
            observation=self._observation[environment, begun],
            action=self._action[environment, begun],
            reward=self._reward[environment, begun],
            goes_on=np.where(step.terminated[environment], 0.0, self._discount[environment, begun]),
            next_observation=next_observation[environment],
        )


def single(
    observation: Floats, action: NDArray[np.int64], step: Step, next_observation: Floats
) -> Completed:
    """What a step of every environment brought, as transitions of one step."""
    goes_on = np.where(step.terminated, 0.0, 1.0)
    every = np.arange(len(action))
    return Completed(every, observation, action, step.reward, goes_on, next_observation)


def _grown(array: NDArray, more: int, places: int, blank: int = 0) -> NDArray:  # type: ignore[type-arg]
    """With `more` environments, and so many places in each."""
    before, old = array.shape[:2]
    grown = np.full((before + more, places, *array.shape[2:]), blank, dtype=array.dtype)
    grown[:before, :old] = array
    return grown
