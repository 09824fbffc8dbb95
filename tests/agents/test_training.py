"""What training tells, and when."""

from typing import Any

import numpy as np
import pytest
import torch

from agents.budget import Budget
from agents.cohort import Evaluated, Finished
from agents.environments import EnvSpec
from agents.errors import EnvError
from agents.training import Training, train
from tests.agents.small_runs import spec, told


@pytest.mark.parametrize(
    ("steps", "evaluations", "marks"),
    [
        (50, 3, (16, 33, 50)),
        (10, 10, tuple(range(1, 11))),
        (7, 1, (7,)),
        (50_000, 2, (25_000, 50_000)),
    ],
)
def test_marks_are_spaced_evenly_and_end_with_the_budget(
    steps: int, evaluations: int, marks: tuple[int, ...]
) -> None:
    assert Budget(steps, evaluations, episodes=1).marks == marks


def test_a_run_is_evaluated_at_every_mark_and_then_finished() -> None:
    events = list(train({"a": spec()}))

    evaluated = [event for event in events if isinstance(event, Evaluated)]
    assert told(events) == [("Evaluated", "a")] * 3 + [("Finished", "a")]
    assert [(event.mark, event.step) for event in evaluated] == [(1, 16), (2, 33), (3, 50)]
    assert all(len(event.returns) == 2 for event in evaluated)
    assert all(type(value) is float for event in evaluated for value in event.returns)


@pytest.mark.parametrize("params", [{}, {"num_envs": 2, "train_freq": 2}])
def test_following_shows_the_episodes_of_training_and_changes_nothing(
    params: dict[str, Any],
) -> None:
    runs = {name: spec(seed, Budget(400, 4, 2), **params) for seed, name in enumerate("ab")}

    plain, followed = list(train(runs)), list(train(runs, followed=True))

    assert told(followed) == told(plain)
    for one, other in zip(followed, plain, strict=True):
        if isinstance(one, Finished) and isinstance(other, Finished):
            assert all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
        else:
            assert one == other
    for run in runs:
        marks = [event for event in followed if isinstance(event, Evaluated) and event.run == run]
        shown = [event.followed for event in marks if event.followed is not None]
        episodes = [episode for part in shown for episode in part.episodes]
        assert len(shown) == 4 and len(episodes) > 10
        assert [episode.step for episode in episodes] == sorted(e.step for e in episodes)
        assert all(episode.gained == episode.length for episode in episodes)  # one reward a step
        assert 400 - 2 * 100 < sum(episode.length for episode in episodes) <= 400
        for event, part in zip(marks, shown, strict=True):
            assert all(event.step - 100 < e.step <= event.step for e in part.episodes)
            assert part.readings["updates"] > 0 and part.readings["loss"] > 0.0
    assert all(event.followed is None for event in plain if isinstance(event, Evaluated))


def test_nothing_is_told_before_its_step() -> None:
    training = Training()
    training.admit("a", spec())

    assert told(training.advance(15)) == []
    assert told(training.advance(1)) == [("Evaluated", "a")]
    assert told(training.advance(0)) == []
    assert told(training.advance(1_000)) == [("Evaluated", "a")] * 2 + [("Finished", "a")]
    assert training.advance(1) == []


def test_every_lane_reaches_its_marks_on_its_own_clock() -> None:
    training = Training()
    training.admit("early", spec(seed=0))
    events = training.advance(10)
    training.admit("late", spec(seed=1))

    events += training.advance(8)  # "late" is let in after 12 steps, the next round of updates

    assert told(events) == []  # "early" is at its mark, and waits to be played beside "late"
    assert told(training.advance(10)) == [("Evaluated", "early"), ("Evaluated", "late")]
    assert told(training.advance(22)) == [
        ("Evaluated", "early"),
        ("Evaluated", "late"),
        ("Evaluated", "early"),
        ("Finished", "early"),
    ]
    assert told(training.advance(12)) == [("Evaluated", "late"), ("Finished", "late")]


