"""Why a search space cannot be searched."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from agents.kinds import KINDS
from agents.problems import problem_lines, shown
from tuner.search_space import Choices, Range, Space, allowed, is_whole, label


def space_problems(
    agent: str, space: Space, fixed: Mapping[str, Any], budget_steps: int, marks: int = 1
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
        problems += _condition_problems(name, searched, space)
    return problems or list(_combination_problems(agent, space, fixed, budget_steps, marks))


def _condition_problems(name: str, searched: Range | Choices, space: Space) -> Iterator[str]:
    where = f"[space] {name}: when"
    for other, values in (searched.when or {}).items():
        condition = space.get(other)
        if other == name:
            yield f"{where}: {name} cannot depend on itself; drop the condition"
        elif values == []:
            yield f"{where}: {other} = [] names no value; write [[]] for an empty list"
        elif not isinstance(condition, Choices):
            yield f"{where}: {other} is not searched by choices in [space]; name one that is"
        elif condition.when:
            yield f"{where}: {other} has a condition itself; name what {other} depends on as well"
        else:
            for value in allowed(values):
                if label(value) not in map(label, condition.choices):
                    known = ", ".join(map(shown, condition.choices))
                    yield (
                        f"{where}: {shown(value)} is no choice of {other}; one of {known} "
                        "(a list stands for several values)"
                    )


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
        if is_whole(agent, name) and not isinstance(step, int):
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
    agent: str, space: Space, fixed: Mapping[str, Any], budget_steps: int, marks: int
) -> Iterator[str]:
    """Of values that are right one by one."""
    if agent != "deep_q":
        return
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
    environments = max(_reach(agent, "num_envs", space, fixed))
    if environments > 1 and environments * marks > budget_steps:
        yield (
            f"{_origin('num_envs', space, fixed)} up to {environments} is more than the "
            f"{budget_steps // marks} steps from one of {marks} marks to the next; lower it, or "
            "[budget] evaluations"
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
    searched, default = space.get(name), KINDS[agent].model_fields[name].default
    if searched is None:
        return (fixed.get(name, default),)
    values = searched.choices if isinstance(searched, Choices) else (searched.low, searched.high)
    return (*values, default) if searched.when else values  # where its condition is not met
