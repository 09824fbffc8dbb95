"""What a shell is told when TAB asks what may stand next, without loading what commands load.

A command's module takes over a second to load, for nothing that a shell wants to know. So the names
of commands and options stand in `command_tree.json`, which `make docs` writes from the commands
themselves; from them an application is made again that can do nothing but complete.
"""

import glob
import inspect
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer
from typer.completion import completion_init, get_completion_script  # type: ignore[attr-defined]
from typer.main import get_command

PROGRAM = "tuner"
VARIABLE = "_TUNER_COMPLETE"  # of the environment: by it a shell's script asks
TREE = Path(__file__).with_name("command_tree.json")
PATIENCE_S = 0.2  # with a database that is locked
Completer = Callable[..., list[str]]
Tree = list[dict[str, Any]]


def answer() -> None:
    """Print the completions that the environment asks for, and exit."""
    completion_init()
    app = typer.Typer(add_completion=False)
    for command in json.loads(TREE.read_text()):
        app.command(command["name"], help=command["help"])(_silent(command["parameters"]))
    app(prog_name=PROGRAM)


def script(shell: str) -> str:
    """What a shell has to source so that it asks."""
    made: str = get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
    return made


def shipped_studies(incomplete: str) -> list[str]:
    """The studies of the package, and the study files beside."""
    files = resources.files("studies").iterdir()
    names = [file.name[:-5] for file in files if file.name.endswith(".toml")]
    return sorted(names) + sorted(glob.glob(f"{glob.escape(incomplete)}*.toml"))


def recorded_studies(ctx: typer.Context) -> list[str]:
    """The studies in the database of the command line; none where it cannot be read at once."""
    url = str(ctx.params.get("storage") or "")
    file = Path(url.removeprefix("sqlite:///").partition("?")[0])
    if not url.startswith("sqlite:///") or not file.is_file():
        return []
    try:
        with closing(
            sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_S)
        ) as database:
            return [name for (name,) in database.execute("SELECT study_name FROM studies")]
    except sqlite3.Error:
        return []


COMPLETERS: dict[str, Completer] = {
    "shipped_studies": shipped_studies,
    "recorded_studies": recorded_studies,
}


def tree(app: typer.Typer) -> Tree:
    """What `command_tree.json` says: every command with its arguments and options."""
    made: Any = get_command(app)
    callbacks = [command.callback for command in app.registered_commands]
    return [
        {
            "name": name,
            "help": command.get_short_help_str(limit=100),
            "parameters": [_described(param, callback) for param in command.params],
        }
        for (name, command), callback in zip(made.commands.items(), callbacks, strict=True)
    ]


def _described(param: Any, callback: Any) -> dict[str, Any]:
    declared = get_type_hints(callback, include_extras=True)[param.name]
    info = next(
        (one for one in getattr(declared, "__metadata__", ()) if hasattr(one, "help")), None
    )
    completer = getattr(info, "autocompletion", None)
    plain = isinstance(param.default, str)
    return {
        "name": param.name,
        "flags": [*param.opts, *param.secondary_opts] if param.opts[0].startswith("-") else [],
        "help": param.help or "",
        "takes": _takes(declared, param),
        "default": param.default if plain else None,
        "variable": param.envvar,
        "completer": completer.__name__ if completer else None,
    }


def _takes(declared: Any, param: Any) -> Any:
    """What follows it: "nothing" (a switch), "one", "many", or one of a list of words."""
    inner = declared.__origin__ if hasattr(declared, "__metadata__") else declared
    if getattr(inner, "__origin__", None) is Literal:
        return list(inner.__args__)
    if getattr(param, "is_flag", False):
        return "nothing"
    return "many" if getattr(param, "multiple", False) or param.nargs == -1 else "one"


def _silent(parameters: Sequence[dict[str, Any]]) -> Callable[..., None]:
    """A command with these parameters that does nothing."""

    def command(**_: object) -> None:
        return None

    made = [_parameter(**parameter) for parameter in parameters]
    command.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in made}
    return command


def _parameter(
    name: str,
    flags: list[str],
    help: str,
    takes: Any,
    default: str | None,
    variable: str | None,
    completer: str | None,
) -> inspect.Parameter:
    kinds = {"nothing": bool, "one": str, "many": list[str]}
    kind: Any = kinds[takes] if isinstance(takes, str) else Literal[tuple(takes)]
    asked = COMPLETERS[completer] if completer else None
    if flags:
        half = len(flags) // 2
        switch = takes == "nothing" and len(flags) > 1
        names = [f"{flags[0]}/{flags[half]}"] if switch else flags
        info: Any = typer.Option(*names, help=help, envvar=variable, autocompletion=asked)
    else:
        info = typer.Argument(help=help, autocompletion=asked)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if takes == "nothing" else default,
        annotation=Annotated[kind | None, info] if takes != "nothing" else Annotated[kind, info],
    )
