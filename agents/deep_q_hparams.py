"""The settings of deep Q-learning."""

from collections.abc import Mapping
from itertools import pairwise
from math import lcm
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from agents.hparams import Hparams, lanewise, list_as_tuple, shaping

Head = Literal["plain", "dueling", "state_action"]
Width = Annotated[int, Field(ge=1, le=16_384)]
EAGER_STEPS = 16
EAGER_BUFFER = 1_000


class DeepQHparams(Hparams):
    """Deep Q-learning (Mnih et al. 2015); with no hidden layers, linear Q-learning.

    Steps are environment steps of the lane's own clock. With `num_envs` environments it moves by as
    many at once. What is due at one of the steps between is done after the last of them: every
    update, so that `train_freq` and `gradient_steps` mean as many updates per step, but one move of
    the target at most.
    """

    learning_rate: float = lanewise(5e-4, "step size of Adam", low=1e-7, high=1.0)
    learning_rate_decay: Literal["none", "linear"] = lanewise(
        "none", "linear: the learning rate falls to zero at the end of the budget"
    )
    gamma: float = lanewise(0.99, "discount per step", low=0.0, high=1.0)
    n_steps: int = lanewise(
        1, "rewards in a target before it bootstraps (Hessel et al. 2018)", low=1, high=100
    )
    buffer_size: int = lanewise(50_000, "transitions in replay", low=1, high=100_000_000)
    priority_alpha: float = lanewise(
        0.0, "0 samples uniformly, 1 by the TD error (Schaul et al. 2016)", low=0.0, high=1.0
    )
    priority_beta: float = lanewise(
        0.4, "correction for priorities at first; 1 at the end", low=0.0, high=1.0
    )
    batch_size: int = shaping(64, "transitions per update", low=1, high=16_384)
    learning_starts: int = lanewise(
        1_000, "steps of random acting before the first update", low=0, high=1_000_000_000
    )
    num_envs: int = shaping(
        1, "environments an agent collects from side by side", low=1, high=1_024
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
    epsilon_clock: Literal["steps", "episodes"] = lanewise(
        "steps", "episodes: epsilon_decay_steps counts episodes"
    )
    hidden_layers: Annotated[
        tuple[Width, ...], BeforeValidator(list_as_tuple), Field(max_length=16)
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
    head: Head = shaping(
        "plain",
        "dueling: a state's value and its actions' advantages (Wang et al. 2016); "
        "state_action: the action is an input",
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

    @property
    def rhythm(self) -> int:
        return lcm(self.train_freq, self.num_envs)

    @property
    def environments(self) -> int:
        return self.num_envs

    @property
    def learns_after(self) -> int:
        return self.learning_starts

    @property
    def cost(self) -> float:
        """A cohort of [64, 64], batch 64, one update per step, takes 110 us and 25 us per lane."""
        widths = [8, *map(filled_up, self.hidden_layers), 4]  # of few features and actions
        multiplications = filled_up(self.batch_size) * sum(a * b for a, b in pairwise(widths))
        updates_per_step = self.gradient_steps / self.train_freq
        return 0.05 + 0.2 * updates_per_step * multiplications / 64**3

    def eager(self) -> Self:
        updates_per_step = self.gradient_steps / self.train_freq
        return self.model_copy(
            update={
                "learning_starts": 0,
                "buffer_size": max(EAGER_BUFFER, self.batch_size),
                "train_freq": max(1, min(EAGER_STEPS, round(1 / updates_per_step))),
                "gradient_steps": max(1, round(updates_per_step)),
            }
        )

    def computed(self) -> Mapping[str, Any]:
        """Sizes count as filled up."""
        return {
            "hidden_layers": tuple(map(filled_up, self.hidden_layers)),
            "batch_size": filled_up(self.batch_size),
        }


def filled_up(size: int) -> int:
    """The width or batch size with which a lane is computed; what exceeds its own is zero.

    Steps of 16 up to 128, then of a quarter of the power of two below: lanes of nearly equal sizes
    share a cohort, and at most a quarter is added beyond 64. A lane is filled up alone, too, so
    that this cannot tell it from itself among neighbours.
    """
    step = max(16, 1 << max(0, (size - 1).bit_length() - 3))
    return -(-size // step) * step
