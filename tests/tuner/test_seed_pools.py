"""Seeds of different purposes never meet, and never change."""

import random

import pytest

from tuner.seed_pools import Pool, run_seed

INDICES = [0, 1, 10**6]
PINNED = {
    (0, Pool.TUNE): [3285312248, 814039700, 3379823096],
    (0, Pool.CONFIRM): [3285312249, 814039701, 3379823097],
    (0, Pool.TEST): [3285312250, 814039702, 3379823098],
    (7, Pool.TUNE): [4039752032, 2618135908, 615891552],
    (2**32 - 1, Pool.TEST): [3674732578, 2199850926, 907277090],
}


@pytest.mark.parametrize(("master_seed", "pool"), PINNED)
def test_seeds_are_the_same_for_ever(master_seed: int, pool: Pool) -> None:
    seeds = [run_seed(master_seed, pool, index) for index in INDICES]

    assert seeds == PINNED[master_seed, pool]


def test_no_seed_of_the_first_tens_of_thousands_comes_twice_in_any_pool() -> None:
    seeds = [run_seed(7, pool, index) for pool in Pool for index in range(30_000)]

    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 0 and max(seeds) < 2**32


def test_a_pool_goes_on_in_odd_strides_and_so_repeats_only_after_all_its_seeds() -> None:
    draws = random.Random(0)

    for master_seed in range(10):
        far = [draws.randrange(2**30 - 1) for _ in range(100)]
        strides = {
            (run_seed(master_seed, Pool.TUNE, i + 1) - run_seed(master_seed, Pool.TUNE, i)) % 2**32
            for i in (0, 10**6, *far)
        }

        assert len(strides) == 1
        assert strides.pop() % 8 == 4


def test_the_pool_of_any_seed_can_be_read_from_it() -> None:
    draws = random.Random(1)

    for _ in range(300):
        master_seed, index = draws.randrange(2**32), draws.randrange(2**30)
        assert [run_seed(master_seed, pool, index) % 4 for pool in Pool] == [0, 1, 2, 3]


def test_master_seeds_lead_to_other_seeds() -> None:
    firsts = {run_seed(master_seed, Pool.TUNE, 0) for master_seed in range(1_000)}

    assert len(firsts) > 995


def test_pools_have_the_words_of_the_runs_table() -> None:
    assert [pool.word for pool in Pool] == ["tune", "confirm", "test", "fresh"]
