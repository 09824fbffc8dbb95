"""A published system: what its text says of it, and its runs here."""

from dataclasses import dataclass, field
from typing import Any

from agents.budget import Budget
from agents.cohort import RunSpec
from agents.environments import EnvSpec
from agents.hparams import Hparams
from agents.kinds import make_hparams

SEEDS = 10


@dataclass(frozen=True)
class System:
    """One published configuration.

    published       what its text reports, in words
    published_mean  the mean return among them, if there is one
    episodes        training ends with the first mark after so many, if it counts episodes
    steps           training ends at the latest after so many environment steps
    every           steps between marks
    differs         what we had to choose, or do otherwise
    """

    published: str
    source: str
    env: str
    steps: int
    params: dict[str, Any]
    published_mean: float | None = None
    kind: str = "deep_q"
    kwargs: dict[str, Any] = field(default_factory=dict)
    episodes: int | None = None
    every: int = 500
    seeds: int = SEEDS
    differs: str = ""

    @property
    def hparams(self) -> Hparams:
        return make_hparams(self.kind, self.params)

    def run(self, seed: int) -> RunSpec:
        """Seed number `seed` of it."""
        budget = Budget(self.steps, self.steps // self.every, episodes=1)
        return RunSpec(self.kind, self.hparams, EnvSpec(self.env, self.kwargs), budget, seed)
