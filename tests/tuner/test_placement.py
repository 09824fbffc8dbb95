"""Cohorts stay together, and trainers stay busy."""

import random

from agents.kinds import make_hparams
from tuner.placement import Load, Place, best_load

LIGHT, HEAVY = Place("light", 0.1), Place("heavy", 1.0)


def placed(places: list[Place], trainers: int = 2, lanes: int = 100) -> list[Load]:
    loads = [Load() for _ in range(trainers)]
    for number, place in enumerate(places):
        room = [load for load in loads if len(load.runs) < lanes]
        best_load(room, place.cohort).runs[str(number)] = place
    return loads


def test_no_trainer_is_left_without_work() -> None:
    for count in (2, 20, 60):
        sizes = [len(load.runs) for load in placed([LIGHT] * count)]

        assert min(sizes) >= count // 3


def test_loads_are_balanced_by_work_and_not_by_number() -> None:
    draws = random.Random(0)
    loads = placed([draws.choice([LIGHT, LIGHT, HEAVY]) for _ in range(60)])

    least, most = sorted(load.time for load in loads)

    assert most <= 1.25 * least + 2.0


def test_a_run_joins_its_cohort_where_that_is_bearable() -> None:
    mine, other = Load({"0": LIGHT, "1": LIGHT}), Load({"2": HEAVY})

    assert best_load([mine, other], "light") is mine
    assert best_load([mine, other], "heavy") is other


def test_cohorts_are_fuller_than_by_number_alone() -> None:
    draws = random.Random(0)
    places = [Place(draws.randrange(4), 0.1) for _ in range(60)]

    cohorts = sum(len({place.cohort for place in load.runs.values()}) for load in placed(places))

    assert cohorts < 2 * 4


def test_a_lane_costs_what_its_network_multiplies_for_a_step() -> None:
    def cost(**params: object) -> float:
        return make_hparams("deep_q", {"train_freq": 1} | params).cost

    assert cost(hidden_layers=[64, 64]) < cost(hidden_layers=[128, 128])
    assert cost(hidden_layers=[16, 16]) < cost(hidden_layers=[4_096])
    assert cost(batch_size=64) < cost(batch_size=128)
    assert cost(train_freq=4) < cost(train_freq=1) < cost(gradient_steps=2)
