"""Two studies beside each other: what their winners score, and what differs in how they came to be.

The difference is that of the first study's winner less the second's, on seeds of one kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner.checklist import space_lines
from tuner.evidence import Difference
from tuner.findings.score_profile import Profile, profile_of
from tuner.findings.side_by_side import SideBySide, fresh, side_by_side
from tuner.phases import DEFAULT_CONFIG
from tuner.plain_data import as_plain
from tuner.report import SCHEMA, Report
from tuner.seed_pools import Pool
from tuner.study import Study, flat
from tuner.summary import StudySummary
from tuner.wording import configuration_text

UNLIKE = ("study.env", "study.env_kwargs", "objective.score")  # scores of these are no neighbours
TOLD_APART = ("study.name", "study.trials")  # said elsewhere


@dataclass(frozen=True)
class Change:
    """A key of the study files whose values differ; None where a study has none."""

    key: str
    values: Sequence[str | None]


@dataclass(frozen=True)
class Comparison:
    """Of two reports.

    warnings    what has to be known before any number is compared
    difference  of the winners' scores; None where they cannot be compared, or not yet
    pool        the kind of seeds it comes from
    """

    reports: Sequence[Report]
    warnings: Sequence[str]
    pool: str | None
    difference: Difference | None
    strips: SideBySide | None
    profile: Profile | None
    space: Sequence[Change]
    settings: Sequence[Change]

    def as_data(self) -> dict[str, Any]:
        """For scripts; docs/looking.md describes the keys."""
        return {
            "schema": SCHEMA,
            "studies": [report.as_data() for report in self.reports],
            "comparison": {
                "warnings": list(self.warnings),
                "pool": self.pool,
                "difference": None if self.difference is None else self.difference.as_data(),
                "figures": {
                    "side_by_side": as_plain(self.strips),
                    "score_profile": as_plain(self.profile),
                },
                "space": as_plain(self.space),
                "settings": as_plain(self.settings),
            },
        }


def compare(one: Report, other: Report) -> Comparison:
    """Of studies of any kind; what cannot be compared is said and left out."""
    summaries = (one.summary, other.summary)
    studies = [summary.study for summary in summaries]
    settings = _settings(studies[0], studies[1])
    unlike = [change for change in settings if change.key.startswith(UNLIKE)]
    difference, pool = (None, None) if unlike else _difference(summaries)
    names = (_named(one.summary), _named(other.summary))
    return Comparison(
        reports=(one, other),
        warnings=list(_warnings(summaries, settings, unlike, pool)),
        pool=pool,
        difference=difference,
        strips=None if unlike else side_by_side(summaries),
        profile=None if difference is None or pool is None else profile_of(difference, pool, names),
        space=_space(studies[0], studies[1]),
        settings=settings,
    )


def _named(summary: StudySummary) -> str:
    best = summary.best
    return f"{summary.study.name}'s {configuration_text(DEFAULT_CONFIG if best is None else best)}"


def _difference(summaries: Sequence[StudySummary]) -> tuple[Difference | None, str | None]:
    """On test seeds if both have them, else on confirmation seeds."""
    found = [None if s.best is None else s.evidence(s.best) for s in summaries]
    if found[0] is None or found[1] is None:
        return None, None
    ours, theirs = found[0], found[1]
    if ours.test is not None and theirs.test is not None:
        return Difference(ours.test, theirs.test), "test"
    if ours.confirm is not None and theirs.confirm is not None:
        return Difference(ours.confirm, theirs.confirm), "confirmation"
    return None, None


def _warnings(
    summaries: Sequence[StudySummary],
    settings: Sequence[Change],
    unlike: Sequence[Change],
    pool: str | None,
) -> list[str]:
    lines = []
    for change in unlike:
        lines.append(
            f"The studies differ in {change.key} ({change.values[0]}, {change.values[1]}): their "
            "scores measure different things, no difference between them is given."
        )
    for change in settings:
        if change.key.startswith("budget."):
            lines.append(
                f"The runs differ in {change.key} ({change.values[0]}, {change.values[1]}): a "
                "difference between the winners may be due to that."
            )
    for summary in summaries:
        kind = None if summary.best is None else fresh(summary.evidence(summary.best))[0]
        if kind is None:
            lines.append(f"{summary.study.name} has no winner on fresh seeds yet.")
    if pool == "confirmation":
        lines.append(
            "Not both winners are tested: the difference comes from confirmation seeds, which "
            "chose the winners."
        )
    return [*lines, *_used_up(summaries)]


def _used_up(summaries: Sequence[StudySummary]) -> list[str]:
    """Test seeds of one study that chose something in the other."""
    lines = []
    for ours, theirs in (summaries, summaries[::-1]):
        test = {ours.study.run_seed(Pool.TEST, k) for k in range(ours.study.seeds.test)}
        chose = {
            theirs.study.run_seed(pool, k)
            for pool in (Pool.TUNE, Pool.CONFIRM)
            for k in range(theirs.study.seeds.number(pool))
        }
        if shared := test & chose:
            lines.append(
                f"{len(shared)} test seeds of {ours.study.name} chose configurations in "
                f"{theirs.study.name}."
            )
    return lines


def _settings(one: Study, other: Study) -> list[Change]:
    """Everything but the space; what one of them fixes and the other searches is in the space."""
    tables = [dict(_flat_spec(study)) for study in (one, other)]
    searched = {f"fixed.{name}" for name in {*one.space, *other.space}}
    keys = sorted(tables[0].keys() | tables[1].keys())
    return [
        Change(key, [_shown(table.get(key)) for table in tables])
        for key in keys
        if key not in TOLD_APART
        and key not in searched
        and tables[0].get(key) != tables[1].get(key)
    ]


def _flat_spec(study: Study) -> Sequence[tuple[str, Any]]:
    return flat({name: table for name, table in study.spec().items() if name != "space"})


def _space(one: Study, other: Study) -> list[Change]:
    """What is searched in one of them only, or in another range."""
    domains = [_domains(one, other), _domains(other, one)]
    names = dict.fromkeys([*one.space, *other.space])
    return [
        Change(name, [found[name] for found in domains])
        for name in names
        if domains[0][name] != domains[1][name]
    ]


def _domains(study: Study, other: Study) -> dict[str, str]:
    """Of everything that either of them searches."""
    searched = {name: line.removeprefix(f"{name}: ") for name, line in space_lines(study).items()}
    fixed = {
        name: f"fixed to {_shown(study.fixed.get(name))}"
        for name in other.space
        if name not in searched
    }
    return searched | fixed


def _shown(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return None if value is None else str(value)
