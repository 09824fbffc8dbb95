"""What the settings of any kind of agent are: one frozen class each, one line per hyperparameter.

A *lanewise* hyperparameter may differ between the lanes of one cohort. A *shaping* one fixes tensor
shapes or the rhythm of updates, and is equal within a cohort.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["lanewise", "shaping"]


def lanewise(
    default: Any, help: str, *, low: float | None = None, high: float | None = None
) -> Any:
    """A hyperparameter that may differ between neighbours."""
    extra: dict[str, Any] = {"role": "lanewise"}
    return Field(default, description=help, ge=low, le=high, json_schema_extra=extra)


def shaping(default: Any, help: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A hyperparameter that all lanes of a cohort share."""
    extra: dict[str, Any] = {"role": "shaping"}
    return Field(default, description=help, ge=low, le=high, json_schema_extra=extra)


def list_as_tuple(value: Any) -> Any:
    """TOML and JSON have lists only."""
    return tuple(value) if isinstance(value, list) else value


class Hparams(BaseModel):
    """The settings of an agent. Steps are environment steps of the lane's own clock."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def role(cls, name: str) -> Role:
        """Whether this hyperparameter may differ within a cohort."""
        extra = cls.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        return "lanewise" if extra["role"] == "lanewise" else "shaping"

    @property
    def rhythm(self) -> int:
        """Steps from one moment at which neighbours may join to the next."""
        return 1

    @property
    def learns_after(self) -> int:
        """Steps before anything is learned."""
        return 0

    @property
    def environments(self) -> int:
        """How many environments an agent acts in, side by side."""
        return 1

    @property
    def cost(self) -> float:
        """About how long a lane takes for a step, measured in what a cohort takes for its own."""
        return 0.2

    @property
    def shape(self) -> tuple[Any, ...]:
        """What must be equal for two agents of a kind to share a cohort."""
        values = self.model_dump() | dict(self.computed())
        return tuple(value for name, value in values.items() if self.role(name) == "shaping")

    def computed(self) -> Mapping[str, Any]:
        """Those shaping values with which a lane is computed instead of its own."""
        return {}

    def eager(self) -> Self:
        """Settings of about as much work per step, done from the first step on, in little memory.

        For measurements of a few steps.
        """
        return self
