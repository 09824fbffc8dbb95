"""The dashboard's socket: bound where it was told, known by few names, silent on the terminal."""

import errno
import ipaddress
import socket
import socketserver
import sys
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from tuner.dashboard.door import SECURITY_HEADERS
from tuner.errors import UsageError

LINGER_S: Final = 1.0
LINGER_READS: Final = 16  # of 64 kB at most
EVERY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::"})


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
        elif is_loopback(self.host):
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


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
