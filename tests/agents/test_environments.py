"""Any gymnasium environment behind one `step`, a lane each."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from agents.environments import EnvSpec, GymnasiumLanes, check_id, describe
from agents.errors import EnvError

SEEDS = [3, 1, 4, 13]


def lanes_of(env_id: str, seeds: list[int] = SEEDS, **kwargs: Any) -> GymnasiumLanes:
    spec = EnvSpec(env_id, kwargs)
    lanes = GymnasiumLanes(spec, describe(spec))
    for seed in seeds:
        lanes.admit(seed)
    return lanes


def shown(env: gymnasium.Env[Any, Any], observation: Any) -> list[float]:
    """An observation as the row of numbers that an agent gets."""
    if isinstance(env.observation_space, gymnasium.spaces.Discrete):
        place = observation - env.observation_space.start
        return [float(place == number) for number in range(env.observation_space.n)]
    return np.asarray(observation, dtype=np.float32).ravel().tolist()


ENV_IDS = [
    "CartPole-v1",
    "FrozenLake-v1",
    "Taxi-v4" if "Taxi-v4" in gymnasium.registry else "Taxi-v3",
    # Box2D's module warns while it is imported, and crashes where that warning is an error.
    pytest.param(
        "LunarLander-v3",
        marks=pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning"),
    ),
    "Probe/ShortCartPole-v0",
    "Probe/Picture-v0",
    "Probe/Countdown-v0",
    "Probe/TimeLimit-v0",
]


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_every_lane_is_one_plain_environment(env_id: str) -> None:
    lanes = lanes_of(env_id)
    envs = [gymnasium.make(env_id) for _ in SEEDS]
    now = [shown(env, env.reset(seed=seed)[0]) for env, seed in zip(envs, SEEDS, strict=True)]
    rng = np.random.default_rng(0)
    ended_before: list[int] = []

    assert lanes.observations.tolist() == now
    for _ in range(60):
        lanes.reset(ended_before)
        for row in ended_before:
            now[row] = shown(envs[row], envs[row].reset()[0])
        assert lanes.observations.tolist() == now
        actions = rng.integers(describe(EnvSpec(env_id)).actions, size=len(SEEDS))

        step = lanes.step(actions)

        plain = [env.step(action) for env, action in zip(envs, actions, strict=True)]
        now = [shown(env, after[0]) for env, after in zip(envs, plain, strict=True)]
        assert lanes.observations.tolist() == now  # the true last one where an episode ended
        assert step.reward.tolist() == [after[1] for after in plain]
        assert step.terminated.tolist() == [after[2] for after in plain]
        assert step.truncated.tolist() == [after[3] for after in plain]
        ended_before = np.flatnonzero(step.terminated | step.truncated).tolist()
    assert not lanes.failures


def test_nothing_begins_again_unless_asked() -> None:
    lanes = lanes_of("Probe/Countdown-v0", seeds=[0, 1])
    for _ in range(3):
        step = lanes.step(np.zeros(2, dtype=np.int64))
    last = lanes.observations.copy()

    lanes.reset([1])

    assert step.terminated.tolist() == [True, True]
    assert last.tolist() == [[1.0, 0.0, 0.0, 0.0]] * 2
    assert lanes.observations.tolist() == [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_a_time_limit_is_not_the_end_of_the_task() -> None:
    step = lanes_of("Probe/TimeLimit-v0", seeds=[0]).step(np.array([0]))

    assert (step.terminated.tolist(), step.truncated.tolist()) == ([False], [True])


def test_actions_count_from_zero_whatever_the_environment_calls_them() -> None:
    shifted, plain = lanes_of("Probe/ShiftedCartPole-v0"), lanes_of("CartPole-v1")

    for actions in ([0, 1, 0, 1], [1, 1, 0, 0]):
        shifted.step(np.array(actions))
        plain.step(np.array(actions))

    assert not shifted.failures
    np.testing.assert_array_equal(shifted.observations, plain.observations)


def test_facts_tell_what_an_agent_is_built_from() -> None:
    cartpole, lake = describe(EnvSpec("CartPole-v1")), describe(EnvSpec("FrozenLake-v1"))
    picture = describe(EnvSpec("Probe/Picture-v0"))

    assert (cartpole.features, cartpole.actions) == (4, 2)
    assert (cartpole.reward_threshold, cartpole.episode_limit) == (475.0, 500)
    assert (lake.features, lake.actions) == (16, 4)
    assert (picture.features, picture.actions, picture.episode_limit) == (6, 3, None)


def test_keyword_arguments_reach_the_environment() -> None:
    large = EnvSpec("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False})

    lanes = lanes_of(large.id, seeds=[0], **large.kwargs)
    lanes.step(np.array([2]))

    assert describe(large).features == 64
    assert lanes.observations[0].argmax() == 1


def test_facts_know_a_time_limit_given_as_a_keyword() -> None:
    assert describe(EnvSpec("CartPole-v1", {"max_episode_steps": 15})).episode_limit == 15


def play_on(lanes: GymnasiumLanes, steps: int) -> list[NDArray[np.float32]]:
    """Push every pole to and fro; what every lane showed after each step."""
    seen = []
    for number in range(steps):
        step = lanes.step(np.full(len(lanes.observations), number % 2, dtype=np.int64))
        seen.append(lanes.observations.copy())
        lanes.reset(np.flatnonzero(step.terminated | step.truncated).tolist())
    return seen


@pytest.mark.parametrize("fatal_step", [0, 1, 9])
def test_a_lane_that_raises_fails_alone(fatal_step: int) -> None:
    whole = play_on(lanes_of("Probe/FragileCartPole-v0"), steps=30)
    lanes = lanes_of("Probe/FragileCartPole-v0", fatal_seed=4, fatal_step=fatal_step)

    seen = play_on(lanes, steps=30)

    assert list(lanes.failures) == [2]
    assert "Traceback" in lanes.failures[2]
    assert "RuntimeError: " in lanes.failures[2]
    for row in (0, 1, 3):
        np.testing.assert_array_equal([s[row] for s in seen], [s[row] for s in whole])


def test_a_lane_that_failed_earns_nothing_and_is_over() -> None:
    lanes = lanes_of("Probe/FragileCartPole-v0", fatal_seed=4, fatal_step=1)

    for _ in range(3):
        step = lanes.step(np.zeros(len(SEEDS), dtype=np.int64))

        assert step.reward.tolist() == [1.0, 1.0, 0.0, 1.0]
        assert step.terminated.tolist() == [False, False, True, False]
        assert not step.truncated.any()


def test_a_lane_whose_reset_shows_nonsense_fails_alone() -> None:
    lanes = lanes_of("Probe/Misshapen-v0")
    lanes.step(np.zeros(len(SEEDS), dtype=np.int64))

    lanes.reset([0, 1, 2, 3])

    assert list(lanes.failures) == [3]


def test_lanes_that_stay_keep_their_episode_and_their_failure() -> None:
    whole = lanes_of("Probe/FragileCartPole-v0", fatal_seed=4, fatal_step=3)
    part = lanes_of("Probe/FragileCartPole-v0", fatal_seed=4, fatal_step=3)
    play_on(whole, steps=5)
    play_on(part, steps=5)

    part.keep([3, 2, 0])

    assert list(part.failures) == [1]
    for seen, expected in zip(play_on(part, steps=20), play_on(whole, steps=20), strict=True):
        np.testing.assert_array_equal(seen[[0, 2]], expected[[3, 0]])


def test_an_environment_that_cannot_be_made_again_fails_its_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes = lanes_of("CartPole-v1", seeds=[0])

    monkeypatch.delitem(gymnasium.registry, "CartPole-v1")
    lanes.admit(1)

    assert list(lanes.failures) == [1]
    lanes.keep([0])
    assert not lanes.failures


@pytest.mark.parametrize(
    ("env_id", "said"),
    [
        ("Pendulum-v1", "Q-learning needs Discrete actions, as in CartPole-v1"),
        ("Blackjack-v1", "has observations Tuple(.*); Box or Discrete are supported"),
        ("evil:Env-v0", "an id that names a module to import is refused"),
        ("os.system", "is not a gymnasium id"),
        ("", "is not a gymnasium id"),
        ("CartPole-v1\n", "is not a gymnasium id"),
        ("CartPoll-v1", "is not registered .*; did you mean 'CartPole-v1'?"),
        ("CartPole-v77", "is not registered .*; did you mean 'CartPole-v1'?"),
        (
            "Zzzzzzzzzzz-v0",
            "is not registered .*; register it in a module and add --allow-import MODULE",
        ),
        ("Probe/Unmakeable-v0", "cannot be made: the pole is not delivered yet"),
    ],
)
def test_an_unfit_environment_is_refused_by_name_with_a_mend(env_id: str, said: str) -> None:
    with pytest.raises(EnvError, match=said) as refused:
        describe(EnvSpec(env_id))

    assert str(refused.value).startswith(f"env '{env_id}' ")


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(EnvError, match=r"'CartPole-v1' cannot be made: .*gravitas"):
        describe(EnvSpec("CartPole-v1", {"gravitas": 9.8}))


def test_an_id_is_checked_without_importing_what_it_names() -> None:
    with pytest.raises(EnvError):
        check_id("tests.this_module_is_never_imported:Env-v0")
