"""Greedy episodes of many lanes at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts, EnvSpec
from agents.episodes import Episode
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
    endless    lanes among them that failed only by playing on for too long
    """

    returns: NDArray[np.float64]
    truncated: NDArray[np.bool_]
    failures: Mapping[int, str]
    endless: frozenset[int] = frozenset()


def play(
    policy: GreedyPolicy,
    env: EnvSpec,
    facts: EnvFacts,
    seeds: Sequence[int],
    *,
    marks: Sequence[int],
    episodes: int,
    longest: int = LONGEST_EPISODE,
) -> Played:
    """Play `episodes` episodes with every lane of `policy`, all side by side.

    The environments of an evaluation are new ones, seeded by (run seed, mark, episode): what a lane
    scores at a mark depends on its weights and seed only. `seeds` and `marks` are of each lane;
    mark 0 is for agents that are done. An episode that goes on after `longest` steps, and after the
    environment's own limit, is a failure.
    """
    own_seeds = (
        environment_seed(seed, Purpose.EVALUATION, mark, episode)
        for seed, mark in zip(seeds, marks, strict=True)
        for episode in range(episodes)
    )
    envs = make_lane_envs(env, facts)
    envs.admit(*own_seeds)
    stage = _Stage(policy, envs.observations, lanes=len(seeds), episodes=episodes)
    returns = np.zeros(len(seeds) * episodes)
    truncated = np.zeros(len(seeds) * episodes, dtype=np.bool_)
    failures: dict[int, str] = {}
    playing = np.arange(len(seeds) * episodes)
    steps_left = max(longest, facts.episode_limit or 0)
    while len(playing) and steps_left:
        steps_left -= 1
        step = envs.step(stage.actions(playing))
        returns[playing] += step.reward
        truncated[playing] = step.truncated
        stage.show(playing, envs.observations)
        for row, text in envs.failures.items():
            failures.setdefault(int(playing[row]) // episodes, text)
        going = np.flatnonzero(~(step.terminated | step.truncated))
        if len(going) < len(playing):
            envs.keep(going.tolist())
            playing = playing[going]
            stage.clear(playing)
    endless = frozenset(int(row) // episodes for row in playing) - failures.keys()
    failures |= dict.fromkeys(endless, endless_text(env, longest))
    lanes = len(seeds)
    return Played(returns.reshape(lanes, -1), truncated.reshape(lanes, -1), failures, endless)


class _Stage:
    """What the lanes see that still play. Episodes are numbered as at the beginning, lane by lane.

    A lane shows all its episodes, ended ones too: the shape of its product stays the same.
    """

    def __init__(
        self, policy: GreedyPolicy, observations: NDArray[np.float32], lanes: int, episodes: int
    ) -> None:
        self._policy, self._episodes = policy, episodes
        self._shown = observations.reshape(lanes, episodes, -1).copy()
        self._place = np.arange(lanes * episodes)  # of an episode among those shown

    def actions(self, playing: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._policy.actions(self._shown).reshape(-1)[self._place[playing]]

    def show(self, playing: NDArray[np.int64], observations: NDArray[np.float32]) -> None:
        self._shown.reshape(-1, observations.shape[1])[self._place[playing]] = observations

    def clear(self, playing: NDArray[np.int64]) -> None:
        """Let lanes go of which no episode plays, once they are half of those here."""
        lanes = np.unique(self._place[playing] // self._episodes)
        if 0 < 2 * len(lanes) <= len(self._shown):
            self._policy = self._policy.selected(lanes.tolist())
            self._shown = self._shown[lanes]
            moved_to = np.zeros(int(lanes[-1]) + 1, dtype=np.int64)
            moved_to[lanes] = np.arange(len(lanes))
            lane, episode = np.divmod(self._place[playing], self._episodes)
            self._place[playing] = moved_to[lane] * self._episodes + episode


def endless_text(env: EnvSpec, longest: int) -> str:
    """Why an episode is a failure that went on for `longest` steps."""
    return (
        f"an episode of {env.id} did not end within {longest:,} steps; "
        "give it a time limit: env_kwargs = { max_episode_steps = 1_000 }"
    )


@dataclass(frozen=True)
class Followed:
    """What else there is to see of a lane at a mark.

    tensors   its policy, by name
    readings  how its learning goes (see `Learner.readings`)
    episodes  of training that ended since the mark before
    moment    when it was reached, in seconds of time.monotonic
    """

    tensors: Mapping[str, Tensor]
    readings: Mapping[str, float]
    episodes: Sequence[Episode]
    moment: float


@dataclass(frozen=True)
class Due:
    """A run whose lane stands at a mark. tensors: its policy by name, if it is asked for."""

    run: str
    seed: int
    mark: int
    step: int
    tensors: Mapping[str, Tensor]
    followed: Followed | None


class Evaluations:
    """Evaluations that wait for each other, to be played side by side.

    A result is a function of weights, seed and mark, which are frozen here: waiting changes none.
    """

    def __init__(self, env: EnvSpec, facts: EnvFacts, episodes: int) -> None:
        self._env, self._facts, self._episodes = env, facts, episodes
        self._due: list[Due] = []
        self._policy: GreedyPolicy | None = None

    def __len__(self) -> int:
        return len(self._due)

    def add(self, due: Sequence[Due], policy: GreedyPolicy) -> None:
        """Take in what these lanes would do now."""
        self._due += due
        self._policy = policy if self._policy is None else self._policy.joined(policy)

    def drop(self, runs: Sequence[str]) -> None:
        """Play nothing of these runs."""
        rows = [row for row, due in enumerate(self._due) if due.run not in runs]
        self._due = [self._due[row] for row in rows]
        self._policy = self._policy.selected(rows) if self._policy and rows else None

    def play(self) -> Iterator[tuple[Due, tuple[float, ...], str | None]]:
        """Returns of everything that waited, in its order, or why there are none."""
        due, policy = self._due, self._policy
        self._due, self._policy = [], None
        if policy is None:
            return
        played = play(
            policy,
            self._env,
            self._facts,
            [one.seed for one in due],
            marks=[one.mark for one in due],
            episodes=self._episodes,
        )
        for row, one in enumerate(due):
            returns = tuple(played.returns[row].tolist())
            failure = played.failures.get(row)
            if failure is None and not np.isfinite(returns).all():
                failure = f"an evaluation returned {returns}, not all finite numbers"
            yield one, returns, failure
