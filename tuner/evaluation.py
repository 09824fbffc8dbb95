"""Greedy episodes of what `tuner train` wrote, for numbers."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from agents.evaluation import play
from agents.exactness import exact_arithmetic
from agents.learner import GreedyPolicy
from tuner import trained_agent
from tuner.errors import TooManyFailures
from tuner.trained_agent import TrainedAgent


@dataclass(frozen=True)
class Evaluation:
    """Greedy episodes of one agent. at_limit: share that reached the time limit."""

    episodes: int
    mean: float
    std: float | None
    minimum: float
    maximum: float
    at_limit: float


def evaluate(directory: Path, episodes: int, seed: int) -> Evaluation:
    """Play an agent that `train` saved, all episodes side by side."""
    agent = trained_agent.read(directory)
    return evaluate_policy(agent.policy(), agent, episodes, seed)


def evaluate_policy(
    policy: GreedyPolicy, agent: TrainedAgent, episodes: int, seed: int
) -> Evaluation:
    """Play the episodes that `evaluate` plays, with a policy that need not be the agent's own.

    Raises TooManyFailures where the environment fails or returns what is no finite number.
    """
    env = agent.file.env_spec
    with exact_arithmetic():
        played = play(policy, env, agent.facts, [seed], marks=[0], episodes=episodes)
    if played.failures:
        raise TooManyFailures(f"the environment failed:\n{played.failures[0]}")
    if not np.isfinite(played.returns).all():
        raise TooManyFailures(f"the returns of env '{env.id}' are not all finite")
    returns = [float(value) for value in played.returns[0]]
    return Evaluation(
        episodes=episodes,
        mean=fmean(returns),
        std=stdev(returns) if episodes > 1 else None,
        minimum=min(returns),
        maximum=max(returns),
        at_limit=float(played.truncated.mean()),
    )
