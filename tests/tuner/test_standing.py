"""Where a study stands, told from outside: who works on what, and what is still to come."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tuner import tiny
from tests.tuner.commands import Quick, assert_refused
from tests.tuner.conftest import Finished
from tests.tuner.summaries import summary_of
from tuner import study as studies
from tuner.phases import DEFAULT_CONFIG
from tuner.standing import standing
from tuner.storage import open_for_reading, open_for_writing
from tuner.trials import Trials
from tuner.writer_lock import Task, Writer

NOW = summary_of().finals.runs[-1].recorded_at.timestamp() + 10.0  # type: ignore[union-attr]
SEARCH, FINALS = ("search",), ("confirm", "test")


def writer(*parts: str, study: str = "tiny") -> Writer:
    """A launch that began with the study's first run."""
    return Writer(1, 0.0, Task(study, parts))


@pytest.mark.parametrize("other", [None, Writer(1, 0.0), writer(*SEARCH, study="other")])
def test_a_writer_that_works_on_something_else_does_not_make_a_study_run(
    other: Writer | None,
) -> None:
    for shape in ({"running": 3}, {"finals": "none"}, {"finals": "confirmed"}):
        found = standing(summary_of(**shape), other, NOW)

        assert not found.running
        assert (found.left_s, found.steps_per_second) == (None, None)


def test_a_confirmation_of_an_unfinished_search_counts_what_it_was_asked_for() -> None:
    summary = summary_of(trials=12, running=6, finals="none")
    seeds, finalists = summary.study.seeds, len(summary.finals.finalists)

    found = standing(summary, writer(*FINALS), NOW)

    assert (found.phase, found.running, found.trials_done) == ("confirm", True, 6)
    to_come = finalists * seeds.confirm + 2 * seeds.test
    assert found.runs - found.runs_done == to_come
    assert standing(summary, writer("search", *FINALS), NOW).phase == "search"


def test_a_search_alone_has_no_finals_before_it() -> None:
    summary = summary_of(trials=12, running=6, finals="none")

    alone = standing(summary, writer(*SEARCH), NOW)
    whole = standing(summary, writer("search", *FINALS), NOW)

    assert alone.phase == whole.phase == "search"
    expected = whole.runs - alone.runs
    seeds = summary.study.seeds
    assert 4 * seeds.confirm <= expected - 2 * seeds.test <= 11 * seeds.confirm


def test_a_search_that_ended_as_asked_is_not_interrupted() -> None:
    summary = summary_of(finals="none")

    assert standing(summary, None, NOW).phase == "searched"
    over = standing(summary, writer(*SEARCH), NOW)  # its lock is not let go yet
    assert (over.phase, over.running) == ("searched", False)
    finals = summary_of().finals
    began = [run for run in finals.runs if run.purpose != "test" and run.trial != DEFAULT_CONFIG]
    halfway = replace(summary, finals=replace(finals, runs=began))
    assert standing(halfway, None, NOW).phase == "confirm"
    assert standing(summary_of(finals="confirmed"), None, NOW).phase == "test"
    assert standing(summary_of(), None, NOW).phase == "done"


@pytest.fixture
def two(finished: Finished, tmp_path: Path) -> Iterator[Path]:
    """A folder whose database holds a finished study, and one that was searched in part."""
    folder = shutil.copytree(finished.folder, tmp_path / "two")
    (folder / "other.toml").write_text(tiny.changed(('name = "tiny"', 'name = "other"')))
    with open_for_writing(tiny.url(folder)) as store:
        Trials(studies.load(str(folder / "other.toml")), store).ask()
    yield folder


def phases(quick: Quick, folder: Path) -> dict[str, tuple[str, bool]]:
    """Study → (phase, whether a launch works on it), as `tuner status` says."""
    data: Any = json.loads(quick("status", "--json", folder=folder).out)
    return {s["study"]: (s["progress"]["phase"], s["progress"]["running"]) for s in data["studies"]}


def test_status_tells_the_study_that_is_at_work_from_the_others(quick: Quick, two: Path) -> None:
    idle = {"tiny": ("done", False), "other": ("search", False)}
    assert phases(quick, two) == idle
    with open_for_writing(tiny.url(two)):  # as for films, or for edits in the dashboard
        assert phases(quick, two) == idle
        assert "interrupted in search" in quick("status", "other", folder=two).out
    with open_for_writing(tiny.url(two), Task("tiny", ("search",))):
        assert phases(quick, two) == idle
    with open_for_writing(tiny.url(two), Task("other", ("search", "confirm", "test"))):
        assert phases(quick, two) == {"tiny": ("done", False), "other": ("search", True)}
    assert phases(quick, two) == idle


def test_a_study_of_a_later_version_is_named_and_hides_no_other(quick: Quick, two: Path) -> None:
    with closing(sqlite3.connect(two / "tuner.db")) as database, database:
        database.execute(
            "UPDATE study_user_attributes SET value_json = "
            """replace(value_json, '\\"budget\\": {', '\\"budget\\": {\\"joules\\": 5, ') """
            "WHERE study_id = (SELECT study_id FROM studies WHERE study_name = 'other')"
        )

    every, named = quick("status", folder=two), quick("status", "other", folder=two)
    data = json.loads(quick("status", "--json", folder=two).out)

    said = "study 'other' was made by a later or another version: [budget] joules"
    assert (every.code, every.err.count("\n")) == (0, 1)
    assert said in every.err
    assert every.out.split()[:2] == ["study", "tiny"]
    assert [study["study"] for study in data["studies"]] == ["tiny"]
    assert_refused(named, f"error: {said}")


def test_a_lock_of_an_older_version_names_its_process(tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path), Task("tiny", ("search",))) as store:
        lock = tmp_path / "tuner.db.lock"
        with open_for_reading(tiny.url(tmp_path)) as reader:
            new = reader.writer()
            lock.write_text("17 1700000000\n")
            old = reader.writer()
        assert new is not None and new.task == Task("tiny", ("search",))
        assert old == Writer(17, 1700000000.0)
        assert store.study_names() == []


def test_a_study_launched_for_its_search_only_says_what_comes_next(
    quick: Quick, tmp_path: Path
) -> None:
    file = tiny.written(tmp_path, tiny.changed(("trials = 3", "trials = 1")))

    ended = quick("launch", file, "--search-only", "--workers", "1", folder=tmp_path)
    status = quick("status", folder=tmp_path).out

    assert ended.code == 0, ended.err
    assert "searched, not confirmed: `tuner confirm`" in status
    assert "interrupted" not in status
