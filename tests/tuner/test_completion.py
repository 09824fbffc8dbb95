"""TAB completes commands, options, studies and words; a shell is answered without loading torch."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tuner.commands import ROOT, Quick
from tests.tuner.conftest import Finished
from tuner import completion
from tuner import study as studies
from tuner.cli import app

HEAVY = ("torch", "optuna", "numpy", "sqlalchemy", "scipy", "gymnasium")


@pytest.fixture(scope="module")
def tuner_on_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `tuner` is this one."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "tuner"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tuner "$@"\n')
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def scripts(quick: Quick, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `tuner completion` prints for each shell."""
    folder = tmp_path_factory.mktemp("scripts")
    for shell in ("bash", "zsh", "fish"):
        ended = quick("completion", shell, folder=folder)
        assert ended.code == 0, ended.err
        (folder / shell).write_text(ended.out)
    return folder


def completed(words: list[str], folder: Path, scripts: Path, path: str) -> list[str]:
    """What a real bash offers when TAB is pressed behind the last of these words."""
    typed = " ".join(map(shlex.quote, words))
    program = f"""
        source {shlex.quote(str(scripts / "bash"))}
        COMP_WORDS=({typed}) COMP_CWORD={len(words) - 1}
        $(complete -p tuner | sed 's/.*-F \\([^ ]*\\).*/\\1/') tuner
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(
        ["bash", "--norc", "-c", program],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    return ended.stdout.split()


def test_bash_completes_commands(tmp_path: Path, scripts: Path, tuner_on_path: str) -> None:
    assert completed(["tuner", "la"], tmp_path, scripts, tuner_on_path) == ["launch"]
    everything = completed(["tuner", ""], tmp_path, scripts, tuner_on_path)
    assert everything == [command["name"] for command in json.loads(completion.TREE.read_text())]


def test_bash_completes_options(tmp_path: Path, scripts: Path, tuner_on_path: str) -> None:
    words = ["tuner", "launch", "quickstart", "--tr"]

    assert completed(words, tmp_path, scripts, tuner_on_path) == ["--trials"]


def test_bash_completes_shipped_studies_and_study_files(
    tmp_path: Path, scripts: Path, tuner_on_path: str
) -> None:
    (tmp_path / "cartilage.toml").touch()
    (tmp_path / "cart.txt").touch()

    offered = completed(["tuner", "launch", "cart"], tmp_path, scripts, tuner_on_path)

    shipped = [name for name in studies.shipped_names() if name.startswith("cart")]
    assert offered == [*shipped, "cartilage.toml"]


def test_bash_completes_studies_of_the_database(
    finished: Finished, tmp_path: Path, scripts: Path, tuner_on_path: str
) -> None:
    here = completed(["tuner", "status", ""], finished.folder, scripts, tuner_on_path)
    words = ["tuner", "export", finished.option, "t"]
    elsewhere = completed(words, tmp_path, scripts, tuner_on_path)

    assert here == elsewhere == ["tiny"]


def test_without_a_database_a_shell_offers_its_own(
    tmp_path: Path, scripts: Path, tuner_on_path: str
) -> None:
    (tmp_path / "tuner.db").write_bytes(b"not a database")

    assert completed(["tuner", "status", ""], tmp_path, scripts, tuner_on_path) == []
    assert completed(["tuner", "train", ""], tmp_path, scripts, tuner_on_path) == []
    assert "complete -o default" in (scripts / "bash").read_text()  # files


def test_bash_completes_words(tmp_path: Path, scripts: Path, tuner_on_path: str) -> None:
    assert completed(["tuner", "schema", ""], tmp_path, scripts, tuner_on_path) == [
        "study",
        "hparams",
    ]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_with_what_they_do(
    tmp_path: Path, scripts: Path, tuner_on_path: str
) -> None:
    ended = subprocess.run(
        ["fish", "-c", f"source {scripts}/fish; complete -C 'tuner la'"],
        cwd=tmp_path,
        env=os.environ | {"PATH": tuner_on_path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.stdout.startswith("launch\tSearch, confirm"), ended.stderr


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_its_script(tmp_path: Path, scripts: Path) -> None:
    program = f"autoload -Uz compinit; compinit -u -D; source {scripts}/zsh; echo $_comps[tuner]"
    ended = subprocess.run(
        ["zsh", "-f", "-c", program],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.stdout.strip(), ended.stderr) == ("_tuner_completion", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_what_they_ask(shell: str, tmp_path: Path, scripts: Path) -> None:
    asked = {completion.VARIABLE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "tuner sta"}
    asked |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "tuner"],
        cwd=tmp_path,
        env=os.environ
        | asked
        | {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert completion.VARIABLE in (scripts / shell).read_text()
    assert "status" in ended.stdout and "Show where a study stands" in ended.stdout


def test_a_shell_is_answered_without_loading_what_commands_load(tmp_path: Path) -> None:
    program = f"""
import sys
from tuner.__main__ import main
try:
    main()
except SystemExit:
    pass
print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr, end="")
"""
    asked = {"COMP_WORDS": "tuner\nlaunch\nqui", "COMP_CWORD": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | asked | {completion.VARIABLE: "complete_bash"},
        capture_output=True,
        text=True,
    )

    assert (ended.stdout.strip(), ended.stderr) == ("quickstart", "")


def test_what_shells_complete_by_is_the_command_line() -> None:
    assert json.loads(completion.TREE.read_text()) == completion.tree(app), "run `make docs`"


def test_an_unknown_shell_is_refused(quick: Quick, tmp_path: Path) -> None:
    ended = quick("completion", "csh", folder=tmp_path)

    assert ended.code == 2
    assert "'bash', 'zsh', 'fish'" in ended.err
