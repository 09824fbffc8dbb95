"""optuna-dashboard behind a door of ours: it shows the studies and lets nobody change them.

On its own optuna-dashboard has no login, answers any Host, and obeys a POST that tells a running
trial its score or a DELETE that removes a study. The door asks three questions before a request
gets through: is the Host one of ours (else a web page could reach us by DNS rebinding), is the
method one that only reads, and does the caller know the token. What comes back from behind the
door can't be framed, sniffed or used by other origins, and an artifact can't run script as us.
"""

import contextlib
import errno
import hmac
import ipaddress
import secrets
import socket
import socketserver
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import optuna_dashboard
from optuna.artifacts import FileSystemArtifactStore
from optuna.storages import BaseStorage, get_storage

from tuner.errors import UsageError

SECURITY_HEADERS: Final = (
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
PAGES: Final = frozenset(
    {"", "dashboard", "api", "static", "csv", "favicon.ico", "incompatible-rdb-schema"}
)
SHOWN_IN_THE_BROWSER: Final = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/webm",
        "text/csv",
        "text/plain",
        "application/json",
    }
)
LINGER_S: Final = 1.0
LINGER_READS: Final = 16  # of 64 kB at most
EVERY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})


def serve(
    storage: BaseStorage,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str | None = None,
    announce: Callable[[str], None],
    artifact_store: FileSystemArtifactStore | None = None,
) -> None:
    """Serve the studies of `storage` until Ctrl-C; other exceptions end it too and pass through.

    `announce` gets the URL, with its token, once the socket listens. Port 0 picks a free one.
    `token` None or "auto" draws a fresh one; a host that isn't loopback wants an explicit choice.
    A loopback host answers to 127.0.0.1, localhost and [::1]; 0.0.0.0 and :: answer to localhost,
    127.0.0.1 and the machine's hostname, not to its addresses; any other host answers to itself.
    """
    secret = _chosen_token(host, token)
    with Server(host, port) as server, contextlib.suppress(KeyboardInterrupt):
        server.set_app(
            application(storage, token=secret, hosts=server.hosts, artifact_store=artifact_store)
        )
        announce(server.url(secret))
        server.serve_forever()


