"""The winners of two studies on fresh seeds, every seed of them, beside their defaults."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.evidence import Evidence, Sample
from tuner.intervals import Interval
from tuner.summary import StudySummary

NEEDS = "a configuration on confirmation or test seeds in either study"


@dataclass(frozen=True)
class Strip:
    """One configuration on one kind of seeds."""

    study: str
    configuration: str
    pool: str
    scores: Sequence[float]
    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class SideBySide:
    """Winner and default of each study, as far as they have fresh seeds."""

    strips: Sequence[Strip]

    @property
    def title(self) -> str:
        return "Every fresh seed of the winners and of the default configurations"

    @property
    def caption(self) -> str:
        methods = {strip.interval.method for strip in self.strips if strip.interval is not None}
        named = f" ({' or '.join(sorted(methods))})" if methods else ""
        return (
            "A dot is a run, a diamond the mean over seeds, a line its 95 % interval"
            f"{named}. Test seeds chose nothing; confirmation seeds took part in the choice."
        )


def side_by_side(summaries: Sequence[StudySummary]) -> SideBySide | None:
    """None where no configuration of any study has fresh seeds."""
    strips = []
    for summary in summaries:
        if summary.best is None:
            continue
        evidence = summary.evidence(summary.best)
        name = "default" if evidence.trial is None else f"trial {evidence.trial}"
        found = [(name, *fresh(evidence))]
        if evidence.trial is not None:
            found.append(("default", *_fresh_default(evidence)))
        strips += [
            Strip(summary.study.name, who, pool, sample.scores, sample.mean, sample.shown_interval)
            for who, sample, pool in found
            if sample is not None
        ]
    return SideBySide(strips) if strips else None


def fresh(evidence: Evidence) -> tuple[Sample | None, str]:
    """The seeds that say most of a configuration: test, else confirmation; and which they are."""
    if evidence.test is not None:
        return evidence.test, "test"
    return evidence.confirm, "confirmation"


def _fresh_default(evidence: Evidence) -> tuple[Sample | None, str]:
    if evidence.default_test is not None:
        return evidence.default_test, "test"
    return evidence.default_confirm, "confirmation"
