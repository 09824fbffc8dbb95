"""How far each hyperparameter of the winner may move before the score falls.

Around the winner the score along one hyperparameter is a mean of the trials, weighted by how near
they are to it in the others and along this one (Nadaraya 1964, Watson 1964). The winner itself is
left out: its score was chosen for being high. What others are compared with is the same smoother
at the winner's place.

Whether the score holds or falls somewhere is said only where the bootstrap resamples of the trials
agree on it; everywhere else it cannot be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.findings.scales import Scale, positions, scales
from tuner.summary import StudySummary, TrialSummary

NEEDS = "a trial as the winner, and ten other complete trials"
LEAST_TRIALS = 10  # beside the winner
FALL = 0.1  # of what the smoothed score is above a random agent's
NEAR_OTHERS = 0.25  # root mean square distance in the other hyperparameters, of their axes
NEAR_ALONG = 0.2  # half of the window along one, of its axis
LEAST_EFFECTIVE = 4.0  # trials (Kish 1965), fewer tell nothing
STEPS = 101
RESAMPLES = 400
AGREED = 0.95  # of the resamples
EDGE = 0.02  # of the axis

End = Literal["falls", "edge", "untold"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """Where the score has fallen, or till where it is known not to have.

    end     falls; edge: holds to the end of the search space; untold: cannot be told beyond
    within  where it falls, 5 to 95 % of the ends in resamples, as places on the axis; else None
    values_within  the same as values
    """

    value: float
    position: float
    end: End
    within: tuple[float, float] | None = None
    values_within: tuple[float, float] | None = None


@dataclass(frozen=True)
class Choice:
    """One choice of a hyperparameter. holds: None if it cannot be told; share: of resamples in
    which it does."""

    value: Any
    holds: bool | None
    share: float | None


@dataclass(frozen=True)
class Tolerance:
    """Of one hyperparameter; low and high for a range, choices for choices.

    effective  how many trials tell about the winner's own value
    on_edge    whether the winner lies at the end of what was searched
    """

    name: str
    value: Any
    position: float
    effective: float
    on_edge: bool
    low: Side | None = None
    high: Side | None = None
    choices: Sequence[Choice] = ()

    @property
    def is_told(self) -> bool:
        return self.effective >= LEAST_EFFECTIVE


@dataclass(frozen=True)
class Sensitivity:
    """Of every hyperparameter that the winner has.

    trials  how many there are beside the winner
    floor   what a score is measured from
    """

    trial: int
    trials: int
    floor: float
    floor_is_random: bool
    axes: Sequence[Scale]
    tolerances: Sequence[Tolerance]

    @property
    def title(self) -> str:
        if not any(tolerance.is_told for tolerance in self.tolerances):
            return f"How far trial {self.trial} may be changed: {self.trials} trials cannot tell"
        return f"How far trial {self.trial} may be changed before it loses {FALL:.0%}"

    @property
    def caption(self) -> str:
        floor = "a random agent's" if self.floor_is_random else "the lowest trial's"
        return (
            "Bold: where the score, smoothed along one hyperparameter over the trials that are "
            f"near in the others (Nadaraya-Watson, Gaussian of width {NEAR_OTHERS:g} there, "
            f"Epanechnikov of {NEAR_ALONG:g} here, of axes from 0 to 1), stays within {FALL:.0%} "
            f"of its height above {floor} at the winner. A side or a choice holds or falls where "
            f"{AGREED:.0%} of {RESAMPLES} bootstrap resamples of the {self.trials} trials beside "
            "the winner say so. Thin: the middle 90 % of the ends in resamples.\nIt cannot be "
            "told where they disagree, nor where fewer than "
            f"{LEAST_EFFECTIVE:g} effective trials are near. One hyperparameter moves at a time; "
            "what two do together is not seen."
        )


def sensitivity(summary: StudySummary) -> Sensitivity | None:
    """None without a trial as the winner, or with too few beside it."""
    trials = [trial for trial in summary.complete if trial.sample is not None]
    axes = scales(summary.study)
    winner = next((t for t in trials if t.number == summary.best), None)
    others = [trial for trial in trials if trial is not winner]
    if winner is None or len(others) < LEAST_TRIALS or not axes:
        return None
    at, here = _places(axes, others), _places(axes, [winner])[0]
    scores = np.array([trial.sample.mean for trial in others if trial.sample is not None])
    random = summary.env.random_score
    floor = float(scores.min()) if random is None else random
    times = np.random.default_rng(0).multinomial(
        len(others), np.full(len(others), 1 / len(others)), size=RESAMPLES
    )
    found = [
        _tolerance(
            axis,
            winner.params[axis.name],
            _Neighbours(at[:, k], _weights(at, here, k, list(axes.values())), scores, times, floor),
            float(here[k]),
        )
        for k, axis in enumerate(axes.values())
        if not np.isnan(here[k])
    ]
    shown = [axis for k, axis in enumerate(axes.values()) if not np.isnan(here[k])]
    return Sensitivity(winner.number, len(others), floor, random is not None, shown, found)


def _places(axes: Mapping[str, Scale], trials: Sequence[TrialSummary]) -> Floats:
    """[trials, hyperparameters] on their axes, NaN where a trial has none."""
    found = [positions(axes, trial.params) for trial in trials]
    return np.array([[np.nan if place is None else place for place in row] for row in found])


@dataclass(frozen=True)
class _Neighbours:
    """The trials beside the winner as one hyperparameter sees them.

    at      [trials] on its axis, NaN where a trial has no value
    near    [trials] weight by closeness in the others
    scores  [trials]
    times   [resamples, trials] how often each was drawn
    """

    at: Floats
    near: Floats
    scores: Floats
    times: NDArray[np.int64]
    floor: float


def _weights(at: Floats, here: Floats, skipped: int, axes: Sequence[Scale]) -> Floats:
    """[trials] by distance in all hyperparameters but one; having none or another counts as 1."""
    apart = np.abs(at - here)
    for k, axis in enumerate(axes):
        if axis.choices:
            apart[:, k] = apart[:, k] > 0
    apart = np.where(np.isnan(at) & np.isnan(here), 0.0, apart)
    apart = np.where(np.isnan(at) ^ np.isnan(here), 1.0, apart)
    others = np.delete(apart, skipped, axis=1)
    squared = np.square(others).mean(axis=1) if others.shape[1] else np.zeros(len(at))
    return np.asarray(np.exp(-squared / (2 * NEAR_OTHERS**2)))


def _tolerance(scale: Scale, value: Any, known: _Neighbours, position: float) -> Tolerance:
    grid = np.array([at for at, _ in scale.ticks]) if scale.choices else np.linspace(0, 1, STEPS)
    away = known.at[:, None] - grid[None, :]
    along = np.isclose(away, 0) if scale.choices else np.clip(1 - (away / NEAR_ALONG) ** 2, 0, None)
    weights = known.near[:, None] * np.nan_to_num(np.asarray(along, dtype=np.float64))
    sums = weights.sum(axis=0)
    effective = sums**2 / np.maximum(np.square(weights).sum(axis=0), 1e-300)
    centre = int(np.abs(grid - position).argmin())
    plain = Tolerance(scale.name, value, position, float(effective[centre]), _edge(scale, position))
    told = effective >= LEAST_EFFECTIVE
    if not told[centre]:
        return plain
    holds = _holds(weights, known, np.ones((1, len(known.scores))), centre)[0]
    resampled = _holds(weights, known, known.times, centre)
    if scale.choices:
        shares = [float(share) for share in resampled.mean(axis=0)]
        choices = [
            Choice(choice, _verdict(share), share) if told[k] else Choice(choice, None, None)
            for k, (choice, share) in enumerate(zip(scale.choices, shares, strict=True))
        ]
        return Tolerance(**{**vars(plain), "choices": choices})
    sides = [_side(scale, grid[o], told[o], holds[o], resampled[:, o]) for o in _outward(centre)]
    return Tolerance(**{**vars(plain), "low": sides[0], "high": sides[1]})


def _verdict(share: float) -> bool | None:
    """Whether the score holds by the share of resamples in which it does; None: not agreed on."""
    return True if share >= AGREED else False if share <= 1 - AGREED else None


def _outward(centre: int) -> tuple[slice, slice]:
    """The grid from its centre on, downwards and upwards."""
    return slice(centre, None, -1), slice(centre, None)


def _holds(weights: Floats, known: _Neighbours, times: NDArray[Any], centre: int) -> NDArray[Any]:
    """[resamples, grid] whether the smoothed score is less than the fall below that at centre."""
    sums = times @ weights
    smoothed = times @ (weights * known.scores[:, None]) / np.where(sums > 0, sums, 1.0)
    height = smoothed[:, [centre]] - known.floor
    enough = smoothed >= smoothed[:, [centre]] - FALL * np.maximum(height, 0.0)
    return np.asarray(enough & (sums > 0))


def _side(
    scale: Scale,
    grid: Floats,
    told: NDArray[np.bool_],
    holds: NDArray[np.bool_],
    resampled: NDArray[np.bool_],
) -> Side:
    """How far the grid holds from its first place, the winner's, on; [..., grid] all of them."""
    known = int(_first_break(told[None])[0])
    agreed = [_verdict(share) for share in resampled[:, :known].mean(axis=0)]
    if False in agreed:
        last = int(_first_break((holds & told)[None])[0]) - 1
        ends = grid[np.maximum(_first_break(resampled[:, :known]) - 1, 0)]
        low, high = (float(at) for at in np.quantile(ends, [1 - AGREED, AGREED]))
        within = (scale.value(low), scale.value(high))
        return Side(scale.value(float(grid[last])), float(grid[last]), "falls", (low, high), within)
    sure = int(_first_break(np.array([agreed], dtype=bool))[0])
    at = float(grid[max(sure - 1, 0)])
    return Side(scale.value(at), at, "edge" if sure == len(grid) else "untold")


def _first_break(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[rows] how many hold before the first that does not; all, if none breaks."""
    return np.asarray(np.where(holds.all(axis=1), holds.shape[1], holds.argmin(axis=1)))


def _edge(scale: Scale, position: float) -> bool:
    """Of choices only where there are three numbers or more, which have an order."""
    choices = scale.choices
    if not choices:
        return min(position, 1 - position) <= EDGE
    numbers = [c for c in choices if isinstance(c, int | float) and not isinstance(c, bool)]
    if len(numbers) < max(3, len(choices)):
        return False
    return choices[round(position * (len(choices) - 1))] in (min(numbers), max(numbers))
