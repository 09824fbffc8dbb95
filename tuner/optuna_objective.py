"""One trial as a plain Optuna objective, for people who bring their own loop.

    optuna.create_study(direction="maximize").optimize(tuner.objective("cartpole"), n_trials=3)

For the same parameters it gives the same scores as `tuner launch`: the same seeds, trained by the
same lanes. It races against the trials of the Optuna study it is called in.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict

import optuna
from optuna.trial import TrialState

from agents.cohort import Evaluated, Failed, Finished, RunSpec
from agents.hparams import Hparams
from agents.kinds import describe_for
from agents.reference_returns import random_returns, return_bounds
from agents.training import train
from tuner.candidate import Candidate
from tuner.errors import StudyError, TooManyFailures
from tuner.evidence import RANDOM_EPISODES, EnvFigures, Sample, measured_by
from tuner.racing import decide
from tuner.search_space import suggest_all
from tuner.seed_pools import Pool
from tuner.seed_statistics import broken_score, run_score, trial_value, typical_variance
from tuner.study import Study, load
from tuner.trials import RACE, OpenTrial, summary_attrs

INEXACT = (
    "lanes are not independent bit for bit in this process, so that scores may differ in the last "
    "digits from those of `tuner launch`; import tuner or agents before the first torch product"
)


def objective(study: str | Study, *, device: str = "cpu") -> Callable[[optuna.Trial], float]:
    """An objective to maximise: a shipped study, a study file, or a Study.

    The first seeds of a trial are trained side by side in this process, further ones while the
    race asks for them. Reports the mean of the first ones at every mark. A run whose weights
    diverge scores what a random agent does; an environment that raises ends the trial with
    TooManyFailures.
    """
    loaded = study if isinstance(study, Study) else load(study)
    figures: list[EnvFigures] = []

    def value(trial: optuna.Trial) -> float:
        if trial.study.direction != optuna.study.StudyDirection.MAXIMIZE:
            raise StudyError('scores are maximised: create_study(direction="maximize")')
        if not figures:
            figures.append(_env_figures(loaded))
        suggest_all(trial, loaded.study.agent, loaded.space)
        return _Trial(loaded, trial, loaded.hparams(trial.params), figures[0], device).value()

    return value


class _Trial:
    """One call of the objective."""

    def __init__(
        self, study: Study, trial: optuna.Trial, hparams: Hparams, env: EnvFigures, device: str
    ) -> None:
        self._study, self._trial, self._hparams = study, trial, hparams
        self._env, self._device = env, device
        self._scores: dict[int, float] = {}
        self._failed = 0
        first = study.race.seeds_at_first(trial.number)
        self._candidate = Candidate(OpenTrial(trial.number, trial.params), hparams, first, first)

    def value(self) -> float:
        """Train and race to the end."""
        field = _others(self._trial)
        decisions = []
        while self._candidate.unscored:
            self._train(self._candidate.unscored_seeds)
            scores = [self._scores[index] for index in sorted(self._scores)]
            decision = decide(
                self._trial.number, {**field, self._trial.number: scores}, self._study.race
            )
            decisions.append(asdict(decision))
            if decision.goes_on:
                self._candidate.grant()
        self._trial.set_user_attr(RACE, decisions)
        seeds = tuple(self._study.run_seed(Pool.TUNE, index) for index in sorted(self._scores))
        sample = Sample(seeds, tuple(scores), self._failed, self._env)
        for name, attr in summary_attrs(sample).items():
            self._trial.set_user_attr(name, attr)
        typical = typical_variance([*field.values(), scores])
        return trial_value(self._study.objective.across_seeds, scores, typical)

    def _train(self, indices: Sequence[int]) -> None:
        curves: dict[int, list[Sequence[float]]] = {index: [] for index in indices}
        for event in train(self._runs(indices), self._device):
            index = int(event.run)
            if isinstance(event, Evaluated):
                curves[index].append(event.returns)
                self._candidate.evaluated(index, event.mark, event.returns)
                for mark, mean in self._candidate.new_means():
                    self._trial.report(mean, step=mark)
            else:
                self._scores[index] = self._score(event, curves[index])
                self._candidate.scored(index)

    def _score(self, event: Finished | Failed, curve: Sequence[Sequence[float]]) -> float:
        marks = self._study.run_budget.marks[: len(curve)]
        reached = run_score(self._study.objective.score, marks, curve) if curve else None
        if isinstance(event, Finished):
            assert reached is not None
            if not event.exact:
                warnings.warn(INEXACT, stacklevel=2)
            return reached
        if event.reason != "diverged":
            raise TooManyFailures(f"seed {event.run} failed: {event.reason}: {event.text}")
        assert self._env.random_score is not None
        self._failed += 1
        return broken_score(self._env.random_score, reached)

    def _runs(self, indices: Sequence[int]) -> dict[str, RunSpec]:
        return {
            str(index): RunSpec(
                agent=self._study.study.agent,
                hparams=self._hparams,
                env=self._study.env_spec,
                budget=self._study.run_budget,
                seed=self._study.run_seed(Pool.TUNE, index),
            )
            for index in indices
        }


def _others(trial: optuna.Trial) -> dict[int, Sequence[float]]:
    """The scores of the study's earlier trials of ours."""
    earlier = trial.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return {
        one.number: one.user_attrs["seed_scores"]
        for one in earlier
        if "seed_scores" in one.user_attrs
    }


def _env_figures(study: Study) -> EnvFigures:
    env, facts = study.env_spec, describe_for(study.study.agent, study.env_spec)
    returns = random_returns(env, RANDOM_EPISODES, study.run_seed(Pool.TUNE, 0))
    bounds = return_bounds(env, facts)
    return measured_by(study.objective.score, returns, facts.reward_threshold, bounds)
