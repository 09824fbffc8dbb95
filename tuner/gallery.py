"""Every figure of a study, in the order in which they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import plotly.graph_objects as go

from tuner.figures import importance as importance_figure
from tuner.figures import learning_curves as learning_curves_figure
from tuner.figures import optimism as optimism_figure
from tuner.figures import parallel as parallel_figure
from tuner.figures import race as race_figure
from tuner.figures import score_profile as score_profile_figure
from tuner.figures import seed_strips as seed_strips_figure
from tuner.figures import sensitivity as sensitivity_figure
from tuner.figures import spread as spread_figure
from tuner.figures import timeline as timeline_figure
from tuner.findings import importance, parallel, score_profile, sensitivity
from tuner.findings.learning_curves import learning_curves
from tuner.findings.optimism import optimism
from tuner.findings.race import race
from tuner.findings.seed_strips import seed_strips
from tuner.findings.spread import Spread, spread
from tuner.findings.timeline import timeline
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
    framed      what of it can be read in the small frames there
    needs       what a study must have for it, to be said where it has not
    """

    name: str
    find: Callable[[StudySummary], Finding | None]
    draw: Callable[[Any], go.Figure]
    in_dashboard: bool = True
    framed: Callable[[Any], Finding] = lambda found: found
    needs: str = "more runs"


def _framed_spread(found: Spread) -> Spread:
    """The panels that explain most, as many as can be read in a small frame."""
    chosen = sorted(found.panels, key=lambda panel: -(panel.share or 0.0))[:PANELS_IN_A_FRAME]
    return replace(found, panels=[panel for panel in found.panels if panel in chosen])


PANELS_IN_A_FRAME = 4
IN_THE_REPORT = (
    Exhibit(
        "importance",
        importance.importance,
        importance_figure.draw,
        in_dashboard=False,
        needs=importance.NEEDS,
    ),
    Exhibit(
        "parallel",
        parallel.parallel,
        parallel_figure.draw,
        in_dashboard=False,
        needs=parallel.NEEDS,
    ),
    Exhibit(
        "sensitivity",
        sensitivity.sensitivity,
        sensitivity_figure.draw,
        in_dashboard=False,
        needs=sensitivity.NEEDS,
    ),
    Exhibit(
        "score_profile",
        score_profile.profile,
        score_profile_figure.draw,
        in_dashboard=False,
        needs=score_profile.NEEDS,
    ),
)
GALLERY = (
    Exhibit("optimism", optimism, optimism_figure.draw, needs="a confirmed finalist"),
    Exhibit("seed_strips", seed_strips, seed_strips_figure.draw, needs="a complete trial"),
    Exhibit(
        "learning_curves",
        learning_curves,
        learning_curves_figure.draw,
        needs="a complete trial with a run that came to its end",
    ),
    Exhibit(
        "spread",
        spread,
        spread_figure.draw,
        framed=_framed_spread,
        needs="complete trials of two seeds or more",
    ),
    Exhibit("race", race, race_figure.draw, needs="trials that race for seeds"),
    Exhibit("timeline", timeline, timeline_figure.draw, needs="recorded runs"),
    *IN_THE_REPORT,
)
