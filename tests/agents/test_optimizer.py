"""Adam of many lanes against torch's own, lane by lane."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agents.exactness import exact_arithmetic
from agents.optimizer import LaneAdam
from agents.stacks import Stack

CPU = torch.device("cpu")
SHAPES = [(5, 33), (34, 7), (8, 2)]
RATES = [1e-3, 0.1, 1e-6, 3e-2, 1.0]
NORMS = [1e9, 0.5, 10.0, 1e-3, 1e-6]


def made_up(lanes: int, seed: int, size: float = 1.0) -> list[Tensor]:
    torch.manual_seed(seed)
    return [size * torch.randn(lanes, *shape) for shape in SHAPES]


def stack(layers: list[Tensor]) -> Stack:
    made = Stack.zeros([(layer.shape[1], layer.shape[2]) for layer in layers], len(layers[0]), CPU)
    for mine, given in zip(made.layers, layers, strict=True):
        mine.copy_(given)
    return made


class Lanes:
    """Stacked weights and their optimizer."""

    def __init__(
        self,
        first: list[Tensor],
        rates: Sequence[float],
        norms: Sequence[float],
        fused: bool = True,
    ) -> None:
        self.weights = stack(first).selected([])
        self.adam = LaneAdam(self.weights.flat.shape[1], CPU, fused=fused)
        self.rates = np.empty(0)
        for row, (rate, norm) in enumerate(zip(rates, norms, strict=True)):
            self.admit([layer[row : row + 1] for layer in first], rate, norm)

    def admit(self, fresh: list[Tensor], rate: float, norm: float) -> None:
        self.weights = self.weights.joined(stack(fresh))
        self.adam.admit(norm)
        self.rates = np.append(self.rates, rate)
        self.bind()

    def keep(self, rows: list[int]) -> None:
        self.adam.keep(rows)
        self.rates = self.rates[rows]
        self.weights = self.weights.selected(rows)
        self.bind()

    def bind(self) -> None:
        self.gradients = self.weights.blank()
        self.adam.bind(self.weights, self.gradients)

    def step(self, gradients: list[Tensor], learning: Sequence[bool] | None = None) -> None:
        learns = np.array([True] * self.weights.lanes if learning is None else learning)
        self.gradients.flat.copy_(stack(gradients).flat)
        self.adam.step(learns, self.rates)

    def lane(self, row: int) -> list[Tensor]:
        return [layer[row].clone() for layer in self.weights.layers]


class TorchLane:
    """One lane's weights under torch.optim.Adam, in double precision."""

    def __init__(self, first: list[Tensor], rate: float, norm: float) -> None:
        self.weights = [nn.Parameter(layer.double().clone()) for layer in first]
        self.adam = torch.optim.Adam(self.weights, lr=rate)
        self.norm = norm

    def step(self, gradients: list[Tensor]) -> None:
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient.double().clone()
        nn.utils.clip_grad_norm_(self.weights, self.norm)
        self.adam.step()


def assert_same_bits(weights: list[Tensor], expected: list[Tensor]) -> None:
    for mine, theirs in zip(weights, expected, strict=True):
        assert torch.equal(mine.view(torch.int32), theirs.view(torch.int32))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
def test_every_lane_moves_as_under_torchs_adam(size: float, fused: bool) -> None:
    first = made_up(len(RATES), seed=0)
    lanes = Lanes(first, RATES, NORMS, fused)
    slow = [
        TorchLane([layer[row] for layer in first], RATES[row], NORMS[row])
        for row in range(len(RATES))
    ]

    for step in range(1, 101):
        gradients = made_up(len(RATES), seed=step, size=size)
        lanes.step(gradients)
        for row, lane in enumerate(slow):
            lane.step([layer[row] for layer in gradients])

    for row, lane in enumerate(slow):
        # Float32 weights of up to 4 round to 2e-7 a step; the rest is relative to what was moved.
        within = 2e-6 + 2e-6 * RATES[row] * 100
        for mine, theirs in zip(lanes.lane(row), lane.weights, strict=True):
            torch.testing.assert_close(mine.double(), theirs.detach(), rtol=0.0, atol=within)


@pytest.mark.parametrize("fused", [True, False])
def test_a_rate_may_change_from_step_to_step_and_end_at_zero(fused: bool) -> None:
    first, gradients = made_up(2, seed=0), made_up(2, seed=1)
    changing = Lanes(first, RATES[:2], [1e9, 1e9], fused)
    for _ in range(3):
        changing.step(gradients)
    before = changing.lane(0), changing.lane(1)

    changing.rates = np.array([0.0, 1e-2])
    changing.step(gradients)

    assert_same_bits(changing.lane(0), before[0])
    assert not torch.equal(changing.lane(1)[0], before[1][0])


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("norm", [0.5, 1e-3, 1e-6])
def test_a_gradient_too_long_is_shortened_as_by_torch(norm: float, fused: bool) -> None:
    first = made_up(2, seed=0)
    sizes = [0.02, 7.0]  # so short a first gradient is clipped, so long a second, and differently

    lanes = Lanes(first, [1e-2, 1e-2], [norm, 1e9], fused)
    slow = TorchLane([layer[0] for layer in first], 1e-2, norm)
    for step, size in enumerate(sizes):
        gradients = made_up(2, seed=1 + step, size=size)
        lanes.step(gradients)
        slow.step([layer[0] for layer in gradients])

    for mine, theirs in zip(lanes.lane(0), slow.weights, strict=True):
        torch.testing.assert_close(mine.double(), theirs.detach(), rtol=0.0, atol=1e-6)


