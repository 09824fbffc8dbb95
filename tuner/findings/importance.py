"""Which hyperparameters decided whether a trial was among the best, and how sure that is."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from tuner.evidence import Sample
from tuner.search_space import distributions
from tuner.summary import StudySummary, TrialSummary

TOP_SHARE, LEAST_TOP = 0.1, 5  # of the trials, and how many at least, count as the best
LEAST_TRIALS = 3 * LEAST_TOP
NEEDS = f"{LEAST_TRIALS} complete trials that do not all score alike"
MOST_RESAMPLES, LEAST_RESAMPLES = 200, 40
AFFORDABLE = 500_000  # trials times hyperparameters times resamples: about three seconds


@dataclass(frozen=True)
class Importance:
    """Of one hyperparameter: its share of all, and between what it lies in 95 % of resamples."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Importances:
    """Of every hyperparameter that is searched, most important first.

    top  how many trials counted as the best
    """

    hyperparameters: Sequence[Importance]
    trials: int
    top: int
    resamples: int

    @property
    def title(self) -> str:
        return "Importance of the hyperparameters, and how far seeds move it"

    @property
    def caption(self) -> str:
        return (
            f"Share of what sets the {self.top} best of {self.trials} trials apart from all, by "
            "PED-ANOVA (Watanabe et al. 2023, Optuna's evaluator) on the trials' means over tuning "
            f"seeds. Lines: 2.5 to 97.5 % of {self.resamples} bootstrap resamples of every trial's "
            "seeds.\nA trial of one seed cannot vary, so that lines of studies with few seeds are "
            "too short; other trials would move the bars as much again, which no line shows. "
            "Shares always sum to 1, also where nothing matters. Importance within what was "
            "searched: a wider range may turn it round."
        )


def importance(summary: StudySummary) -> Importances | None:
    """None where there are too few trials, or all score alike."""
    study, samples = _in_memory(summary)
    means = np.array([sample.mean for sample in samples])
    if len(samples) < LEAST_TRIALS or np.ptp(means) == 0:
        return None
    top = max(TOP_SHARE, LEAST_TOP / len(samples))
    affordable = AFFORDABLE // (len(samples) * len(summary.study.space))
    resamples = min(MOST_RESAMPLES, max(LEAST_RESAMPLES, affordable))
    found = _shares(study, means, top)
    draws = [_shares(study, values, top) for values in _resampled(samples, resamples)]
    rows = []
    for name, share in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        low, high = np.quantile([draw[name] for draw in draws], [0.025, 0.975])
        rows.append(Importance(name, share, float(low), float(high)))
    return Importances(rows, len(samples), _counted(means, top), resamples)


def _in_memory(summary: StudySummary) -> tuple[optuna.Study, list[Sample]]:
    """The complete trials with their params, numbered anew; their seeds in the same order."""
    known = distributions(summary.study.study.agent, summary.study.space)
    study, samples = optuna.create_study(), []
    for trial in summary.complete:
        if trial.sample is not None and trial.params.keys() <= known.keys():
            try:
                study.add_trial(_bare(trial, known))
            except ValueError:  # enqueued by hand, out of the space
                continue
            samples.append(trial.sample)
    for frozen in study.get_trials(deepcopy=False):  # the same objects: compared in half the time
        frozen.distributions = {name: known[name] for name in frozen.params}
    return study, samples


def _bare(
    trial: TrialSummary, known: dict[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        params=dict(trial.params),
        distributions={name: known[name] for name in trial.params},
        value=0.0,
    )


def _shares(study: optuna.Study, values: NDArray[np.float64], top: float) -> dict[str, float]:
    evaluator = PedAnovaImportanceEvaluator(target_quantile=top)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that low targets count as good: hence the sign
        found = get_param_importances(
            study, evaluator=evaluator, target=lambda trial: -float(values[trial.number])
        )
    return {name: float(share) for name, share in found.items()}


def _resampled(samples: Sequence[Sample], resamples: int) -> NDArray[np.float64]:
    """[resamples, trials] means of seeds drawn again, by a fixed seed.

    Deviations are stretched by the root of n/(n-1), which resamples of n seeds lack (Davison and
    Hinkley 1997).
    """
    random = np.random.default_rng(0)
    columns = []
    for sample in samples:
        n, scores = sample.n, np.asarray(sample.scores)
        means = scores[random.integers(n, size=(resamples, n))].mean(axis=1)
        columns.append(sample.mean + (means - sample.mean) * sqrt(n / max(1, n - 1)))
    return np.stack(columns, axis=1)


def _counted(means: NDArray[np.float64], top: float) -> int:
    """How many trials are among the best, ties included."""
    wanted = int(np.ceil(top * len(means)))
    return int((means >= np.sort(means)[-wanted]).sum())
