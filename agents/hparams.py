"""The settings of each kind of agent: one frozen class, one declaration per hyperparameter.

A *lanewise* hyperparameter may differ between the lanes of one cohort. A *shaping* one fixes tensor
shapes or the rhythm of updates, and is equal within a cohort.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from agents.errors import HparamsError
from agents.problems import problem_lines

Role = Literal["lanewise", "shaping"]
Width = Annotated[int, Field(ge=1, le=16_384)]


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


def _list_as_tuple(value: Any) -> Any:
    """TOML and JSON have lists only."""
    return tuple(value) if isinstance(value, list) else value


class DeepQHparams(BaseModel):
    """Deep Q-learning (Mnih et al. 2015); with no hidden layers, linear Q-learning.

    Steps are environment steps of the lane's own clock.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    learning_rate: float = lanewise(5e-4, "step size of Adam", low=1e-7, high=1.0)
    learning_rate_decay: Literal["none", "linear"] = lanewise(
        "none", "linear: the learning rate falls to zero at the end of the budget"
    )
    gamma: float = lanewise(0.99, "discount per step", low=0.0, high=1.0)
    n_steps: int = lanewise(
        1, "rewards in a target before it bootstraps (Hessel et al. 2018)", low=1, high=100
    )
    buffer_size: int = lanewise(50_000, "transitions in replay", low=1, high=100_000_000)
    batch_size: int = shaping(64, "transitions per update", low=1, high=16_384)
    learning_starts: int = lanewise(
        1_000, "steps of random acting before the first update", low=0, high=1_000_000_000
    )
    train_freq: int = shaping(4, "steps between rounds of updates", low=1, high=100_000)
    gradient_steps: int = shaping(1, "updates per round", low=1, high=100_000)
    target_update_interval: int = lanewise(
        500, "steps between updates of the target network", low=1, high=1_000_000_000
    )
    tau: float = lanewise(
        1.0, "share of the online weights in a target update; 1 copies", low=0.0, high=1.0
    )
    epsilon_start: float = lanewise(1.0, "share of random actions at first", low=0.0, high=1.0)
    epsilon_end: float = lanewise(0.05, "share of random actions at last", low=0.0, high=1.0)
    epsilon_decay_steps: int = lanewise(
        10_000,
        "steps of the decay: its length if linear, its time constant if exponential",
        low=1,
        high=1_000_000_000,
    )
    epsilon_decay: Literal["linear", "exponential"] = lanewise("linear", "shape of the decay")
    hidden_layers: Annotated[
        tuple[Width, ...], BeforeValidator(_list_as_tuple), Field(max_length=16)
    ] = shaping((64, 64), "units of each hidden layer; none makes the agent linear")
    activation: Literal["relu", "tanh"] = shaping("relu", "activation of the hidden layers")
    loss: Literal["huber", "mse"] = shaping("huber", "loss of the TD error")
    max_grad_norm: float = lanewise(10.0, "largest norm of a lane's gradient", low=1e-6, high=1e9)
    normalize_observations: bool = shaping(
        False, "scale observations by their running mean and variance"
    )
    double: bool = shaping(
        False, "choose the next action by the online network (van Hasselt et al. 2016)"
    )

    def model_post_init(self, context: Any, /) -> None:
        if self.batch_size > self.buffer_size:
            raise PydanticCustomError(
                "value_error",
                "{error}",
                {
                    "error": f"batch_size = {self.batch_size} is larger than "
                    f"buffer_size = {self.buffer_size}; lower the one or raise the other"
                },
            )


Hparams = DeepQHparams
KINDS: dict[str, type[Hparams]] = {"deep_q": DeepQHparams}


def make_hparams(kind: str, params: Mapping[str, Any]) -> Hparams:
    """Check `params` once; names left out keep the kind's default.

    Raises HparamsError with every problem found.
    """
    if kind not in KINDS:
        raise HparamsError(f"agent: '{kind}' is unknown; one of {', '.join(KINDS)}")
    try:
        return KINDS[kind].model_validate(dict(params))
    except ValidationError as error:
        raise HparamsError(problem_lines(error, known=lambda _: KINDS[kind].model_fields)) from None


def role(kind: str, name: str) -> Role:
    """Whether hyperparameter `name` may differ within a cohort."""
    extra = KINDS[kind].model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return "lanewise" if extra["role"] == "lanewise" else "shaping"


def shaping_values(kind: str, hparams: Hparams) -> tuple[Any, ...]:
    """What must be equal for two agents to share a cohort: sizes count as filled up."""
    values = hparams.model_dump() | {
        "hidden_layers": tuple(map(filled_up, hparams.hidden_layers)),
        "batch_size": filled_up(hparams.batch_size),
    }
    return tuple(value for name, value in values.items() if role(kind, name) == "shaping")


def lane_cost(hparams: Hparams) -> float:
    """About how long a lane takes for a step, in units of what any cohort takes for its own.

    Measured: a cohort of [64, 64], batch 64, one update per step, takes 110 us and 25 us per lane.
    """
    widths = [8, *map(filled_up, hparams.hidden_layers), 4]  # of few features and actions
    multiplications = filled_up(hparams.batch_size) * sum(a * b for a, b in pairwise(widths))
    updates_per_step = hparams.gradient_steps / hparams.train_freq
    return 0.05 + 0.2 * updates_per_step * multiplications / 64**3


def filled_up(size: int) -> int:
    """The width or batch size with which a lane is computed; what exceeds its own is zero.

    Steps of 16 up to 128, then of a quarter of the power of two below: lanes of nearly equal sizes
    share a cohort, and at most a quarter is added beyond 64. A lane is filled up alone, too, so
    that this cannot tell it from itself among neighbours.
    """
    step = max(16, 1 << max(0, (size - 1).bit_length() - 3))
    return -(-size // step) * step
