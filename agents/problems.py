"""What pydantic found wrong, as lines a person can act on."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SHOWN_CHARACTERS = 80


def problem_lines(
    error: ValidationError,
    *,
    known: Callable[[Sequence[str | int]], Iterable[str]] = lambda place: (),
    place: Callable[[Sequence[str | int]], str] = lambda place: ".".join(map(str, place)),
) -> list[str]:
    """One line per problem: where, what, the value it got.

    `known` gives the names allowed beside an unknown one (for "did you mean"); `place` writes a
    location the way its file does.
    """
    lines = []
    for detail in error.errors(include_url=False):
        where = detail["loc"]
        line = ": ".join(part for part in (place(where), _sentence(detail)) if part)
        if detail["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(where[-1]), list(known(where)), n=1)
            line += f"; did you mean '{near[0]}'?" if near else ""
        elif detail["type"] not in ("missing", "value_error"):
            line += f" (got {shown(detail['input'])})"
        lines.append(line)
    return lines


def shown(value: object) -> str:
    """A value as people wrote it, cut to a readable length."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


_SENTENCES: dict[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "int_type": "needs a whole number",
    "int_from_float": "needs a whole number",
    "float_type": "needs a number",
    "bool_type": "needs true or false",
    "string_type": "needs text",
    "tuple_type": "needs a list",
    "list_type": "needs a list",
    "model_type": "needs a table",
    "model_attributes_type": "needs a table",
    "dict_type": "needs a table",
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be above {gt}",
    "less_than": "must be below {lt}",
    "literal_error": "must be one of {expected}",
    "string_pattern_mismatch": "only letters, digits, '.', '_' and '-', at most 100 characters",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entries",
}


def _sentence(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    template = _SENTENCES.get(detail["type"])
    return template.format(**context) if template else detail["msg"]
