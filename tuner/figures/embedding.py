"""Figures for a page of their own: Plotly's script, and a figure as text inside <script>."""

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

# what could end a script element or begin a comment in it, and what JavaScript takes for a new line
UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def plotly_script() -> str:
    """The whole library, so that a page needs no network."""
    script: str = get_plotlyjs()
    assert "</script" not in script and "<!--" not in script
    return script


def figure_json(figure: go.Figure) -> str:
    """JSON that cannot leave the script element it stands in."""
    text: str = figure.to_json()
    return text.translate(UNSAFE)
