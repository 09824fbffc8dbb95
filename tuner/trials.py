"""The trials of one study in Optuna: asked, reported and told by the scheduler alone.

They stand twice: in the database, which is the record, and in memory, where the sampler looks.
In the database it would read every open trial anew at each question.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from tuner.errors import StorageError, StudyError
from tuner.evidence import Sample
from tuner.samplers import make_pruner, make_sampler
from tuner.search_space import suggest_all
from tuner.storage import Store
from tuner.study import Study

SPEC = "spec"  # the study's user attribute that holds its file as JSON
ENV_FIGURES = "env_figures"  # what scores are measured by
RACE = "race"  # the trial's that holds what was decided on it
OPEN = (TrialState.RUNNING, TrialState.WAITING)


@dataclass(frozen=True)
class OpenTrial:
    """A trial that has been asked and not yet told.

    continued  how often it was taken up again after an interruption
    reported   the marks whose mean was reported before
    race       the decisions on it so far
    """

    number: int
    params: Mapping[str, Any]
    continued: int = 0
    reported: frozenset[int] = frozenset()
    race: Sequence[Mapping[str, Any]] = ()


class Trials:
    """Creates the study in the store if it is missing; refuses one made from another file."""

    def __init__(self, study: Study, store: Store) -> None:
        self._study = study
        self._store = store
        self._recorded = optuna.create_study(
            study_name=study.name,
            storage=store.optuna,
            direction="maximize",
            load_if_exists=True,
        )
        self._live: dict[int, optuna.Trial] = {}
        self._pruner = make_pruner(study.pruner.name, study.budget.evaluations)
        recorded = self._recorded.user_attrs.get(SPEC)
        if recorded is None and self._recorded.get_trials(deepcopy=False):
            raise StudyError(
                f"study '{study.name}' in {store.url} was made by another program; give yours "
                "another name, or use another database by --storage"
            )
        if recorded is None:
            self._recorded.set_user_attr("fingerprint", study.fingerprint())
        elif differences := study.differences(Study.from_spec(json.loads(recorded))):
            raise StudyError(
                [
                    f"study '{study.name}' was recorded with another specification: {line}"
                    for line in differences
                ]
                + ["give the changed study a new name, or use another database by --storage"]
            )
        if recorded != (spec := json.dumps(study.spec())):
            self._recorded.set_user_attr(SPEC, spec)  # `trials` may change from launch to launch
        self._remembered = _in_memory(self._recorded)

    @property
    def asked(self) -> int:
        """How many trials there are, in any state."""
        return len(self._all())

    def told(self) -> list[FrozenTrial]:
        """The trials that are over."""
        return [trial for trial in self._all() if trial.state not in OPEN]

    def ask(self) -> OpenTrial:
        """A new trial from the sampler.

        The sampler is seeded by (master seed, trial number), so that a restart does not repeat
        proposals.
        """
        self._remembered.sampler = self._sampler(self.asked)
        proposed = self._remembered.ask()
        suggest_all(proposed, self._study.study.agent, self._study.space)
        number = proposed.number
        asked = self._all()[number]
        trial_id = self._store.optuna.create_new_trial(self._recorded._study_id, asked)
        trial = optuna.Trial(self._recorded, trial_id)
        if trial.number != number:
            raise StorageError(
                f"storage: another program added trial {number} to study '{self._study.name}' "
                f"in {self._store.url} during the search; stop it, then launch again"
            )
        self._live[number] = trial
        return OpenTrial(number, trial.params)

    def take_up(self) -> list[OpenTrial]:
        """The trials that are open, under their own numbers: left by a dead scheduler, or enqueued
        by Optuna's own means."""
        taken = []
        for frozen in self._recorded.get_trials(deepcopy=False):
            if frozen.state not in OPEN:
                continue
            self._recorded.sampler = self._sampler(frozen.number)
            if frozen.state == TrialState.WAITING:
                trial, continued = self._recorded.ask(), 0
            else:
                trial = optuna.Trial(self._recorded, frozen._trial_id)
                continued = int(frozen.user_attrs.get("continued", 0)) + 1
                trial.set_user_attr("continued", continued)
            suggest_all(trial, self._study.study.agent, self._study.space)
            self._live[frozen.number] = trial
            reported = frozenset(frozen.intermediate_values)
            race = frozen.user_attrs.get(RACE, ())
            taken.append(OpenTrial(frozen.number, trial.params, continued, reported, race))
        self._remembered = _in_memory(self._recorded)
        return taken

    def report(self, number: int, mark: int, mean: float) -> bool:
        """The mean over the trial's first seeds at a mark, for Optuna's plots and its pruner.

        Whether the pruner wants the trial to end.
        """
        self._live[number].report(mean, step=mark)
        if self._pruner is None:
            return False
        trial_id, memory = self._all()[number]._trial_id, self._remembered._storage
        memory.set_trial_intermediate_value(trial_id, mark, mean)
        before = memory.get_trial_system_attrs(trial_id).keys()
        pruned = self._pruner.prune(self._remembered, memory.get_trial(trial_id))
        after = memory.get_trial_system_attrs(trial_id)
        for name in after.keys() - before:  # hyperband's rungs, which a restart must find
            self._store.optuna.set_trial_system_attr(
                self._live[number]._trial_id, name, after[name]
            )
        return pruned

    def add_decision(self, number: int, decision: Mapping[str, Any]) -> None:
        """Record what the race decided on the trial, with the numbers it used."""
        trial = self._live[number]
        trial.set_user_attr(RACE, [*trial.user_attrs.get(RACE, ()), decision])

    def complete(self, number: int, value: float, sample: Sample) -> None:
        """Tell the sampler the trial's value, with a summary that the dashboard shows."""
        trial = self._live.pop(number)
        for name, attr in summary_attrs(sample).items():
            trial.set_user_attr(name, attr)
        self._recorded.tell(trial, value)
        self._remembered.tell(number, value)

    def prune(self, number: int) -> None:
        """Record that the trial was given up early."""
        self._recorded.tell(self._live.pop(number), state=TrialState.PRUNED)
        self._remembered.tell(number, state=TrialState.PRUNED)

    def note(self, name: str, data: Mapping[str, Any]) -> None:
        """Keep plain data with the study."""
        self._recorded.set_user_attr(name, data)

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """What was kept with the study."""
        found: Mapping[str, Any] | None = self._recorded.user_attrs.get(name)
        return found

    def _all(self) -> list[FrozenTrial]:
        return self._remembered.get_trials(deepcopy=False)

    def _sampler(self, number: int) -> BaseSampler:
        entropy = np.random.SeedSequence([self._study.study.master_seed, number])
        return make_sampler(self._study.sampler.name, seed=int(entropy.generate_state(1)[0]))


def _in_memory(recorded: optuna.Study) -> optuna.Study:
    """The same trials under the same numbers."""
    memory = InMemoryStorage()
    name = recorded.study_name  # by which hyperband chooses brackets
    study = optuna.create_study(study_name=name, storage=memory, direction="maximize")
    for trial in recorded.get_trials(deepcopy=False):
        memory.create_new_trial(study._study_id, trial)
    return study


def summary_attrs(sample: Sample) -> dict[str, Any]:
    """What the dashboard shows of a trial's seeds."""
    shown = sample.as_data()
    solved = {}
    if shown["solved"] is not None:
        solved = {"solved": f"{shown['solved']} of {sample.n}", "solved_ci95": shown["solved_ci95"]}
    names = ("mean", "std", "min", "max", "ci95", "ci_method", "failed", "failure_rate_upper95")
    return {"seed_scores": list(sample.scores), **solved, **{name: shown[name] for name in names}}
