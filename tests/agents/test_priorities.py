"""Sampling by priority, against sums worked out the plain way."""

import numpy as np
import pytest

from agents.priorities import LEAST, Priorities

STEPS = 1_000


def drawn(words: list[list[int]]) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(words, dtype=np.uint32)


def one_lane(alpha: float, errors: list[float], beta: float = 0.5) -> Priorities:
    """A lane that holds a transition for each of these TD errors."""
    found = Priorities(STEPS)
    found.admit(alpha, beta, capacity=len(errors))
    places = np.arange(len(errors))
    found.insert(np.zeros(len(errors), dtype=np.int64), places)
    counted = np.ones((1, len(errors)), dtype=np.bool_)
    errors_ = np.array([errors], dtype=np.float32)
    found.update(places[None], errors_, counted, np.ones(1, dtype=np.bool_))
    return found


def sampled(found: Priorities, words: np.ndarray, fill: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    return found.sample(np.zeros(words.shape, dtype=np.int64), words, np.array([fill]))


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 13, 100])
def test_draws_fall_in_proportion_to_priorities(alpha: float, count: int) -> None:
    errors = np.random.default_rng(count).exponential(size=count).astype(np.float32).tolist()
    words = np.linspace(0, 2**32 - 1, 20_000).astype(np.uint32)[None]

    places, expected = sampled(one_lane(alpha, errors), words, count)

    share = (np.abs(np.array(errors)) + LEAST) ** alpha
    share /= share.sum()
    found = np.bincount(places[0], minlength=count) / words.shape[1]
    np.testing.assert_allclose(found, share, atol=2 / words.shape[1])
    np.testing.assert_allclose(expected[0], count * share[places[0]], rtol=1e-9)


def test_a_new_transition_has_the_largest_priority_there_was() -> None:
    found = one_lane(1.0, [0.5, 7.0, 0.25, 2.0])

    found.insert(np.array([0]), np.array([2]))

    _, expected = sampled(found, drawn([[2**31]]), 4)
    share = np.array([0.5, 7.0, 7.0, 2.0]) + LEAST
    places = np.searchsorted(share.cumsum(), share.sum() / 2)
    np.testing.assert_allclose(expected[0, 0], 4 * share[places] / share.sum(), rtol=1e-6)


def test_weights_undo_the_bias_fully_at_the_end_of_the_budget() -> None:
    found = one_lane(1.0, [1.0, 3.0], beta=0.0)
    counted = np.ones((1, 2), dtype=np.bool_)
    expected = np.array([[0.5, 1.5]])

    at_first = found.weights(expected, counted, np.array([0]))
    at_last = found.weights(expected, counted, np.array([STEPS]))

    np.testing.assert_allclose(at_first, [[1.0, 1.0]])
    np.testing.assert_allclose(at_last, [[1.0, 1.0 / 3.0]], rtol=1e-6)


def test_without_alpha_draws_are_uniform_and_all_count_alike() -> None:
    found = one_lane(0.0, [1.0, 100.0, 3.0])
    uniform = np.array([[2, 0, 1, 1]])
    words = drawn([[1, 2, 3, 4]])

    places, expected = found.sample(uniform, words, np.array([3]))

    assert places.tolist() == uniform.tolist()
    counted = np.ones((1, 4), dtype=np.bool_)
    assert (found.weights(expected, counted, np.array([10])) == 1.0).all()


def test_a_neighbour_with_a_deeper_tree_changes_no_bit() -> None:
    errors = np.random.default_rng(0).exponential(size=37).tolist()
    words = np.random.default_rng(1).integers(2**32, size=(1, 500), dtype=np.uint32)
    alone = one_lane(0.7, errors)
    among = one_lane(0.7, errors)
    among.admit(0.5, 0.4, capacity=5_000)
    among.insert(np.full(9, 1), np.arange(9))

    places, expected = sampled(alone, words, 37)
    both = np.repeat(words, 2, axis=0)
    among_places, among_expected = among.sample(both.astype(np.int64) * 0, both, np.array([37, 9]))

    assert np.array_equal(among_places[0], places[0])
    assert np.array_equal(among_expected[0], expected[0])
    among.keep([1])
    assert np.array_equal(among.sample(words * 0, words, np.array([9]))[0][0], among_places[1])


def test_what_only_fills_up_a_batch_changes_no_priority() -> None:
    found = one_lane(1.0, [1.0, 1.0, 1.0])
    counted = np.array([[True, False]])

    found.update(np.array([[0, 2]]), np.array([[4.0, 9.0]], dtype=np.float32), counted,
                 np.array([True]))  # fmt: skip

    _, expected = sampled(found, drawn([[0, 2**32 - 1]]), 3)
    np.testing.assert_allclose(expected[0], [2.0, 0.5], rtol=1e-5)
