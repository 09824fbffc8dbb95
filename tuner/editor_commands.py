"""The commands for editors and shells: schema, completion."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner import completion as completions
from tuner import hparams_file, schemas


def schema(
    subject: Annotated[schemas.Subject, typer.Argument(help="study files, or hparams.json")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="a file, instead of stdout")
    ] = None,
    force: Annotated[bool, typer.Option(help="replace the file")] = False,
) -> None:
    """Write the JSON Schema by which an editor checks a file and offers its keys."""
    text = json.dumps(schemas.schema(subject), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
        return
    hparams_file.check_target(output, force=force)
    hparams_file.write_text(output, text)


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="the shell that asks")],
) -> None:
    """Print what a shell needs to complete commands, options and studies by TAB."""
    print(completions.script(shell))
