"""What a request has to know before it gets through to optuna-dashboard, and what it may ask.

On its own optuna-dashboard has no login, answers any Host, and obeys a POST that tells a running
trial its score or a DELETE that removes a study. The door asks: is the Host one of ours (else a web
page could reach us by DNS rebinding), does the caller know the token, does the method only read.
Where edits are allowed it lets through those of `EDITS` that come from a page of its own. What
comes back can't be framed, sniffed or used by other origins, and an artifact can't run script as
us.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

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
READS: Final = ("GET", "HEAD")
# Notes, and files beside them. Nothing else: what a study recorded stays as it is.
EDITS: Final = (
    ("PUT", re.compile(r"/api/studies/([0-9]{1,40})(?:/([0-9]{1,40}))?/note")),
    ("POST", re.compile(r"/api/artifacts/([0-9]{1,40})")),
    ("DELETE", re.compile(r"/api/artifacts/([0-9]{1,40})/[0-9a-fA-F-]+")),
)
READ_ONLY: Final = (
    "This dashboard only shows. To write notes and upload files, start it with --allow-edits."
)
NO_SUCH_EDIT: Final = (
    "What a study recorded stays as it is: notes of studies and trials may be written, files of a "
    "study uploaded and deleted, nothing else."
)
NOT_THERE: Final = "There is no such study or trial."
FOREIGN: Final = "Edits are taken from this dashboard's own pages only."


def door(
    upstream: WSGIApplication,
    *,
    token: str,
    hosts: frozenset[str],
    edits: bool = False,
    exists: Callable[[int, int | None], bool] = lambda study_id, trial_id: True,
) -> WSGIApplication:
    """The application for callers who know the token and ask one of `hosts`.

    edits: whether they may do what is in `EDITS`, from a page of the host they ask
    exists: whether there is a study of this id, with a trial of that id unless it is None
    """
    assert token, "an empty token opens the door to everybody"

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start = _with_security_headers(environ["PATH_INFO"], start_response)
        reads = environ["REQUEST_METHOD"] in READS
        if environ.get("HTTP_HOST", "").lower() not in hosts:
            line = f"Open {' or '.join(sorted(hosts))}; a tunnel has to keep the port."
            return _say(environ, start, "403 Forbidden", line)
        if not reads and not edits:
            return _say(environ, start, "403 Forbidden", READ_ONLY)
        if reads and _equal(dict(_query(environ)).get("token", ""), token):
            return _remember(environ, start, token)
        if not _is_remembered(environ, token):
            line = "Paste the URL printed by `tuner dashboard` into the address bar."
            return _say(environ, start, "401 Unauthorized", line)
        if not reads and (objection := _objection(environ)):
            return _say(environ, start, "403 Forbidden", objection)
        if not reads and not exists(*_edited(environ)):
            return _say(environ, start, "404 Not Found", NOT_THERE)
        return upstream(_as_upstream_expects(environ), start)

    return guarded


def _edited(environ: WSGIEnvironment) -> tuple[int, int | None]:
    """The ids of the study and, if it is about one, of the trial of an edit."""
    found = next(filter(None, (route.fullmatch(environ["PATH_INFO"]) for _, route in EDITS)))
    trial_id = found[2] if found.re.groups > 1 else None
    return int(found[1]), None if trial_id is None else int(trial_id)


def _objection(environ: WSGIEnvironment) -> str:
    """What speaks against an edit; "" if nothing does."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if not any(method == known and route.fullmatch(path) for known, route in EDITS):
        return NO_SUCH_EDIT
    origin = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER", "")
    own = f"http://{environ['HTTP_HOST']}".lower()
    is_own = origin.lower() == own or origin.lower().startswith(f"{own}/")
    return "" if is_own else FOREIGN


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
    if environ["PATH_INFO"].startswith("/api/"):  # optuna-dashboard's pages show such a reason
        body, kind = json.dumps({"reason": line}), "application/json"
    else:
        body, kind = f"{line}\n", "text/plain; charset=utf-8"
    encoded = body.encode()
    length = ("Content-Length", str(len(encoded)))
    start(status, [("Content-Type", kind), length, *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [encoded]


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
