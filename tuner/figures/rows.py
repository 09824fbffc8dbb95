"""A row for every hyperparameter: its axis from the lowest to the highest value searched."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from tuner.figures.style import GRID, INK, canvas
from tuner.findings.scales import Scale

ROW_PX, MARGIN_PX = 62, 110
NEAR_END = 0.02  # of the axis: text stays within the figure
LONGEST_NAME = 13  # characters, before it is broken at an underscore


def row_canvas(axes: Sequence[Scale]) -> go.Figure:
    """An empty figure; row k is at y = k from the top, positions 0 to 1 are at x."""
    figure = canvas("", "")
    figure.update_layout(height=MARGIN_PX + ROW_PX * len(axes))
    figure.update_xaxes(visible=False, range=[-0.05, 1.07], fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(axes))),
        ticktext=[wrapped(axis.name) for axis in axes],
        range=[len(axes) - 0.35, -0.45],
        showgrid=False,
        showline=False,
        ticklabelstandoff=6,
        fixedrange=True,
    )
    for row, axis in enumerate(axes):
        figure.add_shape(type="line", x0=0, x1=1, y0=row, y1=row, line={"color": GRID, "width": 2})
        for at, text in axis.ticks:
            figure.add_annotation(
                x=at,
                y=row,
                text=escape(text),
                showarrow=False,
                yshift=-14,
                xanchor="left" if at < NEAR_END else "right" if at > 1 - NEAR_END else "center",
                xshift=-4 if at < NEAR_END else 4 if at > 1 - NEAR_END else 0,
                font={"size": 11, "color": INK},
            )
    return figure


def wrapped(name: str) -> str:
    """A hyperparameter's name in lines of a tick's width."""
    lines = [""]
    for part in name.split("_"):
        joined = f"{lines[-1]}_{part}" if lines[-1] else part
        if len(joined) > LONGEST_NAME and lines[-1]:
            lines.append(f"_{part}")
        else:
            lines[-1] = joined
    return "<br>".join(escape(line) for line in lines)
