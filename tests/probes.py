"""Small environments with known answers.

The learning probes rise in difficulty: where an agent first fails tells which part of it is broken.

probe            asks for                                            right value
ConstantReward   a value at all                                      1
VisibleReward    a value that depends on the observation             the observation
DelayedReward    a value two steps ahead                             gamma, then 1
ChosenReward     a choice                                            1 or -1 by action
MatchedReward    a choice that depends on the observation            1 or -1 by match
TimeLimit        a reward of 1 for ever, cut off after one step      1 / (1 - gamma)
Death            a reward of 1 and the end of the task               1

The others try what surrounds the agent: CartPole with a short time limit, CartPole that writes down
what it is told to do, CartPole that breaks for one seed, and environments of unusual spaces.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv
from numpy.typing import NDArray

Observation = NDArray[np.float32]
Begun = tuple[Observation, dict[str, Any]]
After = tuple[Observation, float, bool, bool, dict[str, Any]]

diaries: dict[int, list[int]] = {}
"""Seed of an environment → every action it was told to take, if it is a DiaryCartPole."""


def register() -> None:
    """Make the probes known to gymnasium; asking twice does no harm."""
    probes: dict[str, tuple[type[gymnasium.Env[Any, Any]], int | None]] = {
        "ConstantReward": (ConstantReward, None),
        "VisibleReward": (VisibleReward, None),
        "DelayedReward": (DelayedReward, None),
        "ChosenReward": (ChosenReward, None),
        "MatchedReward": (MatchedReward, None),
        "TimeLimit": (Endless, 1),
        "Death": (Death, None),
        "ShortCartPole": (CartPoleEnv, 15),
        "DiaryCartPole": (DiaryCartPole, 15),
        "FragileCartPole": (FragileCartPole, 40),
        "ShiftedCartPole": (ShiftedCartPole, 40),
        "ManyActions": (ManyActions, 40),
        "Misshapen": (Misshapen, None),
        "Picture": (Picture, None),
        "Countdown": (Countdown, None),
        "Unmakeable": (Unmakeable, None),
    }
    for name, (entry_point, limit) in probes.items():
        if (env_id := f"Probe/{name}-v0") not in gymnasium.registry:
            gymnasium.register(env_id, entry_point=entry_point, max_episode_steps=limit)


class _OneNumber(gymnasium.Env[Observation, np.int64]):
    """What the learning probes share: an observation of one number, two actions, no picture."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Begun:
        super().reset(seed=seed)
        self.shown = self.first()
        return self.seen(), {}

    def first(self) -> float:
        return 1.0

    def seen(self) -> Observation:
        return np.array([self.shown], dtype=np.float32)


class ConstantReward(_OneNumber):
    """One step, one action, reward 1."""

    action_space = spaces.Discrete(1)

    def step(self, action: np.int64) -> After:
        return self.seen(), 1.0, True, False, {}


class VisibleReward(_OneNumber):
    """One step, and the observation is the reward."""

    action_space = spaces.Discrete(1)

    def first(self) -> float:
        return float(self.np_random.choice([-1.0, 1.0]))

    def step(self, action: np.int64) -> After:
        return self.seen(), self.shown, True, False, {}


class DelayedReward(_OneNumber):
    """Two steps, and only the second is rewarded."""

    action_space = spaces.Discrete(1)

    def first(self) -> float:
        return -1.0

    def step(self, action: np.int64) -> After:
        over = self.shown == 1.0
        self.shown = 1.0
        return self.seen(), 1.0 if over else 0.0, over, False, {}


class ChosenReward(_OneNumber):
    """One step, and action 1 is the right one."""

    def step(self, action: np.int64) -> After:
        return self.seen(), 1.0 if action == 1 else -1.0, True, False, {}


class MatchedReward(_OneNumber):
    """One step, and the sign of the observation says which action is right."""

    def first(self) -> float:
        return float(self.np_random.choice([-1.0, 1.0]))

    def step(self, action: np.int64) -> After:
        right = (action == 1) == (self.shown > 0.0)
        return self.seen(), 1.0 if right else -1.0, True, False, {}


