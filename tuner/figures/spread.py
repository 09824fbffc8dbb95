"""Spread: a panel for every hyperparameter, the standard deviation over seeds upwards."""

from collections.abc import Sequence
from math import ceil, floor, log10
from re import sub

import plotly.graph_objects as go

from tuner.figures.style import INK, panels, rounded
from tuner.findings.spread import Panel, Spread

COLUMNS = 2
PANEL_HEIGHT, FOOT = 200, 90  # pixels
MARGIN = 0.05  # beside the lowest and the highest number, of what lies between
SCATTER = 0.5  # of the room of a choice, over which its points are strewn
GOLDEN = 0.618034  # its multiples fill an interval evenly
UNIT = "std over seeds"
LETTERS = 16  # of all choices together, that stand in one line
FEW_DECADES, MOST_POWERS = 30, 4  # highest over lowest; ticks


def draw(found: Spread) -> go.Figure:
    """Two panels in a row; colour is the mean."""
    rows = ceil(len(found.panels) / COLUMNS)
    figure = panels(
        rows,
        COLUMNS,
        rows * PANEL_HEIGHT + FOOT,
        shared_yaxes="all",
        horizontal_spacing=0.06,
        vertical_spacing=0.42 / rows if rows > 1 else 0,
    )
    for place, panel in enumerate(found.panels):
        row, column = divmod(place, COLUMNS)
        _add_panel(figure, found, panel, row + 1, column + 1)
    figure.update_yaxes(nticks=5, rangemode="tozero")
    figure.update_layout(showlegend=False, coloraxis=_colours())
    for unused in range(len(found.panels), rows * COLUMNS):
        row, column = divmod(unused, COLUMNS)
        figure.update_xaxes(visible=False, row=row + 1, col=column + 1)
        figure.update_yaxes(visible=False, row=row + 1, col=column + 1)
    return figure


def _add_panel(figure: go.Figure, found: Spread, panel: Panel, row: int, column: int) -> None:
    asked = [
        (value, trial)
        for value, trial in zip(panel.values, found.trials, strict=True)
        if value is not None
    ]
    places = [_place(panel, value, trial.trial) for value, trial in asked]
    figure.add_scatter(
        x=rounded(places),
        y=rounded(trial.std for _, trial in asked),
        text=[str(trial.trial) for _, trial in asked],
        hovertemplate="trial %{text}: std %{y}, mean %{marker.color}<extra></extra>",
        marker={
            "color": rounded(trial.mean for _, trial in asked),
            "coloraxis": "coloraxis",
            "size": 7,
            "line": {"color": INK, "width": 0.5},
        },
        cliponaxis=False,
        mode="markers",
        row=row,
        col=column,
    )
    figure.update_xaxes(title_text=panel.hparam, **_axis(panel), row=row, col=column)
    if column == 1:
        figure.update_yaxes(title_text=UNIT, row=row, col=column)


def _place(panel: Panel, value: float | str, trial: int) -> float:
    """Where a value stands on its axis; equal choices beside each other, the same each time."""
    if panel.categories is None:
        return float(value)
    aside = (GOLDEN * trial % 1 - 0.5) * SCATTER
    return panel.categories.index(str(value)) + aside


def _axis(panel: Panel) -> dict[str, object]:
    if panel.categories is not None:
        ends = [-0.5, len(panel.categories) - 0.5]
        places = list(range(len(panel.categories)))
        return {
            "range": ends,
            "tickvals": places,
            "ticktext": folded(panel.categories),
            "showgrid": False,
        }
    assert panel.ends is not None
    low, high = (log10(end) for end in panel.ends) if panel.is_log else panel.ends
    room = MARGIN * (high - low) or 0.5
    ends = [low - room, high + room]
    if not panel.is_log:
        return {"nticks": 5, "range": ends}
    ticks = log_ticks(*panel.ends)
    names = [compact(tick) for tick in ticks]
    return {"type": "log", "range": ends, "tickvals": ticks, "ticktext": names}


def folded(labels: Sequence[str]) -> list[str]:
    """In two lines where they are too long to stand beside each other on a phone."""
    if sum(map(len, labels)) <= LETTERS:
        return list(labels)
    return [sub(r"([-_])(?=[^-_])", r"\1<br>", label, count=1) for label in labels]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between them, at most four; where they say too little, 2 and 5 times them."""
    exponents = range(floor(log10(low)), ceil(log10(high)) + 1)
    digits = (1, 2, 5) if high <= FEW_DECADES * low else (1,)
    ticks = [float(f"{digit}e{k}") for k in exponents for digit in digits]
    inside = [tick for tick in ticks if low <= tick <= high] or [low]
    return inside if len(digits) > 1 else inside[:: ceil(len(inside) / MOST_POWERS)]


def compact(number: float) -> str:
    """As "2e-4", "0.05", "500", "20k"."""
    if number < 0.01:
        digits, _, exponent = f"{number:.1e}".partition("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{number:g}" if number < 1000 else f"{number / 1000:g}k"


def _colours() -> dict[str, object]:
    return {
        "colorscale": "Cividis",
        "colorbar": {
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "len": 1,
            "thickness": 10,
            "outlinewidth": 0,
            "title": {"text": "mean score over the same seeds", "side": "top"},
        },
    }
