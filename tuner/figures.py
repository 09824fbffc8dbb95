"""Pictures of what was trained, as Plotly figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import plotly.graph_objects as go
from plotly.subplots import make_subplots

ROLLING = 5  # marks in the rolling mean
THIN, BOLD = "rgba(31, 119, 180, 0.45)", "rgb(31, 119, 180)"
DISTINCT = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7")  # also to the colour-blind (Okabe & Ito)

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


@dataclass(frozen=True)
class Fits:
    """One number of a classifier after every epoch, on training and on test pairs."""

    train: Sequence[float]
    test: Sequence[float]


def fit_curves(accuracy: Mapping[str, Fits], loss: Mapping[str, Fits], title: str) -> go.Figure:
    """Two panels side by side, a colour for every classifier: training dashed, test solid."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=("accuracy", "loss (cross entropy)"))
    for column, panel in enumerate((accuracy, loss), start=1):
        for (model, fits), colour in zip(panel.items(), DISTINCT, strict=True):
            for part, values, dash in (("train", fits.train, "dash"), ("test", fits.test, "solid")):
                figure.add_scatter(
                    x=list(range(1, len(values) + 1)),
                    y=values,
                    line={"color": colour, "dash": dash, "width": 2},
                    name=f"{model}, {part}",
                    legendgroup=f"{model}, {part}",
                    showlegend=column == 1,
                    mode="lines",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(ticks="outside", tickcolor="white")
    figure.update_yaxes(tickformat=".0%", row=1, col=1)
    figure.update_yaxes(type="log", dtick="D2", tickformat="~g", row=1, col=2)
    figure.update_layout(
        title=title, template="plotly_white", legend={"orientation": "h", "y": -0.2}
    )
    return figure
