"""The batched classic tasks are gymnasium's, bit by bit, whatever happens around a lane."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import WrapperSpec
from numpy.typing import NDArray

from agents.classic_control import classic_lanes
from agents.environments import EnvSpec, LaneEnvs, Step

IDS = ["CartPole-v1", "MountainCar-v0", "Acrobot-v1"]
Moment = tuple[bytes, float, bool, bool]  # observation, reward, terminated, truncated


@pytest.mark.parametrize("env_id", IDS)
def test_every_lane_repeats_a_gymnasium_environment_of_its_own(env_id: str) -> None:
    seeds = [3, 1, 4, 15, 9, 2, 6]
    envs, twins = lanes_of(env_id, seeds), [Twin(env_id, seed) for seed in seeds]
    draws = np.random.default_rng(0)
    ends = np.zeros(2, dtype=np.int64)

    for _ in range(8000):
        actions = mixed_actions(env_id, envs.observations, draws)
        step = envs.step(actions)
        found = [moment(envs, step, row) for row in range(len(seeds))]
        assert found == [twin.step(action) for twin, action in zip(twins, actions, strict=True)]
        envs.reset(ended_rows(step))
        for row in ended_rows(step):
            twins[row].reset()
        assert_observations_equal(envs, twins)
        ends += step.terminated.sum(), step.truncated.sum()

    assert ends.min() >= len(seeds), "deaths and time limits must both have been reached"


@pytest.mark.parametrize("env_id", IDS)
def test_admission_is_a_seeded_reset(env_id: str) -> None:
    envs = lanes_of(env_id, seeds=range(200))

    assert_observations_equal(envs, [Twin(env_id, seed) for seed in range(200)])
    assert not envs.failures


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("neighbours", [1, 2, 6, 16])
def test_a_lane_alone_equals_itself_among_neighbours(env_id: str, neighbours: int) -> None:
    alone = play(env_id, {0: [5]})

    among = play(env_id, {0: [*range(10, 10 + neighbours), 5]})

    assert among[5] == alone[5]


@pytest.mark.parametrize("env_id", IDS)
def test_lanes_that_come_late_or_leave_change_nothing_for_the_others(env_id: str) -> None:
    calm = play(env_id, {0: [1, 2, 3]})

    busy = play(env_id, {0: [1, 2, 3], 40: [1, 2, 3, 9], 90: [9, 3, 1], 333: [1], 340: []})

    assert busy[1] == calm[1][:340]
    assert busy[2] == calm[2][:90]
    assert busy[3] == calm[3][:333]
    assert busy[9] == play(env_id, {0: [9]})[9][: 333 - 40]


@pytest.mark.parametrize("env_id", IDS)
def test_the_last_step_stays_readable_until_the_next(env_id: str) -> None:
    envs = lanes_of(env_id, seeds=[1, 2])
    step = envs.step(np.array([0, 1]))
    before = [step.reward.tolist(), step.terminated.tolist(), step.truncated.tolist()]

    envs.reset([0])
    envs.admit(3)
    envs.keep([2, 1])

    assert [step.reward.tolist(), step.terminated.tolist(), step.truncated.tolist()] == before


@pytest.mark.parametrize("env_id", IDS)
def test_a_lane_that_is_not_reset_does_no_harm(env_id: str) -> None:
    envs, twin = lanes_of(env_id, seeds=[7, 8]), Twin(env_id, 8)

    for _ in range(5000):  # warnings are errors here
        envs.step(np.array([0, 1]))
        assert np.isfinite(envs.observations).all()
    envs.reset([1])
    twin.reset()

    for action in (1, 0, 0, 1):
        assert moment(envs, envs.step(np.array([0, action])), 1) == twin.step(action)


@pytest.mark.parametrize("function", [math.cos, math.sin, lambda x: np.float64(x) ** 2])
def test_numpy_rounds_a_number_alike_alone_and_in_arrays_of_any_length(
    function: Callable[[float], float],
) -> None:
    twin = {math.cos: np.cos, math.sin: np.sin}.get(function, lambda x: np.float_power(x, 2.0))
    numbers = np.random.default_rng(0).uniform(-30, 30, size=40_000)
    alone = np.array([function(number) for number in numbers])

    for length in [1, 2, 3, 5, 7, 8, 13, 16, 31, 33, 40_000]:
        for start in range(0, min(3000, len(numbers) - length + 1), length):
            end = start + length
            assert np.array_equal(twin(numbers[start:end]), alone[start:end])


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_registered_as_gymnasium_ships_it_is_batched(env_id: str) -> None:
    assert classic_lanes(EnvSpec(env_id)) is not None


@pytest.mark.parametrize(
    "spec",
    [
        EnvSpec("CartPole-v0"),
        EnvSpec("MountainCarContinuous-v0"),
        EnvSpec("CartPole-v1", {"sutton_barto_reward": True}),
        EnvSpec("MountainCar-v0", {"goal_velocity": 0.02}),
        EnvSpec("Acrobot-v1", {"max_episode_steps": 100}),
    ],
)
def test_other_tasks_and_keywords_are_left_to_gymnasium(spec: EnvSpec) -> None:
    assert classic_lanes(spec) is None


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "change",
    [
        {"entry_point": "elsewhere:HeavierPole"},
        {"entry_point": lambda: None},
        {"max_episode_steps": 50},
        {"max_episode_steps": None},
        {"kwargs": {"render_mode": "rgb_array"}},
        {"additional_wrappers": (WrapperSpec("Noise", "elsewhere:Noise", {}),)},
    ],
)
def test_an_id_registered_anew_is_left_to_gymnasium(
    env_id: str, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = replace(gymnasium.registry[env_id], **change)
    monkeypatch.setitem(gymnasium.registry, env_id, changed)

    assert classic_lanes(EnvSpec(env_id)) is None


def test_an_id_no_longer_registered_is_left_to_gymnasium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(gymnasium.registry, "CartPole-v1")

    assert classic_lanes(EnvSpec("CartPole-v1")) is None


class Twin:
    """One gymnasium environment, as it is without us."""

    def __init__(self, env_id: str, seed: int) -> None:
        self._env = EnvSpec(env_id).make()
        self.observation = self._env.reset(seed=seed)[0]

    def step(self, action: int) -> Moment:
        self.observation, reward, terminated, truncated, _ = self._env.step(np.int64(action))
        return self.observation.tobytes(), float(reward), terminated, truncated

    def reset(self) -> None:
        self.observation = self._env.reset()[0]


def lanes_of(env_id: str, seeds: Iterable[int]) -> LaneEnvs:
    envs = classic_lanes(EnvSpec(env_id))
    assert envs is not None
    for seed in seeds:
        envs.admit(seed)
    return envs


def mixed_actions(
    env_id: str, observations: NDArray[np.float32], draws: np.random.Generator
) -> NDArray[np.int64]:
    """Skill in every other lane, so that both ends of an episode occur; chance in the rest."""
    features = observations.T
    skilled = {
        "CartPole-v1": lambda: features[2] + 0.3 * features[3] + 0.05 * features[1] > 0,
        "MountainCar-v0": lambda: 2 * (features[1] >= 0),
        "Acrobot-v1": lambda: 2 * (features[5] > 0),
    }[env_id]()
    actions = draws.integers(2 if env_id == "CartPole-v1" else 3, size=len(observations))
    actions[::2] = skilled[::2]
    return actions


def play(env_id: str, present_from: Mapping[int, list[int]]) -> dict[int, list[Moment]]:
    """What each seed's lane lived through in 700 steps. present_from: step to the seeds from then.

    Every seed acts by its own sequence, begun when it comes; seeds that come stand last.
    """
    envs, present = lanes_of(env_id, []), list[int]()
    lived: dict[int, list[Moment]] = {}
    plans = {
        seed: np.random.default_rng(seed).integers(2, size=700)
        for seeds in present_from.values()
        for seed in seeds
    }
    for number in range(700):
        if number in present_from:
            wanted = present_from[number]
            envs.keep([present.index(seed) for seed in wanted if seed in present])
            for seed in [seed for seed in wanted if seed not in present]:
                envs.admit(seed)
            present = wanted
        actions = np.array([plans[s][len(lived.get(s, []))] for s in present], dtype=np.int64)
        step = envs.step(actions)
        for row, seed in enumerate(present):
            lived.setdefault(seed, []).append(moment(envs, step, row))
        envs.reset(ended_rows(step))
    return lived


def moment(envs: LaneEnvs, step: Step, row: int) -> Moment:
    return (
        envs.observations[row].tobytes(),
        float(step.reward[row]),
        bool(step.terminated[row]),
        bool(step.truncated[row]),
    )


def ended_rows(step: Step) -> list[int]:
    rows: list[int] = np.flatnonzero(step.terminated | step.truncated).tolist()
    return rows


def assert_observations_equal(envs: LaneEnvs, twins: list[Twin]) -> None:
    assert envs.observations.tobytes() == b"".join(twin.observation.tobytes() for twin in twins)
