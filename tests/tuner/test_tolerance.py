"""Importance, sensitivity, parallel coordinates: what they say where the answer is known."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tuner.landscapes import complete, landscape
from tests.tuner.tiny import a_run
from tuner.findings.importance import LEAST_TRIALS, importance
from tuner.findings.parallel import parallel
from tuner.findings.scales import Scale, scales
from tuner.findings.sensitivity import Tolerance, sensitivity

TWO = """\
gamma = { low = 0.5, high = 1.0 }
learning_rate = { low = 1e-5, high = 1e-1, log = true }
"""
CHOICES = """\
gamma = { low = 0.5, high = 1.0 }
loss = { choices = ["huber", "mse"] }
n_steps = { choices = [1, 3, 5] }
"""
FLAT = f"{TWO}loss = {{ choices = ['huber', 'mse'] }}\n"
CONDITION = """\
gamma = { low = 0.5, high = 1.0 }
priority_alpha = { choices = [0.0, 0.6] }
priority_beta = { low = 0.0, high = 1.0, when = { priority_alpha = 0.6 } }
"""


def hill(params: Mapping[str, Any], seed: int) -> float:
    """100 at gamma = 0.75, 10 % less at 0.125 to either side; the learning rate is all the same."""
    return 100 - 10 * ((params["gamma"] - 0.75) / 0.125) ** 2


def tolerance_of(found: object, name: str) -> Tolerance:
    [tolerance] = [t for t in found.tolerances if t.name == name]  # type: ignore[attr-defined]
    assert isinstance(tolerance, Tolerance)
    return tolerance


def test_the_winner_may_move_as_far_as_the_hill_is_broad() -> None:
    found = sensitivity(landscape(TWO, hill, trials=400))

    gamma = tolerance_of(found, "gamma")
    assert gamma.low is not None and gamma.high is not None
    assert (gamma.low.end, gamma.high.end) == ("falls", "falls")
    assert gamma.low.value == pytest.approx(0.625, abs=0.02)  # of 0.5 to 1
    assert gamma.high.value == pytest.approx(0.875, abs=0.02)
    assert gamma.low.within is not None
    assert gamma.low.within[0] <= 0.25 <= gamma.low.within[1] + 0.02  # on an axis from 0 to 1


def test_what_does_not_matter_may_move_to_both_ends() -> None:
    found = sensitivity(landscape(TWO, hill, trials=400))

    rate = tolerance_of(found, "learning_rate")
    assert rate.low is not None and rate.high is not None
    assert (rate.low.end, rate.high.end) == ("edge", "edge")
    assert (rate.low.value, rate.high.value) == pytest.approx((1e-5, 1e-1))


@pytest.mark.parametrize("noise", [14.0, 56.0])
def test_where_nothing_matters_hardly_anything_is_said_to_fall(noise: float) -> None:
    verdicts: list[object] = []
    for repetition in range(30):
        verdicts += flat_verdicts(np.random.default_rng(repetition), noise)

    false_alarms = sum(verdict in ("falls", False) for verdict in verdicts)
    assert len(verdicts) > 100
    assert false_alarms / len(verdicts) < 0.1  # 5 % at the larger noise


def flat_verdicts(random: np.random.Generator, noise: float) -> list[object]:
    """Of the sides and other choices of a winner among 40 trials worth 100 each, seeds apart."""
    params = [
        {
            "gamma": float(random.uniform(0.5, 1)),
            "loss": str(random.choice(["huber", "mse"])),
            "learning_rate": float(10 ** random.uniform(-5, -1)),
        }
        for _ in range(40)
    ]
    summary = landscape(FLAT, lambda *_: random.normal(100, noise), trials=40, fixed_params=params)
    found = sensitivity(summary)
    assert found is not None
    sides = [side.end for t in found.tolerances for side in (t.low, t.high) if side is not None]
    others = [(t, choice) for t in found.tolerances for choice in t.choices]
    return sides + [choice.holds for t, choice in others if choice.value != t.value]


def test_a_side_that_cannot_be_told_has_no_spread() -> None:
    random = np.random.default_rng(0)
    found = sensitivity(landscape(TWO, lambda *_: random.normal(100, 60), trials=40))

    assert found is not None
    sides = [side for t in found.tolerances for side in (t.low, t.high) if side is not None]
    assert "untold" in [side.end for side in sides]
    assert all((side.within is None) == (side.end != "falls") for side in sides)


def test_a_fall_is_measured_from_what_an_agent_scores_that_acts_at_random() -> None:
    far = landscape(TWO, hill, trials=400)
    near = replace(far, env=replace(far.env, random_score=80.0))
    unknown = replace(far, env=replace(far.env, random_score=None))

    widths = []
    for summary in (far, near):
        gamma = tolerance_of(sensitivity(summary), "gamma")
        assert gamma.low is not None and gamma.high is not None
        widths.append(gamma.high.value - gamma.low.value)

    assert widths[1] / widths[0] == pytest.approx(math.sqrt(0.2), abs=0.12)
    found = sensitivity(unknown)
    assert found is not None
    assert found.floor == min(trial.value for trial in far.complete if trial.value is not None)
    assert "the lowest trial's" in found.caption


def test_a_choice_holds_or_falls_by_what_it_scores() -> None:
    def score(params: Mapping[str, Any], seed: int) -> float:
        return 100 - 30 * (params["loss"] == "mse") - 5 * (params["n_steps"] == 1)

    best = {"gamma": 0.75, "loss": "huber", "n_steps": 5}
    found = sensitivity(landscape(CHOICES, score, trials=200, fixed_params=[best]))

    loss, steps = tolerance_of(found, "loss"), tolerance_of(found, "n_steps")
    assert [(c.value, c.holds, c.share) for c in loss.choices] == [
        ("huber", True, 1.0),
        ("mse", False, 0.0),
    ]
    assert [(c.value, c.holds) for c in steps.choices] == [(1, True), (3, True), (5, True)]


def test_a_winner_at_the_end_of_what_was_searched_is_marked() -> None:
    best = {"gamma": 1.0, "loss": "huber", "n_steps": 5}
    found = sensitivity(landscape(CHOICES, lambda p, _: p["gamma"], trials=50, fixed_params=[best]))

    edges = {name: tolerance_of(found, name).on_edge for name in ("gamma", "loss", "n_steps")}
    assert edges == {"gamma": True, "loss": False, "n_steps": True}  # two choices have no order


def test_where_no_trials_are_near_nothing_is_told() -> None:
    lonely = {"gamma": 0.75, "learning_rate": 1e-3}
    others = [{"gamma": 0.5 + k / 1000, "learning_rate": 1e-5 * (1 + k / 50)} for k in range(30)]
    summary = landscape(TWO, hill, trials=31, fixed_params=[lonely, *others])

    gamma = tolerance_of(sensitivity(summary), "gamma")

    assert not gamma.is_told
    assert (gamma.low, gamma.high) == (None, None)


def test_too_few_trials_tell_nothing_of_sensitivity_and_importance() -> None:
    few = landscape(TWO, hill, trials=9)

    assert sensitivity(few) is None
    assert importance(landscape(TWO, hill, trials=LEAST_TRIALS - 1)) is None
    assert importance(landscape(TWO, lambda *_: 1.0, trials=40)) is None


def test_the_hyperparameter_that_decides_is_the_most_important() -> None:
    found = importance(landscape(TWO, hill, trials=60))

    assert found is not None
    first, second = found.hyperparameters
    assert (first.name, second.name) == ("gamma", "learning_rate")
    assert first.share > 0.8 and first.share + second.share == pytest.approx(1)
    assert first.low == pytest.approx(first.share)  # its seeds score alike, so that none differ
    assert (found.trials, found.top) == (60, 6)


def test_noise_over_seeds_makes_importances_uncertain() -> None:
    def noisy(params: Mapping[str, Any], seed: int) -> float:
        return hill(params, seed) + 60 * math.sin(1e6 * params["learning_rate"] + seed)

    quiet, loud = (importance(landscape(TWO, rule, trials=60)) for rule in (hill, noisy))

    assert quiet is not None and loud is not None
    widths = [max(row.high - row.low for row in found.hyperparameters) for found in (quiet, loud)]
    assert widths[0] < 0.05 < widths[1]
    assert loud == importance(landscape(TWO, noisy, trials=60))  # drawn by a fixed seed


def test_conditional_hyperparameters_are_compared_where_they_are_used() -> None:
    def score(params: Mapping[str, Any], seed: int) -> float:
        return 100 * params.get("priority_beta", 0.0)

    summary = landscape(CONDITION, score, trials=80)
    found, tolerances, lines = importance(summary), sensitivity(summary), parallel(summary)

    assert found is not None and lines is not None
    assert found.hyperparameters[0].name == "priority_beta"
    assert tolerance_of(tolerances, "priority_beta").high is not None
    unused = [line for band in lines.bands for line in band.lines if line.positions[2] is None]
    assert {line.positions[1] for line in unused} == {0.0}


def test_a_trial_out_of_the_space_is_left_out_of_importances() -> None:
    summary = landscape(TWO, hill, trials=40)
    stray = complete(40, {"gamma": 7.0, "learning_rate": 1e-3}, [a_run(score=99.0)])

    found = importance(replace(summary, trials=[*summary.trials, stray]))

    assert found is not None
    assert found.trials == 40


def test_every_trial_is_a_line_in_the_band_of_its_rank() -> None:
    summary = landscape(TWO, hill, trials=40)

    found = parallel(summary)

    assert found is not None and found.winner is not None
    assert [len(band.lines) for band in found.bands] == [4, 6, 10, 20]
    assert found.bands[0].lines[-1] == found.winner
    assert found.winner.trial == summary.best
    best = summary.complete[0].params
    assert found.winner.positions[0] == pytest.approx((best["gamma"] - 0.5) / 0.5)
    assert found.winner.positions[1] == pytest.approx((math.log10(best["learning_rate"]) + 5) / 4)


def test_a_scale_knows_places_values_and_ticks() -> None:
    study = landscape(TWO + "epsilon_decay_steps = { low = 100, high = 12_000, log = true }\n"
                      "hidden_layers = { choices = [[64, 64], [8]] }\n",
                      lambda *_: 0.0, trials=1, fixed_params=[{}]).study  # fmt: skip
    found = scales(study)

    assert found["learning_rate"].position(1e-3) == pytest.approx(0.5)
    assert found["learning_rate"].value(0.5) == pytest.approx(1e-3)
    assert found["learning_rate"].position(1.0) is None
    assert found["epsilon_decay_steps"].value(0.5) == 1095
    assert found["epsilon_decay_steps"].ticks[-1] == (1.0, "12,000")
    assert [text for _, text in found["learning_rate"].ticks] == ["1e-05", "0.001", "0.1"]
    assert found["hidden_layers"].ticks == [(0.0, "64-64"), (1.0, "8")]
    assert found["hidden_layers"].position("9") is None
    assert Scale("one", 3.0, 3.0).position(3) == 0.5
