"""The peer of benchmark_study: what people write today with Optuna and Stable-Baselines3.

    python peer_study.py '{"file": STUDY.toml, "storage": URL, "trials": N, "core": N}'

A study of that name stands in the storage. Any number of these processes may share it, each with
one thread on its core; they take trials until there are as many as were asked for.
"""

import json
import os
import sys
from statistics import fmean

import numpy as np
import optuna
import peer_sb3
import torch
from optuna.samplers import TPESampler
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

from tuner.export_formats import sb3_arguments
from tuner.search_space import distributions, suggest
from tuner.study import Study, load

BEGUN = (TrialState.COMPLETE, TrialState.RUNNING)


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
    budget = searched.run_budget
    arguments = sb3_arguments(hparams, budget.steps)
    seeds = range(searched.seeds.start)
    runs = [peer_sb3.train(searched.study.env, arguments, budget, seed) for seed in seeds]
    trial.set_user_attr("evaluation_steps", sum(run.evaluation_steps for run in runs))
    return fmean(run.score for run in runs)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
