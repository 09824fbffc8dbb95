"""What scheduler and trainers say to each other: plain data as JSON, never code."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter


@dataclass(frozen=True)
class Admit:
    """Scheduler: train this run. `run` is a name of the scheduler's choice."""

    run: str
    agent: str
    hparams: dict[str, Any]
    env_id: str
    env_kwargs: dict[str, Any]
    steps: int
    evaluations: int
    episodes: int
    seed: int
    type: Literal["admit"] = "admit"


@dataclass(frozen=True)
class Measure:
    """Scheduler: how fast do runs like `sample` train with so many lanes? Asked before any run."""

    sample: Admit
    counts: list[int]
    type: Literal["measure"] = "measure"


@dataclass(frozen=True)
class PlayRandom:
    """Scheduler: what does an agent get that acts at random? Asked before any run."""

    env_id: str
    env_kwargs: dict[str, Any]
    episodes: int
    seed: int
    type: Literal["play_random"] = "play_random"


@dataclass(frozen=True)
class Evict:
    """Scheduler: these runs are no longer wanted."""

    runs: list[str]
    type: Literal["evict"] = "evict"


@dataclass(frozen=True)
class Ready:
    """Trainer: I am up. made_with: versions and processor, recorded with every run."""

    made_with: dict[str, str]
    type: Literal["ready"] = "ready"


@dataclass(frozen=True)
class Measured:
    """Trainer: environment steps per second for each of the counts, all lanes together."""

    rates: list[float]
    type: Literal["measured"] = "measured"


@dataclass(frozen=True)
class PlayedRandom:
    """Trainer: the returns of a random agent, and the bounds of returns where they are known.

    failure: why there are none
    """

    returns: list[float]
    threshold: float | None = None
    bounds: tuple[float, float] | None = None
    failure: str | None = None
    type: Literal["played_random"] = "played_random"


@dataclass(frozen=True)
class Evaluated:
    """Trainer: a run reached mark number `mark` (from 1) at environment step `step`."""

    run: str
    mark: int
    step: int
    returns: list[float]
    type: Literal["evaluated"] = "evaluated"


@dataclass(frozen=True)
class Finished:
    """Trainer: a run reached the end of its budget, `seconds` after it was admitted.

    exact: whether lanes are independent bit for bit on the trainer's machine.
    """

    run: str
    seconds: float
    exact: bool
    type: Literal["finished"] = "finished"


@dataclass(frozen=True)
class Failed:
    """Trainer: a run ended early. reason: env_error or diverged."""

    run: str
    reason: str
    text: str
    seconds: float
    type: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Advanced:
    """Trainer: so many environment steps of all my lanes since I last said so.

    cohort_steps: of cohorts, each of which moves all its lanes by one
    """

    lane_steps: int
    cohort_steps: int
    type: Literal["advanced"] = "advanced"


Command = Admit | Measure | PlayRandom | Evict
Report = Ready | Measured | PlayedRandom | Evaluated | Finished | Failed | Advanced
_commands: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
_reports: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="type")])


def encode(message: Command | Report) -> bytes:
    """A message as JSON."""
    adapter = _commands if isinstance(message, Command) else _reports
    return adapter.dump_json(message)  # type: ignore[arg-type]


def decode_command(content: bytes) -> Command:
    """What the scheduler said."""
    return _commands.validate_json(content)


def decode_report(content: bytes) -> Report:
    """What a trainer said."""
    return _reports.validate_json(content)
