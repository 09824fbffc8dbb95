"""Lanes that share shapes, trained together from mark to mark."""

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
import torch

from agents.budget import Budget
from agents.environments import EnvFacts, EnvSpec, environments_of
from agents.episodes import Episodes
from agents.evaluation import Due, Evaluations, Followed
from agents.exactness import exact_arithmetic
from agents.hparams import Hparams
from agents.lane_envs import make_lane_envs
from agents.learner import make_learner
from agents.randomness import Purpose, environment_seed

DIVERGED = "the network's weights are no longer finite numbers; lower the learning rate"


@dataclass(frozen=True)
class RunSpec:
    """Everything the result of a run depends on."""

    agent: str
    hparams: Hparams
    env: EnvSpec
    budget: Budget
    seed: int

    @property
    def cohort_key(self) -> Hashable:
        """Equal for runs whose lanes fit into one cohort."""
        kwargs = tuple(sorted((name, repr(value)) for name, value in self.env.kwargs.items()))
        return (self.agent, self.env.id, kwargs, self.budget, self.hparams.shape)


@dataclass(frozen=True)
class Evaluated:
    """A lane reached mark number `mark`, counted from 1, at environment step `step`.

    With several environments per lane that may be a few steps behind the mark's own.

    followed: more of the same moment, where training is followed
    """

    run: str
    mark: int
    step: int
    returns: tuple[float, ...]
    followed: Followed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Finished:
    """A lane reached the end of its budget, with its policy as tensors by name.

    exact: whether the start-up test found lanes independent bit for bit in this process.
    """

    run: str
    tensors: dict[str, torch.Tensor]
    exact: bool


@dataclass(frozen=True)
class Failed:
    """A lane ended early: its environment raised, or its weights are no longer numbers."""

    run: str
    reason: str
    text: str


Event = Evaluated | Finished | Failed


@dataclass(frozen=True)
class _Lane:
    run: str
    spec: RunSpec
    marks_reached: int = 0


