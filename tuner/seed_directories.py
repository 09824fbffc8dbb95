"""What `tuner train` leaves: a directory for every seed, and the curves of all beside them."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from agents import checkpoint
from agents.cohort import Evaluated, Finished
from agents.episodes import Episode
from tuner import hparams_file, out_directory
from tuner.errors import UsageError
from tuner.figures.learning_curves import seed_curves
from tuner.hparams_file import HparamsFile
from tuner.out_directory import write_table, written_to

EVALUATIONS, BEST = "evaluations.csv", "best"


def make(out: Path, seeds: Sequence[int], force: bool) -> dict[int, Path]:
    """A directory for every seed."""
    directories = {seed: out / f"seed-{seed}" for seed in seeds}
    taken = [str(path) for path in directories.values() if (path / hparams_file.NAME).exists()]
    if taken and not force:
        raise UsageError(f"--out: {', '.join(taken)} exists; add --force to replace it")
    for directory in directories.values():
        out_directory.make(directory)
    return directories


def clear(directory: Path) -> None:
    """What is there is replaced now, and no longer whole. Until then it is an agent still."""
    with written_to(directory):
        for place in (directory, directory / BEST):
            (place / hparams_file.NAME).unlink(missing_ok=True)


def write(
    directory: Path,
    file: HparamsFile,
    finished: Finished,
    curve: Sequence[Evaluated],
    episodes: Sequence[Episode],
) -> None:
    """Everything of one seed; hparams.json comes last and says that the rest is there."""
    evaluations = [
        (event.step, number, value) for event in curve for number, value in enumerate(event.returns)
    ]
    with written_to(directory):
        write_table(directory / EVALUATIONS, ("step", "episode", "return"), evaluations)
        played = [(episode.step, episode.length, episode.gained) for episode in episodes]
        write_table(directory / "episodes.csv", ("step", "length", "return"), played)
        checkpoint.save(directory, finished.tensors)
        hparams_file.write(directory / hparams_file.NAME, file, force=True)


def write_best(directory: Path, file: HparamsFile, best: Evaluated) -> Path:
    """The weights of the best mark, in a directory of their own below that of the seed."""
    assert best.followed is not None
    plain = file.model_copy(update={"evidence": None, "made_with": None})  # of the last weights
    below = directory / BEST
    with written_to(below):
        below.mkdir(exist_ok=True)
        checkpoint.save(below, best.followed.tensors)
        hparams_file.write(below / hparams_file.NAME, plain, force=True)
    return below


def write_curves(out: Path, file: HparamsFile, directories: Sequence[Path]) -> None:
    """returns.html, with Plotly's script beside it, so that it opens without a network.

    It shows these directories and what else stands beside them of the same configuration.
    """
    beside = [path.parent for path in out.glob(f"seed-*/{hparams_file.NAME}") if _is_of(path, file)]
    curves = {
        path.name.replace("-", " "): curve
        for path in sorted({*beside, *directories}, key=_seed)
        if (curve := _curve(path))
    }
    figure = seed_curves(curves, f"{file.agent} on {file.env.id}")
    with written_to(out):
        figure.write_html(out / "returns.html", include_plotlyjs="directory")


def _is_of(path: Path, file: HparamsFile) -> bool:
    """Whether a run of this configuration stands there, and not somebody else's."""
    if not re.fullmatch(r"seed-\d+", path.parent.name):
        return False
    try:
        return hparams_file.read(path) == file
    except UsageError:
        return False


def _seed(directory: Path) -> int:
    return int(directory.name.removeprefix("seed-"))


def _curve(directory: Path) -> list[tuple[int, float]]:
    """(environment step, mean return) of every mark, as `write` wrote it; none if damaged."""
    returns: dict[int, list[float]] = {}
    try:
        with (directory / EVALUATIONS).open(newline="") as table:
            for row in csv.DictReader(table):
                returns.setdefault(int(row["step"]), []).append(float(row["return"]))
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [(step, fmean(values)) for step, values in returns.items()]
