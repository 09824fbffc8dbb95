"""What the pages say can be typed: every command and every Python block is run, page by page.

A page runs in a folder of its own, from its first line to its last. Nothing of a command is changed
but its size: in that folder the names of the shipped studies and docs/results are those of a tiny
study, study files of a page keep their space and get a tiny budget (`CUT`), and some commands get
options behind their own (`SMALLER`). Scripts and `make` targets, some of which take hours, are not
run: they must be there, and know the options that they are given. What can only be read is marked
as text in the page.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.docs.pages import PAGES, ROOT, Block, blocks, inline_commands
from tests.tuner.commands import Ended, Quick, started, tuner, wait_until
from tests.tuner.conftest import quick  # noqa: F401 - a fixture
from tests.tuner.tiny import changed
from tuner import study as studies
from tuner.cli import app

CUT = {
    "study": {"trials": 2},
    "budget": {"steps": 600, "evaluations": 6, "episodes": 2},
    "seeds": {"start": 2, "max": 2, "confirm": 2, "test": 2},
    "fixed": {"learning_starts": 100},
}
SMALLER = {
    "launch": ["--workers", "1", "--lanes", "8"],
    "confirm": ["--workers", "1", "--lanes", "8"],
    "evaluate": ["--episodes", "5"],
    "imitate": ["--samples", "40", "--epochs", "1", "--episodes", "2"],
    "watch": ["--episodes", "1"],
    "dashboard": ["--port", "0"],
}
ENDLESS = ("dashboard",)  # they serve until they are interrupted
TRAINERS = ("launch", "confirm")  # they start processes, which a fork of the test would not
ENVIRONMENT = {"SDL_VIDEODRIVER": "dummy", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
ID = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=ID)
def test_everything_that_a_page_says_can_be_typed(
    page: Path,
    tmp_path: Path,
    quick: Quick,  # noqa: F811
) -> None:
    shown = blocks(page)
    if not any(block.commands or block.language == "python" for block in shown):
        return
    _furnish(tmp_path)

    for block in shown:
        if block.file is not None:
            (tmp_path / block.file).write_text(_small(block))
        elif block.language == "python":
            _run_python(block.text, tmp_path)
        for line in block.commands:
            _run(line, tmp_path, quick)


@pytest.mark.parametrize("page", PAGES, ids=ID)
def test_commands_named_in_sentences_and_tables_are_there_with_their_options(page: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for words in inline_commands(page):
        if words[1].startswith("-") or words[1].isupper():  # `tuner --help`, `tuner COMMAND`
            continue
        assert words[1] in commands, " ".join(words)
        known = {name for param in commands[words[1]].params for name in param.opts} | {"--help"}
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given <= known, f"{' '.join(words)}: {given - known}"


@pytest.mark.parametrize("page", PAGES, ids=ID)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        link = target[0] or target[1]
        if not re.match(r"https?:|#", link):
            file, _, anchor = link.partition("#")
            assert (page.parent / file).exists(), link
            assert not anchor or anchor in _anchors((page.parent / file).read_text()), link
        elif link.startswith("#"):
            assert link[1:] in _anchors(text), link


def _anchors(text: str) -> set[str]:
    """What GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _furnish(folder: Path) -> None:
    """What a page finds: tiny studies by the shipped names, and results that train a little."""
    for name in studies.shipped_names():
        (folder / name).write_text(changed(('name = "tiny"', f'name = "{name}"')))
    for file in (ROOT / "docs" / "results").glob("*/hparams.json"):
        data = json.loads(file.read_text()) | {"budget_steps": 600}
        kept = {key: data[key] for key in data if key not in ("evidence", "made_with", "sha256")}
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True)
        copy.write_text(json.dumps(kept))


def _small(block: Block) -> str:
    """A file of a page. Studies train a little only."""
    text = block.text
    if block.language != "toml":
        return text
    for table, keys in CUT.items():
        lines = "".join(f"\n{key} = {value}" for key, value in keys.items())
        for key in keys:
            text = re.sub(rf"^{key} *=.*\n", "", text, flags=re.MULTILINE)
        header = re.compile(rf"^\[{table}\].*$", re.MULTILINE)
        if not header.search(text):
            text += f"\n[{table}]\n"
        text = header.sub(lambda found, lines=lines: found[0] + lines, text)
    return text


def _run(line: str, folder: Path, quick: Quick) -> None:  # noqa: F811
    words = shlex.split(line)
    if words[0] == "tuner" and not set("|<>;&$") & set(line):
        _check(line, _run_tuner(words[1:], folder, quick))
    elif words[0] == "make":
        _check(line, _shell(f"make --dry-run --directory={ROOT} {line[5:]}", folder))
    elif words[0].startswith("scripts/"):
        _check_script(line, words, folder)
    elif words[0] in ("tuner", "python", "source", "export", "cat", "ls"):
        _check(line, _shell(line, folder))
    else:
        pytest.fail(f"{line!r}: nobody knows how to run this here; mark the block as text")


def _run_tuner(arguments: list[str], folder: Path, quick: Quick) -> Ended:  # noqa: F811
    command, arguments = arguments[0], [*arguments, *SMALLER.get(arguments[0], [])]
    if command in ENDLESS:
        return _served(arguments, folder)
    if command in TRAINERS:
        return tuner(*arguments, folder=folder, env=ENVIRONMENT)
    return quick(*arguments, folder=folder, env=ENVIRONMENT)


def _served(arguments: list[str], folder: Path) -> Ended:
    """A server, until it has printed its address and is interrupted."""
    with started(*arguments, folder=folder) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "http://127.0.0.1" in first, first + process.communicate()[1]
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None)
        out, err = process.communicate()
    return Ended(0 if process.returncode in (0, 130) else process.returncode, first + out, err)


def _run_python(text: str, folder: Path) -> None:
    """A block of Python, with one trial instead of several."""
    program = re.sub(r"n_trials=\d+", "n_trials=1", text)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


def _check_script(line: str, words: list[str], folder: Path) -> None:
    """It is there, and its help names every option. Without options it needs none."""
    script = ROOT / words[0]
    assert script.exists(), line
    if "argparse" not in script.read_text():
        assert len(words) == 1, line
        return
    ended = _shell(f"{shlex.quote(sys.executable)} {ROOT}/{words[0]} --help", folder)
    _check(line, ended)
    for word in words[1:]:
        assert not word.startswith("--") or word in ended.out, line


def _shell(line: str, folder: Path) -> Ended:
    """By a real bash, for which `tuner` and `python` are these."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _environment(folder: Path) -> dict[str, str]:
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    for name, module in (("tuner", "-m tuner"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return os.environ | ENVIRONMENT | {"PATH": path, "PYTHONPATH": str(ROOT)}


def _check(line: str, ended: Ended) -> None:
    assert ended.code == 0, f"{line}\n{ended.out}\n{ended.err}"
