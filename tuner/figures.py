"""Pictures of what was trained, as Plotly figures."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import plotly.graph_objects as go

ROLLING = 5  # marks in the rolling mean
THIN, BOLD = "rgba(31, 119, 180, 0.45)", "rgb(31, 119, 180)"

# (environment step, mean return of the mark's episodes), in order
Curve = Sequence[tuple[int, float]]


def learning_curves(curves: Mapping[str, Curve], title: str) -> go.Figure:
    """Every seed thin, and bold the mean over seeds of the last five marks each.

    curves: of every seed, by its name; all have the same steps
    """
    figure = go.Figure()
    for name, curve in curves.items():
        steps, means = [step for step, _ in curve], [mean for _, mean in curve]
        line = {"color": THIN, "width": 1}
        figure.add_scatter(x=steps, y=means, line=line, name=name, mode="lines")
    columns = zip(*([mean for _, mean in curve] for curve in curves.values()), strict=True)
    over_seeds = [fmean(column) for column in columns]
    figure.add_scatter(
        x=steps,
        y=rolling_mean(over_seeds, ROLLING),
        line={"color": BOLD, "width": 3},
        name=f"mean of {len(curves)} seeds, rolling over {ROLLING} marks",
        mode="lines",
    )
    figure.update_layout(
        title=title,
        template="plotly_white",
        xaxis_title="environment steps",
        yaxis_title="return of greedy episodes",
        legend={"orientation": "h", "y": -0.2},
    )
    return figure


def rolling_mean(values: Sequence[float], window: int) -> list[float]:
    """Of each value and those before it, `window` in all; of fewer at the beginning."""
    return [fmean(values[max(0, i + 1 - window) : i + 1]) for i in range(len(values))]
