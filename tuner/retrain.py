"""Training from an hparams.json, and playing what was trained."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from agents import checkpoint
from agents.cohort import Evaluated, Failed, Finished, RunSpec
from agents.environments import describe
from agents.evaluation import play
from agents.exactness import exact_arithmetic
from agents.files import write_whole
from agents.reference_returns import random_returns
from agents.training import train as train_runs
from tuner import hparams_file
from tuner.errors import TooManyFailures, UsageError
from tuner.evidence import RANDOM_EPISODES
from tuner.figures import learning_curves
from tuner.hparams_file import HparamsFile
from tuner.seed_pools import Pool, run_seed
from tuner.seed_statistics import broken_score, run_score

BEST_EPISODES = 100


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
    watch: Callable[[Evaluated], None] = lambda event: None,
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
            curves[seed].append(replace(event, tensors={}))
            watch(event)
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


def train(
    file: HparamsFile,
    seeds: Sequence[int],
    out: Path,
    *,
    steps: int | None = None,
    device: str = "cpu",
    force: bool = False,
    watch: Callable[[Evaluated], None] = lambda event: None,
) -> list[Trained]:
    """Train these seeds side by side, each into `out`/seed-<seed>/.

    A directory holds hparams.json, model.safetensors and evaluations.csv (step, episode, return),
    and the same of the best mark's weights under best/. `out`/returns.html shows all seeds' curves.
    With other `steps` than the file's, the file's evidence says nothing and is left out.
    """
    file = _with_steps(file, steps)
    directories = _directories(out, seeds, force)
    specs = {str(seed): _run_spec(file, seed) for seed in seeds}
    curves: dict[str, list[Evaluated]] = {run: [] for run in specs}
    best: dict[str, Evaluated] = {}  # the first of equals
    trained, failures = [], []
    try:
        for event in train_runs(specs, device):
            if isinstance(event, Evaluated):
                curves[event.run].append(replace(event, tensors={}))
                before = best.setdefault(event.run, event)
                if fmean(event.returns) > fmean(before.returns):
                    best[event.run] = event
                watch(event)
            elif isinstance(event, Finished):
                seed, curve = int(event.run), curves[event.run]
                directory = directories[seed]
                _write(directory, file, event, curve)
                at_best = _write_best(directory, file, seed, best.pop(event.run))
                claimed = file.claimed_scores().get(seed)
                trained.append(Trained(seed, _score(file, curve), claimed, directory, at_best))
            else:
                failures.append(event)
        if trained:
            _write_curves(out, file, {run.seed: curves[str(run.seed)] for run in trained})
    finally:
        _remove_empty([*directories.values(), out])
    _raise_failures(failures, trained)
    return sorted(trained, key=lambda run: list(seeds).index(run.seed))


def _with_steps(file: HparamsFile, steps: int | None) -> HparamsFile:
    """The file, for another number of steps if `steps` is one, checked to be trainable."""
    if steps is not None and steps < file.evaluation.marks:
        raise UsageError(
            f"--steps: must be at least {file.evaluation.marks}, one for every mark (got {steps})"
        )
    if steps is not None and steps != file.budget_steps:
        file = file.model_copy(update={"budget_steps": steps, "evidence": None, "made_with": None})
    starts = file.checked_hparams().learns_after
    if starts >= file.budget_steps:
        raise UsageError(
            f"{file.budget_steps} steps: learning starts after {starts}, so that nothing would be "
            "learned; train longer, or lower learning_starts"
        )
    return file


def _directories(out: Path, seeds: Sequence[int], force: bool) -> dict[int, Path]:
    """A directory for every seed, made now and not after an hour of training."""
    directories = {seed: out / f"seed-{seed}" for seed in seeds}
    taken = [str(path) for path in directories.values() if (path / "hparams.json").exists()]
    if taken and not force:
        raise UsageError(f"--out: {', '.join(taken)} exists; add --force to replace it")
    try:
        for directory in directories.values():
            directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: '{error.filename}' cannot be made ({error.strerror})") from None
    return directories


@dataclass(frozen=True)
class Evaluation:
    """Greedy episodes of one trained agent. at_limit: share that reached the time limit."""

    episodes: int
    mean: float
    std: float | None
    minimum: float
    maximum: float
    at_limit: float


def evaluate(directory: Path, episodes: int, seed: int) -> Evaluation:
    """Play an agent that `train` saved, all episodes side by side."""
    if not directory.is_dir():
        raise UsageError(f"'{directory}' is not a directory; name one such as trained/seed-0")
    file = hparams_file.read(directory / "hparams.json")
    env, facts = file.env_spec, describe(file.env_spec)
    policy = checkpoint.load(directory, file.agent, file.checked_hparams(), facts)
    with exact_arithmetic():
        played = play(policy, env, facts, [seed], marks=[0], episodes=episodes)
    if played.failures:
        raise TooManyFailures(f"the environment failed:\n{played.failures[0]}")
    returns = [float(value) for value in played.returns[0]]
    return Evaluation(
        episodes=episodes,
        mean=fmean(returns),
        std=stdev(returns) if episodes > 1 else None,
        minimum=min(returns),
        maximum=max(returns),
        at_limit=float(played.truncated.mean()),
    )


def _run_spec(file: HparamsFile, seed: int) -> RunSpec:
    return RunSpec(file.agent, file.checked_hparams(), file.env_spec, file.budget, seed)


def _score(file: HparamsFile, curve: Sequence[Evaluated]) -> float:
    marks = file.budget.marks[: len(curve)]
    return run_score(file.evaluation.score, marks, [event.returns for event in curve])


def _remove_empty(directories: Sequence[Path]) -> None:
    for directory in directories:
        with suppress(OSError):  # what it holds, it keeps
            directory.rmdir()


def _write(
    directory: Path, file: HparamsFile, finished: Finished, curve: Sequence[Evaluated]
) -> None:
    """Everything of one seed; hparams.json comes last and says that the rest is there."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["step", "episode", "return"])
    for event in curve:
        rows.writerows([event.step, number, value] for number, value in enumerate(event.returns))
    with _written_to(directory):
        write_whole(directory / "evaluations.csv", table.getvalue().encode())
        checkpoint.save(directory, finished.tensors)
        hparams_file.write(directory / "hparams.json", file, force=True)


