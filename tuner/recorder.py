"""Every run that is over becomes one row: its score, its curve, and what made it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from tuner import messages
from tuner.phases import Work
from tuner.seed_statistics import broken_score, run_score
from tuner.storage import Run, Store
from tuner.study import Study


@dataclass
class Training:
    """A run in a trainer's hands, with the marks it has reached."""

    work: Work
    marks: dict[int, list[float]] = field(default_factory=dict)

    def curve(self, study: Study) -> dict[str, Any]:
        """The marks it reached, as they are recorded."""
        steps = list(study.run_budget.marks[: len(self.marks)])
        return {"steps": steps, "returns": [self.marks[mark] for mark in sorted(self.marks)]}

    def left(self, evaluations: int) -> float:
        """About the share of its budget that is still to come: it is halfway to the next mark."""
        return max(0.0, 1.0 - (len(self.marks) + 0.5) / evaluations)

    def score(self, study: Study) -> float:
        """By the marks it reached."""
        curve = self.curve(study)
        return run_score(study.objective.score, curve["steps"], curve["returns"])


def with_scores(runs: Sequence[Run], random_score: float | None) -> list[Run]:
    """The runs, the failed ones of old databases with the score that is given to such today."""
    return [replace(run, score=random_score) if run.score is None else run for run in runs]


class Recorder:
    """Writes runs of one study. made_with: versions and processor, as the trainers tell them."""

    def __init__(self, study: Study, store: Store) -> None:
        self._study = study
        self._store = store
        self.made_with: dict[str, str] = {}

    def record(
        self,
        report: messages.Finished | messages.Failed,
        training: Training,
        attempt: int,
        random_score: float,
    ) -> Run:
        """Write the run that is over, with its score."""
        key, made_with = training.work.key, self.made_with | {"optuna": version("optuna")}
        if isinstance(report, messages.Finished):
            made_with["lane_selftest"] = "exact" if report.exact else "approximate"
            score, error = training.score(self._study), None
        else:
            reached = training.score(self._study) if training.marks else None
            score, error = broken_score(random_score, reached), f"{report.reason}: {report.text}"
        run = Run(
            study=self._study.name,
            trial=key.trial,
            purpose=key.pool.word,
            seed_index=key.index,
            seed=self._study.run_seed(key.pool, key.index),
            status="finished" if error is None else "failed",
            score=score,
            curve=training.curve(self._study),
            seconds=report.seconds,
            attempt=attempt,
            made_with=made_with,
            error=error,
        )
        self._store.record(run)
        return run
