"""Films of a study's winner: some of its test seeds, trained again and played.

Training is exact, so that the film shows the very agent whose score the study recorded, where it is
made on a machine like the one that recorded it; whether it does is said of each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from agents.cohort import Evaluated
from agents.environments import describe
from agents.watching import PICTURES, rendering
from tuner import retrain, watching
from tuner.artifacts import keep_films, writable_artifacts_of
from tuner.errors import UsageError
from tuner.export import to_file
from tuner.figures.learning_curves import seed_curves
from tuner.films import SMALL, Target
from tuner.hparams_file import HparamsFile
from tuner.pictures import NO_BROWSER, found_browser, write_picture
from tuner.seed_pools import Pool
from tuner.storage import Run, Store
from tuner.summary import StudySummary, summarize
from tuner.wording import equality, points

LONGEST_S = 30.0  # of a film; the rest of an episode is played and not shown
PICTURE_SIZE = {"width": 900, "height": 560}
CURVES = "curves"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Take:
    """A test seed that is filmed. word: best, median or worst; score: as recorded."""

    word: str
    seed: int
    score: float


def film(
    store: Store,
    name: str,
    *,
    say: Say = lambda line: None,
    tell: Callable[[Evaluated], None] = lambda event: None,
) -> None:
    """Film a study's winner, draw its learning curves, and keep both with the study.

    say: a line of what came of it. tell: every mark of the training. Raises UsageError where the
    study is not tested yet, or nothing can be shown of it here.
    """
    summary = summarize(store, name)
    runs = _test_runs(summary)
    describe(summary.study.env_spec)  # before anything is trained: is it registered here?
    writable_artifacts_of(store)  # and is there a place for the films?
    with TemporaryDirectory() as folder:
        made: dict[str, Path] = {}
        for kind, file in (
            *_films(to_file(summary, summary.chosen()), takes(runs), Path(folder), say, tell),
            *_picture(summary, runs, Path(folder), say),
        ):
            made[kind] = file
        if not made:
            raise UsageError(f"nothing to keep of study '{name}'")
        keep_films(store, name, made)


def takes(runs: Sequence[Run]) -> list[Take]:
    """The best run, the one in the middle and the worst; fewer of fewer than three."""
    ranked = sorted(runs, key=lambda run: (-(run.score or 0.0), run.seed_index))
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    found: dict[int, Take] = {}
    for word in ("best", "worst", "median"):
        run = ranked[places[word]]
        assert run.score is not None
        found.setdefault(run.seed, Take(word, run.seed, run.score))
    return sorted(found.values(), key=lambda take: list(places).index(take.word))


def _test_runs(summary: StudySummary) -> list[Run]:
    """The winner's, as far as they did not break down."""
    name = summary.study.name
    choice = summary.finals.choice
    if choice is None or not summary.finals.is_tested:
        raise UsageError(
            f"study '{name}' is not tested yet, so that there is no winner to film; "
            f"`tuner confirm {name}` tests what it has found"
        )
    recorded = summary.finals.recorded(choice.winner, Pool.TEST)
    runs = [run for run in recorded if not run.failed and run.score is not None]
    if not runs:
        raise UsageError(f"every test run of study '{name}' broke down: there is nothing to film")
    return runs


def _films(
    file: HparamsFile,
    takes: Sequence[Take],
    folder: Path,
    say: Say,
    tell: Callable[[Evaluated], None],
) -> Iterator[tuple[str, Path]]:
    """(kind, file) of each film; none where the environment cannot be rendered."""
    modes = rendering(file.env_spec).modes
    if PICTURES not in modes:
        say(
            f"no films: env '{file.env.id}' has no render mode '{PICTURES}' "
            f"(its render modes: {', '.join(modes) or 'none'})"
        )
        return
    trained = retrain.train(
        retrain.Plan(file=file, seeds=[take.seed for take in takes], out=folder / "agents"),
        tell=tell,
    )
    for take, run in zip(takes, trained, strict=True):
        target = Target(folder / f"{take.word}.mp4", SMALL)
        ended: list[float] = []
        [shown] = watching.record(
            run.directory,
            1,
            take.seed,
            [target],
            lambda episode: ended.append(episode.returned),  # noqa: B023  called in this round
            most_seconds=LONGEST_S,
        )
        name = (
            f"{take.word} test seed {take.seed}, score {points(take.score)}, "
            f"return {points(ended[0])}.mp4"
        )
        kept = target.path.rename(folder / name)
        say(
            f"{name}: {shown.seconds:.1f} s{_cut(shown.seconds)}, "
            f"{kept.stat().st_size / 1e6:.2f} MB; trained again {run.score}, "
            f"recorded {take.score} ({_compared(run.score, take.score)})"
        )
        yield take.word, kept


def _cut(seconds: float) -> str:
    return " (cut)" if seconds >= LONGEST_S else ""


def _compared(score: float, recorded: float) -> str:
    same = equality(score, recorded)
    if score == recorded:
        return same
    return f"{same}: this machine or its libraries are others; the film shows what it trained"


def _picture(
    summary: StudySummary, runs: Sequence[Run], folder: Path, say: Say
) -> Iterator[tuple[str, Path]]:
    """(kind, file) of the learning curves of these runs; none without a browser to draw it."""
    browser = found_browser()
    if browser is None:
        say(NO_BROWSER)
        return
    curves = {
        f"seed {run.seed}": list(
            zip(run.curve["steps"], map(fmean, run.curve["returns"]), strict=True)
        )
        for run in runs
    }
    title = f"{summary.study.name}: the winner's {len(runs)} test seeds"
    figure = seed_curves(curves, title)
    figure.update_traces(showlegend=False, selector=lambda trace: trace.name in curves)
    figure.update_layout(paper_bgcolor="white", font={"color": "#333333"}, **PICTURE_SIZE)
    kept = folder / f"learning curves of {len(runs)} test seeds.png"
    write_picture(figure, kept, browser)
    say(f"{kept.name}: {kept.stat().st_size / 1e6:.2f} MB")
    yield CURVES, kept
