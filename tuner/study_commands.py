"""The commands that work on studies: launch, confirm, plan, studies."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agents.environments import import_environments
from agents.kinds import describe_for
from tuner import options, results
from tuner import study as study_files
from tuner.arguments import (
    AsJson,
    Device,
    Imports,
    Lanes,
    Storage,
    StudyName,
    Timeout,
    Workers,
)
from tuner.completion import shipped_studies
from tuner.errors import Stopped, TooManyFailures
from tuner.launch_commands import Option, command_line, record_command
from tuner.progress import PHASES
from tuner.scheduler import Resources, Scheduler
from tuner.screen import ProgressConsole, progress_screen
from tuner.signals import StopSignals
from tuner.storage import DEFAULT_URL, Store, open_for_reading, open_for_writing
from tuner.study import Study
from tuner.summary import StudySummary, only_study, summarize
from tuner.writer_lock import Task

StudyFile = Annotated[
    str,
    typer.Argument(help="a shipped study's name, or a .toml file", autocompletion=shipped_studies),
]


def launch(
    study: StudyFile,
    storage: Storage = DEFAULT_URL,
    workers: Workers = None,
    lanes: Lanes = None,
    trials: Annotated[int | None, typer.Option(help="in all, instead of the file's")] = None,
    timeout: Timeout = None,
    search_only: Annotated[
        bool, typer.Option("--search-only", help="leave out confirmation and test")
    ] = False,
    device: Device = "cpu",
    allow_import: Imports = None,
) -> None:
    """Search, confirm and test, or go on where a launch was interrupted."""
    import_environments(allow_import or ())
    loaded = study_files.load(study)
    if trials is not None:
        loaded = loaded.with_trials(options.trial_count(trials))
    resources = _resources(loaded, workers, lanes, timeout, device, allow_import)
    asked = {
        "--trials": trials,
        "--search-only": search_only,
        **_asked(resources, workers, timeout),
    }
    command = command_line("launch", study, asked)
    _run(loaded, storage, resources, PHASES[:1] if search_only else PHASES, command)


def confirm(
    study: StudyName = None,
    storage: Storage = DEFAULT_URL,
    workers: Workers = None,
    lanes: Lanes = None,
    timeout: Timeout = None,
    device: Device = "cpu",
    allow_import: Imports = None,
) -> None:
    """Confirm and test what a search has found so far, on fresh seeds."""
    import_environments(allow_import or ())
    with open_for_reading(storage) as store:
        summary = summarize(store, only_study(store, study))
    if not summary.complete:
        raise TooManyFailures(
            f"nothing to confirm yet in study '{summary.study.name}': no complete trial; "
            "`tuner launch` searches"
        )
    resources = _resources(summary.study, workers, lanes, timeout, device, allow_import)
    command = command_line("confirm", summary.study.name, _asked(resources, workers, timeout))
    _run(summary.study, storage, resources, PHASES[1:], command)


def plan(
    study: StudyFile,
    workers: Workers = None,
    trials: Annotated[int | None, typer.Option(help="in all, instead of the file's")] = None,
    as_json: AsJson = False,
    allow_import: Imports = None,
) -> None:
    """Say what a study costs here, and what its numbers of seeds can tell; trains one short run."""
    from tuner import planning  # here: it loads torch

    import_environments(allow_import or ())
    loaded = study_files.load(study)
    if trials is not None:
        loaded = loaded.with_trials(options.trial_count(trials))
    count = options.at_least_one("--workers", options.cores() if workers is None else workers)
    found = planning.plan(loaded, count)
    print(json.dumps(found.as_data(), allow_nan=False) if as_json else found.text())


def studies() -> None:
    """List the studies that come with the package."""
    for name in study_files.shipped_names():
        study = study_files.load(name)
        seeds = study.seeds
        size = (
            f"{study.study.trials} trials x {seeds.start} to {seeds.max} seeds, then "
            f"{seeds.confirm} and {seeds.test}, x {study.budget.steps:,}"
        )
        print(f"{name:<16} {study.study.env}, {size} steps; searches {', '.join(study.space)}")


def _resources(
    study: Study,
    workers: int | None,
    lanes: int | None,
    timeout: str | None,
    device: str,
    imports: Sequence[str] | None,
) -> Resources:
    """Checked, before anything is made or changed."""
    describe_for(study.study.agent, study.env_spec)
    return Resources(
        workers=options.at_least_one("--workers", options.cores() if workers is None else workers),
        lanes=None if lanes is None else options.at_least_one("--lanes", lanes),
        device=options.checked_device(device),
        timeout_s=None if timeout is None else options.duration_s(timeout),
        imports=tuple(imports or ()),
    )


def _asked(resources: Resources, workers: int | None, timeout: str | None) -> dict[str, Option]:
    """The options that launch and confirm share, those that were given."""
    return {
        "--workers": workers,
        "--lanes": resources.lanes,
        "--timeout": timeout,
        "--device": None if resources.device == "cpu" else resources.device,
        "--allow-import": list(resources.imports),
    }


def _run(
    study: Study, storage: str, resources: Resources, parts: Sequence[str], command: str
) -> None:
    """Launch these parts of a study, and print what came of them. command: that asked for it."""
    with open_for_writing(storage, Task(study.name, tuple(parts))) as store:
        _launch(study, store, resources, parts, command)
        summary = summarize(store, study.name)
    _print_end(summary, storage)


def _launch(
    study: Study, store: Store, resources: Resources, parts: Sequence[str], command: str
) -> None:
    scheduler = Scheduler(study, store, resources)
    record_command(store, study.name, command)
    with StopSignals() as stop, progress_screen(ProgressConsole()) as shown:
        try:
            for progress in scheduler.launch(parts, stop.code):
                shown.show(progress)
        except Stopped as stopped:
            again = "run the same command to go on"
            raise Stopped(f"{stopped.problems[0]}; {again}", stopped.exit_code) from None


def _print_end(summary: StudySummary, storage: str) -> None:
    summary.check_any_complete()
    console = Console()
    results.print_results(console, summary)
    console.print(f"\ndatabase: {storage}", highlight=False, soft_wrap=True)
    option = "" if storage == DEFAULT_URL else f" --storage {shlex.quote(storage)}"
    results.print_next_steps(console, _command(), summary, option)


def _command() -> str:
    """What to type for this program: as it was called, unless a plain `tuner` is the same."""
    called = Path(sys.argv[0])
    if called.name != "tuner":
        return f"{shlex.quote(sys.executable)} -m tuner"
    found = shutil.which("tuner")
    same = found is not None and os.path.realpath(found) == os.path.realpath(called)
    return "tuner" if same else shlex.quote(os.path.relpath(called))
