"""The reproducibility checklist for tuned reinforcement learning (Eimer et al. 2023), filled in.

Questions are theirs, in their order; answers say what is recorded, and "no" where it is no.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.evidence import Evidence
from tuner.findings.scales import exact_text, value_text
from tuner.search_space import Choices, Range
from tuner.seed_pools import Pool
from tuner.spending import Spent
from tuner.study import Study
from tuner.summary import StudySummary

SAMPLERS = {
    "tpe": "the tree-structured Parzen estimator of Optuna (TPE, Bergstra et al. 2011)",
    "random": "random search",
}
SCORES = {
    "final": "the mean return of greedy episodes at the last 10 % of the marks (at least 5)",
    "auc": "the mean return of greedy episodes over the steps from the first to the last mark",
}


@dataclass(frozen=True)
class Item:
    """One question with its answer. details: what belongs to it, line by line."""

    question: str
    answer: str
    details: Sequence[str] = ()


def checklist(
    summary: StudySummary, cost: Spent, evidence: Evidence | None, versions: Mapping[str, str]
) -> list[Item]:
    """evidence, versions: of the chosen configuration, if there is one."""
    study = summary.study
    return [
        *_method(study, versions),
        *_budget(study, cost),
        *_seeds(study, evidence),
        *_outcome(summary, versions),
    ]


def _method(study: Study, versions: Mapping[str, str]) -> Iterator[Item]:
    version = versions.get("dqn_tuner", "")
    optuna = versions.get("optuna", "")
    yield Item(
        "Are there training and test settings available on your chosen domains?",
        f"No: {study.study.env} has one. Training, choice and report differ in their seeds, which "
        "come from disjoint pools.",
    )
    yield Item(
        "Hyperparameters were tuned using a package, which is based on an optimization method",
        f"dqn-tuner {version}, which is based on {SAMPLERS[study.sampler.name]}"
        f"{f', Optuna {optuna}' if optuna else ''}; trials race for seeds, finalists are confirmed "
        "on fresh seeds.",
    )
    yield Item(
        "The configuration space was", f"of {study.study.agent}:", list(space_lines(study).values())
    )
    yield Item(
        "The search space contains the same hyperparameters and search ranges wherever algorithms "
        "share hyperparameters",
        "Yes: one algorithm was tuned.",
    )
    yield Item(
        "The cost metric(s) optimized was/were",
        f"{study.objective.across_seeds} over seeds (maximised) of {SCORES[study.objective.score]}",
    )


def _budget(study: Study, cost: Spent) -> Iterator[Item]:
    tuned = cost.purposes[0]
    counts = ", ".join(f"{n} {state.lower()}" for state, n in cost.trials.items()) or "none yet"
    yield Item(
        "The tuning budget was",
        f"{sum(cost.trials.values())} of {study.study.trials} trials ({counts}), {tuned.runs} runs "
        f"of {study.budget.steps:,} environment steps each at most, {tuned.steps:,} in all; "
        "confirmation and test are counted under what was spent.",
    )
    yield Item("The tuning budget was the same for all tuned methods", "Yes: one method was tuned.")
    yield Item(
        "If the budget is given in time: the hardware used for all tuning runs is comparable",
        "It is given in environment steps.",
    )
    yield Item(
        "All methods that were reported were tuned with the methods and settings described above",
        "No: the agent's default configuration is reported beside the winner, untuned.",
    )


def _seeds(study: Study, evidence: Evidence | None) -> Iterator[Item]:
    tune, confirm, test = (
        [study.run_seed(pool, index) for index in range(study.seeds.number(pool))]
        for pool in (Pool.TUNE, Pool.CONFIRM, Pool.TEST)
    )
    had = f"{study.seeds.start} to {study.seeds.max}"
    yield Item(
        f"Tuning was done across {len(tune)} tuning seeds which were",
        f"{_listed(tune)}, of which a trial had {had}; finalists were chosen on {len(confirm)} "
        "more:",
        [_listed(confirm)],
    )
    yield Item(f"Testing was done across {len(test)} test seeds which were", _listed(test))
    if evidence is None or evidence.test is None:
        answer = "No: nothing is tested yet. What is reported comes from seeds that chose it."
    elif evidence.tested_before:
        earlier = ", ".join(map(str, evidence.tested_before))
        answer = f"Yes, but trials {earlier} were tested on the same seeds before this winner."
    else:
        answer = "Yes. Tuning and confirmation scores stand beside them and are named as such."
    yield Item("Are all results reported on the test seeds?", answer)


def _outcome(summary: StudySummary, versions: Mapping[str, str]) -> Iterator[Item]:
    best = summary.best
    hparams: Mapping[str, Any] = {} if best is None else summary.finals.hparams(best).model_dump()
    yield Item(
        "The final incumbent configurations reported were",
        "none yet" if best is None else f"of {summary.study.study.env}:",
        [f"{name}: {exact_text(value)}" for name, value in hparams.items()],
    )
    yield Item(
        "The code for reproducing these experiments is available at",
        "the package dqn-tuner; the study file and the commands stand at the end of this report.",
    )
    yield Item("The code also includes the tuning process", "Yes: it is what tuner launch does.")
    yield Item(
        "Bundled with the code is an exact version of the original software environment",
        "No; what the reported runs were made with is recorded:" if versions else "No.",
        [f"{name}: {value}" for name, value in versions.items() if name != "processor"],
    )
    yield Item(
        "The following hardware was used in running the experiments",
        versions.get("processor", "not recorded yet"),
    )


def space_lines(study: Study) -> dict[str, str]:
    """Every hyperparameter that is searched, in the checklist's notation."""
    return {name: f"{name}: {_domain(entry)}" for name, entry in study.space.items()}


def _domain(entry: Range | Choices) -> str:
    match entry:
        case Choices(choices=choices):
            domain = f"{{{', '.join(value_text(choice) for choice in choices)}}}"
        case Range(low=low, high=high, log=log, step=step):
            domain = f"({value_text(low)}, {value_text(high)})"
            domain = f"log({domain})" if log else domain
            domain += "" if step is None else f" in steps of {value_text(step)}"
    conditions = (
        f"{name} = {' or '.join(value_text(v) for v in (w if isinstance(w, list) else [w]))}"
        for name, w in (entry.when or {}).items()
    )
    return f"{domain} where {' and '.join(conditions)}" if entry.when else domain


def _listed(seeds: Sequence[int]) -> str:
    return f"[{', '.join(map(str, seeds))}]"
