"""Known answers of scores and spreads."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.seed_statistics import (
    across_seeds,
    interquartile_mean,
    run_score,
    shrunken_variance,
    trial_value,
    typical_variance,
)

KINDS = ("mean", "iqm", "mean_minus_std", "cvar")
scores = st.lists(st.integers(-1_000, 1_000).map(float), min_size=1, max_size=12)


def test_final_is_the_mean_of_the_last_tenth_of_the_marks() -> None:
    marks = list(range(1, 101))
    returns = [[float(mark)] for mark in marks]

    assert run_score("final", marks, returns) == 95.5


def test_final_rounds_a_tenth_up() -> None:
    marks = list(range(1, 62))
    returns = [[float(mark)] for mark in marks]

    assert run_score("final", marks, returns) == 58.0  # 7 marks: 55 to 61


@pytest.mark.parametrize(
    ("means", "score"),
    [([9.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3.0), ([4.0, 8.0], 6.0), ([7.0], 7.0)],
    ids=["at least five marks", "all of fewer than five", "one"],
)
def test_final_takes_five_marks_or_all_there_are(means: list[float], score: float) -> None:
    assert run_score("final", range(1, len(means) + 1), [[mean] for mean in means]) == score


def test_a_mark_counts_by_the_mean_of_its_episodes() -> None:
    assert run_score("final", [10, 20], [[1.0, 3.0], [5.0, 11.0]]) == 5.0


def test_auc_is_the_mean_height_between_the_first_mark_and_the_last() -> None:
    straight = run_score("auc", [100, 200, 300], [[0.0], [10.0], [20.0]])
    uneven = run_score("auc", [10, 20, 50], [[0.0], [10.0], [10.0]])

    assert straight == 10.0
    assert uneven == (10 * 5 + 30 * 10) / 40


def test_auc_of_a_single_mark_is_that_mark() -> None:
    assert run_score("auc", [100], [[3.0, 5.0]]) == 4.0


def test_a_spread_has_mean_standard_deviation_and_minimum() -> None:
    spread = across_seeds([2.0, 4.0, 9.0])

    assert spread.scores == (2.0, 4.0, 9.0)
    assert (spread.mean, spread.minimum) == (5.0, 2.0)
    assert spread.std == pytest.approx(13**0.5)  # (9 + 1 + 16) / 2


def test_one_seed_has_no_standard_deviation() -> None:
    assert across_seeds([3.0]).std is None


def test_equal_scores_have_a_standard_deviation_of_zero() -> None:
    assert across_seeds([500.0, 500.0]).std == 0.0


# Weights of the middle half: score j of n stands for the share (j-1)/n to j/n.
MIDDLE_HALVES = {
    1: [0.5],
    2: [0.5, 0.5],
    3: [0.25, 1, 0.25],
    4: [0, 1, 1, 0],
    5: [0, 0.75, 1, 0.75, 0],
    6: [0, 0.5, 1, 1, 0.5, 0],
    7: [0, 0.25, 1, 1, 1, 0.25, 0],
    8: [0, 0, 1, 1, 1, 1, 0, 0],
    9: [0, 0, 0.75, 1, 1, 1, 0.75, 0, 0],
    10: [0, 0, 0.5, 1, 1, 1, 1, 0.5, 0, 0],
    11: [0, 0, 0.25, 1, 1, 1, 1, 1, 0.25, 0, 0],
    12: [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0],
}


@pytest.mark.parametrize("n", MIDDLE_HALVES)
def test_the_interquartile_mean_weighs_the_middle_half(n: int) -> None:
    ordered = [float(3**k) for k in range(n)]
    weights = MIDDLE_HALVES[n]

    expected = sum(w * y for w, y in zip(weights, ordered, strict=True)) / sum(weights)

    assert interquartile_mean(ordered) == pytest.approx(expected)


def test_values_of_known_scores() -> None:
    data = [1.0, 2.0, 3.0, 4.0, 100.0]

    assert trial_value("mean", data) == 22.0
    assert trial_value("iqm", data) == pytest.approx((0.75 * 2 + 3 + 0.75 * 4) / 2.5)
    assert trial_value("cvar", data) == 1.5
    assert trial_value("mean_minus_std", [1.0, 3.0]) == pytest.approx(2.0 - 0.5 * 2**0.5)
    assert trial_value("mean_minus_std", [1.0, 3.0], typical=7.0) == pytest.approx(
        2.0 - 0.5 * ((4 * 7.0 + 2.0) / 5) ** 0.5
    )


def test_the_variance_of_a_single_seed_is_the_typical_one() -> None:
    assert shrunken_variance([5.0], 9.0) == 9.0
    assert shrunken_variance([5.0], None) == 0.0
    assert typical_variance([[1.0], [1.0, 3.0], [1.0, 5.0], [0.0, 20.0]]) == 8.0
    assert typical_variance([[1.0], [2.0]]) is None


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_number_is_never_averaged_away(name: str, score: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        trial_value(name, [1.0, score, 3.0])


@given(scores, st.sampled_from(KINDS), st.integers(-100, 100), st.integers(1, 9))
def test_a_value_moves_and_stretches_with_its_scores(
    data: list[float], name: str, shift: int, scale: int
) -> None:
    moved = trial_value(name, [scale * score + shift for score in data])

    assert moved == pytest.approx(scale * trial_value(name, data) + shift, abs=1e-6)


@given(scores, st.sampled_from(KINDS), st.randoms())
def test_the_order_of_seeds_changes_no_value(
    data: list[float], name: str, shuffler: random.Random
) -> None:
    other = list(data)
    shuffler.shuffle(other)

    assert trial_value(name, other) == pytest.approx(trial_value(name, data))


@given(scores)
def test_every_value_lies_among_the_scores_or_below(data: list[float]) -> None:
    for name in ("mean", "iqm", "cvar"):
        assert min(data) - 1e-9 <= trial_value(name, data) <= max(data) + 1e-9
    assert trial_value("mean_minus_std", data) <= trial_value("mean", data) + 1e-9
    assert trial_value("cvar", data) <= trial_value("mean", data) + 1e-9


@given(scores)
def test_iqm_and_mean_mirror_when_the_direction_flips(data: list[float]) -> None:
    for name in ("mean", "iqm"):
        flipped = trial_value(name, [-score for score in data])
        assert flipped == pytest.approx(-trial_value(name, data), abs=1e-9)
