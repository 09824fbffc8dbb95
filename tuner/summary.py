"""What a study holds, read from its database: trials, their seeds' scores, the best."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tuner import study as study_files
from tuner.errors import TooManyFailures, UsageError
from tuner.evidence import EnvFigures, Evidence, Sample, env_figures
from tuner.finals import Finals, finals_of
from tuner.phases import DEFAULT_CONFIG
from tuner.racing import Decision, noise
from tuner.recorder import with_scores
from tuner.seed_pools import Pool
from tuner.storage import Run, Store
from tuner.study import Study
from tuner.trials import ENV_FIGURES, RACE, SPEC
from tuner.wording import sentence


@dataclass(frozen=True)
class TrialSummary:
    """One trial with its tuning runs. value and sample are None unless it is complete.

    race  what was decided on it, one decision after the other
    """

    number: int
    state: str
    params: Mapping[str, Any]
    runs: Sequence[Run]
    value: float | None
    sample: Sample | None
    failure: str | None
    race: Sequence[Decision] = ()


@dataclass(frozen=True)
class StudySummary:
    """One study as its database has it."""

    study: Study
    trials: Sequence[TrialSummary]
    finals: Finals
    env: EnvFigures

    @cached_property
    def complete(self) -> list[TrialSummary]:
        """The trials with a value, best first; of equals the one with the lower number."""
        done = [trial for trial in self.trials if trial.value is not None]  # and runs of ours
        return sorted(done, key=lambda trial: (-(trial.value or 0.0), trial.number))

    @cached_property
    def reliability(self) -> float | None:
        """The share of the differences between trials that is real; None if it cannot be told."""
        field = {trial.number: trial.sample.scores for trial in self.complete if trial.sample}
        known = noise(field)
        if known is None or known.is_none:
            return None
        return known.weight(round(fmean(map(len, field.values()))))

    def evidence(self, configuration: int) -> Evidence:
        """What the runs say of a trial, or of DEFAULT_CONFIG."""
        is_trial = configuration != DEFAULT_CONFIG
        return Evidence(
            trial=configuration if is_trial else None,
            trials=len(self.complete),
            best_tune=max((t.sample.mean for t in self.complete if t.sample), default=None),
            tune=self._sample(configuration, Pool.TUNE) if is_trial else None,
            confirm=self._sample(configuration, Pool.CONFIRM),
            test=self._sample(configuration, Pool.TEST),
            default_confirm=self._sample(DEFAULT_CONFIG, Pool.CONFIRM),
            default_test=self._sample(DEFAULT_CONFIG, Pool.TEST),
            reliability=self.reliability,
            tested_before=self.finals.tested_before,
        )

    def _sample(self, configuration: int, pool: Pool) -> Sample | None:
        """None unless every seed there should be is recorded; tuning seeds are those it got."""
        runs = self.finals.recorded(configuration, pool)
        wanted = 1 if pool == Pool.TUNE else self.study.seeds.number(pool)
        return sample_of(runs, self.env) if len(runs) >= wanted else None

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in sorted(set(states))}

    @property
    def runs_finished(self) -> int:
        """How many runs of all purposes are recorded with a score."""
        return sum(run.score is not None for run in self.finals.runs)

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
        chosen = self.best
        return {
            "study": self.study.name,
            "trials": self.study.study.trials,
            "states": self.counts,
            "runs_finished": self.runs_finished,
            "reliability": self.reliability,
            "finals": self.finals.as_data() if self.complete else None,
            "chosen": None if chosen is None else self.evidence(chosen).as_data(),
            "sentence": None if chosen is None else sentence(self.evidence(chosen)),
            "best": [_as_data(trial) for trial in self.complete[:10]],
        }

    @property
    def best(self) -> int | None:
        """The winner of the finals; before they are over the trial with the highest value."""
        if self.finals.choice is not None:
            return self.finals.choice.winner
        return self.complete[0].number if self.complete else None

    def chosen(self, number: int | None = None) -> int:
        """The trial of that number, if it has a value; the best configuration for None.

        Raises TooManyFailures if nothing is complete, UsageError for a number that will not do.
        """
        complete = self.complete
        if number is None:
            if self.best is None:
                counts = ", ".join(f"{n} {state}" for state, n in self.counts.items())
                raise TooManyFailures(
                    f"nothing to export yet in study '{self.study.name}': no complete trial "
                    f"({counts or 'no trials'}); run `tuner launch` to the end"
                )
            return self.best
        known = {trial.number: trial for trial in self.trials}
        if number not in known:
            raise UsageError(
                f"--trial: trial {number} does not exist; the study has "
                f"{f'0 to {max(known)}' if known else 'none'}"
            )
        if known[number].value is None:
            why = known[number].failure or "its runs are not finished"
            hint = f"choose a complete one, e.g. {complete[0].number}" if complete else "wait"
            raise UsageError(f"--trial: trial {number} is {known[number].state} ({why}); {hint}")
        return number


def summarize(store: Store, name: str) -> StudySummary:
    """Read a study.

    Raises UsageError if there is none of that name, StudyError if another version made it.
    """
    optuna_study = store.optuna_study(name)
    if SPEC not in optuna_study.user_attrs:
        raise UsageError(f"study '{name}' in {store.url} was made by another program")
    study = Study.from_spec(json.loads(optuna_study.user_attrs[SPEC]))
    env = env_figures(optuna_study.user_attrs.get(ENV_FIGURES, {}))
    runs = with_scores(store.runs(name, purpose=None), env.random_score)
    by_trial: dict[int, list[Run]] = {}
    for run in runs:
        if run.purpose == Pool.TUNE.word:
            by_trial.setdefault(run.trial, []).append(run)
    trials = optuna_study.get_trials(deepcopy=False)
    summaries = [_trial(t, by_trial.get(t.number, []), env) for t in trials]
    return StudySummary(study, summaries, finals_of(study, trials, runs), env)


def our_studies(store: Store) -> list[str]:
    """The studies in this database that have a specification of ours."""
    return [name for name in store.study_names() if SPEC in store.optuna_study(name).user_attrs]


def only_study(store: Store, name: str | None) -> str:
    """`name`, or that of the study file it leads to, or the database's study if it holds just one.

    Raises StudyError if there is something wrong with the file.
    """
    if name is not None:
        return study_files.load(name).name if name.endswith(".toml") else name
    names = our_studies(store)
    if len(names) == 1:
        return names[0]
    held = f"it holds {', '.join(names)}" if names else "it holds none"
    raise UsageError(f"name a study of {store.url}; {held}")


def sample_of(runs: Sequence[Run], env: EnvFigures) -> Sample | None:
    """The runs that have a score, by seed index; None if there are none."""
    scored = [run for run in runs if run.score is not None]
    if not scored:
        return None
    return Sample(
        seeds=tuple(run.seed for run in scored),
        scores=tuple(run.score for run in scored if run.score is not None),
        failed=sum(run.failed for run in scored),
        env=env,
    )


def _trial(trial: FrozenTrial, runs: Sequence[Run], env: EnvFigures) -> TrialSummary:
    complete, sample = trial.state == TrialState.COMPLETE, sample_of(runs, env)
    return TrialSummary(
        number=trial.number,
        state=trial.state.name,
        params=trial.params,
        runs=runs,
        value=trial.value if complete and sample else None,
        sample=sample if complete else None,
        failure=trial.user_attrs.get("failure"),
        race=[Decision(**found) for found in trial.user_attrs.get(RACE, ())],
    )


def _as_data(trial: TrialSummary) -> dict[str, Any]:
    assert trial.sample is not None
    return {
        "trial": trial.number,
        "value": trial.value,
        **trial.sample.as_data(),
        "params": dict(trial.params),
    }
