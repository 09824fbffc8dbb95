"""Every figure of a study, in the order in which they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import plotly.graph_objects as go

from tuner.figures import learning_curves as learning_curves_figure
from tuner.findings.learning_curves import learning_curves
from tuner.summary import StudySummary


class Finding(Protocol):
    """Plain data with the words that belong above its figure."""

    @property
    def title(self) -> str: ...

    @property
    def caption(self) -> str: ...


@dataclass(frozen=True)
class Exhibit:
    """One figure: how its data are found, None where there is nothing to show yet, and drawn.

    name        of the figure in files and addresses
    in_dashboard  whether Optuna's dashboard, which has figures of its own, shows it too
    """

    name: str
    find: Callable[[StudySummary], Finding | None]
    draw: Callable[[Any], go.Figure]
    in_dashboard: bool = True


GALLERY = (Exhibit("learning_curves", learning_curves, learning_curves_figure.draw),)
