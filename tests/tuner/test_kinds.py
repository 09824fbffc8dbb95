"""Every kind of agent goes through the same doors: launch, export, verify, train, evaluate."""

import json
from pathlib import Path

import pytest

from tests.tuner.commands import Quick
from tests.tuner.commands import tuner as run
from tests.tuner.tiny import trials, written

STUDY = """\
[study]
name = "tiny"
env = "{env}"
agent = "{agent}"
trials = 4

[budget]
steps = 300
evaluations = 6
episodes = 3

[seeds]
start = 2
max = 2
confirm = 2
test = 3

[space]
{space}
"""
SPACES = {
    "tabular_q": "learning_rate = { low = 0.1, high = 1.0 }",
    "projective": "eta = { low = 0.01, high = 0.5 }",
    "random": "",
}


@pytest.mark.parametrize("agent", SPACES)
def test_a_kind_goes_through_all_doors(agent: str, quick: Quick, tmp_path: Path) -> None:
    text = STUDY.format(env="FrozenLake-v1", agent=agent, space=SPACES[agent])

    launched = run("launch", written(tmp_path, text), "--workers", "1", folder=tmp_path)

    assert launched.code == 0, launched.err
    assert len(trials(tmp_path)) == 4
    exported = quick("export", "-o", "h.json", folder=tmp_path)
    assert exported.code == 0, exported.err
    assert json.loads((tmp_path / "h.json").read_text())["agent"] == agent
    verified = quick("verify", "h.json", folder=tmp_path)
    assert "3 of 3 scores are equal bit for bit" in verified.out
    trained = quick("train", "h.json", "--seeds", "0:2", "--out", "trained", folder=tmp_path)
    assert trained.code == 0, trained.err
    evaluated = quick("evaluate", "trained/seed-1", "--episodes", "20", folder=tmp_path)
    assert evaluated.out.startswith("20 episodes: mean ")
    refused = quick("export", "-o", "s.json", "--format", "sb3", folder=tmp_path)
    assert refused.code == 2
    assert f"only deep_q can be written for other libraries, this is {agent}" in refused.err


@pytest.mark.parametrize("command", ["launch", "plan"])
def test_a_table_of_uncountable_states_is_refused(
    command: str, quick: Quick, tmp_path: Path
) -> None:
    text = STUDY.format(env="CartPole-v1", agent="tabular_q", space=SPACES["tabular_q"])

    ended = quick(command, written(tmp_path, text), folder=tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert "agent 'tabular_q' needs an environment with Discrete observations" in ended.err
    assert not (tmp_path / "tuner.db").exists()


@pytest.mark.parametrize(
    ("agent", "space", "fragment"),
    [
        ("tabular", "", "[study] agent: must be one of 'deep_q', 'tabular_q', 'projective'"),
        ("tabular_q", "", "[space]: empty; name at least one hyperparameter"),
        ("tabular_q", "tau = { low = 0.1, high = 0.2 }", "tau: unknown hyperparameter of tabular"),
        ("random", "gamma = { low = 0.1, high = 0.2 }", "unknown hyperparameter of random"),
        ("projective", "eta = { low = 0.1, high = 2 }", "[space] eta: must be at most 1"),
    ],
)
def test_what_a_kind_does_not_have_is_refused(
    agent: str, space: str, fragment: str, quick: Quick, tmp_path: Path
) -> None:
    text = STUDY.format(env="FrozenLake-v1", agent=agent, space=space)

    ended = quick("launch", written(tmp_path, text), folder=tmp_path)

    assert ended.code == 2
    assert fragment in ended.err
