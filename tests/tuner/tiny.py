"""A study that is over in seconds, and the means to look at what it left."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from agents.cohort import Evaluated, RunSpec
from agents.environments import EnvSpec
from agents.training import train
from tuner import study as studies
from tuner.errors import TunerError
from tuner.seed_pools import Pool
from tuner.seed_statistics import run_score
from tuner.storage import Run, open_for_reading, open_for_writing
from tuner.study import Study
from tuner.trials import Trials

TRIALS, SEEDS = 3, 2
TINY = """\
[study]
name = "tiny"
env = "CartPole-v1"
agent = "deep_q"
trials = 3
master_seed = 7

[budget]
steps = 600
evaluations = 6
episodes = 2

[seeds]
start = 2
max = 2
confirm = 2
test = 3

[sampler]
name = "random"

[space]
learning_rate = { low = 1e-4, high = 1e-2, log = true }
gamma = { choices = [0.9, 0.99] }
hidden_layers = { choices = [[8], [16]] }

[fixed]
learning_starts = 100
batch_size = 16
"""


def changed(*swaps: tuple[str, str], text: str = TINY) -> str:
    """The tiny study with some of its text exchanged."""
    for old, new in swaps:
        assert old in text, f"the tiny study has no {old!r}"
        text = text.replace(old, new)
    return text


def written(folder: Path, text: str = TINY) -> str:
    """The name of a study file in `folder` that says so."""
    (folder / "tiny.toml").write_text(text)
    return "tiny.toml"


def url(folder: Path) -> str:
    """The database that a command run in `folder` uses."""
    return f"sqlite:///{folder}/tuner.db"


def recorded(folder: Path) -> list[tuple[Any, ...]]:
    """All rows of the runs table, every column as it is stored; none before there is a table."""
    database = folder / "tuner.db"
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchall():
            return []
        return connection.execute(
            "SELECT * FROM runs ORDER BY purpose DESC, trial, seed_index"
        ).fetchall()


def results(folder: Path, study: str = "tiny") -> list[tuple[int, int, int, float | None, Any]]:
    """(trial, seed index, seed, score, curve) of every run: what no circumstance may change."""
    with open_for_reading(url(folder)) as store:
        runs = store.runs(study)
    return [(run.trial, run.seed_index, run.seed, run.score, run.curve) for run in runs]


def trials(folder: Path, study: str = "tiny") -> list[Any]:
    """Optuna's trials of a study."""
    with open_for_reading(url(folder)) as store:
        return store.optuna_study(study).get_trials()


def trained_undisturbed(
    study: Study, params: dict[int, dict[str, Any]]
) -> list[tuple[int, int, int, float | None, Any]]:
    """What `results` has to be, trained here in one go. params: of each trial."""
    env = EnvSpec(study.study.env, study.study.env_kwargs)
    specs = {
        (number, index): RunSpec(
            agent=study.study.agent,
            hparams=study.hparams(params[number]),
            env=env,
            budget=study.run_budget,
            seed=study.run_seed(Pool.TUNE, index),
        )
        for number in sorted(params)
        for index in range(study.seeds.start)
    }
    curves = _curves({f"{number}/{index}": spec for (number, index), spec in specs.items()})
    steps = list(study.run_budget.marks)
    found = []
    for (number, index), spec in specs.items():
        returns = curves[f"{number}/{index}"]
        score = run_score(study.objective.score, steps, returns)
        found.append((number, index, spec.seed, score, {"steps": steps, "returns": returns}))
    return found


def score_of(study: Study, params: dict[str, Any], seed: int) -> float:
    """What a run of these params and this seed has to score, trained alone."""
    env = EnvSpec(study.study.env, study.study.env_kwargs)
    spec = RunSpec(study.study.agent, study.hparams(params), env, study.run_budget, seed)
    return run_score(study.objective.score, study.run_budget.marks, _curves({"it": spec})["it"])


def _curves(specs: dict[str, RunSpec]) -> dict[str, list[list[float]]]:
    curves: dict[str, list[list[float]]] = {run: [] for run in specs}
    for event in train(specs):
        if isinstance(event, Evaluated):
            curves[event.run].append(list(event.returns))
    return curves


def a_run(**fields: Any) -> Run:
    """A recorded run of the tiny study, trial 0."""
    plain: dict[str, Any] = {
        "study": "tiny",
        "trial": 0,
        "purpose": "tune",
        "seed_index": 0,
        "seed": 1,
        "status": "finished",
        "score": 10.0,
        "curve": {"steps": [1], "returns": [[10.0]]},
        "seconds": 1.0,
        "attempt": 1,
        "made_with": {"torch": "2"},
    }
    return Run(**(plain | fields))


def states(found: Iterable[Any]) -> list[str]:
    """The states of Optuna's trials, in order."""
    return [trial.state.name for trial in found]


def asked(folder: Path) -> bool:
    """Whether a trial of the tiny study is open. False while the database is being made."""
    try:
        return "RUNNING" in states(trials(folder))
    except TunerError:
        return False


def opened(folder: Path, file: str) -> None:
    """Leave a study as a launch does that was killed when it had just asked its first trial."""
    with open_for_writing(url(folder)) as store:
        Trials(studies.load(str(folder / file)), store).ask()
