"""What the dashboard shows of our studies stands over the database, never in it."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna_dashboard import get_note, save_note

from tests.tuner import tiny
from tests.tuner.commands import wait_until
from tests.tuner.conftest import Finished
from tuner.dashboard import exhibition as exhibition_module
from tuner.dashboard import notes
from tuner.dashboard.attributes import of_trial
from tuner.dashboard.exhibition import Exhibition, drawn
from tuner.dashboard.overlay import Overlay
from tuner.dashboard.serving import Content, application
from tuner.launch_commands import launch_commands
from tuner.phases import DEFAULT_CONFIG
from tuner.seed_pools import Pool
from tuner.storage import Store, open_for_reading, open_for_writing
from tuner.summary import summarize
from tuner.trials import SPEC, Trials
from tuner.wording import points, sentence

HOST = "localhost:80"


@pytest.fixture
def store(finished: Finished) -> Iterator[Store]:
    with open_for_reading(tiny.url(finished.folder)) as store:
        yield store


def pages(content: Content) -> httpx.Client:
    app = application(content, token="t", hosts=frozenset({HOST}))
    client = httpx.Client(transport=httpx.WSGITransport(app), base_url=f"http://{HOST}")
    client.headers["Host"] = HOST
    assert client.get("/dashboard", params={"token": "t"}).status_code == 303
    return client


def shown(store: Store, study_id: int = 1) -> dict[str, Any]:
    """What the page of a study gets, once its figures are drawn."""
    overlay = Overlay(store.optuna)
    with Exhibition(store, overlay) as exhibition:
        client = pages(Content(overlay, visited=exhibition.visited))
        client.get(f"/api/studies/{study_id}")
        if overlay.is_ours(study_id):
            wait_until(lambda: overlay.drawn(study_id))
        found: dict[str, Any] = client.get(f"/api/studies/{study_id}").json()
        return found


def test_figures_and_notes_are_shown_and_the_database_stays_as_it_is(
    finished: Finished, store: Store
) -> None:
    def dump() -> list[str]:
        with closing(sqlite3.connect(finished.folder / "tuner.db")) as connection:
            return list(connection.iterdump())

    before = dump()
    study = shown(store)

    figures = [figure["id"] for figure in study["plotly_graph_objects"]]
    assert figures == sorted(figures) and figures[0].startswith("00-")
    assert study["objective_names"] == ["mean return, tuning"]
    summary = summarize(store, "tiny")
    assert sentence(summary.evidence(summary.chosen())) in study["note"]["body"]
    assert dump() == before


def test_every_figure_has_its_title_and_is_small(store: Store) -> None:
    figures = shown(store)["plotly_graph_objects"]

    for figure in figures:
        assert len(figure["graph_object"]) < 100_000, figure["id"]
        title = json.loads(figure["graph_object"])["layout"]["title"]
        assert title["text"] and title["subtitle"]["text"]


def test_attributes_are_named_for_people_and_marks_are_steps(store: Store) -> None:
    study = shown(store)

    attributes = {one["key"]: one["value"] for one in study["trials"][0]["user_attrs"]}
    assert attributes["seeds"] == "2"
    assert "race" not in attributes and "seed_scores" not in attributes
    steps = [value["step"] for value in study["trials"][0]["intermediate_values"]]
    assert steps == [100, 200, 300, 400, 500, 600]
    of_study = {one["key"]: one["value"] for one in study["user_attrs"]}
    assert of_study["environment"] == "CartPole-v1"
    assert "spec" not in of_study


def test_the_interval_of_a_trial_is_shown_from_five_seeds_on() -> None:
    interval = {"ci95": [0.1, 2.9], "ci_method": "t"}

    assert "95 % interval" not in of_trial({"seed_scores": [1.0, 1.5, 2.0], **interval})
    assert "95 % interval" in of_trial({"seed_scores": [1.0, 1.5, 1.6, 1.7, 2.0], **interval})


def test_a_trial_with_foreign_attributes_keeps_them() -> None:
    assert of_trial({"mine": [1], "race": [{}]}) == {"mine": [1]}
    assert of_trial({"seed_scores": [1.0, 2.0], "mine": 3}) == {
        "seeds": 2,
        "every seed's score": "1, 2",
        "mine": 3,
    }


def test_studies_of_other_programs_show_through(tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path)) as store:
        theirs = optuna.create_study(
            study_name="theirs", storage=store.optuna, direction="minimize"
        )
        theirs.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
        theirs.set_user_attr("mean", "theirs")
        study = shown(store)

    assert study["note"] == {"version": 0, "body": ""}
    assert study["plotly_graph_objects"] == []
    assert study["user_attrs"] == [{"key": "mean", "value": "theirs"}]


def test_a_study_of_a_later_version_is_shown_as_it_is_and_does_no_harm_to_others(
    copied: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        spec = {**json.loads(store.optuna_study("tiny").user_attrs[SPEC]), "later": {"key": 1}}
        later = optuna.create_study(study_name="later", storage=store.optuna)
        later.set_user_attr(SPEC, json.dumps(spec))
        theirs = shown(store, later._study_id)
        overlay = Overlay(store.optuna)
        listed = pages(Content(overlay)).get("/api/studies").json()["study_summaries"]

    assert [one["key"] for one in theirs["user_attrs"]] == [SPEC]
    assert theirs["plotly_graph_objects"] == []
    assert {one["study_name"] for one in listed} == {"tiny", "later"}
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2  # one line of each overlay
    assert told[0].startswith("study 'later' cannot be read by this version")


def test_a_study_that_just_began_has_a_page(finished: Finished, tmp_path: Path) -> None:
    with open_for_writing(tiny.url(tmp_path)) as store:
        Trials(finished.study, store)
        study = shown(store)

    assert "No trial is complete yet" in study["note"]["body"]
    assert study["trials"] == []


def test_a_note_in_the_database_wins_over_ours(copied: Finished) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        study = store.optuna_study("tiny")
        save_note(study, "my own")
        best = summarize(store, "tiny").finals.finalists[0]
        shows = shown(store)

    assert shows["note"] == {"version": 1, "body": "my own"}
    assert "tuning" in shows["trials"][best]["note"]["body"]


def test_our_note_can_be_edited_into_a_note_of_the_users(copied: Finished) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        overlay = Overlay(store.optuna, edits=True)
        overlay.hang(1, drawn(store, "tiny"))
        client = pages(Content(overlay, edits=True))
        ours = client.get("/api/studies/1").json()["note"]
        mine = {"version": ours["version"] + 1, "body": "shorter"}
        origin = {"Origin": f"http://{HOST}"}

        assert client.put("/api/studies/1/note", json=mine, headers=origin).status_code == 204
        assert client.get("/api/studies/1").json()["note"] == mine


@pytest.mark.parametrize("body", ["", "ours"])
def test_an_emptied_note_and_ours_saved_as_it_is_stay_ours(copied: Finished, body: str) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        overlay = Overlay(store.optuna, edits=True)
        overlay.hang(1, drawn(store, "tiny"))
        client = pages(Content(overlay, edits=True))
        ours = client.get("/api/studies/1").json()["note"]
        origin = {"Origin": f"http://{HOST}"}
        for version, text in ((2, "mine" * 1000), (3, body and ours["body"])):
            edit = {"version": version, "body": text}
            assert client.put("/api/studies/1/note", json=edit, headers=origin).status_code == 204
        note = client.get("/api/studies/1").json()["note"]
        below = get_note(store.optuna_study("tiny"))

    assert note == {"version": 3, "body": ours["body"]}
    assert below == ""


def test_a_run_that_is_recorded_renews_what_is_shown(copied: Finished) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        overlay = Overlay(store.optuna)
        with Exhibition(store, overlay) as exhibition:
            with exhibition.visited(1):
                pass
            wait_until(lambda: overlay.drawn(1))
            before = overlay.drawn(1)
            store.record(replace(store.runs("tiny", 0)[0], seed_index=7))

            def renewed() -> bool:
                with exhibition.visited(1):
                    pass
                return overlay.drawn(1) is not before

            wait_until(renewed)


def test_pages_go_on_where_a_study_cannot_be_drawn(
    copied: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_for_writing(tiny.url(copied.folder)) as store:
        store.record(tiny.a_run(trial=0, seed_index=7, curve={"returns": "damaged"}))
        overlay = Overlay(store.optuna)
        with Exhibition(store, overlay) as exhibition:
            client = pages(Content(overlay, visited=exhibition.visited))
            assert len(client.get("/api/studies/1").json()["trials"]) == 3
            told = ""

            def is_told() -> bool:
                nonlocal told
                told += capsys.readouterr().err
                return "study 'tiny' cannot be drawn" in told

            wait_until(is_told)


def test_a_drawing_that_failed_is_tried_again(
    copied: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = []

    def locked_at_first(store: Store, name: str) -> Mapping[str, Any]:
        tried.append(name)
        if len(tried) < 3:
            raise OSError("the disk is busy")
        return drawn(store, name)

    monkeypatch.setattr(exhibition_module, "drawn", locked_at_first)
    monkeypatch.setattr(exhibition_module, "REST_S", 0.0)
    with open_for_reading(tiny.url(copied.folder)) as store:
        overlay = Overlay(store.optuna)
        with Exhibition(store, overlay) as exhibition:

            def is_drawn() -> bool:
                with exhibition.visited(1):
                    return bool(overlay.drawn(1))

            wait_until(is_drawn)

    assert capsys.readouterr().err.count("cannot be drawn:") == 1  # told once, tried twice


def test_a_study_is_drawn_before_anybody_asks(store: Store) -> None:
    overlay = Overlay(store.optuna)
    with Exhibition(store, overlay):
        wait_until(lambda: overlay.drawn(1))


def test_the_finalists_notes_say_how_they_fared(store: Store) -> None:
    summary = summarize(store, "tiny")
    choice = summary.finals.choice
    assert choice is not None

    for trial in summary.finals.finalists:
        if trial == DEFAULT_CONFIG:
            continue
        note = notes.finalist_note(summary, trial)
        confirm = summary.evidence(trial).confirm
        assert confirm is not None and f"| confirmation | 2 | {points(confirm.mean)} |" in note
        assert ("**Chosen" in note) == (trial == choice.winner)
        tested = len(summary.finals.recorded(trial, Pool.TEST)) > 0
        assert ("| test | 3 |" in note) == tested


def test_the_study_note_has_the_command_that_made_it(finished: Finished, store: Store) -> None:
    assert launch_commands(store, "tiny") == ["tuner launch tiny.toml"]
    assert "tuner launch tiny.toml" in shown(store)["note"]["body"]


def test_the_overlay_hands_on_what_it_does_not_show_otherwise() -> None:
    below = InMemoryStorage()
    study = optuna.create_study(storage=Overlay(below), direction="minimize")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    study.set_user_attr("a", 1)

    copy = optuna.load_study(study_name=study.study_name, storage=below)
    assert [trial.params for trial in copy.trials] == [trial.params for trial in study.trials]
    assert copy.user_attrs == {"a": 1}
