"""Greedy episodes of many lanes at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.environments import EnvFacts, EnvSpec
from agents.lane_envs import make_lane_envs
from agents.learner import GreedyPolicy
from agents.randomness import Purpose, environment_seed

LONGEST_EPISODE = 50_000


@dataclass(frozen=True)
class Played:
    """Whole episodes, each of its own environment and seed.

    returns    [lanes, episodes] float64  undiscounted sum of rewards
    truncated  [lanes, episodes] bool     the episode reached the environment's time limit
    failures   lane → traceback of its environment; its returns mean nothing
    """

    returns: NDArray[np.float64]
    truncated: NDArray[np.bool_]
    failures: Mapping[int, str]


def play(
    policy: GreedyPolicy,
    env: EnvSpec,
    facts: EnvFacts,
    seeds: Sequence[int],
    *,
    mark: int,
    episodes: int,
) -> Played:
    """Play `episodes` episodes with every lane of `policy`, all side by side.

    The environments of an evaluation are new ones, seeded by (run seed, mark, episode): what a lane
    scores at a mark depends on its weights and seed only. `mark` 0 is for agents that are done.
    """
    lanes = len(seeds)
    envs = make_lane_envs(env, facts)
    envs.admit(
        *(
            environment_seed(seed, Purpose.EVALUATION, mark, episode)
            for seed in seeds
            for episode in range(episodes)
        )
    )
    shown = envs.observations.reshape(lanes, episodes, -1).copy()
    returns = np.zeros(lanes * episodes)
    truncated = np.zeros(lanes * episodes, dtype=np.bool_)
    failures: dict[int, str] = {}
    playing = np.arange(lanes * episodes)
    steps_left = max(LONGEST_EPISODE, facts.episode_limit or 0)
    while len(playing):
        if steps_left == 0:
            failures |= {int(row) // episodes: _endless(env) for row in playing}
            break
        steps_left -= 1
        # Every lane shows all its episodes, ended ones too: the shape of a product stays the same.
        actions = policy.actions(shown).reshape(-1)
        step = envs.step(actions[playing])
        returns[playing] += step.reward
        truncated[playing] = step.truncated
        shown.reshape(lanes * episodes, -1)[playing] = envs.observations
        for row, text in envs.failures.items():
            failures.setdefault(int(playing[row]) // episodes, text)
        going = np.flatnonzero(~(step.terminated | step.truncated))
        if len(going) < len(playing):
            envs.keep(going.tolist())
            playing = playing[going]
    return Played(returns.reshape(lanes, -1), truncated.reshape(lanes, -1), failures)


def _endless(env: EnvSpec) -> str:
    return (
        f"an episode of {env.id} did not end within {LONGEST_EPISODE:,} steps; "
        "give it a time limit: env_kwargs = { max_episode_steps = 1_000 }"
    )
