"""After the search: finalists are confirmed on fresh seeds, the winner is tested on others still.

Nothing is decided here that the recorded runs do not decide again: a launch that was interrupted
finds the same finalists and the same winner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from agents.hparams import Hparams
from tuner.phases import DEFAULT_CONFIG, RunKey, Work
from tuner.racing import Choice, choose, shortlist
from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.study import Study
from tuner.study_tables import SeedsTable

FINALS = "finals"  # the study's user attribute that holds what was decided here


@dataclass(frozen=True)
class Finals:
    """The end of one study.

    params  complete trial → its sampled params
    runs    everything that is recorded of the study, of all purposes, with scores
    """

    study: Study
    params: Mapping[int, Mapping[str, Any]]
    runs: Sequence[Run]

    @cached_property
    def finalists(self) -> list[int]:
        """The trials worth confirming, best first, those confirmed before the search went on, and
        the agent's default configuration."""
        tuned = {trial: self.scores(trial, Pool.TUNE) for trial in self.params}
        best = shortlist({trial: scores for trial, scores in tuned.items() if scores})
        before = [
            trial
            for trial in sorted(self.params)
            if trial not in best and self._is_confirmed(trial)
        ]
        return [*best, *before, DEFAULT_CONFIG]

    @property
    def to_confirm(self) -> list[Work]:
        """The confirmation runs that are still to be trained."""
        return self._missing(self.finalists, Pool.CONFIRM)

    @cached_property
    def choice(self) -> Choice | None:
        """The winner, once every finalist is confirmed."""
        finalists = self.finalists
        if len(finalists) == 1 or self._missing(finalists, Pool.CONFIRM):
            return None
        pooled = {
            trial: self.scores(trial, Pool.TUNE) + self.scores(trial, Pool.CONFIRM)
            for trial in finalists
        }
        costs = {trial: self.hparams(trial).cost for trial in finalists}
        return choose(pooled, costs, self.study.objective.across_seeds)

    @property
    def to_test(self) -> list[Work]:
        """The test runs that are still to be trained: of the winner and the default."""
        choice = self.choice
        if choice is None:
            return []
        return self._missing(sorted({choice.winner, DEFAULT_CONFIG}, reverse=True), Pool.TEST)

    @property
    def is_tested(self) -> bool:
        return self.choice is not None and not self.to_test

    @cached_property
    def tested_before(self) -> list[int]:
        """Trials that won before the search went on, and were tested on the same seeds."""
        choice = self.choice
        present = {DEFAULT_CONFIG, choice.winner if choice else DEFAULT_CONFIG}
        return sorted({run.trial for run in self.runs if run.purpose == Pool.TEST.word} - present)

    def scores(self, trial: int, pool: Pool) -> list[float]:
        """The recorded scores of a configuration on a pool, by seed index."""
        return [run.score for run in self.recorded(trial, pool) if run.score is not None]

    def recorded(self, trial: int, pool: Pool) -> list[Run]:
        """The runs of a configuration on the seeds of a pool that the study uses."""
        found = self._recorded.get((trial, pool.word), ())
        return [run for run in found if run.seed_index < self.study.seeds.number(pool)]

    @cached_property
    def _recorded(self) -> Mapping[tuple[int, str], list[Run]]:
        """The runs of every configuration and purpose, by seed index."""
        found: dict[tuple[int, str], list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: run.seed_index):
            found.setdefault((run.trial, run.purpose), []).append(run)
        return found

    def hparams(self, trial: int) -> Hparams:
        """The configuration of a finalist."""
        return self.study.hparams({} if trial == DEFAULT_CONFIG else dict(self.params[trial]))

    def as_data(self) -> dict[str, Any]:
        """What was decided, for the record."""
        choice = self.choice
        found: dict[str, Any] = {"trials": len(self.params), "finalists": self.finalists}
        for pool in (Pool.CONFIRM, Pool.TEST):
            scores = {str(trial): self.scores(trial, pool) for trial in self.finalists}
            found[f"{pool.word}_scores"] = {t: known for t, known in scores.items() if known}
        if choice is not None:
            found |= {
                "winner": choice.winner,
                "values": {str(trial): value for trial, value in choice.values.items()},
                "highest": choice.highest,
                "standard_error": choice.standard_error,
            }
        return found

    def _is_confirmed(self, trial: int) -> bool:
        return len(self.recorded(trial, Pool.CONFIRM)) == self.study.seeds.confirm

    def _missing(self, trials: Sequence[int], pool: Pool) -> list[Work]:
        done = {(trial, run.seed_index) for trial in trials for run in self.recorded(trial, pool)}
        return [
            Work(RunKey(trial, pool, index), self.hparams(trial))
            for trial in trials
            for index in range(self.study.seeds.number(pool))
            if (trial, index) not in done
        ]


def finals_of(study: Study, told: Sequence[FrozenTrial], runs: Sequence[Run]) -> Finals:
    """The end of a study, of its trials that have a value."""
    params = {t.number: t.params for t in told if t.state == TrialState.COMPLETE}
    return Finals(study, params, runs)


def expected_runs(finalists: int, confirm: int, test: int) -> dict[str, int]:
    """How many runs confirmation and test of so many finalists and seeds need, if the default does
    not win. finalists: without the default configuration."""
    return {"confirm": (finalists + 1) * confirm, "test": 2 * test}


def runs_to_come(
    seeds: SeedsTable, finalists: int, parts: Sequence[str], recorded: Mapping[str, int]
) -> list[int]:
    """About how many runs each of these parts after the search still needs.

    finalists  without the default configuration
    recorded   runs of each part from earlier launches
    """
    wanted = expected_runs(finalists, seeds.confirm, seeds.test)
    return [max(0, wanted[part] - recorded[part]) for part in parts]
