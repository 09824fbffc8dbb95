"""Strips of seeds, one row for each configuration."""

import plotly.graph_objects as go

from tuner.figures.style import INK, PALETTE, canvas, faded
from tuner.findings.side_by_side import SideBySide

SPREAD = 0.32  # of a row's height, by which seeds are drawn apart


def draw(found: SideBySide) -> go.Figure:
    """A colour for every study; seeds in the order of their index from top to bottom."""
    figure = canvas("score", "")
    studies = list(dict.fromkeys(strip.study for strip in found.strips))
    for row, strip in enumerate(found.strips):
        colour = PALETTE[studies.index(strip.study) % len(PALETTE)]
        n = len(strip.scores)
        figure.add_scatter(
            x=strip.scores,
            y=[row + SPREAD * (2 * (k + 0.5) / n - 1) for k in range(n)],
            marker={"color": faded(colour, 0.55), "size": 8},
            mode="markers",
            showlegend=False,
            hovertemplate="%{x:.1f}<extra></extra>",
        )
        if strip.interval is not None:
            figure.add_scatter(
                x=[strip.interval.low, strip.interval.high],
                y=[row, row],
                line={"color": INK, "width": 3},
                mode="lines",
                showlegend=False,
                hoverinfo="skip",
            )
        figure.add_scatter(
            x=[strip.mean],
            y=[row],
            marker={"color": INK, "size": 13, "symbol": "diamond"},
            mode="markers",
            showlegend=False,
            hovertemplate="mean %{x:.1f}<extra></extra>",
        )
    labels = [f"{s.study}<br>{s.configuration}, {s.pool}" for s in found.strips]
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    figure.update_layout(height=110 + 80 * len(labels))
    return figure
