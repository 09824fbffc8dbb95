"""One writer at a time, any number of readers, every run recorded once."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tests.tuner.commands import wait_until
from tests.tuner.tiny import a_run
from tuner.errors import StorageError, UsageError
from tuner.storage import open_for_reading, open_for_writing

WRITER = """
import itertools, sys
from tests.tuner.tiny import a_run
from tuner.storage import open_for_writing

with open_for_writing(sys.argv[1]) as store:
    for index in itertools.count():
        store.record(a_run(seed_index=index))
        if index == 3:
            print("ready", flush=True)
"""
WATCHER = """
import sys
from tuner.storage import open_for_reading

with open_for_reading(sys.argv[1]) as store:
    print("ready", flush=True)
    while True:
        store.writer()
"""


@contextmanager
def at_work(program: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process, and it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", program, url],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tuner.db"


def test_a_run_reads_back_as_it_was_recorded(url: str) -> None:
    run = a_run(score=0.1 + 0.2, curve={"steps": [5], "returns": [[1 / 3]]}, error=None)

    with open_for_writing(url) as store:
        assert store.record(run)
        assert store.runs("tiny") == [run]


def test_a_run_is_recorded_once_and_the_first_record_stays(url: str) -> None:
    with open_for_writing(url) as store:
        assert store.record(a_run(score=1.0)) is True
        assert store.record(a_run(score=2.0)) is False
        assert store.record(a_run(seed_index=1, score=3.0)) is True

        assert [run.score for run in store.runs("tiny")] == [1.0, 3.0]


def test_runs_are_listed_by_study_trial_purpose_and_seed(url: str) -> None:
    keys = [(1, "tune", 0), (0, "tune", 1), (0, "tune", 0), (0, "confirm", 0)]

    with open_for_writing(url) as store:
        store.record(a_run(study="other"))
        for trial, purpose, index in keys:
            store.record(a_run(trial=trial, purpose=purpose, seed_index=index))

        listed = [
            (run.trial, run.purpose, run.seed_index) for run in store.runs("tiny", purpose=None)
        ]
        assert listed == sorted(keys)
        assert [run.purpose for run in store.runs("tiny", trial=0)] == ["tune", "tune"]
        assert [run.trial for run in store.runs("tiny", trial=1)] == [1]
        assert store.runs("unknown") == []


def test_every_connection_writes_ahead_and_syncs_fully(url: str) -> None:
    with open_for_writing(url) as store:
        connections = [store._engine.connect() for _ in range(4)]
        for connection in connections:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000
            connection.close()


def test_a_second_writer_is_refused_with_the_first_ones_process_id(url: str) -> None:
    with at_work(WRITER, url) as first:
        with (
            pytest.raises(StorageError, match=f"in use by process {first.pid};"),
            open_for_writing(url),
        ):
            pass
        with open_for_reading(url) as store:
            writer = store.writer()
            assert writer is not None and writer.pid == first.pid
            assert time.time() - 60 < writer.since <= time.time()


def test_reading_goes_on_while_somebody_writes(url: str) -> None:
    with at_work(WRITER, url), open_for_reading(url) as store:
        seen = [len(store.runs("tiny"))]

        wait_until(lambda: seen.append(len(store.runs("tiny"))) or seen[-1] > seen[0] + 20)

        assert seen == sorted(seen)


def test_kill_9_frees_the_lock_and_keeps_what_was_recorded(url: str) -> None:
    with at_work(WRITER, url) as first:
        with open_for_reading(url) as store:
            before = len(store.runs("tiny"))
        first.kill()
        first.wait()

    with open_for_writing(url) as store:
        assert len(store.runs("tiny")) >= before >= 4
        assert store.record(a_run(seed_index=10**6))


def test_nobody_writes_after_the_writer_left(url: str) -> None:
    with open_for_writing(url) as store:
        store.record(a_run())

    with open_for_reading(url) as store:
        assert store.writer() is None


def test_asking_for_the_writer_is_never_in_the_way_of_one(url: str) -> None:
    with open_for_writing(url):
        pass
    with at_work(WATCHER, url) as watcher:
        for _ in range(100):
            watcher.send_signal(signal.SIGSTOP)  # wherever it is
            try:
                with open_for_writing(url):
                    pass
            finally:
                watcher.send_signal(signal.SIGCONT)
            time.sleep(0.001)


def test_two_names_of_one_file_have_one_writer(tmp_path: Path, url: str) -> None:
    with open_for_writing(url):
        (tmp_path / "link.db").symlink_to(tmp_path / "tuner.db")

        with (
            pytest.raises(StorageError, match="in use by process"),
            open_for_writing(f"sqlite:///{tmp_path}/link.db"),
        ):
            pass


def test_a_reader_cannot_write(url: str) -> None:
    with open_for_writing(url) as store:
        store.record(a_run())

    with open_for_reading(url) as store:
        with pytest.raises(DatabaseError, match="readonly"):
            store.record(a_run(seed_index=1))
        with pytest.raises(StorageInternalError):
            optuna.create_study(storage=store.optuna)


def test_an_unknown_study_names_those_there_are(url: str) -> None:
    with (
        open_for_writing(url) as store,
        pytest.raises(UsageError, match=r"no study 'tiny' in .*; it holds no study yet"),
    ):
        store.optuna_study("tiny")


@pytest.mark.parametrize("name", ["wild % #1?.db", "with space.db", "ümläut.db"])
def test_odd_file_names_are_kept(tmp_path: Path, name: str) -> None:
    with open_for_writing(f"sqlite:///{tmp_path}/{name}") as store:
        store.record(a_run())

    assert (tmp_path / name).is_file()
    with open_for_reading(f"sqlite:///{tmp_path}/{name}") as store:
        assert len(store.runs("tiny")) == 1


@pytest.mark.parametrize("opened", [open_for_reading, open_for_writing])
@pytest.mark.parametrize("kind", ["missing folder", "folder", "garbage", "damaged", "proc"])
def test_what_is_no_database_is_refused_by_its_path(opened, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    if kind == "missing folder":
        path = tmp_path / "missing" / "a.db"
    elif kind == "folder":
        path.mkdir()
    elif kind == "garbage":
        path.write_bytes(b"not a database at all" * 100)
    elif kind == "damaged":
        with open_for_writing(f"sqlite:///{path}"):
            pass
        path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 20_000)
    else:
        path = Path("/proc/a.db")

    with (
        pytest.raises(StorageError, match=r"storage: .*/") as refused,
        opened(f"sqlite:///{path}") as store,
    ):
        store.study_names()

    assert str(path.parent) in str(refused.value)
    assert len(refused.value.problems) == 1 and "\n" not in str(refused.value)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()

    with (
        pytest.raises(StorageError, match=r"a\.db"),
        open_for_reading(f"sqlite:///{tmp_path}/a.db") as store,
    ):
        store.study_names()


@pytest.mark.parametrize(
    "wrong", ["", "tuner.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "redis://x", "@@@"]
)
@pytest.mark.parametrize("opened", [open_for_reading, open_for_writing])
def test_what_is_no_url_of_a_file_is_refused(opened, wrong: str) -> None:
    with pytest.raises(StorageError, match=r"sqlite:///tuner\.db|name a file"), opened(wrong):
        pass


def test_a_database_that_was_deleted_or_replaced_takes_no_more_results(
    tmp_path: Path, url: str
) -> None:
    with open_for_writing(url) as store:
        assert store.record(a_run())
        (tmp_path / "tuner.db").rename(tmp_path / "elsewhere.db")

        with pytest.raises(StorageError, match="deleted or replaced"):
            store.record(a_run(seed_index=1))
        (tmp_path / "tuner.db").touch()
        with pytest.raises(StorageError, match="deleted or replaced"):
            store.record(a_run(seed_index=1))
