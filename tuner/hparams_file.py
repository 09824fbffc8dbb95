"""hparams.json: what an agent is, where its claim comes from, and a checksum over both.

The file names no code, holds no NaN, and is written whole or not at all.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from agents.budget import Budget
from agents.environments import EnvSpec
from agents.errors import HparamsError
from agents.files import write_whole
from agents.hparams import Hparams
from agents.kinds import KINDS, Kind, make_hparams
from agents.problems import problem_lines
from tuner.errors import UsageError, VerificationError
from tuner.input_files import read_small
from tuner.search_space import STRICT

SQLITE = b"SQLite format 3\0"  # how its files begin
NAME = "hparams.json"  # in the directory of an agent
SCHEMA = 1
ALSO = " and "  # between what runs of one claim were made with, where that differs
DEEPEST_NESTING = 20


class EnvTable(BaseModel):
    model_config = STRICT

    id: Annotated[str, Field(pattern="^[!-~]{1,200}$")]
    kwargs: dict[str, str | int | float | bool] = {}


class EvaluationTable(BaseModel):
    model_config = STRICT

    marks: int = Field(ge=1, le=1_000)
    episodes: int = Field(ge=1, le=1_000)
    score: Literal["final", "auc"]


class RunsTable(BaseModel):
    """Runs of one purpose: every seed and its score."""

    model_config = {**STRICT, "extra": "allow"}

    seeds: list[Annotated[int, Field(ge=0, le=2**32 - 1)]]
    scores: list[float]
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    threshold: float | None = None
    solved: int | None = None
    failed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one_score_for_every_seed(self) -> Self:
        if len(self.seeds) != len(self.scores):
            raise ValueError(f"{len(self.seeds)} seeds, but {len(self.scores)} scores")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed stands twice; each counts once")
        if self.failed > len(self.seeds):
            raise ValueError(f"{self.failed} of {len(self.seeds)} runs cannot have failed")
        return self


class DifferenceTable(BaseModel):
    """Of two means."""

    model_config = {**STRICT, "extra": "allow"}

    mean: float
    probability_better: float | None = None


class Evidence(BaseModel):
    """Where a claim comes from. What later versions add is kept and passes unread."""

    model_config = {**STRICT, "extra": "allow"}

    status: Literal["tested", "confirmed", "unconfirmed"]
    study: str | None = None
    trial: int | None = None
    trials: Annotated[int, Field(ge=0)] = 0
    best_tune_mean: float | None = None
    optimism_gap: float | None = None
    optimism_gap_to_confirm: float | None = None
    difference_to_default: DifferenceTable | None = None
    reliability: float | None = None
    tested_before: list[int] | None = None
    return_bounds: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    sentence: str | None = None
    master_seed: int | None = None
    own_seeds: list[str] | None = None
    random_score: float | None = None
    tune: RunsTable | None = None
    confirm: RunsTable | None = None
    test: RunsTable | None = None
    default_config_confirm: RunsTable | None = None
    default_config_test: RunsTable | None = None


class HparamsFile(BaseModel):
    """The content of hparams.json, checksum apart.

    evidence   where the claim comes from: study, trial, seeds and scores; absent if written by hand
    made_with  versions and processor behind the evidence
    """

    model_config = STRICT

    schema_: Literal[1] = Field(default=1, alias="schema")
    agent: Kind
    env: EnvTable
    budget_steps: int = Field(ge=1, le=1_000_000_000)
    evaluation: EvaluationTable
    hparams: dict[str, Any]
    evidence: Evidence | None = None
    made_with: dict[str, str] | None = None

    @property
    def budget(self) -> Budget:
        """What a run of it trains for."""
        return Budget(self.budget_steps, self.evaluation.marks, self.evaluation.episodes)

    @property
    def env_spec(self) -> EnvSpec:
        """The environment of every run."""
        return EnvSpec(self.env.id, self.env.kwargs)

    def claimed_scores(self) -> dict[int, float]:
        """The scores that the evidence records, by seed."""
        scores: dict[int, float] = {}
        if self.evidence is not None:
            for runs in (self.evidence.tune, self.evidence.confirm, self.evidence.test):
                if runs is not None:
                    scores |= dict(zip(runs.seeds, runs.scores, strict=True))
        return scores

    def checked_hparams(self) -> Hparams:
        """Its hyperparameters. They were checked when the file was read."""
        return make_hparams(self.agent, self.hparams)


def write(path: Path, file: HparamsFile, *, force: bool) -> None:
    """Write the file with its checksum, or leave the old one as it was."""
    check_target(path, force=force)
    content = file.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["sha256"] = checksum(content)
    write_text(path, json.dumps(content, indent=2) + "\n")


def check_target(path: Path, *, force: bool, option: str = "-o") -> None:
    """Refuse a place where no file can be written, or where one is; a database or a device also
    with `force`."""
    if os.path.isdir(path):
        raise UsageError(f"{option}: '{path}' is a directory; give a file name")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{option}: '{path}' is not an ordinary file; give another name")
    if _is_database(path):
        raise UsageError(f"{option}: '{path}' is an SQLite database; give another name")
    if not path.parent.is_dir():
        raise UsageError(f"{option}: directory '{path.parent}' does not exist; make it first")
    if os.path.lexists(path) and not force:
        raise UsageError(f"{option}: '{path}' exists; add --force to replace it")


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def write_text(path: Path, text: str) -> None:
    """Write it whole, or leave the old one as it was."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(f"-o: '{path}' cannot be written ({error.strerror})") from None


