"""The one door to the database: Optuna's tables and our `runs` table beside them.

A database has one writer at a time (`writer_lock`). Readers open the file read-only and are never
in the writer's way (WAL).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
from optuna.storages import BaseStorage, RDBStorage, get_storage
from sqlalchemy import JSON, Engine, func, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tuner.errors import StorageError, UsageError
from tuner.writer_lock import Task, Writer, held, writer_of

DEFAULT_URL = "sqlite:///tuner.db"
BUSY_TIMEOUT_S = 30


@dataclass(frozen=True)
class Run:
    """One run as recorded: trained once, written once.

    status  finished | failed
    score   its number; None for failed runs of databases made before these were given one
    curve   {"steps": [marks], "returns": [marks][episodes]}, as far as it came
    error   why it failed, with the environment's traceback
    recorded_at  when it was recorded; None before that
    """

    study: str
    trial: int
    purpose: str
    seed_index: int
    seed: int
    status: str
    score: float | None
    curve: dict[str, Any]
    seconds: float
    attempt: int
    made_with: dict[str, Any]
    error: str | None = None
    recorded_at: datetime | None = field(default=None, compare=False)

    @property
    def failed(self) -> bool:
        """Whether it broke down: diverged, crashed, or its environment raised."""
        return self.status == "failed"


class _Base(DeclarativeBase):
    pass


class _RunRow(_Base):
    __tablename__ = "runs"

    study: Mapped[str] = mapped_column(primary_key=True)
    trial: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    seed_index: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    status: Mapped[str]
    score: Mapped[float | None]
    curve: Mapped[dict[str, Any]] = mapped_column(JSON)
    seconds: Mapped[float]
    attempt: Mapped[int]
    made_with: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


_WRITTEN = tuple(name for name in Run.__dataclass_fields__ if name != "recorded_at")


class Store:
    """An open database. Made by `open_for_writing` or `open_for_reading`."""

    def __init__(self, url: str, path: Path, storage: RDBStorage) -> None:
        self.url = url
        self.path = path
        self._file = _identity(path)
        self._rdb = storage
        self.optuna: BaseStorage = get_storage(storage)

    @property
    def _engine(self) -> Engine:
        return self._rdb.engine

    def record(self, run: Run) -> bool:
        """Write a run in one transaction. False if it was recorded before: the first one stays.

        Raises StorageError if the file was deleted or replaced since it was opened.
        """
        if _identity(self.path) != self._file:
            raise StorageError(
                f"storage: '{self.path}' was deleted or replaced while in use; put it back, "
                "or launch again to begin anew"
            )
        row = _RunRow(**{name: getattr(run, name) for name in _WRITTEN})
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
        except IntegrityError:
            if any(
                (old.purpose, old.seed_index) == (run.purpose, run.seed_index)
                for old in self.runs(run.study, run.trial, purpose=None)
            ):
                return False
            raise
        return True

    def runs(
        self,
        study: str,
        trial: int | None = None,
        *,
        purpose: str | None = "tune",
        as_recorded: bool = False,
    ) -> list[Run]:
        """What is recorded of a study (or of one trial, one purpose).

        By trial, purpose and seed; or as they were recorded one after the other, as
        `racing.replay` wants them.
        """
        rows = select(_RunRow).where(_RunRow.study == study)
        if trial is not None:
            rows = rows.where(_RunRow.trial == trial)
        if purpose is not None:
            rows = rows.where(_RunRow.purpose == purpose)
        by_name = (_RunRow.trial, _RunRow.purpose, _RunRow.seed_index)
        rows = rows.order_by(text("rowid")) if as_recorded else rows.order_by(*by_name)
        with Session(self._engine) as session:
            return [_as_run(row) for row in session.scalars(rows)]

    def finished_since(self, study: str, since: float, purpose: str | None = None) -> int:
        """How many runs of a study were recorded with a score after that moment of the epoch."""
        moment = datetime.fromtimestamp(since, UTC)
        rows = select(func.count()).where(
            _RunRow.study == study, _RunRow.score.is_not(None), _RunRow.recorded_at >= moment
        )
        if purpose is not None:
            rows = rows.where(_RunRow.purpose == purpose)
        with Session(self._engine) as session:
            return session.scalar(rows) or 0

    def run_count(self, study: str) -> int:
        """How many runs of a study are recorded, of all purposes."""
        rows = select(func.count()).where(_RunRow.study == study)
        with Session(self._engine) as session:
            return session.scalar(rows) or 0

    def study_names(self) -> list[str]:
        """The studies in this database, by name."""
        return sorted(optuna.get_all_study_names(storage=self.optuna))

    def optuna_study(self, name: str) -> optuna.Study:
        """An existing study. Raises UsageError if there is none of that name."""
        names = self.study_names()
        if name not in names:
            known = f"it holds: {', '.join(names)}" if names else "it holds no study yet"
            raise UsageError(f"no study '{name}' in {self.url}; {known}")
        return optuna.load_study(study_name=name, storage=self.optuna)

    def writer(self) -> Writer | None:
        """The process that writes to this database, if there is one."""
        return writer_of(self.path)

    def close(self) -> None:
        """Let the file go."""
        self._rdb.remove_session()
        self._engine.dispose()


@contextmanager
def open_for_writing(url: str, task: Task | None = None) -> Iterator[Store]:
    """The database of this URL, made if it is missing, for its only writer.

    task: what others are told that it works on.
    Raises StorageError if another process writes to it, naming that process.
    """
    path = _sqlite_path(url)
    if not path.parent.is_dir():
        raise StorageError(f"storage: directory '{path.parent}' does not exist; make it first")
    if path.is_dir():
        raise StorageError(f"storage: '{path}' is a directory; name a file in it")
    with held(path, task), _translated(path):
        store = Store(url, path, _rdb(path, writing=True))
        _Base.metadata.create_all(store._engine)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def open_for_reading(url: str) -> Iterator[Store]:
    """An existing database, read-only, whether or not somebody writes to it."""
    path = _sqlite_path(url)
    if not path.is_file():
        raise StorageError(
            f"storage: no database at '{path}'; `tuner launch` makes it, "
            "or name another by --storage"
        )
    with _translated(path):
        store = Store(url, path, _rdb(path, writing=False))
        try:
            yield store
        finally:
            store.close()


def _as_run(row: _RunRow) -> Run:
    written = {name: getattr(row, name) for name in _WRITTEN}
    return Run(**written, recorded_at=row.recorded_at.replace(tzinfo=UTC))


def _rdb(path: Path, *, writing: bool) -> RDBStorage:
    def connect() -> sqlite3.Connection:
        mode = "rwc" if writing else "ro"
        if not writing and not os.access(path.parent, os.W_OK) and not _wal(path).exists():
            mode += "&immutable=1"  # else SQLite wants to put files beside it
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )
        if writing:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    return RDBStorage(
        f"sqlite:///{path}",
        engine_kwargs={"creator": connect},
        skip_table_creation=not writing,
    )


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Database errors as one line that names the file."""
    try:
        yield
    except (DatabaseError, optuna.exceptions.StorageInternalError) as error:
        cause = str(getattr(error, "orig", None) or error.__cause__ or error).splitlines()[0]
        raise StorageError(f"storage: '{path}': {cause}") from error


def _sqlite_path(url: str) -> Path:
    prefix = "sqlite:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        raise StorageError("storage: not an SQLite URL; write for example sqlite:///tuner.db")
    if ":memory:" in url:
        raise StorageError("storage: ':memory:' ends with its process; name a file")
    try:
        return Path(url[len(prefix) :]).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a ring of links, a NUL
        raise StorageError(f"storage: not a usable path ({error})") from None
