"""How every figure looks: its colours, its axes, the words above it.

Figures are drawn without a background in an ink that can be read on white and on black alike, so
that one figure serves light and dark pages.
"""

from collections.abc import Iterable
from textwrap import wrap

import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Okabe and Ito: distinct also to the colour-blind
BLUE, RED, GREEN, PINK, ORANGE, SKY = PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
)  # fmt: skip
INK = "#767676"  # contrast of 4.5 or more on white and on black (WCAG AA)
GRID = "rgba(118, 118, 118, 0.25)"
# What is the same in every figure has the same colour.
WINNER, FINALIST, OTHER, DEFAULT = RED, BLUE, INK, GREEN
CAPTION_LETTERS, CAPTION_SIZE = 90, 12  # of a line; in pixels
DIGITS = 4


def canvas(x: str, y: str) -> go.Figure:
    """An empty figure. x, y: what its axes show, with the unit."""
    figure = styled(go.Figure())
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure


def panels(rows: int, columns: int, height: int, **grid: object) -> go.Figure:
    """An empty figure of several panels. height: pixels of them all; grid: of `make_subplots`."""
    figure = styled(make_subplots(rows=rows, cols=columns, **grid))
    figure.update_layout(height=height)
    return figure


def styled(figure: go.Figure) -> go.Figure:
    """The same figure in our colours. The legend stands below, where it covers nothing."""
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        font={"color": INK, "size": 13},
        colorway=PALETTE,
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "x": 0, "yref": "container", "y": 0, "yanchor": "bottom"},
        hovermode="closest",
    )
    axis = {
        "gridcolor": GRID,
        "linecolor": INK,
        "zeroline": False,
        "automargin": True,
        "tickangle": 0,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def faded(colour: str, opacity: float) -> str:
    """A colour of the palette that lets what is behind it be seen."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def rounded(values: Iterable[float]) -> list[float]:
    """To as many digits as can be seen: figures are sent to browsers."""
    return [float(f"{value:.{DIGITS}g}") for value in values]


def titled(figure: go.Figure, title: str, caption: str) -> go.Figure:
    """The same figure under its title and caption, where the page around it has no room for them.

    caption: may have several lines, separated by newlines; long ones are wrapped
    """
    lines = [part for line in caption.split("\n") for part in wrap(line, CAPTION_LETTERS)]
    more = 40 + round(1.35 * CAPTION_SIZE * len(lines))
    figure.update_layout(
        title={
            "text": title,
            "subtitle": {"text": "<br>".join(lines), "font": {"size": CAPTION_SIZE}},
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14},
        },
        margin={"t": (figure.layout.margin.t or 0) + more},
    )
    if figure.layout.height:
        figure.update_layout(height=figure.layout.height + more)
    return figure


def framed(figure: go.Figure, title: str, caption: str) -> go.Figure:
    """The same figure for a frame that is low and narrow, 540 by 450 pixels: `titled` in small
    print, its legend below."""
    framed = titled(figure, title, caption)
    framed.update_layout(
        title={"x": 0.02, "xref": "container", "font": {"size": 16}},
        title_subtitle_font_size=11,
        legend={"yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 11}},
    )
    return framed
