"""How every figure looks: its colours, its axes, the words above it.

Figures are drawn without a background in an ink that can be read on white and on black alike, so
that one figure serves light and dark pages.
"""

from textwrap import wrap

import plotly.graph_objects as go

CAPTION_WIDTH, CAPTION_SIZE = 78, 12  # letters of a line, pixels

# Okabe and Ito: distinct also to the colour-blind
BLUE, RED, GREEN, PINK, ORANGE, SKY = PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
)  # fmt: skip
INK = "#767676"  # contrast of 4.5 or more on white and on black (WCAG AA)
GRID = "rgba(118, 118, 118, 0.25)"


def canvas(x: str, y: str) -> go.Figure:
    """An empty figure. x, y: what its axes show, with the unit."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        font={"color": INK, "size": 13},
        colorway=PALETTE,
        margin={"l": 64, "r": 16, "t": 24, "b": 56},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
    )
    figure.update_xaxes(title=x, gridcolor=GRID, linecolor=INK, zeroline=False, automargin=True)
    figure.update_yaxes(title=y, gridcolor=GRID, linecolor=INK, zeroline=False, automargin=True)
    return figure


def faded(colour: str, opacity: float) -> str:
    """A colour of the palette that lets what is behind it be seen."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def titled(figure: go.Figure, title: str, caption: str) -> go.Figure:
    """The same figure under its title and caption, where the page around it has no room for them.

    caption: may have several lines, separated by newlines; long ones are wrapped
    """
    lines = [part for line in caption.split("\n") for part in wrap(line, CAPTION_WIDTH)]
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
        margin={"t": (figure.layout.margin.t or 0) + 40 + round(1.35 * CAPTION_SIZE * len(lines))},
    )
    return figure
