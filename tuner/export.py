"""From a finished study to an hparams.json that says where its claim comes from."""

from typing import Any

from tuner.hparams_file import EnvTable, EvaluationTable, Evidence, HparamsFile
from tuner.summary import StudySummary, TrialSummary


def to_file(summary: StudySummary, trial: TrialSummary) -> HparamsFile:
    """The trial's configuration with its evidence: every tuning seed and its score.

    The status is "unconfirmed": the scores belong to the seeds that chose the trial, so that fresh
    seeds will on average score less.
    """
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
        hparams=study.hparams(dict(trial.params)).model_dump(mode="json"),
        evidence=Evidence.model_validate(_evidence(summary, trial)),
        made_with=trial.runs[0].made_with,
    )


def _evidence(summary: StudySummary, trial: TrialSummary) -> dict[str, Any]:
    assert trial.spread is not None
    return {
        "status": "unconfirmed",
        "study": summary.study.name,
        "fingerprint": summary.study.fingerprint(),
        "trial": trial.number,
        "trials": len(summary.complete),
        "tune": {
            "seeds": [run.seed for run in trial.runs if run.score is not None],
            "scores": list(trial.spread.scores),
            "mean": trial.spread.mean,
            "std": trial.spread.std,
            "min": trial.spread.minimum,
        },
    }
