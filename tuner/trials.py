"""The trials of one study in Optuna: asked, reported and told by the scheduler alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from tuner.errors import StudyError
from tuner.search_space import distributions, suggest
from tuner.seed_statistics import Spread
from tuner.storage import Store
from tuner.study import Study

SPEC = "spec"  # the study's user attribute that holds its file as JSON
OPEN = (TrialState.RUNNING, TrialState.WAITING)


@dataclass(frozen=True)
class OpenTrial:
    """A trial that has been asked and not yet told.

    continued  how often it was taken up again after an interruption
    reported   the marks whose mean was reported before
    """

    number: int
    params: Mapping[str, Any]
    continued: int = 0
    reported: frozenset[int] = frozenset()


class Trials:
    """Creates the study in the store if it is missing; refuses one made from another file."""

    def __init__(self, study: Study, store: Store) -> None:
        self._study = study
        self._distributions = distributions(study.study.agent, study.space)
        self._optuna = optuna.create_study(
            study_name=study.name,
            storage=store.optuna,
            direction="maximize",
            load_if_exists=True,
        )
        self._live: dict[int, optuna.Trial] = {}
        recorded = self._optuna.user_attrs.get(SPEC)
        if recorded is None and self._all():
            raise StudyError(
                f"study '{study.name}' in {store.url} was made by another program; give yours "
                "another name, or use another database by --storage"
            )
        if recorded is None:
            self._optuna.set_user_attr("fingerprint", study.fingerprint())
        elif differences := study.differences(Study.from_spec(json.loads(recorded))):
            raise StudyError(
                [
                    f"study '{study.name}' was recorded with another specification: {line}"
                    for line in differences
                ]
                + ["give the changed study a new name, or use another database by --storage"]
            )
        if recorded != (spec := json.dumps(study.spec())):
            self._optuna.set_user_attr(SPEC, spec)  # `trials` may change from launch to launch

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
        self._optuna.sampler = self._sampler(self.asked)
        trial = self._optuna.ask(fixed_distributions=self._distributions)
        self._live[trial.number] = trial
        return OpenTrial(trial.number, trial.params)

    def take_up(self) -> list[OpenTrial]:
        """The trials that a dead scheduler left open, under their own numbers."""
        taken = []
        for frozen in self._all():
            if frozen.state != TrialState.RUNNING:
                continue
            self._optuna.sampler = self._sampler(frozen.number)
            trial = optuna.Trial(self._optuna, frozen._trial_id)
            for name, distribution in self._distributions.items():
                suggest(trial, name, distribution)
            continued = int(frozen.user_attrs.get("continued", 0)) + 1
            trial.set_user_attr("continued", continued)
            self._live[frozen.number] = trial
            reported = frozenset(frozen.intermediate_values)
            taken.append(OpenTrial(frozen.number, trial.params, continued, reported))
        return taken

    def report(self, number: int, mark: int, mean: float) -> None:
        """The mean over the trial's seeds at a mark, for Optuna's plots."""
        self._live[number].report(mean, step=mark)

    def complete(self, number: int, spread: Spread) -> None:
        """Tell the sampler the trial's value, with a summary that the dashboard shows."""
        trial = self._live.pop(number)
        for name, value in summary_attrs(spread).items():
            trial.set_user_attr(name, value)
        self._optuna.tell(trial, spread.mean)

    def fail(self, number: int, reason: str) -> None:
        """Record that the trial has no value, and why."""
        trial = self._live.pop(number)
        trial.set_user_attr("failure", reason)
        self._optuna.tell(trial, state=TrialState.FAIL)

    def _all(self) -> list[FrozenTrial]:
        return self._optuna.get_trials(deepcopy=False)

    def _sampler(self, number: int) -> BaseSampler:
        entropy = np.random.SeedSequence([self._study.study.master_seed, number])
        seed = int(entropy.generate_state(1)[0])
        if self._study.sampler.name == "random":
            return RandomSampler(seed=seed)
        return TPESampler(seed=seed)


def summary_attrs(spread: Spread) -> dict[str, Any]:
    """What the dashboard shows of a trial's seeds."""
    return {
        "seed_scores": [round(score, 3) for score in spread.scores],
        "mean": spread.mean,
        "std": spread.std,
        "min": spread.minimum,
    }
