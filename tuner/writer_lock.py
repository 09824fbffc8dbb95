"""One writer per database: the process that holds `<file>.lock`.

The kernel frees the lock when the process dies.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import StorageError


@dataclass(frozen=True)
class Task:
    """What a launch works on: these parts of a study, one after the other."""

    study: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Writer:
    """The process that holds a database. since: seconds of the Unix epoch.

    task  None where it trains no study's runs, or its version did not say
    """

    pid: int
    since: float
    task: Task | None = None


@contextmanager
def held(path: Path, task: Task | None = None) -> Iterator[None]:
    """Hold the database's lock file; refuse if another process does."""
    lock = _lock_path(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"storage: cannot write '{lock}' ({error.strerror})") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 64).decode(errors="replace").partition(" ")[0] or "unknown"
            raise StorageError(
                f"storage: '{path}' is in use by process {holder}; "
                "wait for it, stop it, or use another file by --storage"
            ) from None
        os.ftruncate(descriptor, 0)
        said = f"{os.getpid()} {time.time():.0f}\n"
        if task is not None:
            said += json.dumps({"study": task.study, "parts": task.parts}) + "\n"
        os.write(descriptor, said.encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def writer_of(path: Path) -> Writer | None:
    """The process that writes to a database, if there is one.

    Read without touching the lock, so that a launch that starts now is not refused.
    """
    lock = _lock_path(path)
    try:
        first, _, task = lock.read_text().partition("\n")
        pid, since = first.split()
        found = lock.stat()
        locked = f":{found.st_ino} " in Path("/proc/locks").read_text()
    except (OSError, ValueError):
        return None
    return Writer(int(pid), float(since), _task(task)) if locked else None


def _task(line: str) -> Task | None:
    """The lock file's second line; locks of older versions have none."""
    try:
        said = json.loads(line)
        return Task(str(said["study"]), tuple(map(str, said["parts"])))
    except (ValueError, KeyError, TypeError):
        return None


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
