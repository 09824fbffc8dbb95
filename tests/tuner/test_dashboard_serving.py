"""The dashboard's socket: announced once, freed at the end, refused with a mend."""

import signal
import socket
from threading import Thread
from typing import Any

import httpx
import pytest
from optuna.storages import InMemoryStorage

from tuner.dashboard.serving import Content, serve
from tuner.dashboard.sockets import Server
from tuner.errors import Stopped, UsageError


def test_serve_announces_its_url_and_ends_at_ctrl_c() -> None:
    answers: list[httpx.Response] = []

    def visit(url: str) -> None:
        try:
            answers.append(httpx.get(url, follow_redirects=True))
        finally:
            signal.raise_signal(signal.SIGINT)

    serve(
        Content(InMemoryStorage()),
        port=0,
        announce=lambda url: Thread(target=visit, args=[url]).start(),
    )

    assert "<title>Optuna Dashboard</title>" in answers[0].text


def test_serve_lets_a_stop_through_and_frees_its_port() -> None:
    def stop(url: str) -> None:
        raise Stopped(url)

    with pytest.raises(Stopped) as stopped:
        serve(Content(InMemoryStorage()), port=0, announce=stop)

    with pytest.raises(httpx.ConnectError):
        httpx.get(str(stopped.value))


def refusal(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        serve(Content(InMemoryStorage()), announce=pytest.fail, **options)
    return str(caught.value)


def test_serve_names_the_mend_of_what_it_refuses() -> None:
    network = "shows the study to the network; add --token auto, or use an SSH tunnel"

    assert refusal(host="0.0.0.0") == f"--host 0.0.0.0 {network}"
    assert refusal(token="") == "--token is empty, which everybody knows; write --token auto"
    assert refusal(port=70000) == "--port: must be 1 to 65535 (got 70000)"
    with Server("127.0.0.1", 0) as taken:
        port = taken.server_port
        assert refusal(port=port) == f"port {port} is in use; try --port {port + 1}"
    assert refusal(host="192.0.2.1", token="auto").endswith("try --host 127.0.0.1 --port 8080")


def test_a_server_on_every_address_answers_to_the_names_of_this_machine() -> None:
    with Server("0.0.0.0", 0) as server:
        names = {name.rpartition(":")[0] for name in server.hosts}

    assert names == {"127.0.0.1", "localhost", socket.gethostname().lower()}
