"""The command line: parse, call, print. The only module that exits."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import optuna
import typer
from rich.console import Console

from agents.environments import EnvSpec, describe, import_environments
from agents.errors import AgentError, CheckpointError, EnvError, HparamsError
from tuner import export as exporting
from tuner import hparams_file, options, screen
from tuner import study as studies
from tuner.errors import Stopped, TunerError, UsageError
from tuner.pace import Pace, pace
from tuner.scheduler import Resources, Scheduler
from tuner.signals import StopSignals
from tuner.storage import DEFAULT_URL, open_for_reading, open_for_writing
from tuner.summary import StudySummary, only_study, our_studies, summarize

if TYPE_CHECKING:
    from agents.cohort import Evaluated
    from tuner.retrain import Trained

MOST_EPISODES = 1_000_000
AGENT_EXIT = {CheckpointError: 5, EnvError: 2, HparamsError: 2}

app = typer.Typer(
    name="tuner",
    help="Tune deep Q-learning, several seeds per trial.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Storage = Annotated[
    str, typer.Option(envvar="TUNER_STORAGE", help="database, e.g. sqlite:///tuner.db")
]
Device = Annotated[str, typer.Option(help="cpu or cuda; only the CPU is promised exact")]
Imports = Annotated[
    list[str] | None,
    typer.Option("--allow-import", help="module to import, so that it registers environments"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document to stdout")]
StudyName = Annotated[str | None, typer.Argument(help="its name; may be left out if it is alone")]


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


@app.command()
def launch(
    study: Annotated[str, typer.Argument(help="a shipped study's name, or a .toml file")],
    storage: Storage = DEFAULT_URL,
    workers: Annotated[
        int | None, typer.Option(help="trainer processes (default: the cores there are)")
    ] = None,
    lanes: Annotated[
        int | None, typer.Option(help="runs side by side in each (default: measured)")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="in all, instead of the file's")] = None,
    timeout: Annotated[str | None, typer.Option(help="stop after 300, 5m or 2h")] = None,
    device: Device = "cpu",
    allow_import: Imports = None,
) -> None:
    """Search, or go on with a search that was interrupted."""
    import_environments(allow_import or ())
    loaded = studies.load(study)
    if trials is not None:
        loaded = loaded.with_trials(options.trial_count(trials))
    describe(EnvSpec(loaded.study.env, loaded.study.env_kwargs))
    resources = Resources(
        workers=options.at_least_one("--workers", options.cores() if workers is None else workers),
        lanes=None if lanes is None else options.at_least_one("--lanes", lanes),
        device=options.checked_device(device),
        timeout_s=None if timeout is None else options.duration_s(timeout),
        imports=tuple(allow_import or ()),
    )
    with open_for_writing(storage) as store:
        _search(Scheduler(loaded, store, resources))
        summary = summarize(store, loaded.name)
    summary.check_any_complete()
    console = Console()
    screen.print_results(console, summary)
    console.print(f"\ndatabase: {storage}", highlight=False, soft_wrap=True)
    option = "" if storage == DEFAULT_URL else f" --storage {shlex.quote(storage)}"
    screen.print_next_steps(console, _command(), loaded.name, option)


@app.command(name="studies")
def list_studies() -> None:
    """List the studies that come with the package."""
    for name in studies.shipped_names():
        study = studies.load(name)
        size = f"{study.study.trials} trials x {study.seeds.start} seeds x {study.budget.steps:,}"
        print(f"{name:<16} {study.study.env}, {size} steps; searches {', '.join(study.space)}")


@app.command()
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


@app.command()
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


@app.command()
def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")],
    study: StudyName = None,
    storage: Storage = DEFAULT_URL,
    trial: Annotated[int | None, typer.Option(help="its number (default: the best)")] = None,
    force: Annotated[bool, typer.Option(help="replace the file")] = False,
) -> None:
    """Write the best configuration, with its evidence, as hparams.json."""
    with open_for_reading(storage) as store:
        summary = summarize(store, only_study(store, study))
    chosen = summary.chosen(trial)
    hparams_file.write(output, exporting.to_file(summary, chosen), force=force)
    assert chosen.spread is not None
    print(
        f"wrote {output}: trial {chosen.number} of {summary.study.name}, "
        f"mean {chosen.spread.mean:.1f} over seeds {screen.scores_text(chosen.spread)}\n"
        "not confirmed on fresh seeds; expect less"
    )


@app.command()
def train(
    hparams: Annotated[Path, typer.Argument(help="an hparams.json")],
    out: Annotated[Path, typer.Option(help="directory for seed-<s>/")],
    seeds: Annotated[str, typer.Option(help="0:5, or 1,2,7, or tune")] = "0:1",
    steps: Annotated[
        int | None, typer.Option(help="environment steps, instead of the file's")
    ] = None,
    device: Device = "cpu",
    force: Annotated[bool, typer.Option(help="replace what is there")] = False,
    allow_import: Imports = None,
) -> None:
    """Train from an hparams.json, all seeds side by side."""
    from tuner import retrain  # here: it loads torch

    import_environments(allow_import or ())
    file = hparams_file.read(hparams)
    chosen = options.seed_list(seeds, file)
    if steps is not None:
        options.at_least_one("--steps", steps)
    options.checked_device(device)
    console = Console(stderr=True)

    def watch(event: "Evaluated") -> None:
        mean = sum(event.returns) / len(event.returns)
        console.print(f"seed {event.run}: step {event.step:,}, return {mean:.1f}", highlight=False)

    trained = retrain.train(file, chosen, out, steps=steps, device=device, force=force, watch=watch)
    for run in trained:
        print(f"seed {run.seed}: score {run.score}{_compared(run)}, in {run.directory}")
    scores = [run.score for run in trained]
    print(
        f"mean {sum(scores) / len(scores):.1f}, minimum {min(scores):.1f} over {len(scores)} seeds"
    )


@app.command()
def evaluate(
    directory: Annotated[
        Path, typer.Argument(help="what `tuner train` wrote, e.g. trained/seed-0")
    ],
    episodes: Annotated[int, typer.Option(help="greedy episodes, side by side")] = 1_000,
    seed: Annotated[int, typer.Option(help="of the evaluation's environments")] = 0,
    as_json: AsJson = False,
    allow_import: Imports = None,
) -> None:
    """Play a trained agent greedily."""
    from tuner import retrain  # here: it loads torch

    import_environments(allow_import or ())
    options.check_seed("--seed", seed)
    if options.at_least_one("--episodes", episodes) > MOST_EPISODES:
        raise UsageError(f"--episodes: more than {MOST_EPISODES:,}; play them with several --seed")
    result = retrain.evaluate(directory, episodes, seed)
    if as_json:
        print(json.dumps(asdict(result), allow_nan=False))
        return
    std = "" if result.std is None else f", standard deviation {result.std:.1f}"
    print(
        f"{result.episodes} episodes: mean {result.mean:.1f}{std}, minimum {result.minimum:.1f}, "
        f"maximum {result.maximum:.1f}; {100 * result.at_limit:.1f} % reached the time limit"
    )


def _search(scheduler: Scheduler) -> None:
    console = Console(stderr=True)
    with StopSignals() as stop, screen.progress_screen(console) as shown:
        try:
            for progress in scheduler.search(stop.code):
                shown.show(progress)
        except Stopped as stopped:
            again = "run the same command to go on"
            raise Stopped(f"{stopped.problems[0]}; {again}", stopped.exit_code) from None


def _pace_data(paces: Mapping[str, Pace | None], summary: StudySummary) -> dict[str, object]:
    found = paces[summary.study.name]
    return {"pace": None if found is None else asdict(found)}


def _command() -> str:
    """What to type for this program: as it was called, unless a plain `tuner` is the same."""
    called = Path(sys.argv[0])
    if called.name != "tuner":
        return f"{shlex.quote(sys.executable)} -m tuner"
    found = shutil.which("tuner")
    same = found is not None and os.path.realpath(found) == os.path.realpath(called)
    return "tuner" if same else shlex.quote(os.path.relpath(called))


def _compared(run: "Trained") -> str:
    if run.claimed is None:
        return ""
    return f", recorded {run.claimed} ({'equal' if run.score == run.claimed else 'NOT equal'})"
