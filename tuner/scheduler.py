"""The one loop: take work from the phase at hand, train it in lanes, record each run.

The scheduler is the only writer of its database. It is a single thread that listens to its
trainers; all it needs to decide stands in memory, all that is finished stands in the database.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from agents.environments import describe
from agents.hparams import Hparams
from tuner import messages
from tuner.crew import Crew, Died
from tuner.errors import Stopped, TooManyFailures
from tuner.evidence import RANDOM_EPISODES, EnvFigures, env_figures, measured_by
from tuner.failures import Endings
from tuner.finals import FINALS, Finals, expected_runs, finals_of
from tuner.lane_count import lane_room
from tuner.phases import FixedRuns, Phase, RunKey
from tuner.placement import Place
from tuner.progress import Best, Progress
from tuner.recorder import Recorder, Training, with_scores
from tuner.search import Search
from tuner.seed_pools import Pool
from tuner.storage import Store
from tuner.study import Study
from tuner.trials import ENV_FIGURES, Trials

LISTEN_S = 0.2
ATTEMPTS = 3
PARTS = ("search", "confirm", "test")


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
        self._to_come = 0  # runs of the parts behind the one at hand, as far as can be told
        self._best: Best | None = None
        self._trials_done = len(self._trials.told())
        self._endings = Endings()
        self._began = time.monotonic()

    def launch(
        self,
        parts: Sequence[str] = PARTS,
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

            while self._env is None:
                yield self._look(crew(), None, stop_code)
            seeds = self._study.seeds
            expected = expected_runs(self._study.study.trials, seeds.confirm, seeds.test)
            for number, part in enumerate(parts):
                self._to_come = sum(expected[later] for later in parts[number + 1 :])
                phase = self._begin(part, self._env)
                while not phase.is_over:
                    yield self._look(crew(), phase, stop_code)
                yield self._progress(phase)
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
        study = self._study
        if isinstance(phase, Search):
            self._best = phase.best
            self._trials_done = phase.trials_done
        marks = sum(len(training.marks) for training in self._training.values())
        steps_in_training = marks * study.budget.steps // study.budget.evaluations
        runs_left = self._to_come + (0 if phase is None else phase.runs_left)
        return Progress(
            phase="start" if phase is None else phase.name,
            trials=max(study.study.trials, self._trials_done),
            trials_done=self._trials_done,
            runs=self._runs_done + runs_left,
            runs_done=self._runs_done,
            lanes=crew.lanes if crew else 0,
            busy_lanes=crew.busy_lanes if crew else 0,
            lanes_per_cohort=self._steps_done / max(1, self._cohort_steps_done),
            steps_done=self._steps_done,
            steps_left=max(0, runs_left * study.budget.steps - steps_in_training),
            elapsed_s=time.monotonic() - self._began,
            best=self._best,
        )
