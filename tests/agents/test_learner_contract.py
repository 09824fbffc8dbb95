"""What every kind of agent promises, whatever it learns by."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from agents import checkpoint
from agents.budget import Budget
from agents.cohort import Evaluated, Event, Finished, RunSpec
from agents.environments import EnvSpec, describe
from agents.errors import EnvError
from agents.evaluation import play
from agents.kinds import KINDS, make_hparams
from agents.training import Training, train

LAKE = EnvSpec("FrozenLake-v1")
BUDGET = Budget(steps=1_500, evaluations=3, episodes=5)
SMALL = {"hidden_layers": (8,), "batch_size": 8, "learning_starts": 20}
AGENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "random": ("random", {}),
    "tabular_q": ("tabular_q", {"epsilon_decay_steps": 3_000}),
    "tabular_q, exponential": ("tabular_q", {"epsilon_decay": "exponential"}),
    "tabular_q, noise": ("tabular_q", {"exploration": "noise", "learning_rate": 0.8}),
    "projective": ("projective", {}),
    "projective, softmax": ("projective", {"choice": "softmax", "eta": 0.006, "beta": 3.0}),
    "deep_q": ("deep_q", SMALL),
    "deep_q, linear": ("deep_q", SMALL | {"hidden_layers": (), "double": True}),
    "deep_q, prioritized": ("deep_q", SMALL | {"priority_alpha": 0.6}),
    "deep_q, state_action": ("deep_q", SMALL | {"head": "state_action"}),
    "deep_q, four environments": ("deep_q", SMALL | {"num_envs": 4, "train_freq": 6}),
    "deep_q, five environments and every memory": (
        "deep_q",
        SMALL
        | {"num_envs": 5, "train_freq": 7, "priority_alpha": 0.6, "n_steps": 3}
        | {"buffer_size": 33, "normalize_observations": True, "head": "dueling"},
    ),
    "deep_q, dueling": ("deep_q", SMALL | {"head": "dueling"}),
}
Result = tuple[list[tuple[int, int, tuple[float, ...]]], Mapping[str, Tensor]]


def spec(agent: str, seed: int) -> RunSpec:
    kind, params = AGENTS[agent]
    return RunSpec(kind, make_hparams(kind, params), LAKE, BUDGET, seed)


def results(events: Iterable[Event]) -> dict[str, Result]:
    """The marks and the last policy of every run."""
    marks: dict[str, list[tuple[int, int, tuple[float, ...]]]] = {}
    tensors: dict[str, Mapping[str, Tensor]] = {}
    for event in events:
        if isinstance(event, Evaluated):
            marks.setdefault(event.run, []).append((event.mark, event.step, event.returns))
        else:
            assert isinstance(event, Finished)
            assert event.exact
            tensors[event.run] = event.tensors
    return {run: (marks[run], tensors[run]) for run in tensors}


def bits(result: Result) -> Any:
    marks, tensors = result
    return marks, {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def test_every_kind_is_here() -> None:
    assert {kind for kind, _ in AGENTS.values()} == set(KINDS)


@pytest.mark.parametrize("agent", AGENTS)
def test_one_seed_repeats_and_two_seeds_differ(agent: str) -> None:
    one, again, other = (results(train({"a": spec(agent, seed)}))["a"] for seed in (1, 1, 2))

    assert bits(one) == bits(again)
    assert bits(one)[1] != bits(other)[1]


@pytest.mark.parametrize("agent", AGENTS)
def test_alone_equals_among_neighbours_of_all_kinds(agent: str) -> None:
    alone = results(train({"a": spec(agent, 1)}))["a"]

    neighbours = {f"{name} {seed}": spec(name, seed) for name in AGENTS for seed in (3, 4)}
    among = results(train({"before": spec(agent, 2)} | neighbours | {"a": spec(agent, 1)}))["a"]

    assert bits(among) == bits(alone)


@pytest.mark.parametrize("agent", AGENTS)
def test_a_neighbour_that_is_let_go_or_joins_late_is_not_noticed(agent: str) -> None:
    alone = results(train({"a": spec(agent, 1)}))["a"]

    training = Training()
    for run, seed in (("gone", 2), ("a", 1), ("stays", 3)):
        training.admit(run, spec(agent, seed))
    events = training.advance(250)
    training.evict(["gone"])
    training.admit("late", spec(agent, 4))
    while training.lanes:
        events += training.advance(100)

    found = results(event for event in events if event.run != "gone")
    assert bits(found["a"]) == bits(alone)
    assert bits(found["late"]) == bits(results(train({"b": spec(agent, 4)}))["b"])


@pytest.mark.parametrize("agent", AGENTS)
def test_what_is_saved_plays_as_it_did_at_the_last_mark(agent: str, tmp_path: Path) -> None:
    run = spec(agent, 1)
    marks, tensors = results(train({"a": run}))["a"]
    facts = describe(LAKE)

    checkpoint.save(tmp_path, tensors)
    again = checkpoint.load(tmp_path, run.agent, run.hparams, facts)

    played = play(again, LAKE, facts, [run.seed], marks=[3], episodes=BUDGET.episodes)
    assert tuple(played.returns[0]) == marks[-1][2]


@pytest.mark.parametrize("agent", AGENTS)
def test_lanes_of_one_cohort_may_have_hparams_of_their_own(agent: str) -> None:
    """Every lanewise hyperparameter at another value than the neighbour's."""
    kind, params = AGENTS[agent]
    usual = spec(agent, 1)
    other = replace(usual, hparams=make_hparams(kind, params | elsewhere(kind, params)))
    assert other.cohort_key == usual.cohort_key

    among = results(train({"a": usual, "b": other}))

    assert bits(among["a"]) == bits(results(train({"a": usual}))["a"])
    assert bits(among["b"]) == bits(results(train({"b": other}))["b"])


