"""Environments of many lanes behind one `step`.

Every lane has an environment of its own, or several beside each other, seeded once when the lane is
admitted (gymnasium's convention). `terminated` and `truncated` stay apart, and `observations` after
a step are the true last ones: nothing resets by itself, the caller asks for `reset` of the lanes
whose episode ended.
"""

import difflib
import importlib
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.errors import EnvError

FAILURE_TEXT_CHARACTERS = 64_000
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """What one step of every lane brought.

    reward      [lanes] float64
    terminated  [lanes] bool   the task ended: nothing follows
    truncated   [lanes] bool   a time limit ended the episode, not the task
    """

    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class LaneEnvs(Protocol):
    """One environment per lane, all of the same id.

    `observations` [lanes, features] float32 are the current ones; they stay valid until the next
    call. `failures` names the lanes whose environment raised, with its traceback: such a lane
    returns zeros and ended episodes from then on, and the others do not notice.
    """

    @property
    def observations(self) -> NDArray[np.float32]: ...

    @property
    def failures(self) -> Mapping[int, str]: ...

    def admit(self, *seeds: int) -> None:
        """Add a lane behind the last for each seed, its environment reset with it."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order, and close all others."""
        ...

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Act once in every lane. actions [lanes], from 0."""
        ...

    def reset(self, rows: Sequence[int]) -> None:
        """Begin the next episode of these lanes."""
        ...


def environments_of(rows: Sequence[int], each: int) -> list[int]:
    """The places of these lanes' environments, where every lane has `each` beside each other."""
    return [row * each + number for row in rows for number in range(each)]


@dataclass(frozen=True)
class EnvSpec:
    """Which environment: a registered gymnasium id and its keyword arguments."""

    id: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> gymnasium.Env[Any, Any]:
        """A new environment, time limit included, without gymnasium's start-up checker."""
        return gymnasium.make(self.id, disable_env_checker=True, **self.kwargs)


@dataclass(frozen=True)
class EnvFacts:
    """What an agent needs to know of an environment before it is built.

    discrete: whether observations are states with a number, which features show as one-hot
    """

    features: int
    actions: int
    reward_threshold: float | None
    episode_limit: int | None
    discrete: bool = False


def import_environments(modules: Sequence[str]) -> None:
    """Import the modules that somebody named to have their environments registered.

    Raises EnvError for one that cannot be imported. The working directory counts as a place to
    import from, as in `python -m`.
    """
    if modules and "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # a module may raise anything while it is imported
            raise EnvError(f"--allow-import: cannot import '{module}' ({error})") from error


def describe(spec: EnvSpec) -> EnvFacts:
    """Make the environment once and read its spaces. Raises EnvError where no agent fits."""
    check_id(spec.id)
    try:
        env = spec.make()
    except Exception as error:  # an environment may raise anything while it is being made
        raise EnvError(f"env '{spec.id}' cannot be made: {error}") from error
    try:
        actions, observations = env.action_space, env.observation_space
        problems = []
        if not isinstance(actions, spaces.Discrete):
            problems.append(
                f"env '{spec.id}' has actions {actions}; Q-learning needs Discrete actions, "
                "as in CartPole-v1"
            )
        if not isinstance(observations, spaces.Box | spaces.Discrete):
            problems.append(
                f"env '{spec.id}' has observations {observations}; Box or Discrete are supported"
            )
        if problems:
            raise EnvError(problems)
        assert isinstance(actions, spaces.Discrete)
        made = env.spec or gymnasium.spec(spec.id)
        return EnvFacts(
            features=int(spaces.flatdim(observations)),
            actions=int(actions.n),
            reward_threshold=made.reward_threshold,
            episode_limit=made.max_episode_steps,
            discrete=isinstance(observations, spaces.Discrete),
        )
    finally:
        env.close()


def check_id(env_id: str) -> None:
    """Refuse ids that are not registered here, and ids that would import code ("module:Env-v0")."""
    if not re.fullmatch(r"[A-Za-z0-9_./-]+-v\d+", env_id):
        raise EnvError(
            f"env '{env_id}' is not a gymnasium id; write a registered one like CartPole-v1 "
            "(an id that names a module to import is refused)"
        )
    try:
        gymnasium.spec(env_id)
    except gymnasium.error.Error as error:
        near = difflib.get_close_matches(env_id, gymnasium.registry, n=1)
        hint = (
            f"did you mean '{near[0]}'?"
            if near
            else "register it in a module and add --allow-import MODULE"
        )
        reason = str(error).split(".")[0]
        raise EnvError(f"env '{env_id}' is not registered ({reason}); {hint}") from error


