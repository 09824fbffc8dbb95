"""The tables of a study file, apart from its space: keys, defaults and what each may be."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from agents.hparams import list_as_tuple
from agents.kinds import Kind
from tuner.search_space import STRICT
from tuner.seed_pools import Pool

MOST_TRIALS = 1_000_000
MOST_STEPS = 1_000_000_000
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Scalar = str | int | float | bool
Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...], BeforeValidator(list_as_tuple)
]


class StudyTable(BaseModel):
    model_config = STRICT

    name: Name = Field(description="by which the database knows it")
    env: str = Field(description="a registered gymnasium environment")
    env_kwargs: dict[str, Scalar] = Field(default={}, description="what gymnasium.make gets")
    agent: Kind = Field(default="deep_q", description="the kind of agent")
    trials: int = Field(
        ge=1, le=MOST_TRIALS, description="configurations; the only key that may change later"
    )
    master_seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="all run seeds follow from it"
    )


class BudgetTable(BaseModel):
    model_config = STRICT

    steps: int = Field(ge=1, le=MOST_STEPS, description="environment steps per run")
    evaluations: int = Field(
        default=25, ge=1, le=1_000, description="marks, equally spaced; the last one at the end"
    )
    episodes: int = Field(default=10, ge=1, le=1_000, description="greedy episodes at each mark")


class SeedsTable(BaseModel):
    model_config = STRICT

    start: int = Field(
        default=2, ge=1, le=1_000, description="seeds a trial begins with; the first ten get three"
    )
    max: int = Field(default=5, ge=1, le=1_000, description="seeds a contender may reach")
    confirm: int = Field(default=10, ge=2, le=1_000, description="fresh seeds for each finalist")
    test: int = Field(
        default=20, ge=2, le=1_000, description="fresh seeds for the winner and the default"
    )
    own_tune: Seeds = Field(default=(), description="your own, at least max")
    own_confirm: Seeds = Field(default=(), description="your own, at least confirm")
    own_test: Seeds = Field(default=(), description="your own, at least test")

    def number(self, pool: Pool) -> int:
        """How many seeds of a pool the study may use."""
        return {Pool.TUNE: self.max, Pool.CONFIRM: self.confirm, Pool.TEST: self.test}[pool]

    def own(self, pool: Pool) -> tuple[int, ...]:
        """The user's own seeds for it, if there are any."""
        return {
            Pool.TUNE: self.own_tune,
            Pool.CONFIRM: self.own_confirm,
            Pool.TEST: self.own_test,
        }.get(pool, ())


class ObjectiveTable(BaseModel):
    model_config = STRICT

    score: Literal["final", "auc"] = Field(
        default="final",
        description="a run's number: the mean of the last 10 % of the marks, at least 5; or of all",
    )
    across_seeds: Literal["mean", "iqm", "mean_minus_std", "cvar"] = Field(
        default="mean", description="a trial's number"
    )


class SamplerTable(BaseModel):
    model_config = STRICT

    name: Literal["tpe", "random"] = Field(default="tpe", description="who proposes trials")


class PrunerTable(BaseModel):
    model_config = STRICT

    name: Literal["none", "median", "hyperband"] = Field(
        default="none", description="who may end trials within their runs"
    )
