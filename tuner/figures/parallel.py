"""Parallel coordinates as rows, so that they can be read on a narrow screen too."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tuner.figures.rows import row_canvas
from tuner.figures.style import BLUE, INK, ORANGE, RED, SKY, faded
from tuner.findings.parallel import Line, Parallel
from tuner.findings.scales import Scale
from tuner.wording import points

# of the best band first
LOOKS = (
    (faded(ORANGE, 0.95), 2.0),
    (faded(BLUE, 0.6), 1.2),
    (faded(SKY, 0.45), 1.0),
    (faded(INK, 0.25), 1.0),
)
SPREAD = 0.03  # of the axis, by which trials of one choice are drawn apart


def draw(found: Parallel) -> go.Figure:
    """The worst trials behind, the best before them, the winner in front; scores at the bottom."""
    scores = [line.score for band in found.bands for line in band.lines]
    axes = [*found.axes, Scale("score", min(scores), max(scores))]
    figure = row_canvas(axes)
    for band, (colour, width) in reversed(list(zip(found.bands, LOOKS, strict=False))):
        _add(figure, axes, band.lines, band.name, {"color": colour, "width": width})
    if found.winner is not None:
        name = f"trial {found.winner.trial}, chosen: {points(found.winner.score)}"
        _add(figure, axes, [found.winner], name, {"color": RED, "width": 4})
    figure.update_layout(legend={"traceorder": "reversed"})
    return figure


def _add(
    figure: go.Figure,
    axes: Sequence[Scale],
    lines: Sequence[Line],
    name: str,
    look: dict[str, object],
) -> None:
    x: list[float | None] = []
    y: list[int | None] = []
    text: list[str] = []
    for line in lines:
        at = [*line.positions, axes[-1].position(line.score)]
        here = [(row, place) for row, place in enumerate(at) if place is not None]
        x += [round(_apart(axes[row], place, line.trial), 3) for row, place in here] + [None]
        y += [row for row, _ in here] + [None]
        text += [""] * (len(here) - 1) + [f"trial {line.trial}: {points(line.score)}", ""]
    figure.add_scatter(
        x=x, y=y, text=text, hoverinfo="text", line=look, name=name, mode="lines", opacity=1
    )


def _apart(axis: Scale, place: float, trial: int) -> float:
    """Trials of one choice beside each other, always in the same way."""
    return place + SPREAD * (trial * 0.618 % 1 - 0.5) if axis.choices else place
