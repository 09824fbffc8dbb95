"""The first phase: trials are asked, their seeds raced, their values told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from statistics import fmean

from tuner.candidate import Candidate
from tuner.evidence import EnvFigures, Sample
from tuner.phases import RunKey, Work
from tuner.progress import Best, mean_curve
from tuner.racing import Decision, decide, shortlist
from tuner.seed_pools import Pool
from tuner.seed_statistics import trial_value, typical_variance
from tuner.storage import Run
from tuner.study import Study
from tuner.time_left import Ahead, Group, finalists_expected, share_that_goes_on
from tuner.trials import RACE, OpenTrial, Trials


class Search:
    """Trials of one study, those told and those open.

    runs  all that is recorded of its tuning seeds; open trials are taken up with their own, which
          all have a score (`recorder.with_scores`)
    """

    name = "search"

    def __init__(self, study: Study, trials: Trials, env: EnvFigures, runs: Sequence[Run]) -> None:
        self._study = study
        self._trials = trials
        self._env = env
        self._rule = study.race
        self._scores: dict[int, dict[int, float]] = {}
        self._failed: set[RunKey] = set()
        self._candidates: dict[int, Candidate] = {}
        self._curves: dict[int, dict[int, dict[int, float]]] = {}  # of open trials, and the best
        self._best: Best | None = None
        self._told = self._decided = self._went_on = 0
        self._finalists = finalists_expected(0, 0, study.study.trials)
        for run in runs:
            if run.score is not None:
                self._note(RunKey(run.trial, Pool.TUNE, run.seed_index), run.score, run.failed)
        for told in trials.told():
            self._told += 1
            self._count(Decision(**found) for found in told.user_attrs.get(RACE, ()))
            if told.value is not None and told.number in self._scores:
                self._consider(told.number, told.value)
        if self._best is not None:
            self._recall(self._best.trial, [run for run in runs if run.trial == self._best.trial])
            self._consider_finalists()
        for trial in trials.take_up():
            self._take_up(trial, [run for run in runs if run.trial == trial.number])

    @property
    def is_over(self) -> bool:
        return self._told >= self._study.study.trials and not self._candidates

    @property
    def trials_done(self) -> int:
        return self._told

    @property
    def best(self) -> Best | None:
        """The trial with the highest value so far."""
        return self._best

    @property
    def finalists(self) -> int:
        """How many trials will be confirmed, as far as can be told now."""
        return self._finalists

    def ahead(self, left: Mapping[RunKey, float]) -> Ahead:
        return Ahead(
            groups=[self._group(candidate, left) for candidate in self._candidates.values()],
            trials=range(self._told + len(self._candidates), self._study.study.trials),
            rule=self._rule,
            goes_on=share_that_goes_on(self._went_on, self._decided),
        )

    def _group(self, candidate: Candidate, left: Mapping[RunKey, float]) -> Group:
        unscored = candidate.unscored_seeds
        keys = [RunKey(candidate.number, Pool.TUNE, index) for index in unscored]
        training = [left[key] for key in keys if key in left]
        further = 0 if candidate.is_decided else self._rule.most - candidate.granted
        return Group(training, len(keys) - len(training), max(0, further))

    def next_work(self) -> Work | None:
        """Seeds of open trials first, so that a race is decided soon; then a new trial's."""
        waiting = next((c for c in self._candidates.values() if c.untrained), None)
        if waiting is None:
            if self._told + len(self._candidates) >= self._study.study.trials:
                return None
            waiting = self._begin(self._trials.ask())
        key = RunKey(waiting.number, Pool.TUNE, waiting.untrained.pop(0))
        return Work(key, waiting.hparams, waiting.continued)

    def evaluated(self, key: RunKey, mark: int, returns: Sequence[float]) -> Sequence[RunKey]:
        """Report the mean over the first seeds; if the study's pruner says so, end the trial."""
        candidate = self._candidates[key.trial]
        candidate.evaluated(key.index, mark, returns)
        self._curves.setdefault(key.trial, {}).setdefault(key.index, {})[mark] = fmean(returns)
        if not self._report_means(candidate):
            return ()
        self._trials.prune(key.trial)
        self._close(candidate)
        return [RunKey(key.trial, Pool.TUNE, index) for index in candidate.unscored_seeds]

    def scored(self, key: RunKey, score: float, *, failed: bool = False) -> None:
        """Decide on the trial once all the seeds it was granted are scored."""
        self._note(key, score, failed)
        candidate = self._candidates[key.trial]
        candidate.scored(key.index)
        self._settle(candidate)

    def lost(self, key: RunKey) -> None:
        self._candidates[key.trial].lost(key.index)

    def _take_up(self, trial: OpenTrial, runs: Sequence[Run]) -> None:
        candidate = self._begin(trial)
        self._count(Decision(**found) for found in trial.race)
        self._recall(trial.number, runs)
        for run in runs:
            candidate.recalled(run.seed_index, run.curve.get("returns", ()))
        self._settle(candidate)

    def _begin(self, trial: OpenTrial) -> Candidate:
        hparams = self._study.hparams(dict(trial.params))
        first = self._rule.seeds_at_first(trial.number)
        decisions = [Decision(**found) for found in trial.race]
        granted = first + sum(decision.goes_on for decision in decisions)
        # the last word may have been spoken, and the scheduler died before it told the trial
        is_decided = bool(decisions) and not decisions[-1].goes_on
        candidate = Candidate(trial, hparams, first, granted, is_decided)
        self._candidates[trial.number] = candidate
        return candidate

    def _settle(self, candidate: Candidate) -> None:
        self._report_means(candidate)
        if candidate.unscored:
            return
        number = candidate.number
        if not candidate.is_decided:
            field = {trial: list(found.values()) for trial, found in self._scores.items()}
            decision = decide(number, field, self._rule)
            self._trials.add_decision(number, asdict(decision))
            self._count([decision])
            if decision.goes_on:
                candidate.grant()
                return
        typical = typical_variance(list(scores.values()) for scores in self._scores.values())
        sample = self._sample(number)
        value = trial_value(self._study.objective.across_seeds, sample.scores, typical)
        self._trials.complete(number, value, sample)
        self._consider(number, value)
        self._close(candidate)
        self._consider_finalists()

    def _report_means(self, candidate: Candidate) -> bool:
        """Whether the pruner wants the trial to end; at the last mark nothing is left to save."""
        pruned = False
        for mark, mean in candidate.new_means():
            asked = self._trials.report(candidate.number, mark, mean)
            pruned = pruned or (asked and mark < self._study.budget.evaluations)
        return pruned and candidate.unscored > 0

    def _close(self, candidate: Candidate) -> None:
        del self._candidates[candidate.number]
        self._told += 1
        if self._best is None or self._best.trial != candidate.number:
            self._curves.pop(candidate.number, None)

    def _count(self, decisions: Iterable[Decision]) -> None:
        """How often a trial that might go on did."""
        for decision in decisions:
            if decision.verdict != "full":
                self._decided += 1
                self._went_on += decision.goes_on

    def _recall(self, trial: int, runs: Sequence[Run]) -> None:
        """The curves of recorded runs."""
        for run in runs:
            marks = dict(enumerate(map(fmean, run.curve.get("returns", ())), 1))
            self._curves.setdefault(trial, {})[run.seed_index] = marks
        if self._best is not None and self._best.trial == trial:
            self._best = replace(self._best, curve=self._curve(trial))

    def _curve(self, trial: int) -> tuple[float, ...]:
        curves = self._curves.get(trial, {}).values()
        return mean_curve([[means[mark] for mark in sorted(means)] for means in curves])

    def _consider_finalists(self) -> None:
        closed = {t: list(s.values()) for t, s in self._scores.items() if t not in self._candidates}
        short = len(shortlist(closed))
        self._finalists = finalists_expected(short, len(closed), self._study.study.trials)

    def _note(self, key: RunKey, score: float, failed: bool) -> None:
        self._scores.setdefault(key.trial, {})[key.index] = score
        if failed:
            self._failed.add(key)

    def _sample(self, trial: int) -> Sample:
        found = dict(sorted(self._scores[trial].items()))
        keys = [RunKey(trial, Pool.TUNE, index) for index in found]
        return Sample(
            seeds=tuple(self._study.run_seed(Pool.TUNE, key.index) for key in keys),
            scores=tuple(found.values()),
            failed=sum(key in self._failed for key in keys),
            env=self._env,
        )

    def _consider(self, trial: int, value: float) -> None:
        if self._best is None or value > self._best.value:
            scores = self._scores[trial]
            if self._best is not None:
                self._curves.pop(self._best.trial, None)
            ordered = tuple(scores[index] for index in sorted(scores))
            self._best = Best(trial, value, ordered, self._curve(trial))
