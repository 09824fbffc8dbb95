"""Timeline: lanes at work above, runs recorded below, over the time that was worked."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tuner.figures.style import BLUE, GREEN, INK, ORANGE, faded, panels, rounded
from tuner.findings.timeline import UNITS, Timeline
from tuner.seed_pools import Pool

LOOKS = {
    Pool.TUNE: ("tuning", BLUE),
    Pool.CONFIRM: ("confirmation", ORANGE),
    Pool.TEST: ("test", GREEN),
}
HEIGHT = 460


def draw(found: Timeline) -> go.Figure:
    """A colour for every purpose, stacked."""
    figure = panels(2, 1, HEIGHT, shared_xaxes=True, vertical_spacing=0.08)
    unit = UNITS[found.unit]
    times = rounded(time / unit for time in found.times)
    for pool, lanes in found.lanes.items():
        _add(figure, pool, times, [*lanes, lanes[-1]], 1)
        _add(figure, pool, times, found.recorded[pool], 2)
    for at in found.breaks_s:
        figure.add_vline(at / unit, line={"color": INK, "dash": "dot", "width": 1.5})
    figure.update_yaxes(title_text="lanes at work", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="runs recorded", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text=f"{found.unit} of work", row=2, col=1)
    return figure


def _add(
    figure: go.Figure, pool: Pool, times: Sequence[float], heights: Sequence[float], row: int
) -> None:
    name, colour = LOOKS[pool]
    figure.add_scatter(
        x=times,
        y=rounded(heights),
        fillcolor=faded(colour, 0.7),
        legendgroup=name,
        line={"color": colour, "shape": "hv" if row == 1 else "linear", "width": 0},
        mode="lines",
        name=name,
        showlegend=row == 1,
        stackgroup="purposes",
        row=row,
        col=1,
    )
