"""Epsilon by the book, and the choice it leads to."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.exploration import EpsilonGreedy
from agents.kinds import make_hparams

LINEAR = {"epsilon_start": 0.9, "epsilon_end": 0.1, "epsilon_decay_steps": 80}
LANES: list[dict[str, Any]] = [
    LINEAR | {"learning_starts": 0},
    LINEAR | {"learning_starts": 0, "epsilon_decay": "exponential"},
    LINEAR | {"learning_starts": 10},
    {"epsilon_start": 0.0, "epsilon_end": 1.0, "epsilon_decay_steps": 1, "learning_starts": 0},
    {"epsilon_start": 0.3, "epsilon_end": 0.3, "learning_starts": 3},
]


def explorers(lanes: list[dict[str, Any]]) -> EpsilonGreedy:
    exploration = EpsilonGreedy()
    for params in lanes:
        hparams = make_hparams("deep_q", params)
        exploration.admit(hparams, random_until=hparams.learning_starts)
    return exploration


def epsilon(params: dict[str, Any], step: int) -> float:
    return float(explorers([params]).epsilon(np.array([step]))[0])


def words(*pairs: tuple[int, int]) -> NDArray[np.uint32]:
    return np.array(pairs, dtype=np.uint32)


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.9), (20, 0.7), (40, 0.5), (80, 0.1), (81, 0.1), (10**9, 0.1)]
)
def test_a_linear_decay_ends_after_its_steps(step: int, expected: float) -> None:
    assert epsilon(LANES[0], step) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("step", [0, 1, 80, 400, 10**9])
def test_an_exponential_decay_has_its_steps_as_time_constant(step: int) -> None:
    assert epsilon(LANES[1], step) == pytest.approx(0.1 + 0.8 * math.exp(-step / 80), abs=1e-15)


def test_a_lane_acts_at_random_until_its_learning_starts() -> None:
    assert [epsilon(LANES[2], step) for step in (0, 9)] == [1.0, 1.0]
    assert epsilon(LANES[2], 10) == pytest.approx(0.8)


def test_epsilon_may_rise_and_may_stand_still() -> None:
    assert [epsilon(LANES[3], step) for step in (0, 1, 2)] == [0.0, 1.0, 1.0]
    assert [epsilon(LANES[4], step) for step in (2, 3, 10_000)] == [1.0, 0.3, 0.3]


def test_every_lane_follows_its_own_clock_whoever_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    for lanes in (1, 2, 7, 8, 9, 33):
        chosen = [LANES[place] for place in rng.integers(len(LANES), size=lanes)]
        steps = rng.integers(200, size=lanes)

        together = explorers(chosen).epsilon(steps)

        assert together.tolist() == [epsilon(*pair) for pair in zip(chosen, steps, strict=True)]


def test_lanes_that_stay_keep_their_schedule() -> None:
    exploration = explorers(LANES)

    exploration.keep([4, 1])

    expected = [epsilon(LANES[4], 50), epsilon(LANES[1], 60)]
    assert exploration.epsilon(np.array([50, 60])).tolist() == expected


def test_a_lane_explores_where_its_first_word_falls_below_epsilon() -> None:
    exploration = explorers([LANES[4]] * 2)
    limit = math.ceil(0.3 * 2**32)
    draws = words((limit - 1, 0), (limit, 0))

    chosen = exploration.choose(np.array([1, 1]), 2, np.array([100, 100]), draws)

    assert chosen.tolist() == [0, 1]


def test_the_second_word_is_the_random_action() -> None:
    exploration = explorers([LANES[2]] * 4)
    third = 2**32 // 3
    draws = words((2**32 - 1, 0), (0, third), (0, third + 1), (0, 2**32 - 1))

    chosen = exploration.choose(np.full(4, 7), 3, np.zeros(4, dtype=np.int64), draws)

    assert chosen.tolist() == [0, 0, 1, 2]


def test_epsilon_one_always_and_epsilon_zero_never_explores() -> None:
    exploration = explorers([LANES[3]] * 2)
    draws = words((0, 0), (2**32 - 1, 0))

    assert exploration.choose(np.array([1, 1]), 2, np.array([0, 0]), draws).tolist() == [1, 1]
    assert exploration.choose(np.array([1, 1]), 2, np.array([5, 5]), draws).tolist() == [0, 0]


def test_the_choice_has_the_frequencies_of_epsilon() -> None:
    lanes = 20_000
    draws = np.random.default_rng(0).integers(2**32, size=(lanes, 2), dtype=np.uint32)
    exploration = explorers([LANES[4]])
    exploration.keep([0] * lanes)

    chosen = exploration.choose(np.full(lanes, 2), 4, np.full(lanes, 10), draws)

    share = np.bincount(chosen, minlength=4) / lanes
    assert share == pytest.approx([0.075, 0.075, 0.775, 0.075], abs=0.015)
