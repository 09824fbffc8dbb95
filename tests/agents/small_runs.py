"""Runs that are over in a blink, and what is told of them."""

from typing import Any

from agents.budget import Budget
from agents.cohort import Event, RunSpec
from agents.environments import EnvSpec
from agents.kinds import make_hparams

SMALL: dict[str, Any] = {
    "hidden_layers": (8,),
    "batch_size": 8,
    "buffer_size": 100,
    "learning_starts": 5,
    "train_freq": 4,
}
BUDGET = Budget(steps=50, evaluations=3, episodes=2)


def spec(
    seed: int = 0,
    budget: Budget = BUDGET,
    env: EnvSpec = EnvSpec("CartPole-v1"),  # noqa: B008  it is frozen
    **params: Any,
) -> RunSpec:
    return RunSpec("deep_q", make_hparams("deep_q", SMALL | params), env, budget, seed)


def told(events: list[Event]) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.run) for event in events]


def fragile(fatal_seed: int, **kwargs: Any) -> EnvSpec:
    return EnvSpec("Probe/FragileCartPole-v0", {"fatal_seed": fatal_seed} | kwargs)
