"""The one loop: take work from the phase at hand, train it in lanes, record each run.

The scheduler is the only writer of its database. It is a single thread that listens to its
trainers; all it needs to decide stands in memory, all that is finished stands in the database.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

from agents.environments import describe
from agents.hparams import Hparams
from tuner import messages
from tuner.crew import Crew, Died
from tuner.errors import Stopped, TooManyFailures
from tuner.evidence import RANDOM_EPISODES, EnvFigures, env_figures, measured_by
from tuner.failures import Endings
from tuner.finals import FINALS, Finals, finals_of, runs_to_come
from tuner.lane_count import lane_room
from tuner.outlook import Moment, Outlook
from tuner.phases import FixedRuns, Phase, RunKey
from tuner.placement import Place
from tuner.progress import PHASES, Best, Lanes, Progress
from tuner.recorder import Recorder, Training, with_scores
from tuner.search import Search
from tuner.seed_pools import Pool
from tuner.storage import Store
from tuner.study import Study
from tuner.time_left import Ahead, finalists_expected, share_that_goes_on
from tuner.trials import ENV_FIGURES, Trials

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
        noted = self._trials.noted(ENV_FIGURES)
        self._env = env_figures(noted) if noted else None
        self._random_plays = 0
        self._recorder = Recorder(study, store)
        self._training: dict[str, Training] = {}
        self._attempts: dict[str, int] = {}
        self._runs_done = store.finished_since(study.name, 0.0)
        self._steps_done = self._cohort_steps_done = 0
        self._recorded_before = {p: store.finished_since(study.name, 0.0, p) for p in PHASES}
        self._later: Sequence[str] = ()  # the parts behind the one at hand
        self._finalists = finalists_expected(0, 0, study.study.trials)
        self._outlook = Outlook(study.budget.steps)
        self._best: Best | None = None
        self._trials_done = len(self._trials.told())
        self._endings = Endings()
        self._began = time.monotonic()

    def launch(
        self,
        parts: Sequence[str] = PHASES,
        stop_code: Callable[[], int | None] = lambda: None,
    ) -> Iterator[Progress]:
        """Train every part of the study to its end. Yields progress a few times a second.

        `stop_code` is asked in between; an exit code from it ends the launch with `Stopped`.
        """
        with ExitStack() as stack:
            crews: list[Crew] = []

            def crew() -> Crew:
                if not crews:
                    crews.append(stack.enter_context(self._start_crew()))
                return crews[0]

            self._later = parts[1:]
            while self._env is None:
                yield self._look(crew(), None, stop_code)
            for number, part in enumerate(parts):
                self._later = parts[number + 1 :]
                phase = self._begin(part, self._env)
                while not phase.is_over:
                    yield self._look(crew(), phase, stop_code)
                yield self._progress(phase, crews[0] if crews else None)
        if parts[-1] != "search":
            self._trials.note(FINALS, self._finals().as_data())

    def _look(
        self, crew: Crew, phase: Phase | None, stop_code: Callable[[], int | None]
    ) -> Progress:
        """Fill the lanes, hear what there is."""
        if phase is not None:
            self._fill(crew, phase)
        for report in crew.listen(LISTEN_S):
            self._hear(report, crew, phase)
        self._check_stop(stop_code(), phase)
        return self._progress(phase, crew)

    def _start_crew(self) -> Crew:
        resources, study = self._resources, self._study
        crew = Crew(resources.workers, resources.lanes, resources.device, resources.imports)
        if resources.lanes is None:
            room = lane_room(study, resources.workers, describe(study.env_spec).features)
            sample = self._admission("sample", study.hparams({}), seed=0)
            crew.choose_lanes(sample, room)
        if self._env is None:
            self._ask_random(crew)
        return crew

    def _begin(self, part: str, env: EnvFigures) -> Phase:
        """The phase, with everything that is recorded of it."""
        if part == "search":
            tuned = with_scores(self._store.runs(self._study.name), env.random_score)
            return Search(self._study, self._trials, env, tuned)
        finals = self._finals()
        self._trials.note(FINALS, finals.as_data())
        return FixedRuns(part, finals.to_confirm if part == "confirm" else finals.to_test)

    def _finals(self) -> Finals:
        assert self._env is not None
        runs = self._store.runs(self._study.name, purpose=None)
        scored = with_scores(runs, self._env.random_score)
        return finals_of(self._study, self._trials.told(), scored)

    def _ask_random(self, crew: Crew) -> None:
        table = self._study.study
        seed = self._study.run_seed(Pool.TUNE, 0)
        crew.play_random(
            messages.PlayRandom(table.env, dict(table.env_kwargs), RANDOM_EPISODES, seed)
        )

    def _fill(self, crew: Crew, phase: Phase) -> None:
        """Keep every lane busy."""
        while crew.free_lanes and (work := phase.next_work()) is not None:
            name, hparams = work.key.name, work.hparams
            self._training[name] = Training(work)
            seed = self._study.run_seed(work.key.pool, work.key.index)
            place = Place(hparams.shape, hparams.cost)
            crew.place(self._admission(name, hparams, seed), place)

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

    def _hear(self, report: messages.Report | Died, crew: Crew, phase: Phase | None) -> None:
        match report:
            case messages.Ready():
                self._recorder.made_with = report.made_with
            case messages.PlayedRandom():
                self._measured(report)
            case messages.Measured():
                self._outlook.expect(crew.measured)
            case messages.Advanced():
                self._steps_done += report.lane_steps
                self._cohort_steps_done += report.cohort_steps
            case Died() if self._env is None:
                self._play_again(report, crew)
        if phase is None:
            return
        match report:
            case messages.Evaluated():
                self._note_mark(report, crew, phase)
            case messages.Finished() | messages.Failed():
                self._end(report, phase)
            case Died():
                self._train_again(report, phase)

    def _measured(self, report: messages.PlayedRandom) -> None:
        if report.failure is not None:
            raise TooManyFailures(
                f"{report.failure}\nmend it, then launch again: nothing is recorded yet"
            )
        score = self._study.objective.score
        self._env = measured_by(score, report.returns, report.threshold, report.bounds)
        self._trials.note(ENV_FIGURES, asdict(self._env))

    def _play_again(self, death: Died, crew: Crew) -> None:
        self._random_plays += 1
        if self._random_plays >= ATTEMPTS:
            raise TooManyFailures(
                f"env '{self._study.study.env}' killed its process {ATTEMPTS} times under random "
                f"actions (exit {death.exit_code}):\n{death.last_words}"
            )
        self._ask_random(crew)

    def _note_mark(self, report: messages.Evaluated, crew: Crew, phase: Phase) -> None:
        self._training[report.run].marks[report.mark] = report.returns
        unwanted = phase.evaluated(RunKey.of(report.run), report.mark, report.returns)
        names = [key.name for key in unwanted]
        crew.evict(names)
        for name in names:
            self._training.pop(name, None)

    def _end(self, report: messages.Finished | messages.Failed, phase: Phase) -> None:
        training = self._training.pop(report.run)
        attempt = training.work.continued + self._attempts.get(report.run, 1)
        run = self._recorder.record(report, training, attempt, self._random_score)
        self._runs_done += 1
        assert run.score is not None
        phase.scored(training.work.key, run.score, failed=run.failed)
        if isinstance(report, messages.Finished):
            self._endings.add(None)
        elif report.reason != "diverged":  # that is a matter of the search
            self._endings.add(report.text)

    @property
    def _random_score(self) -> float:
        assert self._env is not None and self._env.random_score is not None
        return self._env.random_score

    def _train_again(self, death: Died, phase: Phase) -> None:
        """A trainer died: its runs begin anew elsewhere, and come out the same."""
        for name in death.runs:
            attempts = self._attempts[name] = self._attempts.get(name, 1) + 1
            if attempts > ATTEMPTS:
                text = f"{death.last_words}\nkilled its trainer {ATTEMPTS} times"
                self._end(messages.Failed(name, "crash", text, 0.0), phase)
            else:
                phase.lost(self._training.pop(name).work.key)

    def _check_stop(self, code: int | None, phase: Phase | None) -> None:
        if code is not None:
            raise Stopped("stopped; every finished run is kept", code)
        limit = self._resources.timeout_s
        over = phase is not None and phase.is_over
        if limit is not None and time.monotonic() - self._began > limit and not over:
            raise Stopped("the time of --timeout is over; every finished run is kept")

    def _progress(self, phase: Phase | None = None, crew: Crew | None = None) -> Progress:
        if isinstance(phase, Search):
            self._best, self._finalists = phase.best, phase.finalists
            self._trials_done = phase.trials_done
        per_cohort = self._steps_done / max(1, self._cohort_steps_done)
        lanes = Lanes(crew.lanes, crew.busy_lanes, per_cohort) if crew and crew.lanes else None
        elapsed = time.monotonic() - self._began
        moment = Moment(elapsed, self._steps_done, self._runs_done, lanes)
        self._outlook.see(moment, lambda: self._ahead(phase))
        over = phase is not None and phase.is_over and not self._later
        return Progress(
            study=self._study.name,
            phase="start" if phase is None else "done" if over else phase.name,
            running=True,
            trials=max(self._study.study.trials, self._trials_done),
            trials_done=self._trials_done,
            states=(),
            runs=self._runs_done if over else max(self._runs_done, self._outlook.runs),
            runs_done=self._runs_done,
            lanes=lanes,
            steps_per_second=self._outlook.steps_per_second,
            elapsed_s=elapsed,
            left_s=0.0 if over else self._outlook.left_s,
            best=self._best,
            measures=() if self._env is None else self._env.measures,
        )

    def _ahead(self, phase: Phase | None) -> Ahead:
        """What the part at hand still needs, and those behind it."""
        study = self._study
        later = runs_to_come(study.seeds, self._finalists, self._later, self._recorded_before)
        if phase is None:
            trials = range(study.study.trials)
            return Ahead([], trials, study.race, share_that_goes_on(0, 0), later)
        left = {t.work.key: t.left(study.budget.evaluations) for t in self._training.values()}
        return replace(phase.ahead(left), later=later)
