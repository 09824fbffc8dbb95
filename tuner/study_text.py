"""A study as the text of a study file, to launch it again."""

import json
from collections.abc import Mapping
from typing import Any

from tuner.study import Study


def study_text(study: Study) -> str:
    """TOML that reads as the same study, every default written out."""
    tables = {name: table for name, table in study.spec().items() if table or name == "space"}
    return "\n".join(
        line for name, table in tables.items() for line in (f"[{name}]", *_lines(table), "")
    )


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else json.dumps(key)


def _value(value: Any) -> str:
    """TOML writes text, numbers and lists as JSON does."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_lines(value))} }}" if value else "{}"
    return json.dumps(value, ensure_ascii=False)
