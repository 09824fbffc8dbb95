"""Whole studies that spend their runs in different ways, and what their choices are worth."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from agents.budget import Budget
from agents.cohort import Evaluated, Failed, RunSpec
from agents.environments import EnvSpec
from agents.hparams import Hparams
from agents.training import train
from tuner.phases import DEFAULT_CONFIG
from tuner.seed_pools import Pool, run_seed
from tuner.seed_statistics import run_score
from tuner.storage import open_for_reading
from tuner.summary import StudySummary, summarize

NAME, ENV_ID, EPISODES, LANES = "race", "CartPole-v1", 5, 8
RACE = "race and confirmation"
SPACE = """
learning_rate = { low = 1e-5, high = 1e-2, log = true }
gamma = { choices = [0.95, 0.98, 0.99, 0.995] }
buffer_size = { choices = [2_000, 5_000, 10_000] }
target_update_interval = { low = 10, high = 2_000, log = true }
epsilon_decay_steps = { low = 500, high = 8_000, log = true }
"""


@dataclass(frozen=True)
class Plan:
    """start, most, confirm: of the race; flat: seeds per trial of the others."""

    study_seeds: int
    race_trials: int
    steps: int
    evaluations: int
    start: int
    most: int
    confirm: int
    flat: tuple[int, ...]
    fresh: int


@dataclass(frozen=True)
class Method:
    """A way to spend runs: `trials` trials of `start` to `most` seeds; confirm 0: no finals."""

    name: str
    trials: int
    start: int
    most: int
    confirm: int = 0


@dataclass(frozen=True)
class Outcome:
    """What one method came to in one study.

    runs     that the choice was made by: of tuning (`tuning_runs`) and of confirmation
    claimed  mean of the chosen configuration on the seeds that chose it
    worth    its mean on fresh seeds
    """

    study_seed: int
    method: str
    trials: int
    runs: int
    tuning_runs: int
    chosen: dict[str, Any]
    claimed: float
    worth: float


def study_text(plan: Plan, method: Method, study_seed: int) -> str:
    """The file of a study that spends its runs by this method."""
    return f"""
[study]
name = "{NAME}"
env = "{ENV_ID}"
trials = {method.trials}
master_seed = {study_seed}
[budget]
steps = {plan.steps}
evaluations = {plan.evaluations}
episodes = {EPISODES}
[seeds]
start = {method.start}
max = {method.most}
confirm = {method.confirm or 2}
test = 2
[space]{SPACE}[fixed]
learning_starts = {min(1_000, plan.steps // 5)}
"""


def study_outcomes(plan: Plan, study_seed: int) -> list[Outcome]:
    """Every method on one study seed, and what their choices are worth."""
    race = Method(RACE, plan.race_trials, plan.start, plan.most, plan.confirm)
    first = searched(plan, race, study_seed)
    found = [first, *(searched(plan, method, study_seed) for method in rivals(plan, first.outcome))]
    worths = worth_of(found, plan, study_seed)
    return [replace(one.outcome, worth=worth) for one, worth in zip(found, worths, strict=True)]


def rivals(plan: Plan, race: Outcome) -> list[Method]:
    """Other ways to spend about as many runs: without confirmation, without race, without both."""
    longer = round(plan.race_trials * race.runs / race.tuning_runs)
    flat = max(2, race.tuning_runs // plan.start)
    return [
        Method("race alone", longer, plan.start, plan.most),
        Method(f"{plan.start} seeds and confirmation", flat, plan.start, plan.start, plan.confirm),
        *(
            Method(f"{seeds} seed{'s' * (seeds > 1)}", max(2, race.runs // seeds), seeds, seeds)
            for seeds in plan.flat
        ),
    ]


@dataclass(frozen=True)
class Searched:
    """A study's end: the outcome, its worth still unknown, and the configuration."""

    outcome: Outcome
    hparams: Hparams
    random_score: float


def searched(plan: Plan, method: Method, study_seed: int) -> Searched:
    """Launch the study."""
    with TemporaryDirectory() as name:
        file, storage = Path(name, "study.toml"), f"sqlite:///{name}/tuner.db"
        file.write_text(study_text(plan, method, study_seed))
        command = [sys.executable, "-m", "tuner", "launch", str(file), "--storage", storage]
        command += ["--workers", "1", "--lanes", str(LANES)]
        command += [] if method.confirm else ["--search-only"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=name)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        with open_for_reading(storage) as store:
            summary = summarize(store, NAME)
    return outcome_of(summary, method, study_seed)


def outcome_of(summary: StudySummary, method: Method, study_seed: int) -> Searched:
    trial = summary.best
    assert trial is not None  # launch succeeded
    finals = summary.finals
    choosing = finals.scores(trial, Pool.TUNE) + finals.scores(trial, Pool.CONFIRM)
    purposes = [run.purpose for run in finals.runs]
    tuning = purposes.count(Pool.TUNE.word)
    runs = tuning + purposes.count(Pool.CONFIRM.word)
    params = {} if trial == DEFAULT_CONFIG else dict(finals.params[trial])
    trials = len(summary.trials)
    claimed, unknown = fmean(choosing), float("nan")
    outcome = Outcome(study_seed, method.name, trials, runs, tuning, params, claimed, unknown)
    return Searched(outcome, finals.hparams(trial), summary.env.random_score or 0.0)


def worth_of(choices: Sequence[Searched], plan: Plan, study_seed: int) -> list[float]:
    """The mean score of each configuration on fresh seeds, the same for all.

    A run that breaks down scores what a random agent does, as in a study.
    """
    seeds = [run_seed(study_seed, Pool.FRESH, index) for index in range(plan.fresh)]
    budget = Budget(plan.steps, plan.evaluations, EPISODES)
    specs = {
        f"{place}/{seed}": RunSpec("deep_q", choice.hparams, EnvSpec(ENV_ID), budget, seed)
        for place, choice in enumerate(choices)
        for seed in seeds
    }
    curves: dict[str, list[Sequence[float]]] = {run: [] for run in specs}
    for event in train(specs):
        if isinstance(event, Evaluated):
            curves[event.run].append(event.returns)
        elif isinstance(event, Failed):
            random_score = choices[int(event.run.partition("/")[0])].random_score
            curves[event.run] = [[random_score]] * plan.evaluations
    marks = budget.marks
    return [
        fmean(run_score("final", marks, curves[f"{place}/{seed}"]) for seed in seeds)
        for place in range(len(choices))
    ]
