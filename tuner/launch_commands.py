"""The commands that made a study, kept with it."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from tuner.storage import Store

COMMANDS = "commands"  # the study's user attribute that holds them, first to last
Option = str | int | bool | list[str] | None


def command_line(command: str, study: str, options: Mapping[str, Option]) -> str:
    """What one would type to ask the same again. Of a path only the file's name is told: where
    files lie differs from machine to machine. options: by their names as typed; None: not given."""
    given = [word for name, value in options.items() for word in _words(name, value)]
    return shlex.join(["tuner", command, Path(study).name, *given])


def record_command(store: Store, study: str, command: str) -> None:
    """Keep what launched this study, unless it is what did so last."""
    before = launch_commands(store, study)
    if before[-1:] != [command]:
        store.optuna_study(study).set_user_attr(COMMANDS, [*before, command])


def launch_commands(store: Store, study: str) -> list[str]:
    """What launched this study; nothing where it began before commands were kept."""
    return list(store.optuna_study(study).user_attrs.get(COMMANDS, ()))


def _words(name: str, value: Option) -> Iterator[str]:
    if value is True:
        yield name
    elif isinstance(value, list):
        for one in value:
            yield from (name, one)
    elif value is not None and value is not False:
        yield from (name, str(value))
