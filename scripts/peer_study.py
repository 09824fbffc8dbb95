"""The peer of benchmark_study: what people write today with Optuna and Stable-Baselines3.

    python peer_study.py '{"file": STUDY.toml, "storage": URL, "trials": N, "core": N}'

A study of that name stands in the storage. Any number of these processes may share it, each with
one thread on its core; they take trials until there are as many as were asked for.
"""

import json
import os
import sys
from statistics import fmean
from typing import Any

import gymnasium
import numpy as np
import optuna
import torch
from optuna.samplers import TPESampler
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from agents.hparams import Hparams
from tuner.search_space import distributions, suggest
from tuner.study import Study, load

LAST_MARKS = 5
BEGUN = (TrialState.COMPLETE, TrialState.RUNNING)
SAME_NAMES = (
    "learning_rate",
    "gamma",
    "buffer_size",
    "batch_size",
    "learning_starts",
    "train_freq",
    "gradient_steps",
    "target_update_interval",
    "tau",
    "max_grad_norm",
)


def main(file: str, storage: str, trials: int, core: int) -> None:
    """Take trials until the study has that many."""
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    searched = load(file)
    study = optuna.load_study(study_name=searched.name, storage=storage)
    enough = MaxTrialsCallback(trials, states=BEGUN)
    study.optimize(lambda trial: value(trial, searched), callbacks=[enough])


def value(trial: optuna.Trial, searched: Study) -> float:
    """The mean over the seeds, one trained after the other."""
    # Seeded as our scheduler does, so that trials of equal number are alike until TPE has scores.
    entropy = np.random.SeedSequence([searched.study.master_seed, trial.number])
    trial.study.sampler = TPESampler(seed=int(entropy.generate_state(1)[0]))
    space = distributions(searched.study.agent, searched.space)
    hparams = searched.hparams({name: suggest(trial, name, space[name]) for name in space})
    runs = [train(hparams, searched, seed) for seed in range(searched.seeds.start)]
    trial.set_user_attr("evaluation_steps", sum(steps for _, steps in runs))
    return fmean(fmean(means[-LAST_MARKS:]) for means, _ in runs)


def train(hparams: Hparams, searched: Study, seed: int) -> tuple[list[float], int]:
    """One agent: its mean return at every mark, and the environment steps that these took."""
    env, budget = searched.study.env, searched.run_budget
    marks, means, evaluation_steps = set(budget.marks), [], 0
    evaluation: Any = Monitor(gymnasium.make(env))
    evaluation.reset(seed=seed)
    model = DQN(
        "MlpPolicy",
        env,
        **{name: getattr(hparams, name) for name in SAME_NAMES},
        exploration_initial_eps=hparams.epsilon_start,
        exploration_final_eps=hparams.epsilon_end,
        exploration_fraction=hparams.epsilon_decay_steps / budget.steps,
        policy_kwargs={"net_arch": list(hparams.hidden_layers)},
        seed=seed,
        device="cpu",
    )

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
    return means, evaluation_steps


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
