"""What the schemas allow in study files and hparams.json is what their readers allow."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agents.kinds import KINDS
from tests.tuner.commands import Quick
from tests.tuner.tiny import TINY
from tuner import study as studies
from tuner.errors import StudyError, UsageError
from tuner.hparams_file import read
from tuner.schemas import schema
from tuner.study_tables import StudyTable

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.toml"))
RESULTS = sorted((ROOT / "docs" / "results").glob("*/hparams.json"))
SUBJECTS = ("study", "hparams")
Data = dict[str, Any]


def valid(subject: Any, data: Data) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(subject)).is_valid(data))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_schema_is_a_schema(subject: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(subject))


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_shipped_study_fits(file: Path) -> None:
    assert valid("study", tomllib.loads(file.read_text()))


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.parent.name)
def test_every_shipped_hparams_json_fits(file: Path) -> None:
    assert valid("hparams", json.loads(file.read_text()))


def test_what_a_study_records_of_itself_with_all_defaults_fits() -> None:
    for name in studies.shipped_names():
        study = studies.load(name)
        table = study.study.model_dump(mode="json")

        assert valid("study", tomllib.loads((ROOT / f"studies/{name}.toml").read_text()))
        assert valid("study", {**_said(study.spec()), "study": table})


WRONG_STUDIES: dict[str, Callable[[Data], object]] = {
    "no study table": lambda data: data.pop("study"),
    "no space": lambda data: data.pop("space"),
    "an empty space": lambda data: data["space"].clear(),
    "an unknown table": lambda data: data.update(spaces={}),
    "an unknown key": lambda data: data["study"].update(n_trials=3),
    "text for a number": lambda data: data["study"].update(trials="3"),
    "a fraction of a step": lambda data: data["budget"].update(steps=0.5),
    "no trial": lambda data: data["study"].update(trials=0),
    "a name with a space": lambda data: data["study"].update(name="my study"),
    "an unknown agent": lambda data: data["study"].update(agent="deep_r"),
    "an unknown sampler": lambda data: data["sampler"].update(name="grid"),
    "one confirmation seed": lambda data: data["seeds"].update(confirm=1),
    "a negative seed of one's own": lambda data: data["seeds"].update(own_tune=[-1, 2]),
    "a list where a table belongs": lambda data: data.update(budget=[1]),
    "an unknown hyperparameter": lambda data: data["space"].update(learnrate={"choices": [1.0]}),
    "an unknown fixed one": lambda data: data["fixed"].update(lr=1.0),
    "another agent's hyperparameter": lambda data: data["fixed"].update(eta=0.1),
    "a value out of range": lambda data: data["fixed"].update(gamma=1.5),
    "a range out of range": lambda data: data["space"].update(gamma={"low": 0.9, "high": 1.5}),
    "a range without an end": lambda data: data["space"].update(gamma={"low": 0.9}),
    "a range of words": lambda data: data["space"].update(loss={"low": 1, "high": 2}),
    "a choice there is not": lambda data: data["space"].update(loss={"choices": ["huber", "l1"]}),
    "no choice": lambda data: data["space"].update(gamma={"choices": []}),
    "a choice twice": lambda data: data["space"].update(gamma={"choices": [0.9, 0.9]}),
    "choices and a range": lambda data: data["space"]["gamma"].update(low=0.1, high=0.9),
    "a step of nothing": lambda data: data["space"].update(
        gamma={"low": 0.1, "high": 0.9, "step": 0}
    ),
    "a condition on nothing known": lambda data: data["space"]["gamma"].update(when={"x": 1}),
    "seventeen layers": lambda data: data["fixed"].update(hidden_layers=[8] * 17),
    "a number for yes or no": lambda data: data["fixed"].update(double=1),
}


@pytest.mark.parametrize("wrong", WRONG_STUDIES)
def test_a_wrong_study_fits_neither_the_schema_nor_the_reader(wrong: str) -> None:
    data = tomllib.loads(TINY)
    data["space"].pop("hidden_layers")
    assert valid("study", data)

    WRONG_STUDIES[wrong](data)

    assert not valid("study", data)
    with pytest.raises(StudyError):
        studies.parse(_toml(data).encode(), "wrong.toml")


WRONG_HPARAMS: dict[str, Callable[[Data], object]] = {
    "no agent": lambda data: data.pop("agent"),
    "an unknown key": lambda data: data.update(steps=1),
    "a later schema": lambda data: data.update(schema=2),
    "an unknown hyperparameter": lambda data: data["hparams"].update(lr=0.1),
    "a hyperparameter out of range": lambda data: data["hparams"].update(gamma=2.0),
    "text for a number": lambda data: data["hparams"].update(batch_size="64"),
    "no step": lambda data: data.update(budget_steps=0),
    "no mark": lambda data: data["evaluation"].update(marks=0),
    "an environment with a space": lambda data: data["env"].update(id="Cart Pole"),
    "an unknown status": lambda data: data["evidence"].update(status="certain"),
    "a negative seed": lambda data: data["evidence"]["test"]["seeds"].__setitem__(0, -1),
    "no score": lambda data: data["evidence"]["test"].pop("scores"),
    "another agent": lambda data: data.update(agent="projective"),
    "a checksum of words": lambda data: data.update(sha256="yes"),
}


@pytest.mark.parametrize("wrong", WRONG_HPARAMS)
def test_a_wrong_hparams_json_fits_neither_the_schema_nor_the_reader(
    wrong: str, tmp_path: Path
) -> None:
    data = json.loads(RESULTS[0].read_text())
    if "checksum" not in wrong:
        del data["sha256"]

    WRONG_HPARAMS[wrong](data)
    (tmp_path / "h.json").write_text(json.dumps(data))

    assert not valid("hparams", data)
    with pytest.raises(Exception) as refused:  # a damaged checksum is refused otherwise
        read(tmp_path / "h.json")
    assert isinstance(refused.value, UsageError) or "checksum" in str(refused.value)


def test_every_hyperparameter_has_its_meaning_range_and_default_there() -> None:
    tables = schema("study")["$defs"]
    for kind, model in KINDS.items():
        fixed, space = tables[f"{kind}_fixed"], tables[f"{kind}_space"]
        assert list(fixed["properties"]) == list(space["properties"]) == list(model.model_fields)
        for name, field in model.model_fields.items():
            said = fixed["properties"][name]
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert (said["description"], said["default"]) == (field.description, default)


def test_every_key_of_a_study_file_has_its_meaning_there() -> None:
    tables = schema("study")["$defs"]

    for name in ("StudyTable", "BudgetTable", "SeedsTable", "ObjectiveTable"):
        assert all(key.get("description") for key in tables[name]["properties"].values()), name
    assert list(tables["StudyTable"]["properties"]) == list(StudyTable.model_fields)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_command_prints_it_or_writes_it(subject: Any, quick: Quick, tmp_path: Path) -> None:
    printed = quick("schema", subject, folder=tmp_path)
    written = quick("schema", subject, "-o", "it.json", folder=tmp_path)
    again = quick("schema", subject, "-o", "it.json", folder=tmp_path)

    assert (printed.code, written.code) == (0, 0), printed.err + written.err
    assert json.loads(printed.out) == schema(subject)
    assert json.loads((tmp_path / "it.json").read_text()) == schema(subject)
    assert again.code == 2 and "add --force" in again.err


def test_an_unknown_subject_is_refused(quick: Quick, tmp_path: Path) -> None:
    ended = quick("schema", "studies", folder=tmp_path)

    assert ended.code == 2
    assert "'study', 'hparams'" in ended.err


def _said(spec: Any) -> Any:
    """A recorded study as a file would say it: what is None stands nowhere."""
    if isinstance(spec, dict):
        return {key: _said(value) for key, value in spec.items() if value is not None}
    return spec


def _toml(data: Data) -> str:
    """A study file of tables of plain values."""
    return "\n".join(
        f"{name} = {_inline(table)}" if not isinstance(table, dict) else _section(name, table)
        for name, table in sorted(data.items(), key=lambda pair: isinstance(pair[1], dict))
    )


def _section(name: str, table: Data) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {_inline(value)}" for key, value in table.items())])


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
