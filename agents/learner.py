"""What a cohort asks of an agent kind, and which class answers."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents import policy
from agents.deep_q import DeepQ
from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, Step
from agents.hparams import Hparams
from agents.kinds import TABLES
from agents.projective import Projective
from agents.random_agent import RandomAgent, load_random
from agents.tables import load_table
from agents.tabular_q import TabularQ

READINGS = {
    "epsilon": "share of random actions",
    "updates": "updates of the weights so far",
    "loss": "mean loss of the latest sampled batch",
    "mean_q": "mean value of that batch's actions, or of all actions in a table",
}


class GreedyPolicy(Protocol):
    """The greedy behaviour of some lanes, frozen at the moment it was taken."""

    def selected(self, rows: Sequence[int]) -> Self:
        """That of these lanes, in that order."""
        ...

    def joined(self, lanes: Self) -> Self:
        """That of these lanes and, behind them, of those. All are of one cohort."""
        ...

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        """observations [lanes, episodes, features] → actions [lanes, episodes]"""
        ...


class Learner(Protocol):
    """Agents of one kind that share shapes, one per lane. A learner admits hparams of its kind.

    Lanes never touch: a lane's actions and weights are a function of its own hparams, seed and
    transitions. `steps` [lanes] counts each lane's own environment steps.
    """

    def admit(self, hparams: Hparams, seed: int) -> None:
        """Add a lane behind the last."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        ...

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """The actions to explore with, [lanes], after `steps` steps."""
        ...

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        """Take in what step number `steps` brought, and update whatever is due."""
        ...

    def is_exact(self, episodes: int) -> bool:
        """Whether lanes of these shapes are independent bit for bit in this process.

        episodes: how many a policy plays at once
        """
        ...

    def policy(self, rows: Sequence[int]) -> GreedyPolicy:
        """What these lanes would do if they stopped learning now."""
        ...

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        """Which of these lanes hold a NaN or an infinity."""
        ...

    def readings(self, row: int, steps: NDArray[np.int64]) -> Mapping[str, float]:
        """How a lane's learning goes: those of `READINGS` that its kind has, and has by now."""
        ...

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        """A lane's policy by name, for a file that other programs can read."""
        ...


def make_learner(
    kind: str, hparams: Hparams, facts: EnvFacts, budget_steps: int, device: torch.device
) -> Learner:
    """An empty learner for lanes that share the shaping values of `hparams`."""
    match kind:
        case "tabular_q":
            return TabularQ(facts)
        case "projective":
            return Projective(facts)
        case "random":
            return RandomAgent(facts)
    assert isinstance(hparams, DeepQHparams)
    return DeepQ(hparams, facts, budget_steps, device)


def load_policy(
    kind: str, hparams: Hparams, facts: EnvFacts, tensors: Mapping[str, Tensor]
) -> GreedyPolicy:
    """The policy that `Learner.tensors` wrote down, as one lane. Raises ValueError if unfit."""
    if kind in TABLES:
        return load_table(facts, tensors)
    if kind == "random":
        return load_random(facts, tensors)
    assert isinstance(hparams, DeepQHparams)
    return policy.load_policy(hparams, facts, tensors)