class Cohort:
    """Lanes of equal `cohort_key`. Runs are named by strings of the caller's choice.

    followed: marks are told with what else there is to see, which changes no result
    """

    def __init__(
        self, spec: RunSpec, facts: EnvFacts, device: torch.device, *, followed: bool = False
    ) -> None:
        self._budget = spec.budget
        self._rhythm = spec.hparams.rhythm
        self._environments = spec.hparams.environments  # of each lane, beside each other
        self._learner = make_learner(spec.agent, spec.hparams, facts, spec.budget.steps, device)
        with exact_arithmetic():
            self._exact = self._learner.is_exact(spec.budget.episodes)
        self._envs = make_lane_envs(spec.env, facts)
        self._lanes: list[_Lane] = []
        self._steps = np.empty(0, dtype=np.int64)
        self._waiting: list[_Lane] = []
        self._evaluations = Evaluations(spec.env, facts, spec.budget.episodes)
        self._steps_to_mark = 0
        self._episodes = Episodes(self._environments) if followed else None
        self.lane_steps = 0  # environment steps trained so far, all lanes together
        self.steps = 0  # how often all lanes were moved by one

    @property
    def runs(self) -> list[str]:
        """The runs it holds, admitted or waiting."""
        return [lane.run for lane in (*self._lanes, *self._waiting)]

    def admit(self, run: str, spec: RunSpec) -> None:
        """Begin this run with the next round of updates, so that all lanes update in step."""
        self._waiting.append(_Lane(run, spec))

    def evict(self, runs: Sequence[str]) -> None:
        """Let these runs go; the others do not notice."""
        self._waiting = [lane for lane in self._waiting if lane.run not in runs]
        self._evaluations.drop(runs)
        self._let_go(runs)

    def advance(self, steps: int) -> Iterator[Event]:
        """Train every lane for up to `steps` environment steps; yield what happened on the way.

        With several environments per lane it may be some steps more.
        """
        for _ in range(0, steps, self._environments):
            self._let_in()
            if not self._lanes:
                return
            self._step()
            self._steps_to_mark -= self._environments
            if failures := self._envs.failures:
                each = self._environments
                broken = {self._lanes[row // each].run: failures[row] for row in failures}
                yield from self._fail(broken)
            if self._steps_to_mark <= 0:
                yield from self._evaluate()

    def _let_in(self) -> None:
        if self._waiting and (not self._lanes or self._steps[0] % self._rhythm == 0):
            for lane in self._waiting:
                seed = lane.spec.seed
                self._learner.admit(lane.spec.hparams, seed)
                self._envs.admit(environment_seed(seed, Purpose.ENVIRONMENT))
                for number in range(1, self._environments):
                    self._envs.admit(environment_seed(seed, Purpose.ENVIRONMENT, number))
                if self._episodes is not None:
                    self._episodes.admit()
                self._lanes.append(lane)
            self._steps = np.append(self._steps, np.zeros(len(self._waiting), dtype=np.int64))
            self._waiting = []
            self._look_ahead()

    def _step(self) -> None:
        before = self._envs.observations.copy()
        actions = self._learner.act(before, self._steps)
        step = self._envs.step(actions)
        self._steps += self._environments
        self.lane_steps += len(actions)
        self.steps += self._environments
        self._learner.learn(before, actions, step, self._envs.observations, self._steps)
        ended = np.flatnonzero(step.terminated | step.truncated)
        if self._episodes is not None:
            self._episodes.step(self._steps, step.reward, ended)
        if len(ended):
            self._envs.reset(ended.tolist())

    def _evaluate(self) -> Iterator[Event]:
        """Take the policies of lanes that stand at a mark; let those at their last mark go."""
        at_mark = [row for row in range(len(self._lanes)) if self._steps[row] >= self._mark(row)]
        diverged = self._learner.diverged(at_mark)
        broken = [row for row, lost in zip(at_mark, diverged, strict=True) if lost]
        whole = [row for row in at_mark if row not in broken]
        due = [self._reach_mark(row) for row in whole]
        if due:
            self._evaluations.add(due, self._learner.policy(whole))
        failed = {self._lanes[row].run: DIVERGED for row in broken}
        finished = [one.run for one in due if self._is_last(one)]
        self._let_go(finished)
        if failed:
            yield from self._fail(failed)
        elif finished or len(self._evaluations) >= len(self._lanes):
            yield from self._play()

    def _play(self) -> Iterator[Event]:
        """Evaluate every policy that waits."""
        failed: set[str] = set()
        for due, returns, failure in self._evaluations.play():
            if due.run in failed:
                continue
            if failure is not None:
                failed.add(due.run)
                yield Failed(due.run, "env_error", failure)
                continue
            yield Evaluated(due.run, due.mark, due.step, returns, due.followed)
            if self._is_last(due):
                yield Finished(due.run, dict(due.tensors), self._exact)
        self._let_go(failed)

    def _fail(self, broken: Mapping[str, str]) -> Iterator[Event]:
        """Let runs go that cannot go on, once their earlier marks are told."""
        yield from self._play()
        for run in [lane.run for lane in self._lanes if lane.run in broken]:
            reason = "diverged" if broken[run] is DIVERGED else "env_error"
            yield Failed(run, reason, broken[run])
        self._let_go(broken)

    def _let_go(self, runs: Container[str]) -> None:
        self._keep([row for row, lane in enumerate(self._lanes) if lane.run not in runs])

    def _reach_mark(self, row: int) -> Due:
        lane = self._lanes[row]
        mark, step = lane.marks_reached + 1, int(self._steps[row])
        self._lanes[row] = replace(lane, marks_reached=mark)
        is_last = mark == self._budget.evaluations
        tensors = self._learner.tensors(row) if is_last or self._episodes is not None else {}
        followed = None
        if self._episodes is not None:
            readings = self._learner.readings(row, self._steps)
            followed = Followed(tensors, readings, self._episodes.taken(row), monotonic())
        return Due(lane.run, lane.spec.seed, mark, step, tensors, followed)

    def _is_last(self, due: Due) -> bool:
        return due.mark == self._budget.evaluations

    def _keep(self, rows: list[int]) -> None:
        if len(rows) < len(self._lanes):
            self._learner.keep(rows)
            self._envs.keep(environments_of(rows, self._environments))
            if self._episodes is not None:
                self._episodes.keep(rows)
            self._lanes = [self._lanes[row] for row in rows]
            self._steps = self._steps[rows]
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Count the steps to the next mark of any lane."""
        left = (self._mark(row) - int(self._steps[row]) for row in range(len(self._lanes)))
        self._steps_to_mark = min(left, default=0)

    def _mark(self, row: int) -> int:
        return self._budget.marks[self._lanes[row].marks_reached]