def _write_best(directory: Path, file: HparamsFile, seed: int, event: Evaluated) -> Best:
    """The weights of the best mark, played on episodes that chose nothing."""
    directory = directory / "best"
    plain = file.model_copy(update={"evidence": None, "made_with": None})  # of the last weights
    with _written_to(directory):
        directory.mkdir(exist_ok=True)
        checkpoint.save(directory, event.tensors)
        hparams_file.write(directory / "hparams.json", plain, force=True)
    fresh = None
    with suppress(TooManyFailures):  # the run itself is over, and kept
        fresh = evaluate(directory, BEST_EPISODES, seed).mean
    return Best(event.step, fmean(event.returns), fresh)


def _write_curves(out: Path, file: HparamsFile, curves: Mapping[int, Sequence[Evaluated]]) -> None:
    """returns.html, with Plotly's script beside it, so that it opens without a network."""
    means = {
        seed: [(event.step, fmean(event.returns)) for event in curve]
        for seed, curve in sorted(curves.items())
    }
    figure = learning_curves(means, f"{file.agent} on {file.env.id}")
    with _written_to(out):
        figure.write_html(out / "returns.html", include_plotlyjs="directory")


@contextmanager
def _written_to(directory: Path) -> Iterator[None]:
    """Say which directory it was, if it cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"--out: '{directory}' cannot be written ({error.strerror})") from None


def _raise_failures(failures: Sequence[Failed], trained: Sequence[Trained]) -> None:
    if failures:
        seeds = ", ".join(event.run for event in failures)
        kept = ", ".join(f"{run.directory} (score {run.score})" for run in trained) or "none"
        raise TooManyFailures(
            f"{len(failures)} of {len(failures) + len(trained)} runs failed (seeds {seeds}); "
            f"finished and kept: {kept}; the last failure said:\n"
            f"{failures[-1].reason}: {failures[-1].text}"
        )
