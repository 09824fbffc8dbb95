"""The commands that look at a study and leave it as it is: status, dashboard."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from tuner import screen
from tuner.arguments import AsJson, Storage, StudyName
from tuner.pace import Pace, pace
from tuner.signals import StopSignals
from tuner.storage import DEFAULT_URL, open_for_reading
from tuner.summary import StudySummary, our_studies, summarize


def status(
    study: StudyName = None, storage: Storage = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show where a study stands (all studies of the database, if none is named)."""
    with open_for_reading(storage) as store:
        names = [study] if study is not None else our_studies(store)
        summaries = [summarize(store, name) for name in names]
        writer = store.writer()
        paces = {
            summary.study.name: None if writer is None else pace(store, summary, writer)
            for summary in summaries
        }
    if as_json:
        data = {
            "writer": None if writer is None else writer.pid,
            "studies": [summary.as_data() | _pace_data(paces, summary) for summary in summaries],
        }
        print(json.dumps(data, allow_nan=False))
        return
    console = Console()
    for summary in summaries:
        screen.print_state(console, summary, paces[summary.study.name])
        screen.print_results(console, summary)
    if writer is not None:
        console.print(f"\nprocess {writer.pid} is at work on this database", highlight=False)


def dashboard(
    storage: Storage = DEFAULT_URL,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 8080,
    token: Annotated[
        str | None, typer.Option(help="required beyond loopback; auto makes one")
    ] = None,
) -> None:
    """Serve Optuna's dashboard on this database, read-only."""
    from tuner.dashboard import serve  # here: it takes a second to import

    with open_for_reading(storage) as store, StopSignals(at_once=True):

        def announce(url: str) -> None:
            print(f"{url}\nread-only; Ctrl-C ends it", flush=True)

        serve(store.optuna, host=host, port=port, token=token, announce=announce)


def _pace_data(paces: Mapping[str, Pace | None], summary: StudySummary) -> dict[str, object]:
    found = paces[summary.study.name]
    return {"pace": None if found is None else asdict(found)}
