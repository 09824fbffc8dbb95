"""How far each hyperparameter of the winner may move before the score falls.

Around the winner the score along one hyperparameter is a mean of the trials, weighted by how near
they are to it in the others and along this one (Nadaraya 1964, Watson 1964). The winner's own
score is not what others are compared with: it was chosen for being high. The same smoother at the
winner's place is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuner.findings.scales import Scale, positions, scales
from tuner.summary import StudySummary

NEEDS = "a trial as the winner, and ten complete trials"
LEAST_TRIALS = 10
FALL = 0.1  # of what the smoothed score is above a random agent's
NEAR_OTHERS = 0.25  # root mean square distance in the other hyperparameters, of their axes
NEAR_ALONG = 0.2  # half of the window along one, of its axis
LEAST_EFFECTIVE = 4.0  # trials (Kish 1965), fewer tell nothing
STEPS = 101
RESAMPLES = 400
EDGE = 0.02  # of the axis

End = Literal["falls", "edge", "untold"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """Where the score has fallen, or till where it is known not to have.

    end     falls; edge: not before the end of the search space; untold: too few trials are beyond
    within  2.5 to 97.5 % of the resamples, as places on the axis; values_within: as values
    """

    value: float
    position: float
    end: End
    within: tuple[float, float]
    values_within: tuple[float, float]


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
    """Of every hyperparameter that the winner has. floor: what a score is measured from."""

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
            f"of its height above {floor} at the winner. Thin: 2.5 to 97.5 % of the ends in "
            f"{RESAMPLES} bootstrap resamples of {self.trials} trials.\nNothing is said where "
            f"fewer than {LEAST_EFFECTIVE:g} effective trials are near. One hyperparameter moves "
            "at a time; what two do together is not seen."
        )


def sensitivity(summary: StudySummary) -> Sensitivity | None:
    """None without a trial as the winner, or with too few beside it."""
    trials = [trial for trial in summary.complete if trial.sample is not None]
    axes = scales(summary.study)
    winner = next((t for t in trials if t.number == summary.best), None)
    if winner is None or len(trials) < LEAST_TRIALS or not axes:
        return None
    at = np.array([[_or_nan(p) for p in positions(axes, trial.params)] for trial in trials])
    here = at[trials.index(winner)]
    scores = np.array([trial.sample.mean for trial in trials if trial.sample is not None])
    random = summary.env.random_score
    floor = float(scores.min()) if random is None else random
    times = np.random.default_rng(0).multinomial(
        len(trials), np.full(len(trials), 1 / len(trials)), size=RESAMPLES
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
    return Sensitivity(winner.number, len(trials), floor, random is not None, shown, found)


@dataclass(frozen=True)
class _Neighbours:
    """The trials as one hyperparameter sees them.

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
    resampled = _holds(weights, known, known.times, centre) & told
    if scale.choices:
        choices = [
            Choice(choice, bool(holds[k]) if told[k] else None, _share_of(told[k], resampled[:, k]))
            for k, choice in enumerate(scale.choices)
        ]
        return Tolerance(**{**vars(plain), "choices": choices})
    sides = [_side(scale, grid, centre, step, told, holds, resampled) for step in (-1, 1)]
    return Tolerance(**{**vars(plain), "low": sides[0], "high": sides[1]})


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
    centre: int,
    step: int,
    told: NDArray[np.bool_],
    holds: NDArray[np.bool_],
    resampled: NDArray[np.bool_],
) -> Side:
    """How far the grid holds from its centre on in one direction."""
    outward = np.arange(centre, len(grid) if step > 0 else -1, step)
    reached = _first_break((holds & told)[None, outward])[0]
    end: End = "edge" if reached == len(outward) else "falls"
    if reached < len(outward) and not told[outward[reached]]:
        end = "untold"
    at = float(grid[outward[reached - 1]])
    ends = grid[outward[np.maximum(_first_break(resampled[:, outward]) - 1, 0)]]
    low, high = (float(place) for place in np.quantile(ends, [0.025, 0.975]))
    values = (scale.value(low), scale.value(high))
    return Side(scale.value(at), at, end, (low, high), values)


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


def _share_of(told: bool, holds: NDArray[np.bool_]) -> float | None:
    return float(holds.mean()) if told else None


def _or_nan(position: float | None) -> float:
    return float("nan") if position is None else position
