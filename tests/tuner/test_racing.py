"""Which trial gets another seed, which are confirmed, which wins."""

import random
from collections.abc import Sequence
from math import sqrt
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.racing import (
    FIRST_TRIALS,
    MOST_SHORTLIST,
    Field,
    Noise,
    Rule,
    choose,
    decide,
    noise,
    replay,
    shortlist,
)

RULE = Rule(start=2, most=5)
LEADER = [100.0, 110.0, 90.0]
OTHERS = {number: [50.0 + number, 60.0 + number, 55.0 + number] for number in range(10)}
numbers = st.floats(-1e3, 1e3)
fields = st.dictionaries(
    st.integers(0, 30), st.lists(numbers, min_size=1, max_size=6), min_size=2, max_size=12
)


def test_the_noise_of_known_scores_is_that_of_a_random_effects_model() -> None:
    field = {0: [1.0, 3.0], 1: [10.0, 14.0], 2: [4.0]}

    found = noise(field)

    assert found is not None
    assert found.within == pytest.approx((2.0 + 8.0) / 2)
    values = [2.0, 12.0, 4.0]
    seen = sum((v - 6.0) ** 2 for v in values) / 2
    assert found.between == pytest.approx(seen - fmean([5 / 2, 5 / 2, 5.0]))
    assert found.centre == pytest.approx(6.0)


@pytest.mark.parametrize("field", [{}, {0: [1.0, 2.0]}, {0: [1.0], 1: [2.0]}])
def test_too_few_scores_say_nothing_of_noise(field: Field) -> None:
    assert noise(field) is None


def test_shrinkage_is_nothing_without_noise_and_everything_without_signal() -> None:
    assert Noise(within=0.0, between=4.0, centre=1.0).shrunken(9.0, seeds=1) == 9.0
    assert Noise(within=4.0, between=0.0, centre=1.0).shrunken(9.0, seeds=3) == 1.0
    assert Noise(within=4.0, between=4.0, centre=0.0).shrunken(8.0, seeds=1) == 4.0
    assert Noise(within=4.0, between=4.0, centre=0.0).weight(4) == 0.8


def test_the_first_ten_trials_get_three_seeds_and_later_ones_start_with_two() -> None:
    assert [RULE.seeds_at_first(trial) for trial in (0, 9, 10)] == [3, 3, 2]
    assert Rule(start=4, most=5).seeds_at_first(0) == 4
    assert Rule(start=1, most=2).seeds_at_first(0) == 2


def test_a_trial_far_behind_the_leader_is_raced_out_with_its_numbers() -> None:
    field = {**OTHERS, 10: LEADER, 11: [52.0, 62.0]}

    found = decide(11, field, RULE)

    known = noise(field)
    assert known is not None
    assert (found.verdict, found.goes_on) == ("raced out", False)
    assert (found.seeds, found.value) == (2, 57.0)
    assert (found.leader, found.leader_seeds, found.leader_value) == (10, 3, 100.0)
    assert found.difference == -43.0
    assert found.standard_error == pytest.approx(sqrt(known.within * (1 / 2 + 1 / 3)))
    assert found.z == 0.67


def test_a_trial_near_the_leader_gets_another_seed_until_it_has_all() -> None:
    near = {**OTHERS, 10: LEADER, 11: [98.0, 99.0]}
    full = {**OTHERS, 10: LEADER, 11: [98.0, 99.0, 97.0, 98.0, 99.0]}

    assert decide(11, near, RULE).verdict == "contender"
    assert decide(11, full, RULE).verdict == "full"


def test_the_leader_itself_goes_on() -> None:
    found = decide(10, {**OTHERS, 10: LEADER}, RULE)

    assert (found.leader, found.difference, found.goes_on) == (10, 0.0, True)


def test_a_lucky_trial_of_two_seeds_leads_nobody() -> None:
    field = {**OTHERS, 10: LEADER, 11: [400.0, 410.0], 12: [95.0, 96.0]}

    assert decide(12, field, RULE).leader == 10


def test_before_anybody_can_lead_every_trial_goes_on() -> None:
    found = decide(0, {0: [1.0, 2.0], 1: [500.0, 500.0]}, RULE)

    assert (found.verdict, found.leader) == ("contender", None)


def test_spreads_that_differ_much_are_not_pooled() -> None:
    typical = 25.0  # the median variance of OTHERS, of which each counts as four more seeds
    field = {**OTHERS, 10: [500.0, 500.0, 500.0], 11: [100.0, 500.0]}

    found = decide(11, field, RULE)

    wide, narrow = (4 * typical + 80_000.0) / 5, 4 * typical / 6
    assert found.standard_error == pytest.approx(sqrt(wide / 2 + narrow / 3))


@given(fields)
def test_a_shortlist_holds_the_best_and_three_to_ten(field: Field) -> None:
    found = shortlist(field)

    assert len(found) == len(set(found))
    assert min(3, len(field)) <= len(found) <= MOST_SHORTLIST
    assert set(found) <= field.keys()


