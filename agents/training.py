"""Training runs as lanes: the one way in which anything is trained here."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import torch

from agents.cohort import Cohort, Event, RunSpec
from agents.environments import EnvFacts, EnvSpec
from agents.exactness import exact_arithmetic
from agents.kinds import describe_for


def train(
    runs: Mapping[str, RunSpec], device: str = "cpu", *, followed: bool = False
) -> Iterator[Event]:
    """Train all these runs side by side to their end. Yields what happens, as it happens.

    followed: marks are told with what else there is to see, which changes no result
    """
    training = Training(device, followed=followed)
    for run, spec in runs.items():
        training.admit(run, spec)
    while training.lanes:
        yield from training.advance(steps=1_000)


class Training:
    """The cohorts of one process. Runs are named by strings of the caller's choice."""

    def __init__(self, device: str = "cpu", *, followed: bool = False) -> None:
        self._device = torch.device(device)
        self._followed = followed
        self._cohorts: dict[Hashable, Cohort] = {}
        self._facts: dict[str, EnvFacts] = {}
        self.lane_steps = 0  # environment steps trained so far, all lanes together
        self.cohort_steps = 0  # steps of cohorts, each of which moved all its lanes by one

    @property
    def lanes(self) -> int:
        """How many runs are in training."""
        return sum(len(cohort.runs) for cohort in self._cohorts.values())

    def admit(self, run: str, spec: RunSpec) -> None:
        """Train this run beside the others. Raises EnvError where its environment is unfit."""
        key = spec.cohort_key
        if key not in self._cohorts:
            facts = self._describe(spec.agent, spec.env)
            self._cohorts[key] = Cohort(spec, facts, self._device, followed=self._followed)
        self._cohorts[key].admit(run, spec)

    def evict(self, runs: Sequence[str]) -> None:
        """Let these runs go."""
        with exact_arithmetic():
            for cohort in self._cohorts.values():
                cohort.evict(runs)

    def advance(self, steps: int) -> list[Event]:
        """Train every cohort for `steps` steps of its lanes."""
        events: list[Event] = []
        with exact_arithmetic():
            for key, cohort in list(self._cohorts.items()):
                lanes, cohorts = cohort.lane_steps, cohort.steps
                events += cohort.advance(steps)
                self.lane_steps += cohort.lane_steps - lanes
                self.cohort_steps += cohort.steps - cohorts
                if not cohort.runs:
                    del self._cohorts[key]
        return events

    def _describe(self, kind: str, env: EnvSpec) -> EnvFacts:
        name = f"{kind} {env}"
        if name not in self._facts:
            self._facts[name] = describe_for(kind, env)
        return self._facts[name]
