"""The running scale of observations, against numpy's mean and variance of all that was seen."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from agents.normalization import CLIP, RunningScale, Scale

CPU = torch.device("cpu")


def observed(seen: NDArray[np.float32]) -> RunningScale:
    """A scale that saw this, [steps, lanes, features]."""
    running = RunningScale(seen.shape[2], CPU)
    for _ in range(seen.shape[1]):
        running.admit()
    for observations in seen:
        running.observe(observations)
    return running


def made_up(steps: int, lanes: int, features: int = 3) -> NDArray[np.float32]:
    rng = np.random.default_rng(steps)
    centre = 100.0 * rng.normal(size=(lanes, features))
    spread = np.exp(3.0 * rng.normal(size=(lanes, features)))
    return (centre + spread * rng.normal(size=(steps, lanes, features))).astype(np.float32)


def with_one(observations: Any) -> torch.Tensor:
    """Inputs as the networks get them, [lanes, batch, features + 1]."""
    values = torch.tensor(np.asarray(observations, dtype=np.float32))
    return torch.cat([values, torch.ones(*values.shape[:2], 1)], dim=2)


def applied(running: RunningScale, inputs: torch.Tensor) -> torch.Tensor:
    out = torch.ones_like(inputs)
    running.scale().apply(inputs, out=out)
    return out


def assert_equal(scale: Scale, expected: Scale) -> None:
    assert torch.equal(scale.mean, expected.mean)
    assert torch.equal(scale.inverse_std, expected.inverse_std)


@pytest.mark.parametrize("steps", [2, 3, 10, 1_000])
def test_the_scale_is_mean_and_deviation_of_all_that_was_seen(steps: int) -> None:
    seen = made_up(steps, lanes=4)

    scale = observed(seen).scale()

    doubles = seen.astype(np.float64)
    expected = np.stack([doubles.mean(axis=0), 1.0 / doubles.std(axis=0)])[:, :, None]
    found = torch.stack([scale.mean, scale.inverse_std])
    torch.testing.assert_close(found, torch.from_numpy(expected).float(), rtol=1e-6, atol=0.0)


def test_scaled_observations_have_mean_zero_and_deviation_one() -> None:
    seen = made_up(500, lanes=2)

    scaled = applied(observed(seen), with_one(seen.transpose(1, 0, 2)))

    assert scaled[:, :, :-1].mean(dim=1).abs().max() < 1e-4
    assert (scaled[:, :, :-1].std(dim=1) - 1.0).abs().max() < 2e-3
    assert bool((scaled[:, :, -1] == 1.0).all())


def test_a_lane_that_saw_nothing_leaves_observations_as_they_are() -> None:
    running = RunningScale(3, CPU)
    running.admit()
    inputs = with_one([[[1.0, -2.0, 9.0]]])

    assert torch.equal(applied(running, inputs), inputs)


def test_a_single_observation_says_nothing_of_deviation() -> None:
    scale = observed(made_up(1, lanes=2)).scale()

    assert bool((scale.inverse_std == 1.0).all())


def test_scaled_observations_are_clipped() -> None:
    seen = made_up(100, lanes=1)

    scaled = applied(observed(seen), with_one([[[1e9, -1e9, 0.0]]]))

    assert scaled[0, 0, [0, 1, 3]].tolist() == [CLIP, -CLIP, 1.0]


def test_a_feature_that_never_changes_stays_zero() -> None:
    seen = np.full((50, 1, 2), 0.1, dtype=np.float32)

    scaled = applied(observed(seen), with_one(seen[:1]))

    assert scaled.tolist() == [[[0.0, 0.0, 1.0]]]


def test_scaling_leaves_its_input_untouched() -> None:
    seen = made_up(20, lanes=1)
    inputs = with_one(seen.transpose(1, 0, 2))
    before = inputs.clone()

    applied(observed(seen), inputs)

    assert torch.equal(inputs, before)


def test_a_lane_is_scaled_the_same_whoever_its_neighbours() -> None:
    seen = made_up(200, lanes=33, features=5)
    together = observed(seen)

    for row in (0, 1, 16, 32):
        assert_equal(together.scale().selected([row]), observed(seen[:, row : row + 1]).scale())


def test_a_lane_that_joins_late_counts_from_its_own_first_step() -> None:
    seen = made_up(60, lanes=2)
    running = observed(seen[:40, :1])
    running.admit()

    for observations in seen[40:]:
        running.observe(observations)

    assert_equal(running.scale().selected([1]), observed(seen[40:, 1:]).scale())
    assert_equal(running.scale().selected([0]), observed(seen[:, :1]).scale())


def test_lanes_that_stay_keep_their_scale() -> None:
    seen = made_up(60, lanes=3)
    part, whole = observed(seen[:40]), observed(seen)

    part.keep([2, 0])
    for observations in seen[40:]:
        part.observe(observations[[2, 0]])

    assert_equal(part.scale(), whole.scale().selected([2, 0]))
