"""The commands that are kept with a study: what was asked, whoever asked it and wherever."""

import sys
from pathlib import Path

import pytest

from tests.tuner import tiny
from tests.tuner.commands import Quick
from tuner import study_commands
from tuner.errors import Stopped
from tuner.launch_commands import command_line, launch_commands
from tuner.storage import open_for_reading


def kept(folder: Path) -> list[str]:
    with open_for_reading(tiny.url(folder)) as store:
        return launch_commands(store, "tiny")


def test_what_was_asked_is_kept_without_the_machine_s_paths(quick: Quick, tmp_path: Path) -> None:
    file = tmp_path / tiny.written(tmp_path)
    at_once = ("--timeout", "0", "--workers", "1")
    storage = f"--storage={tiny.url(tmp_path)}"

    for more in (("--lanes", "2", "--search-only"), (), (), ("--trials", "5")):
        ended = quick("launch", str(file), storage, *more, *at_once, folder=tmp_path)
        assert ended.code == 75, ended.err

    assert kept(tmp_path) == [
        "tuner launch tiny.toml --search-only --workers 1 --lanes 2 --timeout 0",
        "tuner launch tiny.toml --workers 1 --timeout 0",
        "tuner launch tiny.toml --trials 5 --workers 1 --timeout 0",
    ]


def test_another_program_s_arguments_are_not_taken_for_the_tuner_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["notebook", "--secret", "12345"])
    file = str(tmp_path / tiny.written(tmp_path))

    with pytest.raises(Stopped):
        study_commands.launch(file, tiny.url(tmp_path), workers=1, timeout="0")

    assert kept(tmp_path) == ["tuner launch tiny.toml --workers 1 --timeout 0"]


def test_words_that_a_shell_would_take_apart_are_quoted() -> None:
    asked = {"--allow-import": ["one", "two words"], "--device": None, "--search-only": False}

    line = command_line("launch", "/home/me/my study.toml", asked)

    assert line == "tuner launch 'my study.toml' --allow-import one --allow-import 'two words'"
