"""The commands that made a study, kept with it."""

import shlex
from collections.abc import Sequence

from tuner.storage import Store

COMMANDS = "commands"  # the study's user attribute that holds them, first to last


def record_command(store: Store, study: str, arguments: Sequence[str]) -> None:
    """Keep what launched this study, unless it is what did so last. arguments: of the program."""
    command = shlex.join(["tuner", *_without_storage(arguments)])
    before = launch_commands(store, study)
    if before[-1:] != [command]:
        store.optuna_study(study).set_user_attr(COMMANDS, [*before, command])


def launch_commands(store: Store, study: str) -> list[str]:
    """What launched this study; nothing where it began before commands were kept."""
    return list(store.optuna_study(study).user_attrs.get(COMMANDS, ()))


def _without_storage(arguments: Sequence[str]) -> list[str]:
    """Where the database lies differs from machine to machine."""
    kept = []
    left = iter(arguments)
    for argument in left:
        if argument == "--storage":
            next(left, None)
        elif not argument.startswith("--storage="):
            kept.append(argument)
    return kept