def _chosen_token(host: str, token: str | None) -> str:
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"--host {host} shows the study to the network; add --token auto, or use an SSH tunnel"
        )
    if token == "":
        raise UsageError("--token is empty, which everybody knows; write --token auto")
    return secrets.token_urlsafe(32) if token is None or token == "auto" else token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Handler(WSGIRequestHandler):
    """One connection; says nothing on the terminal."""

    timeout = 120  # seconds; browsers open connections ahead of need and leave them silent

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; the log would fill the terminal and show the token."""

    def end_headers(self) -> None:
        """End the headers of a request too malformed to reach the application."""
        for name, value in SECURITY_HEADERS:
            self.send_header(name, value)
        super().end_headers()


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A bound, listening socket that answers each request in a thread of its own."""

    daemon_threads = True  # an open download doesn't keep the process alive

    def __init__(self, host: str, port: int) -> None:
        if not 0 <= port <= 65535:
            raise UsageError(f"--port: must be 1 to 65535 (got {port})")
        self.host = host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                neighbour = port + 1 if port < 65535 else port - 1
                problem = f"port {port} is in use; try --port {neighbour}"
            else:
                problem = (
                    f"cannot listen on {host} port {port}: {error.strerror}; "
                    "try --host 127.0.0.1 --port 8080"
                )
            raise UsageError(problem) from error

    def server_bind(self) -> None:
        """Bind without HTTPServer's question to the name service, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = self.host
        self.server_port = int(self.server_address[1])
        self.setup_environ()

    def shutdown_request(self, request: Any) -> None:
        """Close after the client has: closing on an unread body would take our answer from it."""
        with suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(LINGER_S)
            for _ in range(LINGER_READS):
                if not request.recv(65_536):
                    break
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a fault of ours; a client that left or fell silent is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def hosts(self) -> frozenset[str]:
        """The values of the Host header that mean this server."""
        own = f"[{self.host}]" if ":" in self.host else self.host.lower()
        if self.host in EVERY_ADDRESS:
            names = {"localhost", "127.0.0.1", socket.gethostname().lower()}
        elif _is_loopback(self.host):
            names = {"localhost", "127.0.0.1", "[::1]", own}
        else:
            names = {own}
        addresses = {f"{name}:{self.server_port}" for name in names}
        return frozenset(addresses | names if self.server_port == 80 else addresses)

    def url(self, token: str) -> str:
        """The address to open in a browser, with its token."""
        name = socket.gethostname() if self.host in EVERY_ADDRESS else self.host
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{self.server_port}/?{urlencode({'token': token})}"


def application(
    storage: BaseStorage,
    *,
    token: str,
    hosts: frozenset[str],
    artifact_store: FileSystemArtifactStore | None = None,
) -> WSGIApplication:
    """optuna-dashboard for callers who know the token and ask one of `hosts` only to read."""
    assert token, "an empty token opens the door to everybody"
    # get_storage caches finished trials; a bare RDBStorage is read in full every few seconds
    upstream: WSGIApplication = optuna_dashboard.wsgi(
        get_storage(storage), artifact_store=artifact_store
    )

    def door(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start = _with_security_headers(environ["PATH_INFO"], start_response)
        if environ.get("HTTP_HOST", "").lower() not in hosts:
            line = f"Open {' or '.join(sorted(hosts))}; a tunnel has to keep the port."
            return _say(environ, start, "403 Forbidden", line)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            line = "This dashboard only shows: it answers GET and HEAD."
            return _say(environ, start, "403 Forbidden", line)
        if _equal(dict(_query(environ)).get("token", ""), token):
            return _remember(environ, start, token)
        if not _is_remembered(environ, token):
            line = "Paste the URL printed by `tuner dashboard` into the address bar."
            return _say(environ, start, "401 Unauthorized", line)
        return upstream(_as_upstream_expects(environ), start)

    return door


def _with_security_headers(path: str, start_response: StartResponse) -> StartResponse:
    """Add what keeps other origins out; what isn't known to be a page is held to be an artifact.

    Bottle drops bytes that aren't UTF-8 before it routes, so /art%FFifacts/ is an artifact too
    and only a list of pages is safe to match against.
    """
    is_artifact = path.lstrip("/").partition("/")[0] not in PAGES

    def start(
        status: str, headers: list[tuple[str, str]], /, *exc_info: Any
    ) -> Callable[[bytes], object]:
        named = {name.lower(): value for name, value in headers}
        kept = [(n, v) for n, v in headers if n.lower() != "access-control-allow-origin"]
        kept.extend(SECURITY_HEADERS)
        if is_artifact:
            kept.append(("Content-Security-Policy", "sandbox"))
            media_type = named.get("content-type", "").partition(";")[0].strip().lower()
            if media_type not in SHOWN_IN_THE_BROWSER:
                # no file name here: the dashboard's download links bring the original one
                kept.append(("Content-Disposition", "attachment"))
        return start_response(status, kept, *exc_info)

    return start


def _say(
    environ: WSGIEnvironment,
    start: StartResponse,
    status: str,
    line: str,
    *headers: tuple[str, str],
) -> Iterable[bytes]:
    body = f"{line}\n".encode()
    kind = ("Content-Type", "text/plain; charset=utf-8")
    start(status, [kind, ("Content-Length", str(len(body))), *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _query(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _remember(environ: WSGIEnvironment, start: StartResponse, token: str) -> Iterable[bytes]:
    """Hand out the cookie and send the browser to the same page without the token."""
    rest = urlencode([(key, value) for key, value in _query(environ) if key != "token"])
    # one leading slash and no more: a browser reads //name/ as another host
    path = "/" + quote(environ["PATH_INFO"].encode("latin-1").lstrip(b"/"))
    cookie = f"{_cookie_name(environ)}={_cookie(token)}; Path=/; HttpOnly; SameSite=Strict"
    return _say(
        environ,
        start,
        "303 See Other",
        "Go on without the token.",
        ("Location", f"{path}?{rest}" if rest else path),
        ("Set-Cookie", cookie),
    )


def _cookie_name(environ: WSGIEnvironment) -> str:
    # browsers share the cookies of a host among its ports, and each may serve a dashboard
    return f"tuner-dashboard-{environ['SERVER_PORT']}"


def _cookie(token: str) -> str:
    # not the token itself, which may hold characters that end a cookie
    return hmac.new(token.encode(), b"dashboard cookie", "sha256").hexdigest()


def _is_remembered(environ: WSGIEnvironment, token: str) -> bool:
    # split by hand: http.cookies gives up at the first odd cookie of some other local server
    pairs = (pair.strip().partition("=") for pair in environ.get("HTTP_COOKIE", "").split(";"))
    name = _cookie_name(environ)
    return any(key == name and _equal(value, _cookie(token)) for key, _, value in pairs)


def _as_upstream_expects(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Spare upstream a missing Accept-Encoding (a KeyError there) and a Host we didn't check."""
    checked = {key: value for key, value in environ.items() if key != "HTTP_X_FORWARDED_HOST"}
    return {"HTTP_ACCEPT_ENCODING": ""} | checked
