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

    name: Name
    env: str
    env_kwargs: dict[str, Scalar] = {}
    agent: Kind = "deep_q"
    trials: int = Field(ge=1, le=MOST_TRIALS)
    master_seed: int = Field(default=0, ge=0, le=2**32 - 1)


class BudgetTable(BaseModel):
    model_config = STRICT

    steps: int = Field(ge=1, le=MOST_STEPS)
    evaluations: int = Field(default=25, ge=1, le=1_000)
    episodes: int = Field(default=10, ge=1, le=1_000)


class SeedsTable(BaseModel):
    model_config = STRICT

    start: int = Field(default=2, ge=1, le=1_000)
    max: int = Field(default=5, ge=1, le=1_000)
    confirm: int = Field(default=10, ge=2, le=1_000)
    test: int = Field(default=20, ge=2, le=1_000)
    own_tune: Seeds = ()
    own_confirm: Seeds = ()
    own_test: Seeds = ()

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

    score: Literal["final", "auc"] = "final"
    across_seeds: Literal["mean", "iqm", "mean_minus_std", "cvar"] = "mean"


class SamplerTable(BaseModel):
    model_config = STRICT

    name: Literal["tpe", "random"] = "tpe"


class PrunerTable(BaseModel):
    model_config = STRICT

    name: Literal["none", "median", "hyperband"] = "none"
