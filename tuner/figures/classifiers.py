"""How classifiers came to imitate an agent, epoch by epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tuner.figures.style import PALETTE


@dataclass(frozen=True)
class Fits:
    """One number of a classifier after every epoch, on training and on test pairs."""

    train: Sequence[float]
    test: Sequence[float]


def fit_curves(accuracy: Mapping[str, Fits], loss: Mapping[str, Fits], title: str) -> go.Figure:
    """Two panels side by side, a colour for every classifier: training dashed, test solid."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=("accuracy", "loss (cross entropy)"))
    for column, panel in enumerate((accuracy, loss), start=1):
        for (model, fits), colour in zip(panel.items(), PALETTE, strict=False):
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
