"""Serving a database to browsers until somebody stops it."""

import contextlib
import functools
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

import optuna_dashboard
from optuna.artifacts import FileSystemArtifactStore
from optuna.storages import BaseStorage, get_storage

from tuner.dashboard.door import door
from tuner.dashboard.sockets import Server, is_loopback
from tuner.errors import UsageError

Visited = Callable[[int], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Content:
    """What is served.

    artifacts  where the files of studies lie; None: there are none
    edits      whether notes may be written, and files uploaded and deleted
    visited    entered with the id of a study while any of it is answered
    """

    storage: BaseStorage
    artifacts: FileSystemArtifactStore | None = None
    edits: bool = False
    visited: Visited = nullcontext


def serve(
    content: Content,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str | None = None,
    announce: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C; other exceptions end it too and pass through.

    `announce` gets the URL, with its token, once the socket listens. Port 0 picks a free one.
    `token` None or "auto" draws a fresh one; a host that isn't loopback wants an explicit choice.
    A loopback host answers to 127.0.0.1, localhost and [::1]; 0.0.0.0 and :: answer to localhost,
    127.0.0.1 and the machine's hostname, not to its addresses; any other host answers to itself.
    """
    secret = _chosen_token(host, token)
    with Server(host, port) as server, contextlib.suppress(KeyboardInterrupt):
        server.set_app(application(content, token=secret, hosts=server.hosts))
        announce(server.url(secret))
        server.serve_forever()


def _chosen_token(host: str, token: str | None) -> str:
    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host} shows the study to the network; add --token auto, or use an SSH tunnel"
        )
    if token == "":
        raise UsageError("--token is empty, which everybody knows; write --token auto")
    return secrets.token_urlsafe(32) if token is None or token == "auto" else token


def application(content: Content, *, token: str, hosts: frozenset[str]) -> WSGIApplication:
    """optuna-dashboard behind our door."""
    # get_storage caches finished trials; a bare RDBStorage is read in full every few seconds
    upstream = optuna_dashboard.wsgi(get_storage(content.storage), artifact_store=content.artifacts)
    upstream.install(_hung_by(content.visited))
    return door(
        upstream,
        token=token,
        hosts=hosts,
        edits=content.edits,
        exists=partial(_exists, content.storage),
    )


def _exists(storage: BaseStorage, study_id: int, trial_id: int | None) -> bool:
    try:
        storage.get_study_name_from_id(study_id)
        trials = [] if trial_id is None else storage.get_all_trials(study_id, deepcopy=False)
    except (KeyError, OverflowError):  # no such study; none can have so large a number
        return False
    return trial_id is None or any(trial._trial_id == trial_id for trial in trials)


def _hung_by(visited: Visited) -> Callable[[Callable[..., Any]], Any]:
    """A plugin of Bottle, which optuna-dashboard is made with: figures come in the order of their
    names, not in that of a set, which is another each time."""

    def plugin(answer: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(answer)
        def hung(*args: Any, **fields: Any) -> Any:
            with visited(fields["study_id"]) if "study_id" in fields else nullcontext():
                answered = answer(*args, **fields)
            if isinstance(answered, dict) and "plotly_graph_objects" in answered:
                answered["plotly_graph_objects"].sort(key=lambda figure: figure["id"])
            return answered

        return hung

    return plugin
