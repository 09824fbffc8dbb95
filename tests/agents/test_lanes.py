"""The promise: what a lane learns is a function of its own hparams and seed, bit for bit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from agents.budget import Budget
from agents.cohort import Evaluated, Event, Failed, Finished, RunSpec
from agents.environments import EnvSpec
from agents.kinds import make_hparams
from agents.randomness import Purpose, environment_seed
from agents.training import Training, train

BUDGET = Budget(steps=280, evaluations=4, episodes=2)  # more steps than a block of draws
CARTPOLE = EnvSpec("CartPole-v1")
FREQUENT: dict[str, Any] = {"train_freq": 1, "batch_size": 16}
SHAPES: dict[str, dict[str, Any]] = {
    "plain": FREQUENT,
    "linear": FREQUENT | {"hidden_layers": (), "loss": "mse"},
    "odd": {
        "hidden_layers": (33, 7),
        "activation": "tanh",
        "batch_size": 5,
        "train_freq": 3,
        "gradient_steps": 2,
        "normalize_observations": True,
        "double": True,
    },
    "deep": FREQUENT | {"hidden_layers": (8, 24, 8, 9, 8), "loss": "mse"},
    "dueling": FREQUENT | {"head": "dueling", "hidden_layers": (17, 5)},
    "state-action": FREQUENT | {"head": "state_action", "hidden_layers": (17,)},
    "wide": {"hidden_layers": (256, 256), "train_freq": 4, "double": True},
}


def spec(shape: str, place: int, env: EnvSpec = CARTPOLE) -> RunSpec:
    """Run number `place` of many: other hparams than its neighbours wherever they may differ."""
    lanewise = {
        "learning_rate": (1e-3, 3e-3, 1e-4)[place % 3],
        "gamma": (0.99, 0.9, 1.0, 0.0)[place % 4],
        "n_steps": (1, 1, 3, 1, 10)[place % 5],
        "buffer_size": (100, 64, 1_000, 73, 279)[place % 5],
        "priority_alpha": (0.0, 0.6, 0.0, 1.0)[place // 3 % 4],
        "epsilon_clock": ("steps", "episodes")[place // 4 % 2],
        "learning_starts": (20, 0, 7, 100)[place % 4],
        "target_update_interval": (10, 1, 33)[place % 3],
        "tau": (1.0, 0.3)[place % 2],
        "epsilon_decay": ("linear", "exponential")[place // 2 % 2],
        "epsilon_decay_steps": 50 + place,
        "epsilon_end": 0.05 + 0.01 * (place % 7),
        "max_grad_norm": (0.5, 10.0, 1e-3, 1e9)[place % 4],
    }
    hparams = make_hparams("deep_q", lanewise | SHAPES[shape])
    return RunSpec("deep_q", hparams, env, BUDGET, seed=1_000 + place)


@dataclass
class Result:
    """All there is to know of a run."""

    curve: list[tuple[int, tuple[float, ...]]] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    failure: Failed | None = None


def results(events: Iterable[Event]) -> dict[str, Result]:
    by_run: dict[str, Result] = {}
    for event in events:
        result = by_run.setdefault(event.run, Result())
        match event:
            case Evaluated():
                result.curve.append((event.step, event.returns))
            case Finished():
                result.tensors = event.tensors
            case Failed():
                result.failure = event
    return by_run


def finish(training: Training) -> list[Event]:
    events: list[Event] = []
    while training.lanes:
        events += training.advance(steps=1_000)
    return events


@cache
def alone(shape: str, place: int) -> Result:
    return results(train({"alone": spec(shape, place)}))["alone"]


def assert_same(result: Result, expected: Result) -> None:
    """Every return at every mark, and every bit of the weights."""
    assert len(expected.curve) == BUDGET.evaluations
    assert result.curve == expected.curve
    assert result.tensors.keys() == expected.tensors.keys()
    for name, values in expected.tensors.items():
        bits, expected_bits = result.tensors[name].view(torch.int32), values.view(torch.int32)
        assert torch.equal(bits, expected_bits), name


@pytest.mark.parametrize("lanes", [2, 5, 16, 33])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_lane_learns_the_same_alone_as_among_neighbours(shape: str, lanes: int) -> None:
    together = results(train({str(place): spec(shape, place) for place in range(lanes)}))

    for place in sorted({0, 1, lanes // 2, lanes - 2, lanes - 1}):
        assert_same(together[str(place)], alone(shape, place))


@pytest.mark.parametrize("row", [0, 3, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_lane_learns_the_same_in_every_row(shape: str, row: int) -> None:
    neighbours = [*range(1, row + 1), 0, *range(row + 1, 7)]

    together = results(train({str(place): spec(shape, place) for place in neighbours}))

    assert_same(together["0"], alone(shape, 0))


@pytest.mark.parametrize("late", [1, 2, 3, 4, 5, 119])
@pytest.mark.parametrize("shape", ["odd", "wide"])  # these train every third and fourth step
def test_a_lane_admitted_late_learns_the_same(shape: str, late: int) -> None:
    training = Training()
    for place in (1, 2):
        training.admit(str(place), spec(shape, place))

    events = training.advance(late)
    training.admit("3", spec(shape, 3))
    events += training.advance(late)
    training.admit("0", spec(shape, 0))
    together = results(events + finish(training))

    for place in range(4):
        assert_same(together[str(place)], alone(shape, place))


def test_a_lane_that_takes_an_evicted_neighbours_place_learns_the_same() -> None:
    training = Training()
    for place in (1, 2, 3):
        training.admit(str(place), spec("odd", place))

    events = training.advance(77)
    training.evict(["2"])
    training.admit("0", spec("odd", 0))
    together = results(events + finish(training))

    for place in (0, 1, 3):
        assert_same(together[str(place)], alone("odd", place))


@pytest.mark.parametrize("when", [1, 70, 71, 130])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_lane_next_to_an_evicted_one_learns_the_same(shape: str, when: int) -> None:
    training = Training()
    for place in range(4):
        training.admit(str(place), spec(shape, place))

    events = training.advance(when)
    training.evict(["0", "2"])
    together = results(events + finish(training))

    assert not together.get("0", Result()).tensors
    for place in (1, 3):
        assert_same(together[str(place)], alone(shape, place))


def test_a_lane_that_outlives_its_cohort_learns_the_same() -> None:
    training = Training()
    training.admit("1", spec("odd", 1))
    events = training.advance(50)
    training.admit("0", spec("odd", 0))

    training.evict(["1"])
    together = results(events + finish(training))

    assert_same(together["0"], alone("odd", 0))


@pytest.mark.parametrize("fatal_step", [57, 70, 0], ids=["training", "at a mark", "at reset"])
@pytest.mark.parametrize("shape", ["linear", "odd"])
def test_a_lane_next_to_one_whose_environment_raises_learns_the_same(
    shape: str, fatal_step: int
) -> None:
    assert_not_noticed(shape, {"fatal_step": fatal_step}, reason="env_error")


@pytest.mark.parametrize(
    ("shape", "reward"), [("linear", 3e38), ("deep", 3e38), ("odd", float("nan"))]
)
def test_a_lane_next_to_one_that_diverges_learns_the_same(shape: str, reward: float) -> None:
    assert_not_noticed(shape, {"fatal_step": 57, "reward": reward}, reason="diverged")


def assert_not_noticed(shape: str, fate: dict[str, Any], reason: str) -> None:
    """Train four lanes, the second of which meets its fate; the others must be as if alone."""
    doomed = environment_seed(spec(shape, 1).seed, Purpose.ENVIRONMENT)
    env = EnvSpec("Probe/FragileCartPole-v0", {"fatal_seed": doomed} | fate)

    together = results(train({str(place): spec(shape, place, env) for place in range(4)}))

    assert together["1"].failure is not None
    assert together["1"].failure.reason == reason
    for place in (0, 2, 3):
        on_its_own = results(train({"alone": spec(shape, place, env)}))["alone"]
        assert_same(together[str(place)], on_its_own)


def test_a_lane_next_to_one_that_fails_in_its_evaluation_learns_the_same() -> None:
    doomed = environment_seed(spec("odd", 1).seed, Purpose.EVALUATION, 2, 1)
    env = EnvSpec("Probe/FragileCartPole-v0", {"fatal_seed": doomed, "fatal_step": 3})

    together = results(train({str(place): spec("odd", place, env) for place in range(4)}))

    assert together["1"].failure is not None
    assert [step for step, _ in together["1"].curve] == [70]
    for place in (0, 2, 3):
        on_its_own = results(train({"alone": spec("odd", place, env)}))["alone"]
        assert_same(together[str(place)], on_its_own)


def test_cohorts_of_other_shapes_change_nothing() -> None:
    runs = {f"{shape} {place}": spec(shape, place) for place in (0, 1) for shape in SHAPES}

    together = results(train(runs))

    for place in (0, 1):
        on_their_own = results(train({name: spec(name, place) for name in SHAPES}))
        for shape in SHAPES:
            assert_same(together[f"{shape} {place}"], on_their_own[shape])


def test_how_far_each_call_advances_changes_nothing() -> None:
    training = Training()
    training.admit("0", spec("odd", 0))

    events: list[Event] = []
    while training.lanes:
        events += training.advance(steps=7)

    assert_same(results(events)["0"], alone("odd", 0))


def weights(result: Result) -> Mapping[str, Tensor]:
    return {name: values for name, values in result.tensors.items() if "weight" in name}


@pytest.mark.parametrize("shape", SHAPES)
def test_two_seeds_differ_and_one_seed_repeats(shape: str) -> None:
    first = spec(shape, 0)
    other = RunSpec(first.agent, first.hparams, first.env, first.budget, first.seed + 1)

    together = results(train({"first": first, "again": first, "other": other}))

    assert_same(together["again"], together["first"])
    for name, values in weights(together["first"]).items():
        assert not torch.equal(values, weights(together["other"])[name])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_callers_threads_change_nothing(threads: int) -> None:
    torch.set_num_threads(threads)
    try:
        together = results(train({str(place): spec("wide", place) for place in (1, 0)}))
    finally:
        torch.set_num_threads(1)

    assert_same(together["0"], alone("wide", 0))
