"""With --allow-edits its own pages may write notes and files, and nothing else."""

from collections.abc import Iterator

import httpx
import pytest

from tests.tuner.commands import Quick, started
from tests.tuner.conftest import Finished
from tests.tuner.dashboard_site import ATTACK, WRITES, Site, example_path, site_in

ALLOWED = {
    "PUT /api/studies/<study_id:int>/note",
    "PUT /api/studies/<study_id:int>/<trial_id:int>/note",
    "POST /api/artifacts/<study_id:int>",
    "DELETE /api/artifacts/<study_id:int>/<artifact_id:re:[0-9a-fA-F-]+>",
}
NOTE = {"version": 1, "body": "mine"}
FILE = {"file": "data:text/plain;base64,aGVsbG8=", "filename": "hello.txt"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("edits"), edits=True) as site:
        yield site


@pytest.fixture
def owner(site: Site) -> Iterator[httpx.Client]:
    with site.client(remembered=True) as client:
        client.headers["Origin"] = f"http://127.0.0.1:{site.port}"
        yield client


def test_only_notes_and_files_of_a_study_can_be_edited(site: Site, owner: httpx.Client) -> None:
    before = site.dump()

    for route in set(WRITES) - ALLOWED:
        answer = owner.request(route.split()[0], example_path(route), json=ATTACK)
        assert answer.status_code == 403, route
        assert "What a study recorded stays as it is" in answer.text

    assert site.dump() == before


@pytest.mark.parametrize("path", ["/api/studies/1/note", "/api/studies/1/2/note"])
def test_a_note_is_written_and_read(owner: httpx.Client, path: str) -> None:
    assert owner.put(path, json=NOTE).status_code == 204

    study = owner.get("/api/studies/1").json()
    owners = {"/api/studies/1/note": study, "/api/studies/1/2/note": study["trials"][1]}
    assert owners[path]["note"] == NOTE


@pytest.mark.parametrize("ids", ["99", "1/99", "99/1", f"1/{10**30}", f"{10**30}"])
def test_a_note_of_what_does_not_exist_is_not_found(
    site: Site, owner: httpx.Client, ids: str
) -> None:
    before = site.dump()

    answer = owner.put(f"/api/studies/{ids}/note", json=NOTE)

    assert answer.status_code == 404
    assert answer.json() == {"reason": "There is no such study or trial."}
    assert site.dump() == before


def test_a_file_is_uploaded_and_deleted(owner: httpx.Client) -> None:
    uploaded = owner.post("/api/artifacts/1", json=FILE)
    path = f"1/{uploaded.json()['artifact_id']}"

    assert uploaded.status_code == 201
    assert owner.get(f"/artifacts/{path}").text == "hello"
    assert owner.delete(f"/api/artifacts/{path}").status_code == 204
    assert owner.get(f"/artifacts/{path}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": "http://evil.example/http://127.0.0.1"},
    ],
)
def test_an_edit_from_another_page_is_refused(site: Site, headers: dict[str, str]) -> None:
    before = site.dump()

    with site.client(remembered=True) as client:
        answer = client.put("/api/studies/1/note", json=NOTE, headers=headers)

    assert answer.status_code == 403
    assert answer.json() == {"reason": "Edits are taken from this dashboard's own pages only."}
    assert site.dump() == before


def test_an_edit_needs_the_token_and_a_url_with_it_is_not_enough(site: Site) -> None:
    origin = {"Origin": f"http://127.0.0.1:{site.port}"}
    with site.client(remembered=False) as client:
        answer = client.put("/api/studies/1/note", json=NOTE, headers=origin)

    assert answer.status_code == 401


def test_a_page_names_itself_as_the_referer_where_it_sends_no_origin(site: Site) -> None:
    referer = {"Referer": f"http://127.0.0.1:{site.port}/dashboard/studies/1"}
    with site.client(remembered=True) as client:
        answer = client.post("/api/artifacts/1", json=FILE, headers=referer)

    assert answer.status_code == 201


def test_while_edits_are_allowed_nobody_else_writes(quick: Quick, copied: Finished) -> None:
    option = copied.option
    with started("dashboard", option, "--port=0", "--allow-edits", folder=copied.folder) as editing:
        assert editing.stdout is not None
        url, how = editing.stdout.readline(), editing.stdout.readline()
        launch = quick("launch", "tiny.toml", option, folder=copied.folder)
        second = quick("dashboard", option, "--port=0", "--allow-edits", folder=copied.folder)

    assert url.startswith("http://127.0.0.1:")
    assert how == "notes and files may be edited; Ctrl-C ends it\n"
    for refused in (launch, second):
        assert refused.code == 3
        assert f"is in use by process {editing.pid}" in refused.err
