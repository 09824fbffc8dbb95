"""Stable-Baselines3's DQN, trained and evaluated the way a run is here."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import gymnasium
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.utils import LinearSchedule

from agents.budget import Budget

SCORED_MARKS = 5


@dataclass(frozen=True)
class PeerRun:
    """means: of the greedy episodes at every mark; evaluation_steps: what these took in all."""

    means: list[float]
    evaluation_steps: int

    @property
    def score(self) -> float:
        """The score `final` of a budget of at most fifty marks."""
        return fmean(self.means[-SCORED_MARKS:])


def train(env: str, arguments: Mapping[str, Any], budget: Budget, seed: int) -> PeerRun:
    """One agent. arguments: as `tuner.export_formats.sb3_arguments` makes them."""
    marks, means, evaluation_steps = set(budget.marks), [], 0
    evaluation: Any = Monitor(gymnasium.make(env))
    evaluation.reset(seed=2**31 + seed % 2**31)  # episodes of its own
    policy = dict(arguments["policy_kwargs"])
    policy["activation_fn"] = getattr(torch.nn, policy["activation_fn"])
    rate = arguments["learning_rate"]
    schedule = LinearSchedule(float(rate[4:]), 0.0, 1.0) if isinstance(rate, str) else rate
    given = {**arguments, "policy_kwargs": policy, "learning_rate": schedule}
    model = DQN(env=env, seed=seed, device="cpu", **given)

    def look(scope: dict[str, Any], _: dict[str, Any]) -> bool:
        nonlocal evaluation_steps
        if scope["self"].num_timesteps in marks:
            played: Any = evaluate_policy(
                model, evaluation, budget.episodes, return_episode_rewards=True
            )
            means.append(fmean(played[0]))
            evaluation_steps += sum(played[1])
        return True

    model.learn(budget.steps, callback=look)
    return PeerRun(means, evaluation_steps)
