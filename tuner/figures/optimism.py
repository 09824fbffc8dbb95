"""Optimism: a line per finalist from tuning over confirmation to test."""

import plotly.graph_objects as go

from tuner.figures.style import DEFAULT, FINALIST, WINNER, canvas, rounded
from tuner.findings.optimism import STAGES, Finalist, Optimism
from tuner.phases import DEFAULT_CONFIG

APART = 0.045  # between lines, so that their bars can be told apart; a stage is 1 wide
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star")
PLACES = {pool: place for place, pool in enumerate(STAGES)}


def draw(found: Optimism) -> go.Figure:
    """The winner bold, the default configuration dashed, the others in the background."""
    figure = canvas("pool of seeds", found.score)
    ordered = sorted(enumerate(found.finalists), key=lambda one: one[1].is_winner)  # on top
    for place, line in ordered:
        beside = APART * (place - (len(found.finalists) - 1) / 2)
        figure.add_scatter(
            x=[round(PLACES[stage.pool] + beside, 3) for stage in line.stages],
            y=rounded(stage.mean for stage in line.stages),
            error_y=_bars(line),
            customdata=[stage.seeds for stage in line.stages],
            hovertemplate=f"{line.name}: %{{y}} (%{{customdata}} seeds)<extra></extra>",
            mode="lines+markers",
            name=line.name,
            legendrank=1 if line.is_winner else 2,
            **_look(line, place),
        )
    last = max(PLACES[stage.pool] for line in found.finalists for stage in line.stages)
    names = list(STAGES.values())[: last + 1]
    figure.update_xaxes(
        range=[-0.35, last + 0.35], tickvals=list(range(last + 1)), ticktext=names, showgrid=False
    )
    return figure


def _bars(line: Finalist) -> dict[str, object]:
    """Up and down from the means; of no length where there is no interval."""
    intervals = [(stage.mean, stage.interval) for stage in line.stages]
    return {
        "type": "data",
        "symmetric": False,
        "array": rounded(found.high - mean if found else 0 for mean, found in intervals),
        "arrayminus": rounded(mean - found.low if found else 0 for mean, found in intervals),
        "thickness": 2.5 if line.is_winner else 1,
        "width": 4 if line.is_winner else 2,
    }


def _look(line: Finalist, place: int) -> dict[str, object]:
    is_default = line.number == DEFAULT_CONFIG
    colour = WINNER if line.is_winner else DEFAULT if is_default else FINALIST
    return {
        "line": {
            "color": colour,
            "dash": "dash" if is_default else "solid",
            "width": 4 if line.is_winner else 1.5,
        },
        "marker": {"size": 10 if line.is_winner else 7, "symbol": SYMBOLS[place % len(SYMBOLS)]},
    }
