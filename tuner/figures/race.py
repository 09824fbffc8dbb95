"""The race: every decision where the trial's mean stood, under the line of who led."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tuner.figures.style import BLUE, GREEN, INK, ORANGE, canvas, rounded
from tuner.findings.race import Judged, Race

MANY = 500  # decisions, from which on their symbols are small
# verdict → its name, colour and symbol
VERDICTS = {
    "contender": ("another seed", BLUE, "circle"),
    "raced out": ("raced out", ORANGE, "x"),
    "full": ("full", GREEN, "diamond"),
}


def draw(found: Race) -> go.Figure:
    """A symbol and a colour for every verdict, the leader's mean as steps."""
    figure = canvas("tuning runs recorded", "mean score of the trial so far")
    look = {"size": 8, "opacity": 0.8} if len(found.judged) <= MANY else {"size": 4, "opacity": 0.6}
    leaders, last = found.leaders, found.judged[-1].runs
    if leaders:
        values = [judged.decision.leader_value or 0.0 for judged in leaders]
        figure.add_scatter(
            x=[judged.runs for judged in leaders] + [last],
            y=rounded([*values, values[-1]]),
            text=[f"trial {judged.decision.leader}" for judged in leaders] + [""],
            hovertemplate="%{text} leads with %{y}<extra></extra>",
            line={"color": INK, "shape": "hv", "width": 2},
            mode="lines",
            name="the leader's mean",
        )
    for verdict, (name, colour, symbol) in VERDICTS.items():
        judged = [one for one in found.judged if one.decision.verdict == verdict]
        if judged:
            figure.add_scatter(
                x=[one.runs for one in judged],
                y=rounded(one.decision.value for one in judged),
                customdata=_details(judged),
                hovertemplate="trial %{customdata[0]}, %{customdata[1]} seeds: %{y} "
                "(%{customdata[2]} standard errors from the leader)<extra></extra>",
                marker={"color": colour, "symbol": symbol} | look,
                mode="markers",
                name=name,
            )
    return figure


def _details(judged: Sequence[Judged]) -> list[list[object]]:
    """Trial, seeds, and its distance to the leader in standard errors where there is one."""
    found: list[list[object]] = []
    for decision in (one.decision for one in judged):
        difference, error = decision.difference, decision.standard_error
        away = f"{difference / error:.1f}" if difference is not None and error else "no"
        found.append([decision.trial, decision.seeds, away])
    return found