def elsewhere(kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A change of everything that is lanewise."""
    changed = {
        "learning_rate": 0.02, "learning_rate_decay": "linear", "gamma": 0.5, "n_steps": 3,
        "buffer_size": 100, "learning_starts": 40, "target_update_interval": 7, "tau": 0.5,
        "epsilon_start": 0.7, "epsilon_end": 0.3, "epsilon_decay_steps": 90,
        "epsilon_decay": "exponential", "epsilon_clock": "episodes", "max_grad_norm": 1.0,
        "exploration": "noise",
        "priority_alpha": 0.9, "priority_beta": 0.7, "eta": 0.3, "choice": "softmax", "beta": 2.0,
    }  # fmt: skip
    names = [name for name in KINDS[kind].model_fields if KINDS[kind].role(name) == "lanewise"]
    return {name: changed[name] for name in names}


@pytest.mark.parametrize("kind", ["tabular_q", "projective"])
def test_a_table_needs_states_that_can_be_counted(kind: str) -> None:
    run = RunSpec(kind, make_hparams(kind, {}), EnvSpec("CartPole-v1"), BUDGET, seed=0)

    with pytest.raises(EnvError, match=f"agent '{kind}' needs .* Discrete observations"):
        Training().admit("a", run)


@pytest.mark.parametrize(
    ("agent", "wrong"), [("tabular_q", "random"), ("random", "projective"), ("deep_q", "random")]
)
def test_another_kinds_file_is_refused(agent: str, wrong: str, tmp_path: Path) -> None:
    _, tensors = results(train({"a": spec(agent, 1)}))["a"]
    checkpoint.save(tmp_path, tensors)

    with pytest.raises(Exception, match=r"do not fit the hparams\.json beside it"):
        checkpoint.load(tmp_path, wrong, make_hparams(wrong, {}), describe(LAKE))


def test_a_random_agent_plays_other_episodes_at_every_mark() -> None:
    marks, _ = results(train({"a": replace(spec("random", 5), budget=Budget(60, 20, 5))}))["a"]

    assert len({returns for _, _, returns in marks}) > 1
    assert np.mean([returns for _, _, returns in marks]) < 0.2
