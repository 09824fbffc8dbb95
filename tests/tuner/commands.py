"""The real command line, run the way people run it.

`tuner` starts `python -m tuner` anew and waits for it, `started` does not wait. `Quick` runs the
same `main()` in a fork of a process that has imported it before: importing takes two seconds, which
the dozens of commands that are refused at once need not pay one by one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tuner")


@dataclass(frozen=True)
class Ended:
    """A command that is over. out and err are what it wrote."""

    code: int
    out: str
    err: str


def tuner(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, timeout_s: float = 60
) -> Ended:
    """Run a command to its end, in `folder`."""
    with started(*arguments, folder=folder, env=env) as process:
        out, err = process.communicate(timeout=timeout_s)
    return Ended(process.returncode, out, err)


@contextmanager
def started(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A command at work. Leaving the context kills it, if it is still there."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=_clean() | dict(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def assert_refused(ended: Ended, fragment: str) -> None:
    """What cannot be done ends with code 2 and says why, without a traceback."""
    assert ended.code == 2, ended
    assert fragment in ended.err, ended
    assert "Traceback" not in ended.err, ended


def typed(value: object) -> str:
    """A case's name among those of a test: its arguments, as somebody types them."""
    return " ".join(value)[:40] if isinstance(value, list) else ""


def children(pid: int) -> list[int]:
    """The processes that this one started and that are still alive."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [child for child in map(int, listed.split()) if alive(child)]


def alive(pid: int) -> bool:
    """Whether a process still runs; one that is dead and not yet buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(happened: Callable[[], object], timeout_s: float = 30) -> None:
    """Look many times a second; fail where it takes too long."""
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end, f"still not so after {timeout_s} s"
        time.sleep(0.02)


class Quick:
    """Commands that are over at once. A context: leaving it ends the process behind it."""

    def __enter__(self) -> "Quick":
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.tuner.commands"],
            cwd=ROOT,
            env=_clean(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def __call__(
        self, *arguments: str, folder: Path, env: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a command to its end, in `folder`."""
        assert self._server.stdin is not None and self._server.stdout is not None
        order = {"arguments": arguments, "folder": str(folder), "env": dict(env or {})}
        print(json.dumps(order), file=self._server.stdin, flush=True)
        return Ended(**json.loads(self._server.stdout.readline()))


LONGEST_S = 60


def _serve() -> None:
    import tempfile

    import tuner.cli  # noqa: F401 - once for all the commands

    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                _become(order, out.fileno(), err.fileno())
            code = _ending(child)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        print(json.dumps({"code": code, "out": texts[0], "err": texts[1]}), flush=True)


def _become(order: dict, out: int, err: int) -> None:
    from tuner.cli import main

    code: object = 1
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(order["folder"])
        os.environ.update(order["env"])
        sys.argv = ["tuner", *order["arguments"]]
        main()
        code = 0
    except SystemExit as exit:
        code = exit.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _ending(child: int) -> int:
    end = time.monotonic() + LONGEST_S
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.005)


def _clean() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name != "TUNER_STORAGE"}


if __name__ == "__main__":
    _serve()
