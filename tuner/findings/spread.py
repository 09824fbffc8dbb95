"""Which settings are steady: every hyperparameter against the spread over a trial's seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pvariance
from typing import Any

from tuner.findings.phrases import counted, from_to
from tuner.search_space import Choices, Space, label
from tuner.summary import StudySummary, TrialSummary

MOST_PANELS = 8
MOST_TRIALS = 300
FEWEST_TO_COMPARE = 2  # trials more than groups, to tell which hyperparameters matter
GROUPS = 3  # of the numbers of one hyperparameter, to compare them like choices


@dataclass(frozen=True)
class Steadiness:
    """One trial. std, mean: over its tuning seeds."""

    trial: int
    std: float
    mean: float


@dataclass(frozen=True)
class Panel:
    """One hyperparameter. categories: in the study's order; None where it is a number.

    ends    lowest and highest number that is searched; None of categories
    values  [trials] None where a trial was not asked for it
    share   of the differences in spread that its values explain, by ranks; None if not known
    """

    hparam: str
    is_log: bool
    categories: Sequence[str] | None
    ends: tuple[float, float] | None
    values: Sequence[Any]
    share: float | None


@dataclass(frozen=True)
class Spread:
    """The hyperparameters that go most with the spread over seeds, in the study's order.

    trials    those drawn, best first: of very many, one in `every`
    seeds     how many each of them has
    searched  how many hyperparameters there are
    single    trials left out because one seed has no spread
    """

    panels: Sequence[Panel]
    trials: Sequence[Steadiness]
    seeds: Sequence[int]
    every: int
    searched: int
    single: int

    @property
    def title(self) -> str:
        return "Which settings are steady over seeds"

    @property
    def caption(self) -> str:
        seeds = from_to(self.seeds, "tuning seed")
        parts = [
            f"Standard deviation of a trial's scores over its {seeds}, coloured by their mean: "
            "good and steady is low and bright."
        ]
        if self.single:
            parts.append(f"{counted(self.single, 'trial')} of one seed left out.")
        if self.every > 1:
            parts.append(f"One trial in {self.every} is drawn, by rank.")
        if len(self.panels) < self.searched:
            parts.append(
                f"The {len(self.panels)} of {self.searched} hyperparameters that explain "
                "most of the spread, by ranks."
            )
        return f"{' '.join(parts)}\nNo intervals: of so few seeds a standard deviation is rough."


def spread(summary: StudySummary) -> Spread | None:
    """None as long as no complete trial has two seeds, and where nothing is searched."""
    space = summary.study.space
    several = [(t, found) for t in summary.complete if (found := _steadiness(t)) is not None]
    if not several or not space:
        return None
    panels = [_panel(name, space, several) for name in space]
    chosen = sorted(panels, key=lambda panel: -(panel.share or 0.0))[:MOST_PANELS]
    every = -(-len(several) // MOST_TRIALS)
    drawn = several[::every]
    return Spread(
        [_thinned(panel, every) for panel in panels if panel in chosen],
        [found for _, found in drawn],
        [len(trial.runs) for trial, _ in drawn],
        every,
        len(space),
        len(summary.complete) - len(several),
    )


def _steadiness(trial: TrialSummary) -> Steadiness | None:
    assert trial.sample is not None  # it is complete
    std = trial.sample.spread.std
    return None if std is None else Steadiness(trial.number, std, trial.sample.mean)


def _panel(name: str, space: Space, trials: Sequence[tuple[TrialSummary, Steadiness]]) -> Panel:
    searched = space[name]
    values = [trial.params.get(name) for trial, _ in trials]
    stds = [found.std for _, found in trials]
    if isinstance(searched, Choices):
        categories = [str(label(choice)) for choice in searched.choices]
        texts = [None if value is None else str(value) for value in values]
        return Panel(name, False, categories, None, texts, explained(texts, stds))
    ends = (searched.low, searched.high)
    return Panel(name, searched.log, None, ends, values, explained(_groups(values), stds))


def _thinned(panel: Panel, every: int) -> Panel:
    return replace(panel, values=panel.values[::every])


def _groups(values: Sequence[float | None]) -> Sequence[int | None]:
    """Numbers in groups of about equal size, the low ones first; None stays."""
    ordered = sorted(value for value in values if value is not None)
    ends = [ordered[len(ordered) * k // GROUPS] for k in range(1, GROUPS)] if ordered else []
    return [None if value is None else sum(value >= end for end in ends) for value in values]


def explained(groups: Sequence[Any], stds: Sequence[float]) -> float | None:
    """The share of the variance of ranks that lies between groups, less what chance gives them
    (epsilon squared, Kelley 1935). None where groups are too few or too small."""
    asked = [(group, std) for group, std in zip(groups, stds, strict=True) if group is not None]
    ranks = _ranks([std for _, std in asked])
    by_group: dict[Any, list[float]] = {}
    for (group, _), rank in zip(asked, ranks, strict=True):
        by_group.setdefault(group, []).append(rank)
    n, k = len(ranks), len(by_group)
    if k < 2 or n - k < FEWEST_TO_COMPARE or pvariance(ranks) == 0:
        return None
    within = sum(len(found) * pvariance(found) for found in by_group.values())
    return 1 - (within / (n - k)) / (n * pvariance(ranks) / (n - 1))


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1 on; equals share the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), start=1):
        places.setdefault(value, []).append(place)
    return [fmean(places[value]) for value in values]
