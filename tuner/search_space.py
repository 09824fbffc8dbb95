"""What is searched: ranges and choices of hyperparameters, as Optuna distributions and back."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
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
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from agents.hparams import KINDS, Hparams, make_hparams
from agents.problems import problem_lines, shown

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _number(value: Any) -> int | float:
    """A finite number, whole or not, kept as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "needs a number")
    if not math.isfinite(value):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return value


Number = Annotated[int | float, PlainValidator(_number)]


class Range(BaseModel):
    """Every number from low to high; on a log scale if `log`, in steps if `step`."""

    model_config = STRICT

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None


def list_as_tuple(value: Any) -> Any:
    """TOML and JSON have lists only."""
    return tuple(value) if isinstance(value, list) else value


class Choices(BaseModel):
    """One of these values."""

    model_config = STRICT

    choices: Annotated[tuple[Any, ...], BeforeValidator(list_as_tuple)]


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
        elif _is_whole(agent, name):
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


def space_problems(
    agent: str, space: Space, fixed: Mapping[str, Any], budget_steps: int
) -> list[str]:
    """Everything that keeps this space from being searched, one line each."""
    problems = []
    known = KINDS[agent].model_fields
    for table, names in (("space", space), ("fixed", fixed)):
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                problems.append(f"[{table}] {name}: unknown hyperparameter of {agent}{hint}")
    for name in fixed:
        if name in space:
            problems.append(f"[fixed] {name}: also in [space]; keep one of the two")
        if name in known:
            problems += _value_problems(agent, name, fixed[name], f"[fixed] {name}")
    for name, searched in space.items():
        if name in known:
            if isinstance(searched, Choices):
                problems += _choices_problems(agent, name, searched)
            else:
                problems += _range_problems(agent, name, searched)
    return problems or list(_combination_problems(agent, space, fixed, budget_steps))


def _range_problems(agent: str, name: str, searched: Range) -> list[str]:
    where = f"[space] {name}"
    if KINDS[agent].model_fields[name].annotation not in (int, float):
        return [f"{where}: has no range; write {{ choices = [...] }}"]
    low, high, step = searched.low, searched.high, searched.step
    problems = []
    for value in (low, high):
        problems += _value_problems(agent, name, value, where)
    if low > high:
        problems.append(f"{where}: low {low} is above high {high}; swap them")
    if searched.log and low <= 0:
        problems.append(f"{where}: a log scale needs low > 0 (got {low})")
    if step is not None:
        if searched.log:
            problems.append(f"{where}: log and step cannot be combined; drop one")
        if step <= 0 or Decimal(str(step)) > Decimal(str(high)) - Decimal(str(low)):
            problems.append(f"{where}: step must be above 0 and at most {high - low} (got {step})")
        if _is_whole(agent, name) and not isinstance(step, int):
            problems.append(f"{where}: step needs a whole number (got {step})")
    return problems


def _choices_problems(agent: str, name: str, searched: Choices) -> list[str]:
    where = f"[space] {name}"
    if not searched.choices:
        return [f"{where}: choices is empty; name at least one value"]
    problems: list[str] = []
    labels: list[Any] = []
    for value in searched.choices:
        problems += _value_problems(agent, name, value, where)
        if label(value) in labels:
            problems.append(f"{where}: {shown(value)} given twice")
        labels.append(label(value))
    return problems


def _value_problems(agent: str, name: str, value: Any, where: str) -> list[str]:
    field = KINDS[agent].model_fields[name]
    annotated = Annotated[field.annotation, field]  # type: ignore[name-defined]
    checker: TypeAdapter[Any] = TypeAdapter(
        annotated, config=ConfigDict(strict=True, allow_inf_nan=False)
    )
    try:
        checker.validate_python(value)
    except ValidationError as error:
        return problem_lines(error, place=lambda _: where)
    return []


def _combination_problems(
    agent: str, space: Space, fixed: Mapping[str, Any], budget_steps: int
) -> Iterator[str]:
    batch = max(_reach(agent, "batch_size", space, fixed))
    buffer = min(_reach(agent, "buffer_size", space, fixed))
    if batch > buffer:
        yield (
            f"{_origin('batch_size', space, fixed)} up to {batch} can exceed "
            f"{_origin('buffer_size', space, fixed)} from {buffer}; narrow one"
        )
    rhythm = max(_reach(agent, "train_freq", space, fixed))
    if rhythm > budget_steps:
        yield (
            f"{_origin('train_freq', space, fixed)} up to {rhythm} is above "
            f"[budget] steps {budget_steps}: an agent would never learn"
        )
    starts = max(_reach(agent, "learning_starts", space, fixed))
    if starts >= budget_steps:
        yield (
            f"{_origin('learning_starts', space, fixed)} up to {starts} is not below "
            f"[budget] steps {budget_steps}: an agent would never learn; set a lower one in [fixed]"
        )


def _origin(name: str, space: Space, fixed: Mapping[str, Any]) -> str:
    """Where a hyperparameter's values come from, as a place in the file."""
    if name in space:
        return f"[space] {name}"
    return f"[fixed] {name}" if name in fixed else f"the default {name}"


def _reach(agent: str, name: str, space: Space, fixed: Mapping[str, Any]) -> Sequence[int | float]:
    searched = space.get(name)
    if isinstance(searched, Choices):
        return searched.choices
    if isinstance(searched, Range):
        return (searched.low, searched.high)
    return (fixed.get(name, KINDS[agent].model_fields[name].default),)


def _is_whole(agent: str, name: str) -> bool:
    annotation = KINDS[agent].model_fields[name].annotation
    return annotation is int
