"""JSON Schemas of study files and of hparams.json, for editors.

They are made of the models that read these files. What one value says about another (a batch that
is larger than the buffer, seeds that stand in two pools) no schema says: `tuner plan` and `tuner
train` do.
"""

from collections.abc import Mapping
from typing import Any, Literal

from agents.kinds import KINDS
from tuner.hparams_file import HparamsFile
from tuner.search_space import Choices, Range
from tuner.study import Study
from tuner.study_tables import StudyTable

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Subject = Literal["study", "hparams"]
Schema = dict[str, Any]


def schema(subject: Subject) -> Schema:
    """The JSON Schema of study files, or of hparams.json."""
    return _study_schema() if subject == "study" else _hparams_schema()


def _study_schema() -> Schema:
    """Which names [space] and [fixed] may have depends on the agent."""
    made = _plain(Study.model_json_schema())
    tables = {name: table for name, table in made["$defs"].items() if name.endswith("Table")}
    for kind in KINDS:
        values = _hyperparameters(kind)
        tables[f"{kind}_fixed"] = _table(values, "What is not searched, but differs from a default")
        searched = {name: _searched(kind, name, values) for name in values}
        tables[f"{kind}_when"] = _when(values)
        tables[f"{kind}_space"] = _table(searched, "What is searched")
        if values:
            tables[f"{kind}_space"]["minProperties"] = 1
    for name in ("space", "fixed"):
        made["properties"][name] = _offered()
    default = StudyTable.model_fields["agent"].default
    rules = [
        {
            "if": {
                "properties": {"study": _chosen(kind, optional=kind == default)},
                "required": ["study"],
            },
            "then": {
                "properties": {name: _ref(f"{kind}_{name}") for name in ("space", "fixed")},
            },
        }
        for kind in KINDS
    ]
    return _document("A study of dqn-tuner", made | {"$defs": tables, "allOf": rules})


def _hparams_schema() -> Schema:
    made = _plain(HparamsFile.model_json_schema())
    for kind in KINDS:
        made["$defs"][f"{kind}_hparams"] = _table(_hyperparameters(kind), f"Those of {kind}")
    made["properties"]["hparams"] = _offered()
    made["properties"]["sha256"] = {
        "type": "string",
        "pattern": "^[0-9a-f]{64}$",
        "description": "checksum of all the rest; a file without one is taken as it is",
    }
    rules = [
        {"if": _chosen(kind), "then": {"properties": {"hparams": _ref(f"{kind}_hparams")}}}
        for kind in KINDS
    ]
    return _document("hparams.json of dqn-tuner", made | {"allOf": rules})


def _offered() -> Schema:
    """The names of all kinds, for editors that offer keys and read no "if"; none is forbidden."""
    names: dict[str, str] = {}
    for model in KINDS.values():
        for name, field in model.model_fields.items():
            names.setdefault(name, str(field.description))
    return {
        "type": "object",
        "properties": {name: {"description": about} for name, about in names.items()},
    }


def _document(title: str, made: Schema) -> Schema:
    return {"$schema": DRAFT, "title": title} | {k: v for k, v in made.items() if k != "title"}


def _chosen(kind: str, *, optional: bool = False) -> Schema:
    """Where this kind of agent is chosen. optional: also by saying nothing."""
    chosen: Schema = {"properties": {"agent": {"const": kind}}}
    return chosen if optional else chosen | {"required": ["agent"]}


def _hyperparameters(kind: str) -> dict[str, Schema]:
    """What one value of each may be: type, range, default, meaning."""
    made = _plain(KINDS[kind].model_json_schema())
    found: dict[str, Schema] = made.get("properties", {})
    for value in found.values():
        value.pop("role")
        if value["type"] == "array":  # pydantic says maxLength, which is of text
            value["maxItems"] = value.pop("maxLength")
    return found


def _searched(kind: str, name: str, values: Mapping[str, Schema]) -> Schema:
    """A range of numbers, or choices; either under a condition on others."""
    value = {key: said for key, said in values[name].items() if key != "default"}
    when = _ref(f"{kind}_when")
    choices = {"type": "array", "items": _bare(value), "minItems": 1, "uniqueItems": True}
    forms = [_form(Choices.model_fields, {"choices": choices, "when": when})]
    if KINDS[kind].model_fields[name].annotation in (int, float):
        number = _bare(value)
        step = {"type": number["type"], "exclusiveMinimum": 0}
        known = {"low": number, "high": number, "step": step, "when": when}
        forms.append(_form(Range.model_fields, known | {"log": {"type": "boolean"}}))
    default = values[name]["default"]
    about = f"{values[name]['description']} (default: {_written(default)})"
    return {"description": about, "anyOf": forms}


def _when(values: Mapping[str, Schema]) -> Schema:
    """The condition under which something is searched: others, and the value or values of each."""
    allowed = {
        name: {"anyOf": [_bare(one), {"type": "array", "items": _bare(one), "minItems": 1}]}
        for name, one in values.items()
    }
    return _table(allowed, "searched only where these others have this value, or one of these")


def _form(fields: Mapping[str, Any], values: Mapping[str, Schema]) -> Schema:
    return _table(
        {name: values[name] for name in fields},
        required=[name for name, field in fields.items() if field.is_required()],
    )


def _table(properties: Schema, description: str = "", required: list[str] | None = None) -> Schema:
    about = {"description": description} if description else {}
    needed = {"required": required} if required else {}
    table = {"type": "object", "properties": properties, "additionalProperties": False}
    return about | table | needed


def _bare(value: Schema) -> Schema:
    return {key: said for key, said in value.items() if key not in ("description", "default")}


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _plain(made: Any) -> Any:
    """Without pydantic's titles, which say what the keys say."""
    if isinstance(made, list):
        return [_plain(value) for value in made]
    if not isinstance(made, dict):
        return made
    return {
        key: _plain(value)
        for key, value in made.items()
        if not (key == "title" and isinstance(value, str))
    }
