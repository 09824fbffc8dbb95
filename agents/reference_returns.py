"""What returns of an environment are measured by: their bounds, and a random agent's."""

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from agents.environments import EnvFacts, EnvSpec, describe
from agents.errors import EnvError
from agents.evaluation import play
from agents.randomness import Purpose, generator

LONGEST_COUNTED = 2_000
# Lowest and highest reward of a step, for environments that end by a time limit.
REWARDS = {"CartPole": (0.0, 1.0), "MountainCar": (-1.0, 0.0), "Acrobot": (-1.0, 0.0)}


def return_bounds(env: EnvSpec, facts: EnvFacts) -> tuple[float, float] | None:
    """The lowest and highest return of an episode, where that is known."""
    rewards = REWARDS.get(env.id.rpartition("-v")[0])
    if rewards is None or facts.episode_limit is None or set(env.kwargs) - {"max_episode_steps"}:
        return None
    return rewards[0] * facts.episode_limit, rewards[1] * facts.episode_limit


def random_returns(env: EnvSpec, episodes: int, seed: int) -> list[float]:
    """The returns of an agent that draws every action uniformly, of the episodes that went well.

    Without a time limit of the environment's own an episode counts up to its 2,000th step.
    Raises EnvError with the traceback where the environment fails in most of them.
    """
    facts = describe(env)
    policy = _RandomPolicy(facts.actions, generator(seed, Purpose.RANDOM_AGENT))
    seeds, marks = [seed] * episodes, range(episodes)
    played = play(policy, env, facts, seeds, marks=marks, episodes=1, longest=LONGEST_COUNTED)
    broken = played.failures.keys() - played.endless
    found = [float(played.returns[row, 0]) for row in range(episodes) if row not in broken]
    returns = [value for value in found if math.isfinite(value)]
    if 2 * len(returns) <= episodes:
        reasons = [
            *(played.failures[row] for row in broken),
            "its rewards are not all finite numbers",
        ]
        raise EnvError(f"env '{env.id}' failed under random actions: {reasons[0]}")
    return returns


class _RandomPolicy:
    """Of any lanes: none has anything of its own."""

    def __init__(self, actions: int, random: np.random.Generator) -> None:
        self._actions, self._random = actions, random

    def selected(self, rows: Sequence[int]) -> Self:
        return self

    def joined(self, lanes: Self) -> Self:
        return self

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        return self._random.integers(self._actions, size=observations.shape[:2])
