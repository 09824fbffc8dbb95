"""The winner's tolerance: a row for every hyperparameter, bold as far as the score holds."""

from collections.abc import Iterator

import plotly.graph_objects as go

from tuner.figures.rows import row_canvas
from tuner.figures.style import BLUE, INK, ORANGE, RED, faded
from tuner.findings.scales import Scale
from tuner.findings.sensitivity import Sensitivity, Tolerance

Points = tuple[list[float | None], list[float | None]]


def draw(found: Sensitivity) -> go.Figure:
    """Ranges as bars, choices as dots, the winner's own value as a diamond."""
    figure = row_canvas(found.axes)
    rows = list(enumerate(zip(found.axes, found.tolerances, strict=True)))
    ranges = [(row, t) for row, (_, t) in rows if t.low is not None and t.high is not None]
    bars, whiskers = _segments([(row, _ends(t)) for row, t in ranges]), _whiskers(ranges)
    _line(figure, bars, "holds", 11, faded(BLUE, 0.6))
    _line(figure, whiskers, "spread of its ends in resamples", 3, ORANGE)
    for holds, name, symbol in ((True, "choice holds", "circle"), (False, "falls", "circle-open")):
        _dots(figure, _of_verdict(rows, holds), name, symbol, BLUE)
    _dots(figure, _of_verdict(rows, None), "cannot be told", "x-thin-open", INK)
    winner: Points = ([t.position for _, (_, t) in rows], [float(row) for row, _ in rows])
    _dots(figure, winner, f"trial {found.trial}", "diamond", RED)
    for row, (_, tolerance) in rows:
        _remark(figure, row, tolerance)
    return figure


def _ends(tolerance: Tolerance) -> tuple[float, float]:
    assert tolerance.low is not None and tolerance.high is not None
    return tolerance.low.position, tolerance.high.position


def _whiskers(ranges: list[tuple[int, Tolerance]]) -> Points:
    sides = [(row, side) for row, t in ranges for side in (t.low, t.high) if side is not None]
    return _segments([(row, side.within) for row, side in sides if side.within is not None])


def _segments(found: list[tuple[int, tuple[float, float]]]) -> Points:
    x: list[float | None] = []
    y: list[float | None] = []
    for row, (low, high) in found:
        x += [low, high, None]
        y += [row, row, None]
    return x, y


def _of_verdict(rows: list[tuple[int, tuple[Scale, Tolerance]]], holds: bool | None) -> Points:
    """Choices, and the ends of ranges beyond which the score falls or cannot be told."""
    end = {True: None, False: "falls", None: "untold"}[holds]
    found = [(at, float(row)) for row, (axis, t) in rows for at in _places(axis, t, holds, end)]
    return [at for at, _ in found], [row for _, row in found]


def _places(
    axis: Scale, tolerance: Tolerance, holds: bool | None, end: str | None
) -> Iterator[float | None]:
    for choice in tolerance.choices:
        if choice.holds is holds:
            yield axis.position(choice.value)
    for side in (tolerance.low, tolerance.high):
        if side is not None and side.end == end:
            yield side.position


def _line(figure: go.Figure, points: Points, name: str, width: int, colour: str) -> None:
    line = {"width": width, "color": colour}
    figure.add_scatter(
        x=points[0], y=points[1], line=line, name=name, mode="lines", hoverinfo="skip"
    )


def _dots(figure: go.Figure, points: Points, name: str, symbol: str, colour: str) -> None:
    if points[0]:
        marker = {"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2}}
        if not symbol.endswith("open"):
            marker["line"] = {"width": 0}
        figure.add_scatter(
            x=points[0], y=points[1], marker=marker, name=name, mode="markers", hoverinfo="skip"
        )


def _remark(figure: go.Figure, row: int, tolerance: Tolerance) -> None:
    """Where nothing at all is known."""
    if tolerance.is_told:
        return
    at = tolerance.position
    anchor = "right" if at > 0.7 else "left" if at < 0.3 else "center"
    figure.add_annotation(
        x=at,
        y=row,
        text="cannot be told",
        showarrow=False,
        yshift=14,
        xanchor=anchor,
        font={"size": 11, "color": INK},
    )
