"""The one loop: ask for trials, train their seeds in lanes, record each run, tell the mean.

The scheduler is the only writer of its database. It is a single thread that listens to its
trainers; all it needs to decide stands in memory, all that is finished stands in the database.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from agents.environments import EnvSpec, describe
from agents.hparams import Hparams, lane_cost, shaping_values
from tuner import messages
from tuner.candidate import Candidate
from tuner.crew import Crew, Died
from tuner.errors import Stopped
from tuner.failures import Endings
from tuner.lane_count import lane_room
from tuner.placement import Place
from tuner.progress import Best, Progress
from tuner.seed_pools import Pool, run_seed
from tuner.seed_statistics import run_score
from tuner.storage import Run, Store
from tuner.study import Study
from tuner.trials import OpenTrial, Trials

LISTEN_S = 0.2
ATTEMPTS = 3


@dataclass(frozen=True)
class Resources:
    """What a launch may use.

    lanes      of each worker; None: as many as a short measurement finds best
    timeout_s  None: as long as it takes
    imports    modules that register environments
    """

    workers: int
    lanes: int | None
    device: str = "cpu"
    timeout_s: float | None = None
    imports: tuple[str, ...] = ()


class Scheduler:
    """One launch of one study on an open store."""

    def __init__(self, study: Study, store: Store, resources: Resources) -> None:
        self._study = study
        self._store = store
        self._resources = resources
        self._trials = Trials(study, store)
        self._candidates: dict[int, Candidate] = {}
        self._attempts: dict[str, int] = {}
        self._made_with: dict[str, str] = {}
        self._best: Best | None = None
        self._told = 0
        self._runs_done = 0
        self._steps_done = self._cohort_steps_done = 0
        self._endings = Endings()
        self._began = time.monotonic()

    def search(self, stop_code: Callable[[], int | None] = lambda: None) -> Iterator[Progress]:
        """Search until every trial of the study is told. Yields progress a few times a second.

        `stop_code` is asked in between; an exit code from it ends the search with `Stopped`.
        """
        self._recall()
        if self._is_over():
            yield self._progress()
            return
        resources = self._resources
        with Crew(resources.workers, resources.lanes, resources.device, resources.imports) as crew:
            if resources.lanes is None:
                self._choose_lanes(crew)
            while not self._is_over():
                self._fill(crew)
                for report in crew.listen(LISTEN_S):
                    self._hear(report, crew)
                yield self._progress(crew.busy_lanes, crew.lanes)
                self._check_stop(stop_code())

    def _recall(self) -> None:
        """Take up what the database holds: told trials, and open ones with their finished runs."""
        runs = self._store.runs(self._study.name)
        self._runs_done = sum(run.status == "finished" for run in runs)
        for told in self._trials.told():
            self._told += 1
            if told.value is not None:
                scores = tuple(told.user_attrs.get("seed_scores", ()))
                self._consider(Best(told.number, told.value, scores))
        for trial in self._trials.take_up():
            candidate = self._begin(trial)
            recorded = [run for run in runs if run.trial == trial.number]
            for run in recorded:
                if run.score is not None:
                    candidate.recalled(run.seed_index, run.score, run.curve["returns"])
            failures = [run.error or "unknown" for run in recorded if run.score is None]
            if failures:
                self._fail(candidate, failures[0])
            else:
                self._settle(candidate)

    def _is_over(self) -> bool:
        return self._told >= self._study.study.trials and not self._candidates

    def _begin(self, trial: OpenTrial) -> Candidate:
        hparams = self._study.hparams(dict(trial.params))
        candidate = Candidate(trial, hparams, self._study.seeds.start)
        self._candidates[trial.number] = candidate
        return candidate

    def _choose_lanes(self, crew: Crew) -> None:
        """For a cohort of the agent's default configuration."""
        env = EnvSpec(self._study.study.env, self._study.study.env_kwargs)
        room = lane_room(self._study, self._resources.workers, describe(env).features)
        crew.choose_lanes(self._admission("sample", self._study.hparams({}), seed=0), room)

    def _fill(self, crew: Crew) -> None:
        """Keep every lane busy: seeds of open trials first, then new trials."""
        while crew.free_lanes:
            waiting = [c for c in self._candidates.values() if c.untrained]
            if waiting:
                candidate = waiting[0]
            elif self._told + len(self._candidates) < self._study.study.trials:
                candidate = self._begin(self._trials.ask())
            else:
                return
            index = candidate.untrained.pop(0)
            agent, hparams = self._study.study.agent, candidate.hparams
            place = Place(shaping_values(agent, hparams), lane_cost(hparams))
            seed = run_seed(self._study.study.master_seed, Pool.TUNE, index)
            admit = self._admission(_run_name(candidate.number, index), hparams, seed)
            crew.place(admit, place)

    def _admission(self, run: str, hparams: Hparams, seed: int) -> messages.Admit:
        study = self._study
        return messages.Admit(
            run=run,
            agent=study.study.agent,
            hparams=hparams.model_dump(mode="json"),
            env_id=study.study.env,
            env_kwargs=dict(study.study.env_kwargs),
            steps=study.budget.steps,
            evaluations=study.budget.evaluations,
            episodes=study.budget.episodes,
            seed=seed,
        )

    def _hear(self, report: messages.Report | Died, crew: Crew) -> None:
        match report:
            case messages.Ready():
                self._made_with = report.made_with
            case messages.Advanced():
                self._steps_done += report.lane_steps
                self._cohort_steps_done += report.cohort_steps
            case messages.Evaluated():
                candidate, index = self._find(report.run)
                candidate.evaluated(index, report.mark, report.returns)
                self._report_means(candidate)
            case messages.Finished():
                self._record_finished(report)
            case messages.Failed():
                self._record_failed(report, crew)
            case Died():
                self._train_again(report, crew)

    def _record_finished(self, report: messages.Finished) -> None:
        candidate, index = self._find(report.run)
        steps, returns = self._study.run_budget.marks, candidate.curve(index)
        score = run_score(self._study.objective.score, steps, returns)
        curve = {"steps": list(steps), "returns": [list(episodes) for episodes in returns]}
        exact = {"lane_selftest": "exact" if report.exact else "approximate"}
        self._record(
            report, candidate, index, status="finished", score=score, curve=curve, made_with=exact
        )
        candidate.scored(index, score)
        self._runs_done += 1
        self._endings.add(None)
        self._settle(candidate)

    def _record_failed(self, report: messages.Failed, crew: Crew) -> None:
        """A run that failed takes its trial with it: a mean over the others would flatter it."""
        candidate, index = self._find(report.run)
        error = f"{report.reason}: {report.text}"
        self._record(report, candidate, index, status="failed", error=error)
        number = candidate.number
        crew.evict([_run_name(number, other) for other in range(self._study.seeds.start)])
        self._fail(candidate, error)
        if report.reason != "diverged":  # that is a matter of the search
            self._endings.add(report.text)

    def _fail(self, candidate: Candidate, error: str) -> None:
        reason, _, text = error.partition(": ")
        self._trials.fail(candidate.number, f"{reason}: {text.strip().splitlines()[-1]}")
        del self._candidates[candidate.number]
        self._told += 1

    def _record(
        self,
        report: messages.Finished | messages.Failed,
        candidate: Candidate,
        index: int,
        *,
        status: str,
        score: float | None = None,
        curve: dict[str, object] | None = None,
        error: str | None = None,
        made_with: dict[str, str] | None = None,
    ) -> None:
        self._store.record(
            Run(
                study=self._study.name,
                trial=candidate.number,
                purpose=Pool.TUNE.word,
                seed_index=index,
                seed=run_seed(self._study.study.master_seed, Pool.TUNE, index),
                status=status,
                score=score,
                curve=curve or {},
                seconds=report.seconds,
                attempt=candidate.continued + self._attempts.get(report.run, 1),
                made_with=self._made_with | {"optuna": version("optuna")} | (made_with or {}),
                error=error,
            )
        )

    def _train_again(self, death: Died, crew: Crew) -> None:
        """A trainer died: its runs begin anew elsewhere, and come out the same."""
        for name in death.runs:
            if int(name.split("/")[0]) not in self._candidates:
                continue  # its trial has just failed by a neighbouring seed
            attempts = self._attempts[name] = self._attempts.get(name, 1) + 1
            if attempts > ATTEMPTS:
                text = f"{death.last_words}\nkilled its trainer {ATTEMPTS} times"
                self._record_failed(messages.Failed(name, "crash", text, 0.0), crew)
            else:
                candidate, index = self._find(name)
                candidate.lost(index)

    def _settle(self, candidate: Candidate) -> None:
        """Tell the trial's value once all its seeds are scored."""
        self._report_means(candidate)
        spread = candidate.spread
        if spread is not None:
            self._trials.complete(candidate.number, spread)
            self._consider(Best(candidate.number, spread.mean, spread.scores))
            del self._candidates[candidate.number]
            self._told += 1

    def _report_means(self, candidate: Candidate) -> None:
        for mark, mean in candidate.new_means():
            self._trials.report(candidate.number, mark, mean)

    def _check_stop(self, code: int | None) -> None:
        if code is not None:
            raise Stopped("stopped; every finished run is kept", code)
        limit = self._resources.timeout_s
        if limit is not None and time.monotonic() - self._began > limit and not self._is_over():
            raise Stopped("the time of --timeout is over; every finished run is kept")

    def _consider(self, trial: Best) -> None:
        if self._best is None or trial.mean > self._best.mean:
            self._best = trial

    def _progress(self, busy_lanes: int = 0, lanes: int = 0) -> Progress:
        study = self._study
        trials = max(study.study.trials, self._told)
        candidates = self._candidates.values()
        marks = sum(candidate.marks_in_training for candidate in candidates)
        steps_in_training = marks * study.budget.steps // study.budget.evaluations
        unasked = trials - self._told - len(candidates)
        runs_left = unasked * study.seeds.start + sum(c.unscored for c in candidates)
        return Progress(
            trials=trials,
            trials_done=self._told,
            runs=self._runs_done + runs_left,
            runs_done=self._runs_done,
            lanes=lanes,
            busy_lanes=busy_lanes,
            lanes_per_cohort=self._steps_done / max(1, self._cohort_steps_done),
            steps_done=self._steps_done,
            steps_left=max(0, runs_left * study.budget.steps - steps_in_training),
            elapsed_s=time.monotonic() - self._began,
            best=self._best,
        )

    def _find(self, run: str) -> tuple[Candidate, int]:
        trial, index = run.split("/")
        return self._candidates[int(trial)], int(index)


def _run_name(trial: int, index: int) -> str:
    return f"{trial}/{index}"
