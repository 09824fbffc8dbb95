"""The commands about a trained agent's directory: evaluate, imitate, watch."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from agents.environments import import_environments
from tuner import films, options
from tuner.arguments import AsJson, Imports
from tuner.errors import UsageError
from tuner.screen import ProgressConsole
from tuner.wording import points

if TYPE_CHECKING:
    from agents.imitation import Epoch
    from agents.watching import Ended
    from tuner.imitation import Imitation

MOST_SAMPLES = 1_000_000
MOST_EPOCHS = 10_000
AgentPath = Annotated[Path, typer.Argument(help="what `tuner train` wrote, e.g. trained/seed-0")]


def evaluate(
    directory: AgentPath,
    episodes: Annotated[int, typer.Option(help="greedy episodes, side by side")] = 1_000,
    seed: Annotated[int, typer.Option(help="of the evaluation's environments")] = 0,
    as_json: AsJson = False,
    allow_import: Imports = None,
) -> None:
    """Play a trained agent greedily."""
    from tuner import evaluation  # here: it loads torch

    import_environments(allow_import or ())
    options.check_seed("--seed", seed)
    result = evaluation.evaluate(directory, options.episode_count(episodes), seed)
    if as_json:
        print(json.dumps(asdict(result), allow_nan=False))
        return
    std = "" if result.std is None else f", standard deviation {points(result.std)}"
    print(
        f"{result.episodes} episodes: mean {points(result.mean)}{std}, "
        f"minimum {points(result.minimum)}, maximum {points(result.maximum)}; "
        f"{100 * result.at_limit:.1f} % reached the time limit"
    )


def imitate(
    directory: AgentPath,
    samples: Annotated[
        int, typer.Option(help="pairs to learn from, and as many to test on")
    ] = 1_000,
    out: Annotated[
        Path | None,
        typer.Option(help="directory for pairs, curves, classifiers (default: in the agent's own)"),
    ] = None,
    seed: Annotated[int, typer.Option(help="of episodes, first weights and minibatches")] = 0,
    epochs: Annotated[int, typer.Option(help="passes over the pairs")] = 50,
    episodes: Annotated[int, typer.Option(help="greedy episodes of every classifier")] = 100,
    force: Annotated[bool, typer.Option(help="replace what is there")] = False,
    as_json: AsJson = False,
    allow_import: Imports = None,
) -> None:
    """Train classifiers of four sizes to do what a trained agent does."""
    options.check_seed("--seed", seed)
    options.episode_count(episodes)
    if options.at_least_one("--samples", samples) > MOST_SAMPLES:
        raise UsageError(f"--samples: at most {MOST_SAMPLES:,} (got {samples:,})")
    if options.at_least_one("--epochs", epochs) > MOST_EPOCHS:
        raise UsageError(f"--epochs: at most {MOST_EPOCHS:,} (got {epochs:,})")
    from tuner import imitation  # here: it loads torch

    import_environments(allow_import or ())
    out = directory / "imitation" if out is None else out
    plan = imitation.Plan(samples=samples, epochs=epochs, episodes=episodes, seed=seed)
    found = imitation.imitate(directory, out, plan, force=force, tell=_told_epochs())
    if as_json:
        print(json.dumps(asdict(found), allow_nan=False))
        return
    _print_clones(found)
    print(
        f"{samples:,} pairs to learn from and {samples:,} of other episodes to test on; "
        f"mean returns are of {episodes:,} episodes, the same for all\n"
        f"in {out}: train.csv, test.csv, epochs.csv, imitation.html, imitation.json with these "
        "figures, a folder for each classifier"
    )


def watch(
    directory: AgentPath,
    episodes: Annotated[int, typer.Option(help="greedy episodes, those of `tuner evaluate`")] = 1,
    seed: Annotated[int, typer.Option(help="of the evaluation's environments")] = 0,
    gif: Annotated[Path | None, typer.Option(help="write this film instead")] = None,
    mp4: Annotated[Path | None, typer.Option(help="write this film instead")] = None,
    force: Annotated[bool, typer.Option(help="replace the files")] = False,
    allow_import: Imports = None,
) -> None:
    """Look at a trained agent's greedy episodes, in a window or as a film."""
    import_environments(allow_import or ())
    options.check_seed("--seed", seed)
    options.episode_count(episodes)
    asked = ((gif, films.GIF), (mp4, films.MP4))
    targets = [films.target(path, form, force=force) for path, form in asked if path is not None]
    from tuner import watching  # here: it loads torch

    if not targets:
        for episode in watching.show(directory, episodes, seed):
            print(_episode(episode))
        return
    returns: list[float] = []

    def tell(episode: "Ended") -> None:
        returns.append(episode.returned)
        print(_episode(episode))

    recorded = watching.record(directory, episodes, seed, targets, tell)
    for target, film in zip(targets, recorded, strict=True):
        print(
            f"wrote {target.path}: {episodes} episodes, mean return "
            f"{points(sum(returns) / len(returns))}, {film.seconds:.1f} s, "
            f"{target.path.stat().st_size / 1e6:.2f} MB"
        )


def _episode(episode: "Ended") -> str:
    return (
        f"episode {episode.number + 1}: return {points(episode.returned)}, length {episode.steps}"
    )


def _told_epochs() -> "Callable[[str, Epoch], None]":
    console = ProgressConsole()

    def tell(model: str, epoch: "Epoch") -> None:
        line = (
            f"{model}: epoch {epoch.number:,}, "
            f"train {_share(epoch.train.accuracy)} (loss {epoch.train.loss:.3f}), "
            f"test {_share(epoch.test.accuracy)} (loss {epoch.test.loss:.3f})"
        )
        console.print(line, highlight=False, soft_wrap=True)

    return tell


def _print_clones(found: "Imitation") -> None:
    """A table, or a paragraph for each row where that is wider than the terminal."""
    console, table = Console(), _clones_table(found)
    if Measurement.get(console, console.options, table).maximum <= console.width:
        console.print(table, highlight=False)
        return
    heads = [str(column.header).replace("\n", " ") for column in table.columns]
    for row in zip(*(column.cells for column in table.columns), strict=True):
        cells = [f"{head} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True) if cell]
        console.print(f"{row[0]}: {', '.join(cells)}", highlight=False, markup=False)


def _clones_table(found: "Imitation") -> Table:
    table = Table()
    table.add_column("hidden layers")
    for name in (
        "parameters",
        "train\naccuracy",
        "test\naccuracy",
        "train\nloss",
        "test\nloss",
        "mean\nreturn",
    ):
        table.add_column(name, justify="right")
    for clone in found.clones:
        train, test = clone.train, clone.test
        table.add_row(
            clone.model,
            f"{clone.parameters:,}",
            _share(train.accuracy),
            _share(test.accuracy),
            f"{train.loss:.3f}",
            f"{test.loss:.3f}",
            "failed" if clone.mean_return is None else points(clone.mean_return),
        )
    table.add_section()
    table.add_row("one action", "", "", _share(found.majority_share))
    table.add_row("the teacher", *[""] * 5, points(found.teacher_return))
    return table


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"
