"""Training from an hparams.json: for scores alone, or to keep the agents."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

from agents.cohort import Evaluated, Failed, Finished, RunSpec
from agents.episodes import Episode
from agents.reference_returns import random_returns
from agents.training import train as train_runs
from tuner import out_directory, seed_directories
from tuner.errors import TooManyFailures, UsageError
from tuner.evaluation import evaluate
from tuner.evidence import RANDOM_EPISODES
from tuner.hparams_file import HparamsFile
from tuner.seed_pools import Pool, run_seed
from tuner.seed_statistics import broken_score, run_score

BEST_EPISODES = 100
Tell = Callable[[Evaluated], None]  # of every mark


@dataclass(frozen=True)
class Scored:
    """One seed's run. exact: whether lanes were independent bit for bit where it was trained.

    failure  why it broke down, if it did
    """

    score: float
    exact: bool
    failure: str | None = None


def scores(
    file: HparamsFile,
    seeds: Sequence[int],
    *,
    device: str = "cpu",
    tell: Tell = lambda event: None,
) -> dict[int, Scored]:
    """Train these seeds side by side and keep nothing but their scores.

    A run that breaks down scores as it does in a study: what a random agent does, or less.
    """
    curves: dict[int, list[Evaluated]] = {seed: [] for seed in seeds}
    found: dict[int, Scored] = {}
    failures: dict[int, Failed] = {}
    for event in train_runs({str(seed): _run_spec(file, seed) for seed in seeds}, device):
        seed = int(event.run)
        if isinstance(event, Evaluated):
            curves[seed].append(event)
            tell(event)
        elif isinstance(event, Finished):
            found[seed] = Scored(_score(file, curves[seed]), event.exact)
        else:
            failures[seed] = event
    if failures:
        random_score = _random_score(file)
        for seed, event in failures.items():
            reached = _score(file, curves[seed]) if curves[seed] else None
            why = f"{event.reason}: {event.text.strip().splitlines()[-1]}"
            found[seed] = Scored(broken_score(random_score, reached), exact=True, failure=why)
    return found


def _random_score(file: HparamsFile) -> float:
    """Played anew as when the study began: what a file says of it is part of its claim."""
    evidence = file.evidence
    seed = 0
    if evidence is not None and evidence.tune is not None and evidence.tune.seeds:
        seed = evidence.tune.seeds[0]
    elif evidence is not None and evidence.master_seed is not None:
        seed = run_seed(evidence.master_seed, Pool.TUNE, 0)
    return fmean(random_returns(file.env_spec, RANDOM_EPISODES, seed))


@dataclass(frozen=True)
class Best:
    """A run's policy at the mark where its episodes went best.

    chosen  mean return of the episodes that chose it, which flatters
    fresh   mean return of `BEST_EPISODES` others; None where the environment failed in them
    """

    step: int
    chosen: float
    fresh: float | None


@dataclass(frozen=True)
class Trained:
    """One seed's run. claimed: the score recorded for that seed, where the file has one."""

    seed: int
    score: float
    claimed: float | None
    directory: Path
    best: Best


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to train. Each seed gets `out`/seed-<seed>/; force: even where one is there."""

    file: HparamsFile
    seeds: Sequence[int]
    out: Path
    device: str = "cpu"
    force: bool = False


def train(
    plan: Plan,
    *,
    tell: Tell = lambda event: None,
    log: AbstractContextManager[Tell] = nullcontext(lambda event: None),  # noqa: B008  no state
) -> list[Trained]:
    """Train these seeds side by side, each into its directory.

    A directory holds hparams.json, model.safetensors, evaluations.csv (step, episode, return) and
    episodes.csv (step, length, return) of the episodes it trained in, and under best/ the best
    mark's weights. `plan.out`/returns.html shows all seeds' curves.
    `tell` and `log` are told every mark; the log is opened when all else is known to be fine.
    """
    directories = seed_directories.make(plan.out, plan.seeds, plan.force)
    courses = {str(seed): _Course() for seed in plan.seeds}
    specs = {str(seed): _run_spec(plan.file, seed) for seed in plan.seeds}
    trained, failures = [], []
    with ExitStack() as stack:
        stack.callback(out_directory.remove_empty, [*directories.values(), plan.out])
        take = stack.enter_context(log)
        for event in train_runs(specs, plan.device, followed=True):
            if isinstance(event, Evaluated):
                courses[event.run].take(event)
                take(event)
                tell(event)
            elif isinstance(event, Finished):
                directory = directories[int(event.run)]
                trained.append(_kept(directory, plan.file, courses.pop(event.run), event))
            else:
                failures.append(event)
        if trained:
            kept = [run.directory for run in trained]
            seed_directories.write_curves(plan.out, plan.file, kept)
    _raise_failures(failures, trained)
    return sorted(trained, key=lambda run: plan.seeds.index(run.seed))


@dataclass
class _Course:
    """How a run has gone so far. best: its best mark, the first of equals."""

    curve: list[Evaluated] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    best: Evaluated | None = None

    def take(self, event: Evaluated) -> None:
        """The run reached its next mark."""
        assert event.followed is not None
        self.curve.append(replace(event, followed=None))
        self.episodes += event.followed.episodes
        if self.best is None or fmean(event.returns) > fmean(self.best.returns):
            self.best = event


def _kept(directory: Path, file: HparamsFile, course: _Course, finished: Finished) -> Trained:
    """Write down a run that is over."""
    seed, score = int(finished.run), _score(file, course.curve)
    assert course.best is not None  # the last mark, at least
    seed_directories.clear(directory)
    best = _kept_best(directory, file, seed, course.best)
    seed_directories.write(directory, file, finished, course.curve, course.episodes)
    return Trained(seed, score, file.claimed_scores().get(seed), directory, best)


def _kept_best(directory: Path, file: HparamsFile, seed: int, event: Evaluated) -> Best:
    """The weights of the best mark, played on episodes that chose nothing."""
    kept = seed_directories.write_best(directory, file, event)
    fresh = None
    with suppress(TooManyFailures):  # the run itself is over, and kept
        fresh = evaluate(kept, BEST_EPISODES, seed).mean
    return Best(event.step, fmean(event.returns), fresh)


def _raise_failures(failures: Sequence[Failed], trained: Sequence[Trained]) -> None:
    if failures:
        seeds = ", ".join(event.run for event in failures)
        kept = ", ".join(f"{run.directory} (score {run.score})" for run in trained) or "none"
        raise TooManyFailures(
            f"{len(failures)} of {len(failures) + len(trained)} runs failed (seeds {seeds}); "
            f"finished and kept: {kept}; the last failure said:\n"
            f"{failures[-1].reason}: {failures[-1].text}"
        )


def with_steps(file: HparamsFile, steps: int | None) -> HparamsFile:
    """The file, for another number of steps if `steps` is one, checked to be trainable.

    Of another number its evidence says nothing, and is left out.
    """
    hparams = file.checked_hparams()
    least = file.evaluation.marks * hparams.environments
    if steps is not None and steps < least:
        raise UsageError(
            f"--steps: must be at least {least}, for {file.evaluation.marks} marks (got {steps})"
        )
    if steps is not None and steps != file.budget_steps:
        file = file.model_copy(update={"budget_steps": steps, "evidence": None, "made_with": None})
    starts = hparams.learns_after
    if starts >= file.budget_steps:
        raise UsageError(
            f"{file.budget_steps} steps: learning starts after {starts}, so that nothing would be "
            "learned; train longer, or lower learning_starts"
        )
    return file


def _run_spec(file: HparamsFile, seed: int) -> RunSpec:
    return RunSpec(file.agent, file.checked_hparams(), file.env_spec, file.budget, seed)


def _score(file: HparamsFile, curve: Sequence[Evaluated]) -> float:
    marks = file.budget.marks[: len(curve)]
    return run_score(file.evaluation.score, marks, [event.returns for event in curve])
