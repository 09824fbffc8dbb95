"""What lanes of deep Q-learning remember: transitions put together, stored, and sampled again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.deep_q_hparams import DeepQHparams
from agents.environments import Step, environments_of
from agents.n_step import NStep, single
from agents.priorities import Priorities
from agents.replay import Floats, Replay

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Which transitions were sampled, all [lanes, batch].

    place     in the lanes' rings
    expected  N P(i) of each, as `Priorities` has it; None where every lane samples uniformly
    """

    place: Places
    expected: NDArray[np.float64] | None


class Memory:
    """A replay ring for every lane, with open transitions and priorities while a lane has such.

    environments  of every lane
    """

    def __init__(self, features: int, environments: int, budget_steps: int) -> None:
        self._features = features
        self._environments = environments
        self._budget_steps = budget_steps
        self.replay = Replay(features)
        self._window: NStep | None = None  # while every lane learns from single steps
        self._priorities: Priorities | None = None  # while every lane samples uniformly
        self._lanes: list[DeepQHparams] = []
        self._fit()

    def admit(self, hparams: DeepQHparams) -> None:
        """Remember nothing yet of a lane behind the last."""
        capacity = min(hparams.buffer_size, self._budget_steps)
        self.replay.admit(capacity)
        if self._window is None and hparams.n_steps > 1:
            self._window = NStep(self._features)
            for lane in self._lanes:  # with single steps, of which none is open
                self._window.admit(lane.n_steps, lane.gamma, environments=self._environments)
        if self._window is not None:
            self._window.admit(hparams.n_steps, hparams.gamma, environments=self._environments)
        if self._priorities is None and hparams.priority_alpha > 0.0:
            self._priorities = Priorities(self._budget_steps)
            for lane in self._lanes:  # of which none has any
                self._priorities.admit(0.0, lane.priority_beta, capacity=1)
        if self._priorities is not None:
            self._priorities.admit(hparams.priority_alpha, hparams.priority_beta, capacity)
        self._lanes.append(hparams)
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        self.replay.keep(rows)
        if self._window is not None:
            self._window.keep(environments_of(rows, self._environments))
        if self._priorities is not None:
            self._priorities.keep(rows)
        self._lanes = [self._lanes[row] for row in rows]
        self._fit()

    def store(
        self, observations: Floats, actions: Places, step: Step, next_observations: Floats
    ) -> None:
        """Keep what a step of every environment brought, or what it completed.

        All [lanes * environments, ...].
        """
        if self._window is None and self._environments == 1:
            lane, reward, terminated = self._lane_of, step.reward, step.terminated
            place = self.replay.store(observations, actions, reward, terminated, next_observations)
        else:
            brought = single if self._window is None else self._window.push
            completed = brought(observations, actions, step, next_observations)
            lane = self._lane_of[completed.environment]
            place = self.replay.append(lane, completed)
        if self._priorities is not None:
            self._priorities.insert(lane, place)

    def sample(self, draws: NDArray[np.uint32], out: Floats) -> Sample:
        """Read what these draws [lanes, batch] choose into `out` [lanes, batch, width]."""
        place, expected = self.replay.uniform(draws), None
        if self._priorities is not None:
            place, expected = self._priorities.sample(place, draws, self.replay.fill)
        self.replay.read(place, out=out)
        return Sample(place, expected)

    def importance(
        self, sample: Sample, counted: NDArray[np.bool_], steps: Places
    ) -> Floats | None:
        """How much each of the sample counts (see `Priorities.weights`); None: all the same."""
        if self._priorities is None or sample.expected is None:
            return None
        return self._priorities.weights(sample.expected, counted, steps)

    def update(
        self,
        sample: Sample,
        errors: Floats,
        counted: NDArray[np.bool_],
        learning: NDArray[np.bool_],
    ) -> None:
        """Take in the TD errors of what was sampled (see `Priorities.update`)."""
        if self._priorities is not None:
            self._priorities.update(sample.place, errors, counted, learning)

    def _fit(self) -> None:
        """Number the lanes there are now, once for each of their environments."""
        self._lane_of = np.repeat(np.arange(len(self._lanes)), self._environments)
