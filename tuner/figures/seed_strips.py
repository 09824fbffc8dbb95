"""Seed strips: a column of points for every trial, best mean first."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tuner.figures.style import DEFAULT, FINALIST, INK, OTHER, WINNER, canvas, faded, rounded
from tuner.findings.seed_strips import Role, SeedStrips, Strip

LOOKS = {
    Role.OTHER: ("other trials", faded(OTHER, 0.75), 5),
    Role.FINALIST: ("finalists", FINALIST, 6),
    Role.WINNER: ("winner", WINNER, 8),
}
WIDE, NARROW = 40, 5  # trials; pixels of a dash
WIDTH = 0.6  # of a strip, in ranks
HOVER = "trial %{customdata}: %{y}<extra></extra>"


def draw(found: SeedStrips) -> go.Figure:
    """Points of three colours, dashes for means, crosses for runs that broke down."""
    figure = canvas("rank of the trial by its mean", found.score)
    for role, (name, colour, size) in LOOKS.items():
        chosen = [strip for strip in found.strips if strip.role == role]
        if role == Role.WINNER and chosen:
            name = f"winner, trial {chosen[0].trial}"
        if role == Role.FINALIST and found.winner is None:
            name = "finalists so far"
        _add_seeds(figure, chosen, failed=False, name=name, marker={"color": colour, "size": size})
    cross = {"symbol": "x-thin", "size": 8, "line": {"width": 1.5, "color": INK}}
    _add_seeds(figure, found.strips, failed=True, name="broke down", marker=cross)
    _add_means(figure, found.strips)
    _add_threshold(figure, found)
    last = found.strips[-1].rank
    figure.update_xaxes(range=[0.3, last + 0.7], showgrid=False, tickformat="d")
    if last <= 10:
        figure.update_xaxes(dtick=1)
    return figure


def _add_seeds(figure: go.Figure, strips: Sequence[Strip], *, failed: bool, **look: object) -> None:
    seeds = [
        (place, score, strip.trial)
        for strip in strips
        for place, score, broke in zip(_places(strip), strip.scores, strip.failed, strict=True)
        if broke == failed
    ]
    if seeds:
        places, scores, trials = zip(*seeds, strict=True)
        figure.add_scatter(
            x=rounded(places),
            y=rounded(scores),
            customdata=trials,
            hovertemplate=HOVER,
            mode="markers",
            **look,
        )


def _places(strip: Strip) -> list[float]:
    """Where each seed stands: side by side, as equal scores would else hide each other."""
    n = len(strip.scores)
    return [strip.rank + WIDTH * ((k + 0.5) / n - 0.5) for k in range(n)]


def _add_means(figure: go.Figure, strips: Sequence[Strip]) -> None:
    width = min(18.0, max(NARROW, 18.0 * WIDE / max(WIDE, 2 * len(strips))))
    figure.add_scatter(
        x=[strip.rank for strip in strips],
        y=rounded(strip.mean for strip in strips),
        customdata=[strip.trial for strip in strips],
        hovertemplate="mean of " + HOVER,
        marker={"symbol": "line-ew", "size": width, "line": {"width": 2, "color": INK}},
        mode="markers",
        name="mean",
    )


def _add_threshold(figure: go.Figure, found: SeedStrips) -> None:
    if found.threshold is None:
        return
    figure.add_scatter(
        x=[0, len(found.strips) + 1],
        y=[found.threshold] * 2,
        hoverinfo="skip",
        line={"color": DEFAULT, "dash": "dot", "width": 1.5},
        mode="lines",
        name=f"solved from {found.threshold:g}",
    )
