"""A study: one search, as its TOML file says it. Read strictly, checked once, frozen."""

import hashlib
import json
import os
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from agents.budget import Budget
from agents.environments import EnvSpec
from agents.errors import HparamsError
from agents.hparams import Hparams
from agents.kinds import KINDS, make_hparams
from agents.problems import problem_lines
from tuner.errors import StudyError
from tuner.input_files import read_small
from tuner.racing import Rule
from tuner.search_space import (
    STRICT,
    Choices,
    Range,
    Searched,
    to_hparams,
)
from tuner.seed_pools import Pool, run_seed
from tuner.space_problems import space_problems
from tuner.study_tables import (
    MOST_STEPS,
    BudgetTable,
    ObjectiveTable,
    PrunerTable,
    SamplerTable,
    SeedsTable,
    StudyTable,
)

USED_POOLS = (Pool.TUNE, Pool.CONFIRM, Pool.TEST)
# What may change when a study is continued; everything else is its identity.
CHANGEABLE = ("study.trials",)


class Study(BaseModel):
    """One search. The tables and keys are those of the TOML file."""

    model_config = STRICT

    study: StudyTable
    budget: BudgetTable
    seeds: SeedsTable = SeedsTable()
    objective: ObjectiveTable = ObjectiveTable()
    sampler: SamplerTable = SamplerTable()
    pruner: PrunerTable = PrunerTable()
    space: dict[str, Searched]
    fixed: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return self.study.name

    @property
    def run_budget(self) -> Budget:
        """What every run of the study trains for."""
        return Budget(self.budget.steps, self.budget.evaluations, self.budget.episodes)

    @property
    def env_spec(self) -> EnvSpec:
        """The environment of every run."""
        return EnvSpec(self.study.env, self.study.env_kwargs)

    @property
    def race(self) -> Rule:
        """How trials get seeds."""
        return Rule(self.seeds.start, self.seeds.max)

    def run_seed(self, pool: Pool, index: int) -> int:
        """Seed number `index` of a pool: the user's own, or one derived from the master seed."""
        own = self.seeds.own(pool)
        return own[index] if own else run_seed(self.study.master_seed, pool, index)

    def hparams(self, params: dict[str, Any]) -> Hparams:
        """The agent that sampled `params` stand for."""
        return to_hparams(self.study.agent, self.space, self.fixed, params)

    def with_trials(self, trials: int) -> "Study":
        """The same study, longer or shorter."""
        return self.model_copy(update={"study": self.study.model_copy(update={"trials": trials})})

    def spec(self) -> dict[str, Any]:
        """Everything in the file, defaults included, as plain JSON data."""
        spec: dict[str, Any] = json.loads(self.model_dump_json())
        return spec

    def fingerprint(self) -> str:
        """SHA-256 of all that decides what the study's runs are."""
        identity = {key: value for key, value in flat(self.spec()) if key not in CHANGEABLE}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @staticmethod
    def from_spec(spec: dict[str, Any]) -> "Study":
        """A study from its recorded `spec()`, of this version or an older one.

        Raises StudyError for what this version cannot read, naming the study.
        """
        try:
            space = {
                name: {key: value for key, value in searched.items() if value is not None}
                for name, searched in spec["space"].items()
            }
            return Study.model_validate({**spec, "space": space}).resolved()
        except ValidationError as error:
            problem = problem_lines(error, known=_known_keys, place=_place)[0]
        except HparamsError as error:
            problem = error.problems[0]
        except (AttributeError, KeyError, TypeError) as error:
            problem = f"not as recorded by this one ({type(error).__name__}: {error})"
        raise StudyError(
            f"study '{_name(spec)}' was made by a later or another version: {problem}; "
            "look at it with that version"
        )

    def resolved(self) -> "Study":
        """The same study with every default of the agent written out under [fixed].

        What was searched stays what it was, whatever a later version's defaults are.
        """
        defaults = make_hparams(self.study.agent, {}).model_dump(mode="json")
        unsaid = {name: value for name, value in defaults.items() if name not in self.space}
        return self.model_copy(update={"fixed": unsaid | self.fixed})

    def differences(self, recorded: "Study") -> list[str]:
        """Where this study departs from a recorded one, as "key old -> new" lines."""
        ours, theirs = dict(flat(self.spec())), dict(flat(recorded.spec()))
        return [
            f"{key} {theirs.get(key, 'absent')} -> {ours.get(key, 'absent')}"
            for key in sorted(ours.keys() | theirs.keys())
            if key not in CHANGEABLE and ours.get(key) != theirs.get(key)
        ]


def _name(spec: Any) -> str:
    try:
        return str(spec["study"]["name"])
    except (KeyError, TypeError):
        return "?"


