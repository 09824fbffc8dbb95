"""Arguments and options that several commands share."""

from typing import Annotated

import typer

from tuner import completion

Storage = Annotated[
    str, typer.Option(envvar="TUNER_STORAGE", help="database, e.g. sqlite:///tuner.db")
]
Device = Annotated[str, typer.Option(help="cpu or cuda; only the CPU is promised exact")]
Imports = Annotated[
    list[str] | None,
    typer.Option("--allow-import", help="module to import, so that it registers environments"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document to stdout")]
StudyName = Annotated[
    str | None,
    typer.Argument(
        help="its name; may be left out if it is alone",
        autocompletion=completion.recorded_studies,
    ),
]
Workers = Annotated[
    int | None, typer.Option(help="trainer processes (default: the cores there are)")
]
Lanes = Annotated[int | None, typer.Option(help="runs side by side in each (default: measured)")]
Timeout = Annotated[str | None, typer.Option(help="stop after 300, 5m or 2h")]
