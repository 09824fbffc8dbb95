"""A dashboard to knock at: its study, its routes, its files."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.storages import RDBStorage

from tuner.dashboard.serving import Content, application
from tuner.dashboard.sockets import Server

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


@contextmanager
def site_in(folder: Path, *, edits: bool = False) -> Iterator[Site]:
    """The dashboard on that study, with files, on a socket of its own."""
    files = FileSystemArtifactStore(folder)
    with storage_in(folder) as storage, Server("127.0.0.1", 0) as server:
        study = optuna.load_study(study_name="cartpole", storage=storage)
        artifacts = {}
        for name in ARTIFACTS:
            (folder / name).write_text(SCRIPT)
            artifacts[name] = upload_artifact(
                artifact_store=files, file_path=str(folder / name), study_or_trial=study
            )
        content = Content(storage, files, edits=edits)
        server.set_app(application(content, token=TOKEN, hosts=server.hosts))
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Site(server.server_port, folder / "study.db", artifacts)
        server.shutdown()
        thread.join()
