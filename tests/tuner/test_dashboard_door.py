"""The dashboard shows a study to whoever holds its URL, and nobody can change the study by it."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote

import httpx
import optuna_dashboard
import pytest
from optuna.storages import InMemoryStorage

from tests.tuner.dashboard_site import (
    ARTIFACTS,
    ATTACK,
    METHODS,
    READS,
    SCRIPT,
    TOKEN,
    WRITES,
    Site,
    example_path,
    site_in,
    storage_in,
)
from tuner.dashboard.door import SECURITY_HEADERS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("dashboard")) as site:
        yield site


@pytest.fixture
def owner(site: Site) -> Iterator[httpx.Client]:
    with site.client(remembered=True) as client:
        yield client


def test_every_route_of_optuna_dashboard_is_known_here() -> None:
    upstream = optuna_dashboard.wsgi(InMemoryStorage())

    assert {f"{route.method} {route.rule}" for route in upstream.routes} == {*READS, *WRITES}


def test_without_the_door_anyone_may_tell_a_running_trial_its_score(tmp_path: Path) -> None:
    with storage_in(tmp_path) as storage:
        upstream = httpx.WSGITransport(optuna_dashboard.wsgi(storage))
        with httpx.Client(transport=upstream, base_url="http://evil.example") as client:
            assert client.post("/api/trials/4/tell", json=ATTACK).status_code == 204
        assert storage.get_best_trial(study_id=1).value == 1e9


@pytest.mark.parametrize("caller", ["no token", "bad token", "foreign Host", "owner"])
def test_nobody_changes_the_study_and_only_its_owner_reads_it(site: Site, caller: str) -> None:
    before = site.dump()
    paths = {example_path(route): READS.get(route, 405) for route in (*WRITES, *READS)}
    query = {"bad token": {"token": TOKEN[:-1]}, "foreign Host": {"token": TOKEN}}.get(caller)
    headers = {"Host": f"evil.example:{site.port}"} if caller == "foreign Host" else None
    surprises = []

    with site.client(remembered=caller in ("foreign Host", "owner")) as client:
        for path, method in product(paths, METHODS):
            answer = client.request(method, path, params=query, headers=headers, json=ATTACK)
            if caller == "foreign Host" or method not in ("GET", "HEAD"):
                expected = 403
            else:
                expected = paths[path] if caller == "owner" else 401
            armoured = all(answer.headers.get(key) == value for key, value in SECURITY_HEADERS)
            if answer.status_code != expected or not armoured:
                surprises.append((method, path, answer.status_code))

    assert surprises == []
    assert site.dump() == before


def test_pages_and_bundle_load(owner: httpx.Client) -> None:
    page = owner.get("/", follow_redirects=True)
    bundle = owner.get("/static/bundle.js", headers={"Accept-Encoding": "gzip"})

    assert "<title>Optuna Dashboard</title>" in page.text
    assert bundle.headers["Content-Type"].startswith("text/javascript")
    assert len(bundle.content) > 1_000_000


def test_studies_and_trials_are_readable_with_their_user_attributes(owner: httpx.Client) -> None:
    studies = owner.get("/api/studies").json()["study_summaries"]
    study = owner.get("/api/studies/1").json()

    assert [s["study_name"] for s in studies] == ["cartpole"]
    assert [t["state"] for t in study["trials"]] == ["Complete"] * 3 + ["Running"]
    assert study["trials"][1]["user_attrs"] == [{"key": "seed_scores", "value": "[479.5, 481.5]"}]


def test_the_token_moves_from_the_url_into_a_cookie(site: Site) -> None:
    with site.client(remembered=False) as client:
        answer = client.get("/dashboard/studies/1", params={"token": TOKEN, "after": "2"})

        assert answer.status_code == 303
        assert answer.headers["Location"] == "/dashboard/studies/1?after=2"
        cookie, *flags = answer.headers["Set-Cookie"].split("; ")
        assert cookie.startswith(f"tuner-dashboard-{site.port}=")
        assert set(flags) == {"HttpOnly", "SameSite=Strict", "Path=/"}
        assert client.get(answer.headers["Location"]).status_code == 200


def test_a_forged_cookie_is_told_where_to_find_the_token(site: Site) -> None:
    cookie = {"Cookie": f"tuner-dashboard-{site.port}=guess"}

    answer = httpx.get(f"http://localhost:{site.port}/dashboard", headers=cookie)

    assert answer.status_code == 401
    assert answer.text == "Paste the URL printed by `tuner dashboard` into the address bar.\n"


def test_dropping_the_token_never_leads_to_another_host(site: Site) -> None:
    answer = site.raw(f"GET //evil.example/?token={quote(TOKEN)}")

    assert b"\r\nLocation: /evil.example/\r\n" in answer


def test_head_has_no_body(site: Site, owner: httpx.Client) -> None:
    cookie = f"Cookie: odd[]; =; {'='.join(*owner.cookies.items())}"

    refused = site.raw("HEAD /api/studies/1")
    answered = site.raw("HEAD /api/studies/1", cookie)

    assert refused.startswith(b"HTTP/1.0 401") and refused.endswith(b"\r\n\r\n")
    assert answered.startswith(b"HTTP/1.0 200") and answered.endswith(b"\r\n\r\n")


def test_the_body_of_a_refused_request_is_not_waited_for(site: Site) -> None:
    answer = site.raw("POST /api/studies", "Content-Length: 999999999")

    assert answer.startswith(b"HTTP/1.0 403")


def test_a_refused_request_with_a_body_gets_its_answer_and_no_reset(site: Site) -> None:
    for _ in range(20):
        with site.client(remembered=True) as client:
            assert client.post("/api/studies", content=b"x" * 300_000).status_code == 403


def test_even_a_malformed_request_gets_the_security_headers(site: Site) -> None:
    answer = site.raw("GET / with spaces").decode()

    assert answer.startswith("HTTP/1.0 400")
    assert all(f"\r\n{key}: {value}\r\n" in answer for key, value in SECURITY_HEADERS)


@pytest.mark.parametrize("folder", ["artifacts", "%FFartifacts", "art%FFifacts"])
@pytest.mark.parametrize("name", ARTIFACTS)
def test_artifacts_run_no_script(site: Site, owner: httpx.Client, folder: str, name: str) -> None:
    answer = owner.get(f"/{folder}/1/{site.artifacts[name]}")

    assert answer.text == SCRIPT
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert ("Content-Disposition" in answer.headers) == (name != "picture.png")
