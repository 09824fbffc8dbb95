"""What a study holds, read from its database: trials, their seeds' scores, the best."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tuner.errors import TooManyFailures, UsageError
from tuner.seed_statistics import Spread, across_seeds
from tuner.storage import Run, Store
from tuner.study import Study
from tuner.trials import SPEC


@dataclass(frozen=True)
class TrialSummary:
    """One trial. spread is None until all its seeds are scored."""

    number: int
    state: str
    params: Mapping[str, Any]
    runs: Sequence[Run]
    spread: Spread | None
    failure: str | None


@dataclass(frozen=True)
class StudySummary:
    """One study as its database has it."""

    study: Study
    trials: Sequence[TrialSummary]

    @property
    def complete(self) -> list[TrialSummary]:
        """The trials with a value, best first; of equals the one with the lower number."""
        done = [trial for trial in self.trials if trial.spread is not None]
        return sorted(done, key=lambda trial: (-_mean(trial), trial.number))

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in sorted(set(states))}

    @property
    def runs(self) -> int:
        """How many runs the whole study has."""
        return self.study.study.trials * self.study.seeds.start

    @property
    def runs_finished(self) -> int:
        """How many of them are recorded with a score."""
        return sum(run.score is not None for trial in self.trials for run in trial.runs)

    @property
    def last_failure(self) -> str | None:
        """Why the last of the failed trials failed; None if none did."""
        return next((t.failure for t in reversed(self.trials) if t.failure is not None), None)

    def check_any_complete(self) -> None:
        """Raise TooManyFailures if there are trials and none has a value."""
        if self.trials and not self.complete:
            raise TooManyFailures(
                f"no trial of study '{self.study.name}' is complete; the last failure: "
                f"{self.last_failure}; mend it, then launch under a new name or with another "
                "--storage: failed trials are not tried again"
            )

    def as_data(self) -> dict[str, Any]:
        """The same as plain data, for scripts."""
        return {
            "study": self.study.name,
            "trials": self.study.study.trials,
            "states": self.counts,
            "runs": self.runs,
            "runs_finished": self.runs_finished,
            "best": [_as_data(trial) for trial in self.complete[:10]],
        }

    def chosen(self, number: int | None = None) -> TrialSummary:
        """The trial of that number, or the best. It has a value.

        Raises TooManyFailures if nothing is complete, UsageError for a number that will not do.
        """
        complete = self.complete
        if number is None:
            if not complete:
                counts = ", ".join(f"{n} {state}" for state, n in self.counts.items())
                raise TooManyFailures(
                    f"nothing to export yet in study '{self.study.name}': no complete trial "
                    f"({counts or 'no trials'}); run `tuner launch` to the end"
                )
            return complete[0]
        known = {trial.number: trial for trial in self.trials}
        if number not in known:
            raise UsageError(
                f"--trial: trial {number} does not exist; the study has "
                f"{f'0 to {max(known)}' if known else 'none'}"
            )
        if known[number].spread is None:
            why = known[number].failure or "its runs are not finished"
            hint = f"choose a complete one, e.g. {complete[0].number}" if complete else "wait"
            raise UsageError(f"--trial: trial {number} is {known[number].state} ({why}); {hint}")
        return known[number]


def summarize(store: Store, name: str) -> StudySummary:
    """Read a study. Raises UsageError if there is none of that name."""
    optuna_study = store.optuna_study(name)
    if SPEC not in optuna_study.user_attrs:
        raise UsageError(f"study '{name}' in {store.url} was made by another program")
    study = Study.from_spec(json.loads(optuna_study.user_attrs[SPEC]))
    by_trial: dict[int, list[Run]] = {}
    for run in store.runs(name):
        by_trial.setdefault(run.trial, []).append(run)
    trials = optuna_study.get_trials(deepcopy=False)
    return StudySummary(study, [_trial(t, by_trial.get(t.number, [])) for t in trials])


def our_studies(store: Store) -> list[str]:
    """The studies in this database that have a specification of ours."""
    return [name for name in store.study_names() if SPEC in store.optuna_study(name).user_attrs]


def only_study(store: Store, name: str | None) -> str:
    """`name`, or the database's study if it holds just one."""
    if name is not None:
        return name
    names = our_studies(store)
    if len(names) == 1:
        return names[0]
    held = f"it holds {', '.join(names)}" if names else "it holds none"
    raise UsageError(f"name a study of {store.url}; {held}")


def _trial(trial: FrozenTrial, runs: Sequence[Run]) -> TrialSummary:
    scores = [run.score for run in runs if run.score is not None]
    return TrialSummary(
        number=trial.number,
        state=trial.state.name,
        params=trial.params,
        runs=runs,
        spread=across_seeds(scores) if trial.state == TrialState.COMPLETE else None,
        failure=trial.user_attrs.get("failure"),
    )


def _mean(trial: TrialSummary) -> float:
    assert trial.spread is not None
    return trial.spread.mean


def _as_data(trial: TrialSummary) -> dict[str, Any]:
    assert trial.spread is not None
    return {
        "trial": trial.number,
        "mean": trial.spread.mean,
        "std": trial.spread.std,
        "min": trial.spread.minimum,
        "seeds": [run.seed for run in trial.runs if run.score is not None],
        "scores": list(trial.spread.scores),
        "params": dict(trial.params),
    }
