"""How often an agent acts at random, as a function of its own step, and the choice itself."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.randomness import WORD, below

CALLS_AHEAD = 256


class EpsilonSchedule(Protocol):
    """The hyperparameters of a schedule."""

    @property
    def epsilon_start(self) -> float: ...

    @property
    def epsilon_end(self) -> float: ...

    @property
    def epsilon_decay_steps(self) -> int: ...

    @property
    def epsilon_decay(self) -> Literal["linear", "exponential"]: ...

    @property
    def epsilon_clock(self) -> Literal["steps", "episodes"]: ...


class EpsilonGreedy:
    """Epsilon-greedy choice with a schedule per lane.

    linear       epsilon(t) = start + (end - start) * min(t / decay_steps, 1)
    exponential  epsilon(t) = end + (start - end) * exp(-t / decay_steps)

    t counts the lane's steps, or the episodes that it has ended.

    episodes: how many each lane has ended, [lanes], where it was told by `end`

    Before its step `random_until` a lane acts at random (as in Stable-Baselines3).
    """

    def __init__(self) -> None:
        self._start = np.empty(0)
        self._end = np.empty(0)
        self._decay_steps = np.empty(0)
        self._exponential = np.empty(0, dtype=np.bool_)
        self._by_episode = np.empty(0, dtype=np.bool_)
        self.episodes = np.empty(0, dtype=np.int64)
        self._random_until = np.empty(0, dtype=np.int64)
        self._limits: NDArray[np.float64] | None = None
        self._looked_from = 0

    def admit(self, hparams: EpsilonSchedule, *, random_until: int = 0) -> None:
        """Add a lane behind the last."""
        self._start = np.append(self._start, hparams.epsilon_start)
        self._end = np.append(self._end, hparams.epsilon_end)
        self._decay_steps = np.append(self._decay_steps, hparams.epsilon_decay_steps)
        exponential = hparams.epsilon_decay == "exponential"
        self._exponential = np.append(self._exponential, exponential)
        self._by_episode = np.append(self._by_episode, hparams.epsilon_clock == "episodes")
        self.episodes = np.append(self.episodes, 0)
        self._random_until = np.append(self._random_until, random_until)
        self._limits = None

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        index = list(rows)
        self._start, self._end = self._start[index], self._end[index]
        self._decay_steps = self._decay_steps[index]
        self._exponential = self._exponential[index]
        self._by_episode, self.episodes = self._by_episode[index], self.episodes[index]
        self._random_until = self._random_until[index]
        self._limits = None

    @property
    def counts_episodes(self) -> bool:
        """Whether any lane has to be told when its episodes `end`."""
        return bool(self._by_episode.any())

    def end(self, ended: NDArray[np.int64]) -> None:
        """So many episodes ended in each lane, [lanes]."""
        self.episodes += ended
        if ended[self._by_episode].any():
            self._limits = None

    def epsilon(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of random actions after `steps` [..., lanes] steps, of the same shape."""
        fraction = np.where(self._by_episode, self.episodes, steps) / self._decay_steps
        left = 1.0 - np.minimum(fraction, 1.0)
        if self._exponential.any():
            left = np.where(self._exponential, np.exp(-fraction), left)
        epsilon = self._end + (self._start - self._end) * left
        return np.where(steps < self._random_until, 1.0, epsilon)

    def choose(
        self,
        greedy: NDArray[np.int64],
        actions: int,
        steps: NDArray[np.int64],
        draws: NDArray[np.uint32],
    ) -> NDArray[np.int64]:
        """A random action where the first word falls below epsilon, else the greedy one.

        greedy [environments], as many of each lane; draws [environments, 2]; `steps` [lanes] grow
        by the same number in all lanes from call to call.
        """
        each = len(greedy) // len(steps)
        limit = self._limit(steps, each)
        if each > 1:
            limit = np.repeat(limit, each)
        explores = draws[:, 0] < limit
        if not explores.any():
            return greedy
        return np.where(explores, below(draws[:, 1], actions), greedy)

    def _limit(self, steps: NDArray[np.int64], stride: int) -> NDArray[np.float64]:
        """Epsilon as a limit for words of 32 bits, worked out for some calls ahead."""
        ahead = (int(steps[0]) - self._looked_from) // stride
        if self._limits is None or not 0 <= ahead < CALLS_AHEAD:
            ahead, self._looked_from = 0, int(steps[0])
            self._limits = self.epsilon(steps + stride * np.arange(CALLS_AHEAD)[:, None]) * WORD
        limit: NDArray[np.float64] = self._limits[ahead]
        return limit