def test_a_lane_that_clips_does_not_change_its_neighbour() -> None:
    first = made_up(2, seed=0)
    generous, strict = Lanes(first, [1e-2] * 2, [1e9] * 2), Lanes(first, [1e-2] * 2, [1e9, 1e-3])

    for step in range(1, 20):
        gradients = made_up(2, seed=step)
        generous.step(gradients)
        strict.step(gradients)

    assert_same_bits(strict.lane(0), generous.lane(0))
    assert not torch.equal(strict.lane(1)[0], generous.lane(1)[0])


# A reduction over the layers (torch.linalg.vector_norm with dim=0) rounds in another way for one
# lane than for several: the last bit of the norm would differ from two layers on.
@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5, 9, 17])
def test_a_lane_clips_the_same_whoever_its_neighbours(layers: int) -> None:
    lanes, steps = 33, 10
    torch.manual_seed(0)
    first = [torch.randn(lanes, 4, 3) for _ in range(layers)]
    gradients = [[torch.randn(lanes, 4, 3) for _ in range(layers)] for _ in range(steps)]

    with exact_arithmetic():
        together = Lanes(first, [1e-2] * lanes, [0.1] * lanes)
        for gradient in gradients:
            together.step(gradient)
        for row in range(lanes):
            alone = Lanes([layer[row : row + 1] for layer in first], [1e-2], [0.1])
            for gradient in gradients:
                alone.step([layer[row : row + 1] for layer in gradient])
            assert_same_bits(together.lane(row), alone.lane(0))


@pytest.mark.parametrize("lanes", [2, 3, 8, 33])
def test_a_lane_that_does_not_clip_moves_the_same_whoever_its_neighbours(lanes: int) -> None:
    first = made_up(lanes, seed=0)
    rates = [RATES[row % len(RATES)] for row in range(lanes)]

    with exact_arithmetic():
        together = Lanes(first, rates, [1e9] * lanes)
        alone = [
            Lanes([layer[row : row + 1] for layer in first], [rates[row]], [1e9])
            for row in range(lanes)
        ]
        for step in range(1, 30):
            gradients = made_up(lanes, seed=step)
            together.step(gradients)
            for row, lane in enumerate(alone):
                lane.step([layer[row : row + 1] for layer in gradients])

    for row, lane in enumerate(alone):
        assert_same_bits(together.lane(row), lane.lane(0))


@pytest.mark.parametrize("fused", [True, False])
def test_a_lane_that_does_not_learn_stays_exactly_as_it_is(fused: bool) -> None:
    lanes = Lanes(made_up(3, seed=0), [1e-2] * 3, [0.5] * 3, fused)
    lanes.weights.layers[0][1, 0, :3] = torch.tensor([0.0, -0.0, 1e-30])
    before = lanes.lane(1)

    for step in range(1, 30):
        lanes.step(blank_row(made_up(3, seed=step), 1), learning=[True, False, True])

    assert_same_bits(lanes.lane(1), before)
    assert not torch.equal(lanes.lane(0)[0], before[0])


def blank_row(gradients: list[Tensor], row: int) -> list[Tensor]:
    for layer in gradients:
        layer[row] = 0.0
    return gradients


def test_a_lane_begins_its_own_clock_when_it_begins_to_learn() -> None:
    first = made_up(2, seed=0)
    waiting, prompt = Lanes(first, [1e-2] * 2, [0.5] * 2), Lanes(first, [1e-2] * 2, [0.5] * 2)

    for step in range(50):
        waiting.step(blank_row(made_up(2, seed=step), 1), learning=[True, False])
    for step in range(50, 60):
        waiting.step(made_up(2, seed=step))
        prompt.step(made_up(2, seed=step))

    assert_same_bits(waiting.lane(1), prompt.lane(1))


def test_a_lane_that_joins_late_moves_as_one_that_was_there_from_the_first() -> None:
    first = made_up(2, seed=0)
    lanes = Lanes([layer[:1] for layer in first], [0.1], [1e9])
    for step in range(50):
        lanes.step([layer[:1] for layer in made_up(2, seed=step)])
    lanes.admit([layer[1:] for layer in first], 1e-2, 0.5)
    prompt = Lanes(first, [0.1, 1e-2], [1e9, 0.5])

    for step in range(50, 60):
        lanes.step(made_up(2, seed=step))
        prompt.step(made_up(2, seed=step))

    assert_same_bits(lanes.lane(1), prompt.lane(1))


def test_lanes_that_stay_keep_their_state() -> None:
    first = made_up(4, seed=0)
    whole, part = Lanes(first, RATES[:4], NORMS[:4]), Lanes(first, RATES[:4], NORMS[:4])
    rows = [3, 1]

    for step in range(40):
        gradients = made_up(4, seed=step)
        if step == 20:
            part.keep(rows)
        whole.step(gradients)
        part.step(gradients if step < 20 else [layer[rows] for layer in gradients])

    for place, row in enumerate(rows):
        assert_same_bits(part.lane(place), whole.lane(row))


def test_selected_lanes_are_copies() -> None:
    weights = made_up(2, seed=0)

    whole = stack(weights)
    whole.selected([1]).flat.zero_()

    assert torch.equal(whole.layers[0], weights[0])


@pytest.mark.parametrize("fault", [float("nan"), float("inf"), -float("inf")])
def test_a_lane_with_one_number_that_is_none_is_not_finite(fault: float) -> None:
    weights = made_up(4, seed=0)
    weights[2][1, 7, 1] = fault
    weights[0][3, 0, 0] = fault

    assert stack(weights).finite() == [True, False, True, False]
