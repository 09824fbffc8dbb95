"""The report as one HTML file that opens without a network.

Every text of the database is data: the templates escape it, figures stand in script elements that
are not run, and a Content-Security-Policy allows the page's own two scripts by their hashes only.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import jinja2
from markupsafe import Markup

from agents.provenance import made_with
from tuner.comparison import Comparison
from tuner.evidence import Sample
from tuner.figures import score_profile, side_by_side
from tuner.figures.embedding import figure_json, plotly_script
from tuner.findings.scales import exact_text, number_text, value_text
from tuner.findings.sensitivity import Sensitivity, Side, Tolerance
from tuner.gallery import Exhibit, Finding
from tuner.report import Configuration, Report
from tuner.wording import ends, points

LISTED_FAILURES, DETAILED_FAILURES = 200, 20
PLOT_PX = 450


def report_page(report: Report) -> str:
    """Of one study."""
    tolerances = [
        _row(tolerance)
        for _, finding in report.exhibits
        if isinstance(finding, Sensitivity)
        for tolerance in finding.tolerances
    ]
    return _page(
        "report.html",
        names=report.summary.study.name,
        storage_option=report.storage_option,
        report=report,
        figures=[_shown(exhibit, finding) for exhibit, finding in report.exhibits],
        tolerances=tolerances,
        listed=LISTED_FAILURES,
        detailed=DETAILED_FAILURES,
    )


def comparison_page(comparison: Comparison) -> str:
    """Of two studies beside each other."""
    exhibits = (
        (Exhibit("side_by_side", lambda _: None, side_by_side.draw), comparison.strips),
        (Exhibit("score_profile", lambda _: None, score_profile.draw), comparison.profile),
    )
    return _page(
        "comparison.html",
        names=" ".join(report.summary.study.name for report in comparison.reports),
        storage_option=comparison.reports[0].storage_option,
        comparison=comparison,
        chosen=[_chosen(report) for report in comparison.reports],
        hyperparameters=_unlike(comparison.reports),
        figures=[_shown(exhibit, finding) for exhibit, finding in exhibits if finding],
    )


@dataclass(frozen=True)
class Shown:
    """A figure as the template wants it. json: empty where there is nothing to draw."""

    name: str
    title: str
    caption: Sequence[str]
    json: Markup
    height: int


@dataclass(frozen=True)
class Row:
    """A line of the table of tolerances."""

    name: str
    value: str
    low: str
    high: str
    within: str
    remarks: str


def _page(template: str, **content: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tuner", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": points,
        "ends": lambda interval: ends(interval) if interval else "none",
        "spread": _spread,
        "value": value_text,
        "exact": exact_text,
        "duration": _duration,
        "moment": _moment,
    }
    plotly, script = plotly_script(), _file("page.js")
    return environment.get_template(template).render(
        content,
        policy=_policy(plotly, script),
        style=Markup(_file("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        version=made_with()["dqn_tuner"],
    )


def _shown(exhibit: Exhibit, finding: Finding | None) -> Shown:
    if finding is None:
        title = exhibit.name.replace("_", " ").capitalize()
        return Shown(exhibit.name, title, [f"Not shown: it needs {exhibit.needs}."], Markup(""), 0)
    figure = exhibit.draw(finding)
    return Shown(
        exhibit.name,
        finding.title,
        finding.caption.split("\n"),
        Markup(figure_json(figure)),
        figure.layout.height or PLOT_PX,
    )


def _row(tolerance: Tolerance) -> Row:
    low, high = tolerance.low, tolerance.high
    remarks = ["the winner lies on the edge of the search space"] if tolerance.on_edge else []
    if not tolerance.is_told:
        remarks.insert(0, f"cannot be told: {tolerance.effective:.1f} effective trials near it")
    for side, where in ((low, "below"), (high, "above")):
        if side is not None and side.end == "untold":
            remarks.append(f"cannot be told {where} {number_text(side.value)}")
    for holds, verb in ((True, "holds"), (False, "falls"), (None, "cannot be told")):
        found = [
            _choice_text(choice.value, choice.share)
            for choice in tolerance.choices
            if choice.holds is holds and choice.value != tolerance.value
        ]
        remarks += [f"{verb}: {', '.join(found)}"] if found else []
    return Row(
        name=tolerance.name,
        value=value_text(tolerance.value),
        low=_end(low),
        high=_end(high),
        within="; ".join(
            f"{which} {number_text(side.values_within[0])} to {number_text(side.values_within[1])}"
            for side, which in ((low, "lower"), (high, "upper"))
            if side is not None and side.values_within is not None
        ),
        remarks="; ".join(remarks),
    )


def _choice_text(value: object, share: float | None) -> str:
    return value_text(value) + ("" if share is None else f" (holds in {share:.0%} of resamples)")


def _end(side: Side | None) -> str:
    if side is None:
        return ""
    return number_text(side.value) + {"falls": "", "edge": " (edge)", "untold": " (?)"}[side.end]


def _chosen(report: Report) -> Configuration | None:
    return next((found for found in report.configurations if found.chosen), None)


def _unlike(reports: Sequence[Report]) -> list[str]:
    """The hyperparameters in which the chosen configurations differ."""
    names = dict.fromkeys(name for report in reports for name in report.hyperparameters)
    absent = object()
    return [
        name
        for name in names
        if reports[0].hyperparameters.get(name, absent)
        != reports[1].hyperparameters.get(name, absent)
    ]


def _spread(sample: Sample) -> str:
    parts = [f"{sample.n} seed{'s' * (sample.n != 1)}"]
    if sample.spread.std is not None:
        parts.append(f"sd {points(sample.spread.std)}")
    if (interval := sample.shown_interval) is not None:
        parts.append(f"{ends(interval)} ({interval.method})")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _policy(*scripts: str) -> str:
    """Nothing is fetched, and no script runs but these."""
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _file(name: str) -> str:
    return resources.files("tuner").joinpath("pages", name).read_text("utf-8")
