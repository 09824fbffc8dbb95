"""What is searched: ranges and choices of hyperparameters, as Optuna distributions and back."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainValidator,
    Tag,
)
from pydantic_core import PydanticCustomError

from agents.hparams import Hparams, list_as_tuple
from agents.kinds import KINDS, make_hparams

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _number(value: Any) -> int | float:
    """A finite number, whole or not, kept as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "needs a number")
    if not math.isfinite(value):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return value


Number = Annotated[int | float, PlainValidator(_number)]
# Hyperparameter → value, or list of values, with which alone another is searched.
When = dict[str, Any] | None


class Range(BaseModel):
    """Every number from low to high; on a log scale if `log`, in steps if `step`."""

    model_config = STRICT

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None
    when: When = None


class Choices(BaseModel):
    """One of these values."""

    model_config = STRICT

    choices: Annotated[tuple[Any, ...], BeforeValidator(list_as_tuple)]
    when: When = None


Searched = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(
        lambda value: (
            "choices"
            if isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value)
            else "range"
        )
    ),
]
Space = Mapping[str, Range | Choices]


def distributions(agent: str, space: Space) -> dict[str, BaseDistribution]:
    """What Optuna samples from. Lists among the choices become short names such as "64-64"."""
    found: dict[str, BaseDistribution] = {}
    for name, searched in space.items():
        if isinstance(searched, Choices):
            found[name] = CategoricalDistribution([label(value) for value in searched.choices])
        elif is_whole(agent, name):
            step = 1 if searched.step is None else int(searched.step)
            found[name] = IntDistribution(
                int(searched.low), int(_last_step(searched)), log=searched.log, step=step
            )
        else:
            found[name] = FloatDistribution(
                searched.low, _last_step(searched), log=searched.log, step=searched.step
            )
    return found


def _last_step(searched: Range) -> float:
    """The highest value that whole steps from low reach, in decimal arithmetic."""
    if searched.step is None:
        return searched.high
    low, high, step = (Decimal(str(n)) for n in (searched.low, searched.high, searched.step))
    return float(low + (high - low) // step * step)


def suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    """A trial's value for one hyperparameter: the sampler's, or the one stored before."""
    match distribution:
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
        case IntDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_float(name, low, high, log=log, step=step)
    raise AssertionError(distribution)


def suggest_all(trial: optuna.Trial, agent: str, space: Space) -> None:
    """Let a trial have a value for everything that is searched under what it has chosen."""
    found = distributions(agent, space)
    for name in sorted(space, key=lambda name: bool(space[name].when)):  # stable: file's order
        if is_searched(space, name, trial.params):
            suggest(trial, name, found[name])


def is_searched(space: Space, name: str, params: Mapping[str, Any]) -> bool:
    """Whether a trial that has chosen `params` has a value for this hyperparameter."""
    conditions = space[name].when or {}
    return all(
        params.get(other) in [label(value) for value in allowed(values)]
        for other, values in conditions.items()
    )


def allowed(values: Any) -> Sequence[Any]:
    """The values that a condition names: one, or a list."""
    return values if isinstance(values, list) else [values]


def to_hparams(
    agent: str, space: Space, fixed: Mapping[str, Any], params: Mapping[str, Any]
) -> Hparams:
    """The checked hyperparameters that sampled `params` stand for."""
    chosen = dict(fixed)
    for name, value in params.items():
        searched = space[name]
        if isinstance(searched, Choices):
            value = next(choice for choice in searched.choices if label(choice) == value)
        chosen[name] = value
    return make_hparams(agent, chosen)


def label(value: Any) -> Any:
    """A choice as Optuna stores it: numbers and text as they are, a list as "64-64"."""
    if isinstance(value, list | tuple):
        return "-".join(map(str, value)) or "none"
    return value


def is_whole(agent: str, name: str) -> bool:
    """Whether a hyperparameter's values are whole numbers."""
    annotation = KINDS[agent].model_fields[name].annotation
    return annotation is int
