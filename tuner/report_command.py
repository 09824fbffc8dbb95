"""The command that writes what a study found for others to read: report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tuner import hparams_file
from tuner.arguments import Storage
from tuner.errors import UsageError
from tuner.storage import DEFAULT_URL, open_for_reading
from tuner.summary import StudySummary, only_study, summarize

FORMATS = ("html", "json")
MOST_STUDIES = 2
STDOUT = Path("-")


def report(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="the file to write; - prints it to stdout")
    ],
    studies: Annotated[
        list[str] | None,
        typer.Argument(help="its name (may be left out if it is alone), or two to compare"),
    ] = None,
    storage: Storage = DEFAULT_URL,
    format: Annotated[
        str, typer.Option(help="html: one page that needs no network; json: its numbers")
    ] = "html",
    force: Annotated[bool, typer.Option(help="replace the file")] = False,
) -> None:
    """Write all that a study found as one page, or compare two studies."""
    if format not in FORMATS:
        raise UsageError(f"--format: '{format}' is unknown; {', '.join(FORMATS)}")
    names = _checked(studies or [])
    if output != STDOUT:
        hparams_file.check_target(output, force=force)
    with open_for_reading(storage) as store:
        chosen = names or [only_study(store, None)]
        summaries = [summarize(store, name) for name in chosen]
    text = _text(summaries, storage, format)
    if output == STDOUT:
        print(text, end="")
        return
    hparams_file.write_text(output, text)
    print(f"wrote {output}: {' and '.join(summary.study.name for summary in summaries)}")


def _checked(names: Sequence[str]) -> Sequence[str]:
    if len(names) > MOST_STUDIES:
        raise UsageError(f"report: {len(names)} studies are named; one, or two to compare")
    if len(set(names)) < len(names):
        raise UsageError(f"report: '{names[0]}' is named twice; name another study to compare it")
    return names


def _text(summaries: Sequence[StudySummary], storage: str, format: str) -> str:
    from tuner import comparison, report_page  # here: these load plotly
    from tuner import report as reports

    found = [reports.report(summary, storage) for summary in summaries]
    if len(found) == 1:
        one = found[0]
        return _json(one.as_data()) if format == "json" else report_page.report_page(one)
    both = comparison.compare(*found)
    return _json(both.as_data()) if format == "json" else report_page.comparison_page(both)


def _json(data: object) -> str:
    return json.dumps(data, indent=2, allow_nan=False) + "\n"
