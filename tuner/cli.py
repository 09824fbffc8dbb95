"""The command line: which commands there are, and how they end. The only module that exits."""

import os
import sys

import optuna
import typer

from agents.errors import AgentError, CheckpointError, EnvError, HparamsError
from tuner import (
    agent_commands,
    dashboard_commands,
    editor_commands,
    file_commands,
    report_command,
    study_commands,
    viewing_commands,
)
from tuner.errors import Stopped, TunerError

AGENT_EXIT = {CheckpointError: 5, EnvError: 2, HparamsError: 2}
COMMANDS = (
    study_commands.launch,
    study_commands.confirm,
    study_commands.plan,
    study_commands.studies,
    viewing_commands.status,
    report_command.report,
    dashboard_commands.dashboard,
    dashboard_commands.film,
    file_commands.export,
    file_commands.verify,
    file_commands.train,
    agent_commands.evaluate,
    agent_commands.imitate,
    agent_commands.watch,
    editor_commands.schema,
    editor_commands.completion,
)

app = typer.Typer(
    name="tuner",
    help="Tune deep Q-learning, several seeds per trial.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run a command; print what it refuses as one line per problem; exit with its code."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        app()
    except (TunerError, AgentError) as error:
        for problem in error.problems:
            print(problem if isinstance(error, Stopped) else f"error: {problem}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, TunerError) else AGENT_EXIT[type(error)])
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # our reader left, as `| head` does
            os._exit(0)
        raise
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:  # of a file that was named on the command line
        where = f"'{error.filename}'" if error.filename else "writing the output"
        print(f"error: {where}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
