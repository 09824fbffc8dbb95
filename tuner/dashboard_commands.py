"""The commands around Optuna's dashboard: dashboard, film."""

import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from agents.environments import import_environments
from tuner.arguments import Imports, Storage, StudyName
from tuner.artifacts import artifacts_of, directory_of, writable_artifacts_of
from tuner.marks_told import marks_told
from tuner.signals import StopSignals
from tuner.storage import DEFAULT_URL, Store, open_for_reading, open_for_writing
from tuner.summary import only_study


def dashboard(
    storage: Storage = DEFAULT_URL,
    host: Annotated[str, typer.Option(help="address to listen at")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 8080,
    token: Annotated[
        str | None, typer.Option(help="required beyond loopback; auto makes one")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="open it in your browser")] = False,
    allow_edits: Annotated[
        bool,
        typer.Option("--allow-edits", help="let notes be written, and files uploaded and deleted"),
    ] = False,
) -> None:
    """Serve Optuna's dashboard on this database, read-only."""
    from tuner.dashboard.exhibition import Exhibition  # here: they take a second to import
    from tuner.dashboard.overlay import Overlay
    from tuner.dashboard.serving import Content, serve

    with _opened(storage, allow_edits) as store, StopSignals(at_once=True):

        def announce(url: str) -> None:
            how = "notes and files may be edited" if allow_edits else "read-only"
            print(f"{url}\n{how}; Ctrl-C ends it", flush=True)
            if open_browser:
                webbrowser.open(url)

        overlay = Overlay(store.optuna, edits=allow_edits)
        with Exhibition(store, overlay) as exhibition:
            files = writable_artifacts_of(store) if allow_edits else artifacts_of(store)
            content = Content(overlay, files, edits=allow_edits, visited=exhibition.visited)
            serve(content, host=host, port=port, token=token, announce=announce)


def film(
    study: StudyName = None, storage: Storage = DEFAULT_URL, allow_import: Imports = None
) -> None:
    """Film the winner's best, median and worst test seed, for the dashboard."""
    from tuner import filming  # here: it loads torch

    import_environments(allow_import or ())
    with open_for_reading(storage) as store:
        name = only_study(store, study)
    with open_for_writing(storage) as store, StopSignals(at_once=True):
        filming.film(store, name, say=lambda line: print(line, flush=True), tell=marks_told())
        where = directory_of(store)
    print(f"in {where}, which belongs to the database; `tuner dashboard` plays them")


@contextmanager
def _opened(storage: str, allow_edits: bool) -> Iterator[Store]:
    """The database, which has to be there already."""
    with open_for_reading(storage) as store:
        if not allow_edits:
            yield store
            return
    with open_for_writing(storage) as store:
        yield store