@given(fields, st.integers(-128, 128).map(float))
def test_nothing_depends_on_where_zero_is(field: Field, shift: float) -> None:
    whole = {trial: [float(round(s)) for s in scores] for trial, scores in field.items()}
    moved = {trial: [score + shift for score in scores] for trial, scores in whole.items()}

    for trial in whole:
        here, there = decide(trial, whole, RULE), decide(trial, moved, RULE)
        assert there.value == pytest.approx(here.value + shift)
        assert (there.standard_error or 0.0) == pytest.approx(here.standard_error or 0.0, abs=1e-6)


def test_the_shortlist_is_everything_within_two_standard_errors() -> None:
    clear = {n: [score, score + 1, score - 1] for n, score in enumerate([10, 20, 30, 40, 500, 501])}
    even = {n: [100.0 + n, 50.0, 150.0] for n in range(30)}

    assert shortlist({n: [float(s) for s in scores] for n, scores in clear.items()}) == [5, 4, 3]
    assert len(shortlist(even)) == MOST_SHORTLIST


def test_a_trial_far_away_does_not_keep_a_nearer_one_behind_it_from_the_shortlist() -> None:
    """A mean of one seed is drawn to the centre, and is uncertain enough to stay."""
    field = {0: [100.0, 101.0, 99.0, 100.0, 100.0], 1: [99.0, 98.0, 100.0, 99.0, 99.0]}
    field |= {2: [98.5] * 5, 3: [60.0, 61.0, 60.0, 59.0, 60.0], 4: [58.0], 5: [1.0, 2.0, 1.5]}

    found = shortlist(field)

    assert found[:3] == [0, 1, 2]
    assert (3 in found) <= (4 in found)


def test_before_any_score_differs_nobody_gets_more_seeds() -> None:
    field = {trial: [-200.0] * 3 for trial in range(12)}

    found = decide(11, field, RULE)

    assert (found.verdict, found.leader) == ("raced out", None)
    assert decide(11, {**field, 3: [-200.0, -150.0, -200.0]}, RULE).leader == 3


@given(st.integers(0, 2**32))
def test_a_search_is_decided_again_by_its_scores_in_their_order(seed: int) -> None:
    draws = random.Random(seed)
    scored, live = [], []
    field: dict[int, list[float]] = {}
    for trial in range(8):
        field[trial] = []
        for _ in range(RULE.seeds_at_first(trial)):
            field[trial].append(draws.gauss(trial, 3.0))
            scored.append((trial, field[trial][-1]))
        while True:
            live.append(decide(trial, field, RULE))
            if not live[-1].goes_on:
                break
            field[trial].append(draws.gauss(trial, 3.0))
            scored.append((trial, field[trial][-1]))

    assert list(replay(scored, RULE)) == live


def test_the_finalist_with_the_least_spread_wins_among_equals() -> None:
    finalists = {
        3: [500.0, 300.0, 500.0, 500.0],
        1: [445.0, 440.0, 450.0, 445.0],
        2: [100.0, 100.0, 100.0, 101.0],
    }

    found = choose(finalists, costs={1: 1.0, 2: 1.0, 3: 1.0})

    assert (found.winner, found.highest) == (1, 3)
    assert found.standard_error == pytest.approx(50.0)
    assert found.values[3] == 450.0


def test_the_standard_error_is_that_of_the_value_the_study_chose() -> None:
    """A flat bad configuration is no equal of one that is better on every seed."""
    default = [9.1, 9.5, 10.0, 10.8, 9.3, 9.4, 10.1, 9.9, 9.2, 9.6]
    better = [12.9, 14.0, 15.0, 20.0, 30.0, 45.0, 60.0, 80.0, 120.0, 222.6]

    found = choose({1: better, -1: default}, costs={1: 1.0, -1: 1.0}, across="cvar")

    assert found.winner == 1
    assert found.standard_error < 3.0


def test_of_equals_the_cheaper_one_wins() -> None:
    finalists = {1: [5.0, 7.0], 2: [5.0, 7.0], 3: [5.0, 7.0]}

    assert choose(finalists, costs={1: 2.0, 2: 1.0, 3: 1.0}).winner == 2


def played(truth: Sequence[float], spread: float, draws: random.Random) -> dict[int, int]:
    """Race trials of these true means one after another: how many seeds each got."""
    field: dict[int, list[float]] = {}
    for trial, mean in enumerate(truth):
        seeds = RULE.seeds_at_first(trial)
        field[trial] = [draws.gauss(mean, spread) for _ in range(seeds)]
        while decide(trial, field, RULE).goes_on:
            field[trial].append(draws.gauss(mean, spread))
    return {trial: len(scores) for trial, scores in field.items()}


def test_a_trial_three_spreads_better_is_hardly_ever_raced_out() -> None:
    """At most 2 % of 500 races drop it before it has all seeds (a fixed seed)."""
    draws = random.Random(1)
    dropped = 0
    for _ in range(500):
        truth = [draws.gauss(0.0, 1.0) for _ in range(FIRST_TRIALS + 5)]
        truth.append(max(truth) + 3.0)
        dropped += played(truth, 1.0, draws)[len(truth) - 1] < RULE.most

    assert dropped <= 10


def test_a_race_spends_fewer_seeds_than_all_for_everybody() -> None:
    draws = random.Random(2)
    spent = sum(
        sum(played([draws.gauss(0.0, 1.0) for _ in range(40)], 1.0, draws).values())
        for _ in range(20)
    )

    assert 40 * 20 * RULE.start < spent < 0.75 * 40 * 20 * RULE.most
