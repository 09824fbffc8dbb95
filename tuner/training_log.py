"""Training followed in other programs: TensorBoard and Weights & Biases."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

from agents.cohort import Evaluated
from tuner.errors import UsageError
from tuner.hparams_file import HparamsFile

Point = tuple[int, Mapping[str, float]]  # environment step, values by name
MISSING = "--{0}: {0} is not installed here; pip install 'dqn-tuner[logging]'"


class Board(Protocol):
    """Where the numbers of one seed go."""

    def draw(self, points: Iterable[Point]) -> None:
        """Take in values at environment steps, of which each name's rise."""
        ...

    def close(self, *, whole: bool) -> None:
        """Write down what has not been written yet. whole: the seed reached its last mark."""
        ...


class TrainingLog:
    """Boards of every seed, told at every mark what happened since the last.

    episode/return, episode/length    of an episode of training, at the step it ended
    evaluation/return                 mean of the mark's greedy episodes
    learning/epsilon, loss, mean_q    as `agents.learner.READINGS` has them, where an agent has them
    learning/updates_per_second       over the wall time since the mark before, of this seed alone
    """

    def __init__(self, boards: Mapping[int, Sequence[Board]], marks: int) -> None:
        self._marks, self._whole = marks, set[str]()
        self._boards = {str(seed): own for seed, own in boards.items()}
        self._looked: dict[str, tuple[float, float]] = {}
        self._begun = time.monotonic()

    def take(self, event: Evaluated) -> None:
        """A seed reached a mark."""
        if event.mark == self._marks:
            self._whole.add(event.run)
        if not self._boards[event.run]:
            return
        points = [*self._episodes(event), (event.step, self._at_mark(event))]
        for board in self._boards[event.run]:
            board.draw(points)

    def close(self) -> None:
        """Close every board, whatever becomes of the others."""
        with ExitStack() as stack:
            for run, boards in self._boards.items():
                for board in boards:
                    stack.callback(board.close, whole=run in self._whole)

    def _episodes(self, event: Evaluated) -> list[Point]:
        assert event.followed is not None
        return [
            (episode.step, {"episode/return": episode.gained, "episode/length": episode.length})
            for episode in event.followed.episodes
        ]

    def _at_mark(self, event: Evaluated) -> Mapping[str, float]:
        assert event.followed is not None
        readings = dict(event.followed.readings)
        values = {"evaluation/return": fmean(event.returns)}
        updates, now = readings.pop("updates", None), event.followed.moment
        if updates is not None:
            then, before = self._looked.get(event.run, (self._begun, 0.0))
            self._looked[event.run] = now, updates
            values["learning/updates_per_second"] = (updates - before) / max(now - then, 1e-9)
        return values | {f"learning/{name}": value for name, value in readings.items()}


@contextmanager
def opened(
    file: HparamsFile,
    seeds: Sequence[int],
    tensorboard: Path | None,
    wandb: str | None,
    *,
    force: bool = False,
) -> Iterator[Callable[[Evaluated], None]]:
    """What to tell every mark, for the boards that were asked for.

    Raises UsageError where one cannot be had, or is there already and is not to be replaced.
    """
    boards: dict[int, list[Board]] = {seed: [] for seed in seeds}
    log = TrainingLog(boards, file.evaluation.marks)
    try:
        if tensorboard is not None:
            directories = {seed: tensorboard / f"seed-{seed}" for seed in seeds}
            _clear(directories.values(), force)
            for seed, directory in directories.items():
                boards[seed].append(_TensorBoard(directory, file))
        if wandb is not None:
            for seed in seeds:
                boards[seed].append(_Wandb(wandb, file, seed))
        yield log.take
    finally:
        log.close()


def _clear(directories: Iterable[Path], force: bool) -> None:
    """Have no curves of another training in these directories."""
    old = [path for directory in directories for path in directory.glob("events.out.tfevents.*")]
    if old and not force:
        taken = ", ".join(sorted({str(path.parent) for path in old}))
        raise UsageError(f"--tensorboard: {taken} holds a training; add --force to replace it")
    for path in old:
        path.unlink()


class _TensorBoard:
    """An event file of its own for each seed, in `directory`."""

    def __init__(self, directory: Path, file: HparamsFile) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.plugins.text.summary_v2 import text_pb
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise UsageError(MISSING.format("tensorboard")) from None
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        try:
            self._writer = EventFileWriter(str(directory))
        except OSError as error:
            raise UsageError(
                f"--tensorboard: '{directory}' cannot be written ({error.strerror})"
            ) from None
        self._add(0, text_pb("hparams", _listed(file)))

    def draw(self, points: Iterable[Point]) -> None:
        for step, values in points:
            drawn = [self._summary.Value(tag=tag, simple_value=y) for tag, y in values.items()]
            self._add(step, self._summary(value=drawn))
        self._writer.flush()

    def close(self, *, whole: bool) -> None:
        self._writer.close()

    def _add(self, step: int, summary: Any) -> None:
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))


class _Wandb:
    """A run of its own for each seed, grouped by configuration. Values stand over `step`."""

    def __init__(self, project: str, file: HparamsFile, seed: int) -> None:
        try:
            import wandb
        except ImportError:
            raise UsageError(MISSING.format("wandb")) from None
        try:
            self._run = wandb.init(
                project=project,
                name=f"seed-{seed}",
                group=f"{file.agent} on {file.env.id}",
                config=_configuration(file) | {"seed": seed},
                reinit="create_new",
            )
        except (wandb.Error, OSError) as error:
            hint = "; set WANDB_MODE=offline to keep it here" if "API key" in str(error) else ""
            raise UsageError(f"--wandb: {str(error).rstrip('.')}{hint}") from None
        self._run.define_metric("*", step_metric="step")

    def draw(self, points: Iterable[Point]) -> None:
        for step, values in points:
            self._run.log({"step": step, **values})

    def close(self, *, whole: bool) -> None:
        self._run.finish(exit_code=0 if whole else 1)


def _configuration(file: HparamsFile) -> dict[str, Any]:
    told = {"agent": file.agent, "env": file.env.id, "steps": file.budget_steps}
    return told | file.checked_hparams().model_dump(mode="json")


def _listed(file: HparamsFile) -> str:
    """As a table of Markdown."""
    rows = (f"| {name} | {value} |" for name, value in _configuration(file).items())
    return "\n".join(["| hyperparameter | value |", "|---|---|", *rows])
