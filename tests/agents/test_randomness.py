"""A draw is a function of seed, purpose and count, and of nothing else."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.randomness import Draws, Purpose, environment_seed, generator, sequence


def draws_of(seed: int, purpose: Purpose, words: int, count: int) -> NDArray[np.uint32]:
    """A lane's first draws by definition, [count, words]: 64 bits at a time, low word first."""
    stream = np.random.Philox(sequence(seed, purpose))
    pairs = (words + 1) // 2
    numbers = [int(number) for number in stream.random_raw(count * pairs)]
    halves = [half for number in numbers for half in (number & 0xFFFFFFFF, number >> 32)]
    return np.array(halves, dtype=np.uint32).reshape(count, 2 * pairs)[:, :words]


@pytest.mark.parametrize("block", [1, 2, 7, 256])
@pytest.mark.parametrize("words", [1, 2, 5, 64])
def test_draws_do_not_depend_on_the_block_they_are_taken_in(words: int, block: int) -> None:
    draws = Draws(Purpose.REPLAY, words=words, block=block)
    draws.admit(seed=17)

    taken = np.concatenate([draws.next().copy() for _ in range(30)])

    np.testing.assert_array_equal(taken, draws_of(17, Purpose.REPLAY, words, 30))


def test_draws_depend_neither_on_neighbours_nor_on_when_a_lane_joined() -> None:
    choose = random.Random(0)
    for _ in range(30):
        words, block = choose.choice([1, 2, 3, 16]), choose.choice([1, 2, 5, 64])
        draws = Draws(Purpose.EXPLORATION, words=words, block=block)
        lanes: list[tuple[int, int]] = []  # seed and draws taken, by row
        for _ in range(60):
            match choose.choice(["admit", "keep", "next", "next", "next"]):
                case "admit":
                    seed = choose.randrange(2**40)
                    draws.admit(seed)
                    lanes.append((seed, 0))
                case "keep":
                    rows = sorted(choose.sample(range(len(lanes)), choose.randint(0, len(lanes))))
                    draws.keep(rows)
                    lanes = [lanes[row] for row in rows]
                case "next":
                    taken = draws.next()
                    lanes = [(seed, count + 1) for seed, count in lanes]
                    for row, (seed, count) in enumerate(lanes):
                        expected = draws_of(seed, Purpose.EXPLORATION, words, count)[-1]
                        np.testing.assert_array_equal(taken[row], expected)


def test_purposes_and_seeds_have_streams_of_their_own() -> None:
    streams = [draws_of(seed, purpose, 8, 1).tobytes() for seed in range(50) for purpose in Purpose]

    assert len(set(streams)) == len(streams)


def test_the_numbers_of_purposes_never_change() -> None:
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "WEIGHTS": 1,
        "EXPLORATION": 2,
        "REPLAY": 3,
        "ENVIRONMENT": 4,
        "EVALUATION": 5,
        "RANDOM_AGENT": 6,
        "NOISE": 7,
        "RANDOM_POLICY": 8,
        "IMITATION": 9,
    }


def test_the_first_numbers_never_change() -> None:
    draws = Draws(Purpose.EXPLORATION, words=2, block=4)
    draws.admit(seed=0)

    assert draws.next().tolist() == [[792040005, 4007136662]]
    assert environment_seed(0, Purpose.ENVIRONMENT) == 608273276
    assert generator(0, Purpose.WEIGHTS).random() == 0.674438164022751


def test_environment_seeds_are_seeds_and_differ_along_their_path() -> None:
    paths = [(mark, episode) for mark in range(20) for episode in range(20)]
    seeds = [
        environment_seed(seed, Purpose.EVALUATION, *path) for seed in (0, 2**63) for path in paths
    ]

    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert environment_seed(0, Purpose.EVALUATION, 1, 2) == environment_seed(
        0, Purpose.EVALUATION, 1, 2
    )


def test_draws_are_roughly_uniform() -> None:
    draws = Draws(Purpose.REPLAY, words=64, block=16)
    for seed in range(20):
        draws.admit(seed)

    words = np.stack([draws.next().copy() for _ in range(100)])

    share = np.bincount((words >> 28).ravel(), minlength=16) / words.size
    assert np.abs(share - 1 / 16).max() < 0.004  # five standard deviations of 128 000 draws
    # neither words of one draw, nor draws of one lane, nor lanes of one draw go together
    centred = words / 2**32 - 0.5
    for one, other in [
        (centred[:, :, :-1], centred[:, :, 1:]),
        (centred[:-1], centred[1:]),
        (centred[:, :-1], centred[:, 1:]),
    ]:
        assert abs((one * other).mean()) * 12 < 0.015