def read(path: Path) -> HparamsFile:
    """A file that is what it claims to be.

    Raises UsageError for a wrong file, VerificationError for a damaged or edited one.
    """
    where = str(path)
    missing, too_large = "`tuner export` writes one", ", which no hparams.json is"
    content = read_small(path, UsageError, missing, too_large)
    data = _parsed(content, where)
    claimed = data.pop("sha256", None)
    if claimed is not None and claimed != checksum(data):
        raise VerificationError(
            f"{where}: the checksum does not match the content; the file was edited or damaged "
            '(remove its "sha256", and the comma before it, to use it all the same)'
        )
    return _checked(data, where)


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the content without "sha256": sorted keys, separators ',' and ':', UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise UsageError(f"{where}: '{key}' appears twice; keep one of the two")
            seen[key] = value
        return seen

    def refuse(constant: str) -> Any:
        raise UsageError(f"{where}: {constant} is not a finite number")

    try:
        text = content.decode("utf-8")
        if _nesting(text) > DEEPEST_NESTING:
            raise UsageError(f"{where}: nested deeper than {DEEPEST_NESTING} levels")
        data = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 text (at offset {error.start})") from None
    except json.JSONDecodeError as error:
        raise VerificationError(
            f"{where}: incomplete or damaged JSON at byte {error.pos} ({error.msg}); "
            "export it again"
        ) from None
    except ValueError as error:  # a number of thousands of digits
        raise UsageError(f"{where}: {error}") from None
    if not isinstance(data, dict):
        raise UsageError(f"{where}: must be a JSON object")
    return data


def _nesting(text: str) -> int:
    """An upper bound of the depth of a JSON text (brackets in strings count too)."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _checked(data: dict[str, Any], where: str) -> HparamsFile:
    schema = data.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise UsageError(
            f"{where}: schema {schema} is newer than this version understands ({SCHEMA}); upgrade"
        )
    problems = []
    file = None
    try:
        file = HparamsFile.model_validate(data)
    except ValidationError as error:
        names = [field.alias or name for name, field in HparamsFile.model_fields.items()]
        problems += problem_lines(error, known=lambda place: names)
    environments = 1
    try:
        if isinstance(data.get("hparams"), dict) and data.get("agent") in KINDS:
            environments = make_hparams(data["agent"], data["hparams"]).environments
    except HparamsError as error:
        problems += [f"hparams.{line}" for line in error.problems]
    if file is not None and file.evaluation.marks * environments > file.budget_steps:
        problems.append(
            f"evaluation.marks: {file.evaluation.marks} are more than budget_steps "
            f"{file.budget_steps} has room for with num_envs {environments}; lower one of them"
        )
    if problems or file is None:
        raise UsageError([f"{where}: {line}" for line in problems])
    return file