class Endless(_OneNumber):
    """Reward 1 in every step, and no end but a time limit."""

    action_space = spaces.Discrete(1)

    def step(self, action: np.int64) -> After:
        return self.seen(), 1.0, False, False, {}


class Death(_OneNumber):
    """As Endless for one step, after which the task itself is over."""

    action_space = spaces.Discrete(1)

    def step(self, action: np.int64) -> After:
        return self.seen(), 1.0, True, False, {}


class DiaryCartPole(CartPoleEnv):
    """CartPole that writes the actions it is told to take into `diaries`, by its seed."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self._diary = diaries.setdefault(seed, [])
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        self._diary.append(int(action))
        return super().step(action)


class FragileCartPole(CartPoleEnv):
    """CartPole that, where it was seeded with `fatal_seed`, goes wrong in its step `fatal_step`.

    It raises, or from then on pays `reward` where one is given.
    """

    def __init__(
        self, fatal_seed: int = -1, fatal_step: int = 0, reward: float | None = None
    ) -> None:
        super().__init__()
        self._fatal_seed, self._fatal_step, self._reward = fatal_seed, fatal_step, reward
        self._doomed = False
        self._taken = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self._doomed, self._taken = seed == self._fatal_seed, 0
            if self._doomed and self._fatal_step == 0:
                raise RuntimeError("no pole to be found")
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        self._taken += 1
        after, reward, terminated, truncated, info = super().step(action)
        if self._doomed and self._taken >= self._fatal_step:
            if self._reward is None:
                raise RuntimeError("the pole snapped")
            reward = self._reward
        return after, reward, terminated, truncated, info


class ShiftedCartPole(CartPoleEnv):
    """CartPole whose actions are called 5 and 6."""

    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.Discrete(2, start=5)

    def step(self, action: Any) -> Any:
        assert action in (5, 6), f"{action} is no action of this environment"
        self.action_space = spaces.Discrete(2)
        after = super().step(int(action) - 5)
        self.action_space = spaces.Discrete(2, start=5)
        return after


class ManyActions(CartPoleEnv):
    """Pushes left or right by 18 actions, as many as Atari's games have."""

    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.Discrete(18)

    def step(self, action: np.int64) -> After:
        return super().step(int(action) % 2)  # type: ignore[return-value]


class Misshapen(_OneNumber):
    """Shows three numbers where one was promised, from its second episode on if seeded with 13."""

    _seed: int | None = None
    _episodes = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Begun:
        begun = super().reset(seed=seed)
        self._seed = seed if seed is not None else self._seed
        self._episodes += 1
        if self._seed == 13 and self._episodes > 1:
            return np.zeros(3, dtype=np.float32), {}
        return begun

    def step(self, action: np.int64) -> After:
        return self.seen(), 1.0, True, False, {}


class Picture(gymnasium.Env[NDArray[np.uint8], np.int64]):
    """Shows six bytes in two rows, of which one more is lit in every step."""

    observation_space = spaces.Box(0, 255, (2, 3), np.uint8)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self._lit = 0
        return self._seen(), {}

    def step(self, action: np.int64) -> Any:
        self._lit += 1
        return self._seen(), float(action), self._lit == 6, False, {}

    def _seen(self) -> NDArray[np.uint8]:
        picture = np.zeros(6, dtype=np.uint8)
        picture[: self._lit] = 255
        return picture.reshape(2, 3)


class Countdown(gymnasium.Env[np.int64, np.int64]):
    """Shows 8, 7, 6, 5 and is over."""

    observation_space = spaces.Discrete(4, start=5)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self._shown = 8
        return np.int64(self._shown), {}

    def step(self, action: np.int64) -> Any:
        self._shown -= 1
        return np.int64(self._shown), 1.0, self._shown == 5, False, {}


class Unmakeable(CartPoleEnv):
    """Registered, but broken."""

    def __init__(self) -> None:
        raise RuntimeError("the pole is not delivered yet")
