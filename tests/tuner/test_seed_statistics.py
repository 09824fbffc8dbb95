"""Known answers of scores and spreads."""

import pytest

from tuner.seed_statistics import across_seeds, run_score


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
