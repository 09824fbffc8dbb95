"""Greedy episodes side by side against plain gymnasium environments, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from agents.environments import EnvSpec, describe
from agents.evaluation import Played, play
from agents.randomness import Purpose, environment_seed

EPISODES = 4
ENVS = {
    "CartPole-v1": (4, 2),
    "MountainCar-v0": (2, 3),
    "FrozenLake-v1": (16, 4),
    "Probe/ShortCartPole-v0": (4, 2),
    "Probe/VisibleReward-v0": (1, 1),
    "Probe/FragileCartPole-v0": (4, 2),
}


@dataclass(frozen=True)
class LinearPolicies:
    """A choice per lane that hangs on all of the observation. taste [lanes, features, actions]"""

    taste: NDArray[np.float64]

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        assert observations.dtype == np.float32
        assert observations.shape[0] == len(self.taste)
        liking = np.einsum("lef,lfa->lea", observations.astype(np.float64), self.taste)
        return liking.argmax(axis=2)

    def selected(self, rows: Sequence[int]) -> "LinearPolicies":
        return LinearPolicies(self.taste[list(rows)])

    def joined(self, lanes: "LinearPolicies") -> "LinearPolicies":
        return LinearPolicies(np.concatenate([self.taste, lanes.taste]))


def policies(env_id: str, seeds: list[int]) -> LinearPolicies:
    """Each lane's taste is a function of its seed."""
    shape = ENVS[env_id]
    return LinearPolicies(np.stack([np.random.default_rng(s).normal(size=shape) for s in seeds]))


def evaluate(
    env_id: str, seeds: list[int], marks: list[int] | None = None, **kwargs: Any
) -> Played:
    spec = EnvSpec(env_id, kwargs)
    marks = marks or [3] * len(seeds)
    lanes = policies(env_id, seeds)
    return play(lanes, spec, describe(spec), seeds, marks=marks, episodes=EPISODES)


def play_one(env_id: str, seed: int, mark: int, episode: int) -> tuple[float, bool]:
    """An episode in a plain environment, and whether its time ran out."""
    env = gymnasium.make(env_id)
    taste = policies(env_id, [seed]).taste[0]
    seen, _ = env.reset(seed=environment_seed(seed, Purpose.EVALUATION, mark, episode))
    total = 0.0
    while True:
        features = np.eye(len(taste))[seen] if np.ndim(seen) == 0 else np.asarray(seen, np.float64)
        seen, reward, terminated, truncated, _ = env.step(int((features @ taste).argmax()))
        total += float(reward)
        if terminated or truncated:
            env.close()
            return total, truncated


@pytest.mark.parametrize("env_id", ENVS)
def test_returns_are_those_of_plain_environments_one_by_one(env_id: str) -> None:
    seeds = [5, 0, 2**40]

    played = evaluate(env_id, seeds)

    for lane, seed in enumerate(seeds):
        expected = [play_one(env_id, seed, 3, episode) for episode in range(EPISODES)]
        assert list(zip(played.returns[lane], played.truncated[lane], strict=True)) == expected
    assert not played.failures


def test_the_episodes_of_this_test_end_at_different_times_and_both_ways() -> None:
    played = evaluate("Probe/ShortCartPole-v0", [5, 0, 2**40])

    assert len(np.unique(played.returns)) > 2
    assert played.truncated.any()
    assert not played.truncated.all()


def test_a_lane_scores_the_same_whoever_its_neighbours() -> None:
    seeds = [5, 0, 9, 4, 7]
    together = evaluate("CartPole-v1", seeds)

    for lane, seed in enumerate(seeds):
        assert evaluate("CartPole-v1", [seed]).returns.tolist() == [together.returns[lane].tolist()]


def test_every_mark_has_episodes_of_its_own() -> None:
    first, second = evaluate("CartPole-v1", [5], marks=[1]), evaluate("CartPole-v1", [5], marks=[2])

    assert first.returns.tolist() == evaluate("CartPole-v1", [5], marks=[1]).returns.tolist()
    assert first.returns.tolist() != second.returns.tolist()
    assert len(np.unique(first.returns)) > 1


def test_lanes_at_different_marks_play_side_by_side_as_they_would_alone() -> None:
    seeds, marks = [5, 5, 0, 9, 5], [1, 2, 1, 7, 1]

    together = evaluate("CartPole-v1", seeds, marks)

    for lane, (seed, mark) in enumerate(zip(seeds, marks, strict=True)):
        alone = evaluate("CartPole-v1", [seed], [mark])
        assert alone.returns.tolist() == [together.returns[lane].tolist()]


@pytest.mark.parametrize("fatal_step", [0, 5])
def test_a_lane_whose_environment_raises_fails_alone(fatal_step: int) -> None:
    seeds = [5, 0, 9]
    fatal_seed = environment_seed(0, Purpose.EVALUATION, 3, 2)

    whole = evaluate("Probe/FragileCartPole-v0", seeds)
    broken = evaluate(
        "Probe/FragileCartPole-v0", seeds, fatal_seed=fatal_seed, fatal_step=fatal_step
    )

    assert list(broken.failures) == [1]
    assert "RuntimeError" in broken.failures[1]
    assert broken.returns[[0, 2]].tolist() == whole.returns[[0, 2]].tolist()
