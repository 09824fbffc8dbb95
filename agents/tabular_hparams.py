"""The settings of agents with a table, and of the one that has nothing."""

from typing import Literal

from agents.hparams import Hparams, lanewise


class RandomHparams(Hparams):
    """Uniformly random actions: the baseline of everything."""


class TabularQHparams(Hparams):
    """Tabular Q-learning (Watkins 1989; Watkins & Dayan 1992). Discrete observations."""

    learning_rate: float = lanewise(0.1, "share of the TD error taken over", low=0.0, high=1.0)
    gamma: float = lanewise(0.99, "discount per step", low=0.0, high=1.0)
    exploration: Literal["epsilon", "noise"] = lanewise(
        "epsilon",
        "noise: greedy by values to which normal noise of 1 / episode is added",
    )
    epsilon_start: float = lanewise(1.0, "share of random actions at first", low=0.0, high=1.0)
    epsilon_end: float = lanewise(0.05, "share of random actions at last", low=0.0, high=1.0)
    epsilon_decay_steps: int = lanewise(
        5_000,
        "steps of the decay: its length if linear, its time constant if exponential",
        low=1,
        high=1_000_000_000,
    )
    epsilon_decay: Literal["linear", "exponential"] = lanewise("linear", "shape of the decay")
    epsilon_clock: Literal["steps", "episodes"] = lanewise(
        "steps", "episodes: epsilon_decay_steps counts episodes"
    )


class ProjectiveHparams(Hparams):
    """Two-layer projective simulation with glow (Briegel & De las Cuevas 2012).

    Discrete observations.
    """

    gamma: float = lanewise(
        1e-4, "damping of what was learned, towards the beginning", low=0.0, high=1.0
    )
    eta: float = lanewise(
        0.1, "damping of the glow, by which earlier actions are rewarded", low=0.0, high=1.0
    )
    choice: Literal["proportional", "softmax"] = lanewise(
        "proportional", "actions by their h-values, or by their exponentials"
    )
    beta: float = lanewise(1.0, "sharpness of softmax", low=0.0, high=1_000.0)
