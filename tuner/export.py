"""From a study to an hparams.json that says where its claim comes from."""

from collections.abc import Sequence
from typing import Any

from tuner.hparams_file import ALSO, EnvTable, EvaluationTable, Evidence, HparamsFile
from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.study import USED_POOLS
from tuner.summary import StudySummary
from tuner.wording import sentence


def to_file(summary: StudySummary, configuration: int) -> HparamsFile:
    """A trial's configuration, or the default one, with its evidence: every seed and its score."""
    study = summary.study
    return HparamsFile(
        agent=study.study.agent,
        env=EnvTable(id=study.study.env, kwargs=study.study.env_kwargs),
        budget_steps=study.budget.steps,
        evaluation=EvaluationTable(
            marks=study.budget.evaluations,
            episodes=study.budget.episodes,
            score=study.objective.score,
        ),
        hparams=summary.finals.hparams(configuration).model_dump(mode="json"),
        evidence=Evidence.model_validate(_evidence(summary, configuration)),
        made_with=made_with(summary, configuration),
    )


def _evidence(summary: StudySummary, configuration: int) -> dict[str, Any]:
    evidence = summary.evidence(configuration)
    return {
        **evidence.as_data(),
        "study": summary.study.name,
        "fingerprint": summary.study.fingerprint(),
        "master_seed": summary.study.study.master_seed,
        "own_seeds": [pool.word for pool in USED_POOLS if summary.study.seeds.own(pool)] or None,
        "random_score": summary.env.random_score,
        "return_bounds": None if summary.env.bounds is None else list(summary.env.bounds),
        "sentence": sentence(evidence),
    }


def made_with(summary: StudySummary, configuration: int) -> dict[str, str]:
    """Of the runs that say most; where these differ, all that they say."""
    for pool in (Pool.TEST, Pool.CONFIRM, Pool.TUNE):
        finished = [run for run in summary.finals.recorded(configuration, pool) if not run.failed]
        if finished:
            names = sorted({name for run in finished for name in run.made_with})
            return {name: _said(name, finished) for name in names}
    return {}


def _said(name: str, runs: Sequence[Run]) -> str:
    return ALSO.join(sorted({run.made_with.get(name, "unknown") for run in runs}))
