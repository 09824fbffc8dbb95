"""The attributes of our studies and trials as a person reads them. Pure functions."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tuner.evidence import env_figures
from tuner.intervals import SEEDS_TO_SHOW
from tuner.study import Study
from tuner.trials import ENV_FIGURES, RACE, SPEC
from tuner.wording import points

LEFT_OUT = frozenset({RACE, "mean", "ci95", "ci_method", "solved_ci95", "failure_rate_upper95"})
SCORE_NAMES = {"final": "return", "auc": "return (AUC)"}
VALUE_NAMES = {
    "mean": "mean",
    "iqm": "interquartile",
    "mean_minus_std": "cautious mean",
    "cvar": "worst quarter's",
}


def metric_name(study: Study) -> str:
    """What the value of a trial is, short enough for the boxes of the dashboard's pages."""
    return (
        f"{VALUE_NAMES[study.objective.across_seeds]} {SCORE_NAMES[study.objective.score]}, tuning"
    )


def readable(value: float) -> float:
    """498.292 for 498.29200000000003: all digits but those that a sum rounds."""
    return float(f"{value:.12g}")


def of_trial(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the seeds of a trial say, the numbers first; attributes of others as they are."""
    scores = attributes.get("seed_scores")
    if not isinstance(scores, Sequence):
        return {name: value for name, value in attributes.items() if name not in LEFT_OUT}
    shown: dict[str, Any] = {"seeds": len(scores)}
    for name, title in (("std", "std of seeds"), ("min", "lowest seed"), ("max", "highest seed")):
        if isinstance(attributes.get(name), int | float):
            shown[title] = round(attributes[name], 2)
    if isinstance(attributes.get("failed"), int):
        shown["failed runs"] = attributes["failed"]
    if "solved" in attributes:
        shown["solved"] = attributes["solved"]
    if len(scores) >= SEEDS_TO_SHOW and (interval := attributes.get("ci95")):
        method = attributes.get("ci_method", "")
        shown["95 % interval"] = f"{points(interval[0])} to {points(interval[1])} ({method})"
    shown["every seed's score"] = ", ".join(f"{score:.4g}" for score in scores)
    known = LEFT_OUT | {"seed_scores", "std", "min", "max", "failed", "solved"}
    return shown | {name: value for name, value in attributes.items() if name not in known}


def of_study(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What was searched and how, instead of the specification as JSON; no decisions."""
    env = env_figures(attributes.get(ENV_FIGURES, {}))
    shown = dict(_of_specification(attributes[SPEC]))
    if env.random_score is not None:
        shown["score of a random agent"] = points(env.random_score)
    if env.threshold is not None:
        shown["solved from"] = f"{env.threshold:g}"
    return shown


def marks(spec: str) -> Sequence[int]:
    """The environment steps at which a study's runs are evaluated, the first mark's first."""
    return _study(spec).run_budget.marks


@lru_cache(maxsize=64)
def _study(spec: str) -> Study:
    return Study.from_spec(json.loads(spec))


@lru_cache(maxsize=64)
def _of_specification(spec: str) -> Mapping[str, str]:
    study = _study(spec)
    seeds, budget = study.seeds, study.budget
    return {
        "environment": study.study.env,
        "agent": study.study.agent,
        "trials": f"{study.study.trials:,}",
        "environment steps of a run": f"{budget.steps:,}",
        "evaluations of a run": f"{budget.evaluations} of {budget.episodes} greedy episodes",
        "tuning seeds of a trial": f"{seeds.start} to {seeds.max}",
        "confirmation seeds, test seeds": f"{seeds.confirm}, {seeds.test}",
        "value of a trial": f"{metric_name(study)} seeds",
        "sampler, pruner": f"{study.sampler.name}, {study.pruner.name}",
        "searched": ", ".join(study.space),
        "master seed": str(study.study.master_seed),
        "fingerprint": study.fingerprint(),
    }