def test_an_evicted_run_takes_its_waiting_evaluation_along() -> None:
    training = Training()
    training.admit("early", spec(seed=0))
    training.advance(10)
    training.admit("late", spec(seed=1))
    assert training.advance(8) == []  # "early" waits to be played

    training.evict(["early"])

    assert {event.run for event in training.advance(1_000)} == {"late"}


def test_lanes_are_counted_whether_admitted_or_waiting() -> None:
    training = Training()
    training.admit("a", spec(seed=0))
    training.admit("b", spec(seed=1, hidden_layers=(4,)))
    assert training.lanes == 2

    training.advance(1)
    training.admit("waiting", spec(seed=2))
    assert training.lanes == 3
    training.evict(["waiting", "b", "never heard of"])
    assert training.lanes == 1
    training.advance(1_000)
    assert training.lanes == 0


def test_an_evicted_run_is_not_heard_of_again() -> None:
    training = Training()
    for seed, run in enumerate("abc"):
        training.admit(run, spec(seed=seed))
    training.advance(20)

    training.evict(["b"])

    assert {event.run for event in training.advance(1_000)} == {"a", "c"}


def test_an_unfit_environment_is_refused_when_it_is_admitted() -> None:
    training = Training()

    with pytest.raises(EnvError, match="Discrete actions"):
        training.admit("a", spec(env=EnvSpec("Pendulum-v1")))

    assert training.lanes == 0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"gamma": 0.5}, {"learning_rate": 1e-4}, True),
        ({"batch_size": 8}, {"batch_size": 9}, True),  # both are filled up to 16
        ({"batch_size": 16}, {"batch_size": 17}, False),
        ({"hidden_layers": (50, 64)}, {"hidden_layers": (64, 49)}, True),
        ({"hidden_layers": (64,)}, {"hidden_layers": (65,)}, False),
        ({"env": EnvSpec("CartPole-v1")}, {"env": EnvSpec("Acrobot-v1")}, False),
        (
            {"env": EnvSpec("FrozenLake-v1", {"is_slippery": True, "map_name": "4x4"})},
            {"env": EnvSpec("FrozenLake-v1", {"map_name": "4x4", "is_slippery": True})},
            True,
        ),
        (
            {"env": EnvSpec("FrozenLake-v1", {"is_slippery": True})},
            {"env": EnvSpec("FrozenLake-v1", {"is_slippery": False})},
            False,
        ),
        ({"budget": Budget(50, 3, 2)}, {"budget": Budget(50, 3, 1)}, False),
        ({"seed": 1}, {"seed": 2}, True),
    ],
)
def test_runs_share_a_cohort_where_their_shapes_agree(
    one: dict[str, Any], other: dict[str, Any], together: bool
) -> None:
    assert (spec(**one).cohort_key == spec(**other).cohort_key) == together


def test_finished_tensors_are_the_layers_as_torch_has_them() -> None:
    *_, finished = train({"a": spec(normalize_observations=True)})

    assert isinstance(finished, Finished)
    shapes = {name: tuple(values.shape) for name, values in finished.tensors.items()}
    assert shapes == {
        "layers.0.weight": (8, 4),
        "layers.0.bias": (8,),
        "layers.1.weight": (2, 8),
        "layers.1.bias": (2,),
        "observation.mean": (4,),
        "observation.inverse_std": (4,),
    }
    assert all(values.dtype == torch.float32 for values in finished.tensors.values())
    assert all(values.is_contiguous() for values in finished.tensors.values())


def test_many_runs_of_two_cohorts_all_finish() -> None:
    rng = np.random.default_rng(0)
    runs = {
        f"run {seed}": spec(seed=seed, hidden_layers=((8,), ())[seed % 2], gamma=rng.random())
        for seed in range(6)
    }

    events = list(train(runs))

    assert sorted(e.run for e in events if isinstance(e, Finished)) == sorted(runs)
