"""A hyperparameter with a condition is searched only in trials that meet it."""

from pathlib import Path
from typing import Any

import optuna
import pytest

import tuner
from tests.tuner.commands import tuner as run
from tests.tuner.tiny import changed, recorded, trials, written
from tuner.errors import StudyError
from tuner.study import load, parse

LAKE = """\
[study]
name = "tiny"
env = "FrozenLake-v1"
agent = "tabular_q"
trials = 12

[budget]
steps = 200
evaluations = 4
episodes = 2

[seeds]
start = 1
max = 1
confirm = 2
test = 2

[space]
exploration = { choices = ["epsilon", "noise"] }
epsilon_decay = { choices = ["linear", "exponential"], when = { exploration = "epsilon" } }
epsilon_end = { low = 0.1, high = 0.2, when = { exploration = ["epsilon"] } }
"""
CONDITIONAL = {"epsilon_decay", "epsilon_end"}


def meets_its_conditions(params: dict[str, Any]) -> bool:
    searched = CONDITIONAL & params.keys()
    return searched == (CONDITIONAL if params["exploration"] == "epsilon" else set())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_launch_samples_only_what_is_in_use(tmp_path: Path, sampler: str) -> None:
    text = changed(("[space]", f'[sampler]\nname = "{sampler}"\n\n[space]'), text=LAKE)

    ended = run("launch", written(tmp_path, text), "--workers", "1", folder=tmp_path)

    assert ended.code == 0, ended.err
    found = [trial.params for trial in trials(tmp_path)]
    assert all(map(meets_its_conditions, found))
    assert {params["exploration"] for params in found} == {"epsilon", "noise"}


def test_a_launch_goes_on_with_such_a_space(tmp_path: Path) -> None:
    name = written(tmp_path, changed(("trials = 12", "trials = 3"), text=LAKE))
    first = run("launch", name, "--workers", "1", "--search-only", folder=tmp_path)
    before = recorded(tmp_path)

    more = run("launch", name, "--workers", "1", "--trials", "6", folder=tmp_path)

    assert (first.code, more.code) == (0, 0), more.err
    assert set(before) < set(recorded(tmp_path))
    assert all(meets_its_conditions(trial.params) for trial in trials(tmp_path))


def test_the_objective_samples_the_same_way(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0))

    study.optimize(tuner.objective(load(str(tmp_path / written(tmp_path, LAKE)))), n_trials=6)

    assert all(meets_its_conditions(trial.params) for trial in study.trials)
    assert len({trial.params["exploration"] for trial in study.trials}) == 2


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        (
            'exploration = "epsilon" }',
            'explore = "epsilon" }',
            "[space] epsilon_decay: when: explore is not searched by choices",
        ),
        (
            'exploration = "epsilon" }',
            'exploration = "greedy" }',
            "when: 'greedy' is no choice of exploration; one of 'epsilon', 'noise'",
        ),
        (
            'exploration = ["epsilon"] }',
            'epsilon_decay = "linear" }',
            "[space] epsilon_end: when: epsilon_decay has a condition itself",
        ),
        (
            'exploration = ["epsilon"] }',
            "exploration = [] }",
            "when: exploration = [] names no value",
        ),
        (
            'exploration = ["epsilon"] }',
            "epsilon_end = 0.1 }",
            "[space] epsilon_end: when: epsilon_end cannot depend on itself",
        ),
        ("when = { exploration = [", "whne = { exploration = [", "did you mean 'when'"),
        (
            'when = { exploration = "epsilon" }',
            'when = "epsilon"',
            "[space] epsilon_decay.when",
        ),
    ],
)
def test_conditions_that_cannot_be_met_are_refused(old: str, new: str, fragment: str) -> None:
    with pytest.raises(StudyError) as refused:
        parse(changed((old, new), text=LAKE).encode(), "tiny.toml")

    assert fragment in str(refused.value)


def test_the_default_counts_where_a_condition_may_not_be_met() -> None:
    """With double off the batch size would be the default, 64, and replay too small for it."""
    text = """\
[study]
name = "tiny"
env = "CartPole-v1"
trials = 2

[budget]
steps = 2_000

[space]
double = { choices = [false, true] }
batch_size = { choices = [16], when = { double = true } }
buffer_size = { choices = [32, 100] }
"""

    with pytest.raises(StudyError, match=r"batch_size up to 64 can exceed .*buffer_size from 32"):
        parse(text.encode(), "tiny.toml")
