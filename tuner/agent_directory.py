"""Directories that hold a trained agent, read and written."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agents import checkpoint
from agents.environments import EnvFacts, describe
from agents.files import write_whole
from agents.learner import GreedyPolicy
from tuner import hparams_file
from tuner.errors import UsageError
from tuner.hparams_file import HparamsFile


@dataclass(frozen=True)
class TrainedAgent:
    """What `tuner train` left of one seed."""

    directory: Path
    file: HparamsFile
    facts: EnvFacts

    def policy(self) -> GreedyPolicy:
        """What it does, as one lane, read anew: a random agent goes on drawing from call to call.

        Raises CheckpointError if the weights are missing, damaged or another's.
        """
        hparams = self.file.checked_hparams()
        return checkpoint.load(self.directory, self.file.agent, hparams, self.facts)


def read(directory: Path) -> TrainedAgent:
    """The agent saved there. Raises the error of whatever is missing or damaged."""
    if not directory.is_dir():
        raise UsageError(f"'{directory}' is not a directory; name one such as trained/seed-0")
    if not (directory / "hparams.json").exists():
        raise UsageError(
            f"'{directory}' holds no agent (it has no hparams.json); name a directory that "
            "`tuner train` wrote, such as trained/seed-0"
        )
    file = hparams_file.read(directory / "hparams.json")
    return TrainedAgent(directory, file, describe(file.env_spec))


def make(directory: Path) -> None:
    """Make the directory now and not after an hour of training."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: '{error.filename}' cannot be made ({error.strerror})") from None


@contextmanager
def written_to(directory: Path) -> Iterator[None]:
    """Say which directory it was, if it cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"--out: '{directory}' cannot be written ({error.strerror})") from None


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file with a line of column names."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_whole(path, table.getvalue().encode())


def remove_empty(directories: Sequence[Path]) -> None:
    """Remove those of them that nothing was written to."""
    for directory in directories:
        with suppress(OSError):  # what it holds, it keeps
            directory.rmdir()