def load(name_or_path: str) -> Study:
    """A shipped study by its name, or a study file by its path.

    Raises StudyError with every problem of the file, each with its place and mend.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or os.path.isfile(path):  # which takes names of any length
        missing, too_large = "`tuner studies` lists the shipped ones", "; it is a page of text"
        return parse(read_small(path, StudyError, missing, too_large), str(path))
    shipped = shipped_names()
    if name_or_path not in shipped:
        near = get_close_matches(name_or_path, shipped, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"shipped: {', '.join(shipped)}"
        raise StudyError(f"no study '{name_or_path}'; {hint} (or give the path of a .toml file)")
    file = resources.files("studies").joinpath(f"{name_or_path}.toml")
    return parse(file.read_bytes(), f"{name_or_path}.toml")


def shipped_names() -> list[str]:
    """The studies that come with the package."""
    files = resources.files("studies").iterdir()
    return sorted(file.name[:-5] for file in files if file.name.endswith(".toml"))


def parse(content: bytes, where: str) -> Study:
    """A study from the text of its file; `where` names the file in messages."""
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise StudyError(
            f"{where}: not UTF-8 text (byte 0x{byte:02x} at offset {error.start})"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{where}: invalid TOML: {error}") from None
    except RecursionError:
        raise StudyError(f"{where}: nested too deeply") from None
    if not data:
        raise StudyError(f"{where}: empty; needs at least [study], [budget] and [space]")
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        lines = problem_lines(error, known=_known_keys, place=_place) + _space_lines(data)
        raise StudyError([f"{where}: {line}" for line in lines]) from None
    problems = [*_seed_problems(study.seeds), *_overlaps(study), *_budget_problems(study)]
    problems += space_problems(
        study.study.agent,
        study.space,
        study.fixed,
        study.budget.steps,
        study.budget.evaluations,
    )
    problems = problems or _default_problems(study)
    if problems:
        raise StudyError([f"{where}: {line}" for line in problems])
    return study.resolved()


def _space_lines(data: dict[str, Any]) -> list[str]:
    """What is wrong with those entries of a space that can be read, in a file that is wrong."""
    tables = {name: data.get(name) for name in ("study", "budget", "space", "fixed")}
    study, budget, space, fixed = (
        table if isinstance(table, dict) else {} for table in tables.values()
    )
    agent = study.get("agent", "deep_q")
    steps = budget.get("steps")
    readable: dict[str, Range | Choices] = {}
    for name, entry in space.items():
        with suppress(ValidationError):  # said already
            readable[name] = TypeAdapter[Range | Choices](Searched).validate_python(entry)
    whole = steps if type(steps) is int and steps > 0 else MOST_STEPS
    lines = space_problems(agent, readable, fixed, whole) if agent in KINDS else []
    with suppress(ValidationError):
        lines += _seed_problems(SeedsTable.model_validate(data.get("seeds", {})))
    return lines


def flat(table: Any, prefix: str = "") -> Sequence[tuple[str, Any]]:
    """Nested tables as ("table.key", value) pairs."""
    if not isinstance(table, dict):
        return [(prefix, table)]
    inner = ((f"{prefix}.{key}" if prefix else key, value) for key, value in table.items())
    return [pair for key, value in inner for pair in flat(value, key)]


def _seed_problems(seeds: SeedsTable) -> list[str]:
    problems = []
    if seeds.start > seeds.max:
        problems.append(
            f"[seeds] start = {seeds.start} is above max = {seeds.max}; a trial begins with start "
            "seeds and may reach max"
        )
    for pool in USED_POOLS:
        own, needed = seeds.own(pool), seeds.number(pool)
        if own and len(own) < needed:
            count = "max" if pool == Pool.TUNE else pool.word
            problems.append(
                f"[seeds] own_{pool.word}: {len(own)} seeds, but {count} = {needed}; "
                "give as many, or lower it"
            )
    return problems


def _overlaps(study: Study) -> list[str]:
    """Seeds that stand in two pools, or twice in one."""
    if not any(study.seeds.own(pool) for pool in USED_POOLS):
        return []
    problems = []
    found: dict[int, Pool] = {}
    for pool in USED_POOLS:
        own = study.seeds.own(pool)
        count = len(own) or study.seeds.number(pool)
        for seed in (study.run_seed(pool, index) for index in range(count)):
            if seed in found:
                where = "twice" if found[seed] == pool else f"also a {found[seed].word} seed"
                problems.append(
                    f"[seeds] own_{pool.word}: {seed} is {where}; a seed that chose a "
                    "configuration cannot judge it: name each once"
                )
            found[seed] = pool
    return problems


def _default_problems(study: Study) -> list[str]:
    """Why the agent's defaults, which every winner is compared with, cannot be trained here."""
    try:
        study.hparams({})
    except HparamsError as error:
        return [
            f"[fixed]: does not go with the agent's defaults, which are confirmed and tested "
            f"beside the winner: {line}"
            for line in error.problems
        ]
    return []


def _budget_problems(study: Study) -> Sequence[str]:
    if study.budget.evaluations > study.budget.steps:
        return [
            f"[budget] evaluations = {study.budget.evaluations}: must be at most "
            f"steps = {study.budget.steps}"
        ]
    if study.space or not KINDS[study.study.agent].model_fields:
        return []
    return ["[space]: empty; name at least one hyperparameter to search"]


def _place(location: Sequence[str | int]) -> str:
    """`[table] key` as in the file, without pydantic's names of alternatives."""
    parts = [str(part) for part in location]
    if parts[0] == "space" and len(parts) > 2:
        parts = parts[:2] + parts[3:]
    if len(parts) == 1:
        return f"[{parts[0]}]"
    return f"[{parts[0]}] {'.'.join(parts[1:])}"


def _known_keys(location: Sequence[str | int]) -> Sequence[str]:
    if len(location) == 1:
        return list(Study.model_fields)
    if location[0] == "space":
        return ["low", "high", "log", "step", "choices", "when"]
    table = Study.model_fields[str(location[0])].annotation
    assert isinstance(table, type) and issubclass(table, BaseModel)
    return list(table.model_fields)
