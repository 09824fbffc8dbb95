"""One trial as a plain Optuna objective, for people who bring their own loop.

    optuna.create_study(direction="maximize").optimize(tuner.objective("cartpole"), n_trials=3)

For the same parameters it gives the same values as `tuner launch`: the same seeds, trained by the
same lanes.
"""

import warnings
from collections.abc import Callable

import optuna

from agents.cohort import Evaluated, Failed, RunSpec
from agents.environments import EnvSpec
from agents.training import train
from tuner.candidate import Candidate
from tuner.errors import StudyError, TooManyFailures
from tuner.search_space import distributions, suggest
from tuner.seed_pools import Pool, run_seed
from tuner.seed_statistics import run_score
from tuner.study import Study, load
from tuner.trials import OpenTrial, summary_attrs

INEXACT = (
    "lanes are not independent bit for bit in this process, so that scores may differ in the last "
    "digits from those of `tuner launch`; import tuner or agents before the first torch product"
)


def objective(study: str | Study, *, device: str = "cpu") -> Callable[[optuna.Trial], float]:
    """An objective to maximise: the mean score of a shipped study, a study file, or a Study.

    The seeds of a trial are trained side by side in this process. Reports the mean at every mark.
    """
    loaded = study if isinstance(study, Study) else load(study)
    space = distributions(loaded.study.agent, loaded.space)

    def value(trial: optuna.Trial) -> float:
        if trial.study.direction != optuna.study.StudyDirection.MAXIMIZE:
            raise StudyError('scores are maximised: create_study(direction="maximize")')
        params = {name: suggest(trial, name, space[name]) for name in space}
        candidate = Candidate(
            OpenTrial(trial.number, params), loaded.hparams(params), loaded.seeds.start
        )
        for event in train(_runs(loaded, candidate), device):
            index = int(event.run)
            if isinstance(event, Evaluated):
                candidate.evaluated(index, event.mark, event.returns)
                for mark, mean in candidate.new_means():
                    trial.report(mean, step=mark)
            elif isinstance(event, Failed):
                raise TooManyFailures(f"seed {index} failed: {event.reason}: {event.text}")
            else:
                if not event.exact:
                    warnings.warn(INEXACT, stacklevel=2)
                marks, returns = loaded.run_budget.marks, candidate.curve(index)
                candidate.scored(index, run_score(loaded.objective.score, marks, returns))
        spread = candidate.spread
        assert spread is not None
        for name, attr in summary_attrs(spread).items():
            trial.set_user_attr(name, attr)
        return spread.mean

    return value


def _runs(study: Study, candidate: Candidate) -> dict[str, RunSpec]:
    env = EnvSpec(study.study.env, study.study.env_kwargs)
    return {
        str(index): RunSpec(
            agent=study.study.agent,
            hparams=candidate.hparams,
            env=env,
            budget=study.run_budget,
            seed=run_seed(study.study.master_seed, Pool.TUNE, index),
        )
        for index in range(study.seeds.start)
    }
