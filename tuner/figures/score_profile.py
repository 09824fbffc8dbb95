"""Performance profiles: of two configurations, the share of runs that reach each score."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tuner.figures.style import BLUE, ORANGE, canvas, faded
from tuner.findings.score_profile import Profile, Reaching


def draw(found: Profile) -> go.Figure:
    """Falling stairs with their bands; the line further right is the better one."""
    figure = canvas("score", "share of runs that score as much or more")
    for reaching, colour in ((found.ours, BLUE), (found.theirs, ORANGE)):
        _add(figure, found.thresholds, reaching, colour)
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.04])
    return figure


def _add(figure: go.Figure, thresholds: Sequence[float], found: Reaching, colour: str) -> None:
    margin = 0.03 * ((thresholds[-1] - thresholds[0]) or 1.0)
    x = [thresholds[0] - margin, *thresholds, thresholds[-1], thresholds[-1] + margin]
    band = {"width": 0, "color": colour, "shape": "vh"}
    edges = ([1.0, *values, 0.0, 0.0] for values in (found.low, found.high))
    for values, fill in zip(edges, (None, "tonexty"), strict=True):
        figure.add_scatter(
            x=x,
            y=values,
            line=band,
            fill=fill,
            fillcolor=faded(colour, 0.2),
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            legendgroup=found.name,
        )
    figure.add_scatter(
        x=x,
        y=[1.0, *found.share, 0.0, 0.0],
        line={"color": colour, "width": 3, "shape": "vh"},
        name=f"{found.name} ({found.seeds} seeds)",
        mode="lines",
        legendgroup=found.name,
        hovertemplate="%{y:.0%} reach %{x:.4g}<extra></extra>",
    )
