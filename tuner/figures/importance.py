"""Importances as bars, with a line for what other seeds would have made of them."""

import plotly.graph_objects as go

from tuner.figures.rows import wrapped
from tuner.figures.style import BLUE, RED, canvas, faded
from tuner.findings.importance import Importances


def draw(found: Importances) -> go.Figure:
    """The most important hyperparameter on top."""
    rows = found.hyperparameters
    figure = canvas("share of the importance", "")
    names = list(range(len(rows)))
    figure.add_bar(
        x=[row.share for row in rows],
        y=names,
        orientation="h",
        marker={"color": faded(BLUE, 0.75)},
        name="with the seeds as they were",
        hovertemplate="%{x:.0%}<extra></extra>",
    )
    figure.add_scatter(
        x=[end for row in rows for end in (row.low, row.high, None)],
        y=[place for name in names for place in (name, name, None)],
        line={"color": RED, "width": 3},
        name="with other seeds (95 %)",
        mode="lines",
        hoverinfo="skip",
    )
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", fixedrange=True)
    figure.update_yaxes(
        tickvals=names,
        ticktext=[wrapped(row.name) for row in rows],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        fixedrange=True,
    )
    figure.update_layout(height=110 + 40 * len(rows), bargap=0.45)
    return figure
