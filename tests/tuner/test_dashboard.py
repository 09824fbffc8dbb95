"""The dashboard shows a study to whoever holds its URL, and nobody can change the study by it."""

import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import httpx
import optuna
import optuna_dashboard
import pytest
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.storages import InMemoryStorage, RDBStorage

from tuner.dashboard import SECURITY_HEADERS, Server, application, serve
from tuner.errors import Stopped, UsageError

TOKEN = "a token; with +odd/ characters"
SCRIPT = "<script>alert(1)</script>"
ARTIFACTS = ("page.html", "drawing.svg", "picture.png", "weights.safetensors")

# every route of optuna-dashboard: those that read, with the status its owner gets to see ...
READS = {
    "GET /": 302,
    "GET /dashboard<:re:(/.*)?>": 200,
    "GET /api/meta": 200,
    "GET /api/studies": 200,
    "GET /api/studies/<study_id:int>": 200,
    "GET /api/studies/<study_id:int>/param_importances": 200,
    "GET /api/studies/<study_id:int>/plot/<plot_type>": 200,
    "GET /csv/<study_id:int>": 200,
    "GET /favicon.ico": 200,
    "GET /static/<filename:path>": 200,
    "GET /incompatible-rdb-schema": 302,
    "GET /artifacts/<study_id:int>/<artifact_id:re:[0-9a-fA-F-]+>": 404,
    "GET /artifacts/<study_id:int>/<trial_id:int>/<artifact_id:re:[0-9a-fA-F-]+>": 404,
}
# ... and those that write, or spend money on a language model
WRITE_ROUTES = """
POST /api/studies | POST /api/studies/<study_id:int>/rename | DELETE /api/studies/<study_id:int>
PUT /api/studies/<study_id:int>/note | PUT /api/studies/<study_id:int>/<trial_id:int>/note
POST /api/studies/<study_id:int>/<trial_id:int>/skip
POST /api/studies/<study_id:int>/preference
PUT /api/studies/<study_id:int>/preference_feedback_component
POST /api/studies/<study_id:int>/preference/<history_id>
DELETE /api/studies/<study_id:int>/preference/<history_id>
POST /api/trials/<trial_id:int>/tell | POST /api/trials/<trial_id:int>/user-attrs
POST /api/artifacts/<study_id:int> | POST /api/artifacts/<study_id:int>/<trial_id:int>
DELETE /api/artifacts/<study_id:int>/<artifact_id:re:[0-9a-fA-F-]+>
DELETE /api/artifacts/<study_id:int>/<trial_id:int>/<artifact_id:re:[0-9a-fA-F-]+>
POST /incompatible-rdb-schema | POST /api/llm/trial_filter_query
POST /api/llm/generate_plotly_graph_query | POST /api/llm/re_generate_plotly_graph_query
"""
WRITES = re.findall(r"[A-Z]+ /\S+", WRITE_ROUTES)
FIELDS = {"trial": "4", "plot": "slice", "filename": "bundle.js", "": "/studies/1"}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
ATTACK = {"state": "Complete", "values": [1e9], "study_name": "stolen", "directions": ["minimize"]}
ATTACK |= {"version": 1, "body": "a note", "user_attrs": {"seed_scores": [1e9]}}


@dataclass(frozen=True)
class Site:
    port: int
    database: Path
    artifacts: dict[str, str]

    def client(self, *, remembered: bool) -> httpx.Client:
        url = f"http://127.0.0.1:{self.port}"
        cookies = httpx.get(url, params={"token": TOKEN}).cookies if remembered else None
        client = httpx.Client(base_url=url, cookies=cookies)
        del client.headers["Accept-Encoding"]  # the bare optuna-dashboard answers 500 without it
        return client

    def raw(self, line: str, *headers: str) -> bytes:
        lines = (f"{line} HTTP/1.0", f"Host: localhost:{self.port}", *headers, "", "")
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall("\r\n".join(lines).encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return list(connection.iterdump())


@contextmanager
def storage_in(folder: Path) -> Iterator[RDBStorage]:
    """A study of three COMPLETE trials and, with trial id 4, a RUNNING one."""
    storage = RDBStorage(f"sqlite:///{folder / 'study.db'}")
    study = optuna.create_study(storage=storage, study_name="cartpole", direction="maximize")
    for score in (21.0, 480.5, 130.0):
        trial = study.ask()
        trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)
        trial.set_user_attr("seed_scores", [score - 1, score + 1])
        study.tell(trial, score)
    study.ask()
    yield storage
    storage.engine.dispose()


def example_path(route: str) -> str:
    return re.sub(r"<([a-z]*)[^>]*>", lambda field: FIELDS.get(field[1], "1"), route.split()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("dashboard")
    files = FileSystemArtifactStore(folder)
    with storage_in(folder) as storage, Server("127.0.0.1", 0) as server:
        study = optuna.load_study(study_name="cartpole", storage=storage)
        artifacts = {}
        for name in ARTIFACTS:
            (folder / name).write_text(SCRIPT)
            artifacts[name] = upload_artifact(
                artifact_store=files, file_path=str(folder / name), study_or_trial=study
            )
        server.set_app(application(storage, token=TOKEN, hosts=server.hosts, artifact_store=files))
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Site(server.server_port, folder / "study.db", artifacts)
        server.shutdown()
        thread.join()


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


def test_serve_announces_its_url_and_ends_at_ctrl_c() -> None:
    answers: list[httpx.Response] = []

    def visit(url: str) -> None:
        try:
            answers.append(httpx.get(url, follow_redirects=True))
        finally:
            signal.raise_signal(signal.SIGINT)

    serve(InMemoryStorage(), port=0, announce=lambda url: Thread(target=visit, args=[url]).start())

    assert "<title>Optuna Dashboard</title>" in answers[0].text


def test_serve_lets_a_stop_through_and_frees_its_port() -> None:
    def stop(url: str) -> None:
        raise Stopped(url)

    with pytest.raises(Stopped) as stopped:
        serve(InMemoryStorage(), port=0, announce=stop)

    with pytest.raises(httpx.ConnectError):
        httpx.get(str(stopped.value))


def refusal(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        serve(InMemoryStorage(), announce=pytest.fail, **options)
    return str(caught.value)


def test_serve_names_the_mend_of_what_it_refuses(site: Site) -> None:
    network = "shows the study to the network; add --token auto, or use an SSH tunnel"

    assert refusal(host="0.0.0.0") == f"--host 0.0.0.0 {network}"
    assert refusal(token="") == "--token is empty, which everybody knows; write --token auto"
    assert refusal(port=70000) == "--port: must be 1 to 65535 (got 70000)"
    assert refusal(port=site.port) == f"port {site.port} is in use; try --port {site.port + 1}"
    assert refusal(host="192.0.2.1", token="auto").endswith("try --host 127.0.0.1 --port 8080")


def test_a_server_on_every_address_answers_to_the_names_of_this_machine() -> None:
    with Server("0.0.0.0", 0) as server:
        names = {name.rpartition(":")[0] for name in server.hosts}

    assert names == {"127.0.0.1", "localhost", socket.gethostname().lower()}
