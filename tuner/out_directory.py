"""The directory that --out names: made before the work, written to, or removed again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.files import write_whole
from tuner.errors import UsageError


def make(directory: Path) -> None:
    """Make it now and not after an hour of training."""
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
