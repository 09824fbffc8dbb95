"""Products of lanes against doubles, in every layout that networks use."""

import itertools

import pytest
import torch
from torch import Tensor

from agents.exactness import exact_arithmetic
from agents.products import product
from agents.stacks import Stack, aligned

CPU = torch.device("cpu")
LAYOUTS = list(itertools.product([False, True], repeat=2))
SIZES = [1, 2, 5, 16, 17, 33, 64, 80, 257]


def made_up(lanes: int, rows: int, columns: int, transposed: bool) -> Tensor:
    torch.manual_seed(rows * 1_000 + columns)
    if transposed:
        return torch.randn(lanes, columns, rows).mT
    return torch.randn(lanes, rows, columns)


def multiplied(a: Tensor, b: Tensor) -> Tensor:
    out = aligned(len(a), a.shape[1], b.shape[2], CPU)[1]
    product(a, b, out=out)()
    return out


@pytest.mark.parametrize("transposed", LAYOUTS)
def test_a_product_is_that_of_doubles(transposed: tuple[bool, bool]) -> None:
    for rows, inner, columns in itertools.product(SIZES, repeat=3):
        a, b = made_up(3, rows, inner, transposed[0]), made_up(3, inner, columns, transposed[1])

        with exact_arithmetic():
            found = multiplied(a, b)

        expected = torch.einsum("lri,lic->lrc", a.double(), b.double())
        size = torch.einsum("lri,lic->lrc", a.double().abs(), b.double().abs())
        assert ((found - expected).abs() <= 1e-6 * size).all(), (rows, inner, columns)


@pytest.mark.parametrize("transposed", LAYOUTS)
def test_a_lanes_product_is_the_same_alone(transposed: tuple[bool, bool]) -> None:
    for rows, inner, columns in itertools.product(SIZES, repeat=3):
        a, b = made_up(4, rows, inner, transposed[0]), made_up(4, inner, columns, transposed[1])

        with exact_arithmetic():
            together = multiplied(a, b)
            alone = [
                multiplied(a[row : row + 1].clone(), b[row : row + 1].clone()) for row in (0, 3)
            ]

        assert torch.equal(together[[0, 3]], torch.cat(alone)), (rows, inner, columns)


# 64 x 257 x 256 is cut into panels of columns; the sum over the inner dimension stays whole.
def test_a_product_in_panels_writes_only_its_own_columns() -> None:
    weights = Stack.zeros([(257, 256), (3, 257)], 2, CPU)
    weights.flat.copy_(torch.randn(weights.flat.shape))
    inputs = torch.randn(2, 64, 257)
    outputs = torch.ones(2, 64, 257)

    product(inputs, weights.layers[0], out=outputs[:, :, :-1])()

    expected = inputs.double() @ weights.layers[0].double()
    torch.testing.assert_close(outputs[:, :, :-1].double(), expected, rtol=0.0, atol=1e-4)
    assert bool((outputs[:, :, -1] == 1.0).all())


def test_a_bound_product_reads_what_its_factors_hold_when_it_is_called() -> None:
    a, b, out = torch.zeros(2, 8, 8), torch.randn(2, 8, 8), torch.empty(2, 8, 8)
    call = product(a, b, out=out)
    a.copy_(torch.eye(8))

    call()

    assert torch.equal(out, b)