class GymnasiumLanes:
    """Any gymnasium environment with Discrete actions, one object per lane.

    Box observations are flattened, Discrete ones are one-hot.
    """

    def __init__(self, spec: EnvSpec, facts: EnvFacts) -> None:
        self._spec = spec
        self._envs: list[gymnasium.Env[Any, Any]] = []
        self._observations = np.zeros((0, facts.features), dtype=np.float32)
        self._failures: dict[int, str] = {}
        # Observations and first action, asked once: wrappers take microseconds to find them.
        self._spaces: list[tuple[spaces.Space[Any], int]] = []

    @property
    def observations(self) -> NDArray[np.float32]:
        return self._observations

    @property
    def failures(self) -> Mapping[int, str]:
        return self._failures

    def admit(self, *seeds: int) -> None:
        blank = np.zeros((len(seeds), self._observations.shape[1]), dtype=np.float32)
        self._observations = np.concatenate([self._observations, blank])
        for seed in seeds:
            row = len(self._envs)
            env = self._guarded(row, self._spec.make)
            self._envs.append(env if env is not None else gymnasium.Env())
            self._spaces.append((spaces.Discrete(1), 0))
            if env is not None:
                self._spaces[row] = (env.observation_space, env.action_space.start)  # type: ignore[attr-defined]
                self._write(row, partial(env.reset, seed=seed))

    def keep(self, rows: Sequence[int]) -> None:
        for row in set(range(len(self._envs))) - set(rows):
            self._guarded(row, self._envs[row].close)
        self._envs = [self._envs[row] for row in rows]
        self._spaces = [self._spaces[row] for row in rows]
        self._observations = self._observations[list(rows)]
        self._failures = {
            new: self._failures[old] for new, old in enumerate(rows) if old in self._failures
        }

    def step(self, actions: NDArray[np.int64]) -> Step:
        lanes = len(self._envs)
        reward = np.zeros(lanes)
        terminated = np.ones(lanes, dtype=np.bool_)
        truncated = np.zeros(lanes, dtype=np.bool_)
        for row, env in enumerate(self._envs):
            if row in self._failures:
                continue
            space, start = self._spaces[row]
            try:
                after, gain, ended, cut, _ = env.step(start + actions[row])
                self._observations[row] = _flat(space, after)
                reward[row], terminated[row], truncated[row] = _representable(gain), ended, cut
            except Exception:
                self._failures[row] = traceback.format_exc()[-FAILURE_TEXT_CHARACTERS:]
        return Step(reward, terminated, truncated)

    def reset(self, rows: Sequence[int]) -> None:
        for row in rows:
            if row not in self._failures:
                self._write(row, self._envs[row].reset)

    def render(self, row: int) -> Any:
        """What a lane's environment shows, in the render mode that it was made with."""
        return None if row in self._failures else self._guarded(row, self._envs[row].render)

    def _write(self, row: int, begin: Callable[[], tuple[Any, Any]]) -> None:
        shown = self._guarded(row, lambda: _flat(self._spaces[row][0], begin()[0]))
        if shown is not None:
            self._observations[row] = shown

    def _guarded(self, row: int, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception:  # a user's environment may raise anything; it ends its own lane only
            self._failures[row] = traceback.format_exc()[-FAILURE_TEXT_CHARACTERS:]
            return None


def _flat(space: spaces.Space[Any], observation: Any) -> NDArray[np.float32]:
    if isinstance(space, spaces.Discrete):
        one_hot = np.zeros(int(space.n), dtype=np.float32)
        one_hot[int(observation) - int(space.start)] = 1.0
        return one_hot
    values = np.asarray(observation, dtype=np.float32).ravel()
    if len(values) != math.prod(space.shape or ()) or not np.isfinite(values).all():
        raise ValueError(f"observation {observation} is not {space.shape} finite numbers")
    return values


def _representable(reward: Any) -> float:
    if abs(reward) > LARGEST_FLOAT32:  # NaN passes: its lane diverges, and is told so
        raise ValueError(f"reward {reward} is larger than a 32-bit number can be")
    return float(reward)
