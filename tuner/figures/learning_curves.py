"""Learning curves: every seed thin, their mean bold."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import plotly.graph_objects as go

from tuner.figures.style import BLUE, PALETTE, canvas, faded, rounded
from tuner.findings.learning_curves import MOST_SEEDS, LearningCurves
from tuner.findings.phrases import counted

ROLLING = 5  # marks in the rolling mean

# (environment step, mean return of the mark's episodes), in order
Curve = Sequence[tuple[int, float]]


def draw(found: LearningCurves) -> go.Figure:
    """A colour for every trial; a click on its name hides it with its seeds."""
    figure = canvas("environment steps", "return of greedy episodes")
    last = slice(None, None, -found.every)  # backwards, so that the last mark is always there
    for trial, colour in zip(found.trials, PALETTE, strict=False):
        for seed in trial.seeds[:MOST_SEEDS]:
            figure.add_scatter(
                x=trial.steps[last],
                y=rounded(seed[last]),
                line={"color": faded(colour, 0.35), "width": 1},
                legendgroup=trial.trial,
                showlegend=False,
                hoverinfo="skip",
                mode="lines",
            )
    for trial, colour in zip(found.trials, PALETTE, strict=False):
        seeds = counted(len(trial.seeds), "seed") + ", winner" * (trial.trial == found.winner)
        figure.add_scatter(
            x=trial.steps[last],
            y=rounded(trial.mean[last]),
            line={"color": colour, "width": 3},
            marker={"color": colour, "size": 7},
            legendgroup=trial.trial,
            name=f"trial {trial.trial} ({seeds})",
            mode="lines" if len(trial.steps) > 1 else "markers",
        )
    return figure


def seed_curves(curves: Mapping[str, Curve], title: str) -> go.Figure:
    """Every seed thin, and bold the mean over seeds of the last five marks each.

    curves: of every seed, by its name; all have the same steps
    """
    figure = canvas("environment steps", "return of greedy episodes")
    for name, curve in curves.items():
        steps, means = [step for step, _ in curve], [mean for _, mean in curve]
        line = {"color": faded(BLUE, 0.45), "width": 1}
        figure.add_scatter(x=steps, y=means, line=line, name=name, mode="lines")
    columns = zip(*([mean for _, mean in curve] for curve in curves.values()), strict=True)
    figure.add_scatter(
        x=steps,
        y=rolling_mean([fmean(column) for column in columns], ROLLING),
        line={"color": BLUE, "width": 3},
        name=f"mean of {len(curves)} seeds, rolling over {ROLLING} marks",
        mode="lines",
    )
    figure.update_layout(title=title, margin={"t": 56})
    return figure


def rolling_mean(values: Sequence[float], window: int) -> list[float]:
    """Of each value and those before it, `window` in all; of fewer at the beginning."""
    return [fmean(values[max(0, i + 1 - window) : i + 1]) for i in range(len(values))]
