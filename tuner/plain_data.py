"""Frozen records as the plain data that JSON knows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel


def as_plain(value: Any) -> Any:
    """Dicts, lists, text and finite numbers; what is not finite becomes None.

    A record becomes its fields, with its title and caption if it has these.
    """
    if is_dataclass(value) and not isinstance(value, type):
        words = [name for name in ("title", "caption") if hasattr(value, name)]
        names = words + [field.name for field in fields(value)]
        return {name: as_plain(getattr(value, name)) for name in names}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): as_plain(inner) for key, inner in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return [as_plain(inner) for inner in value]
    return value
