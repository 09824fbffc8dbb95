"""Matrix products of many lanes, each by the library that does it fastest.

On the CPU numpy's OpenBLAS multiplies matrices of a network's size faster than torch's MKL, thin
ones in half the time. There are two exceptions. Where both factors are contiguous along the sum,
MKL is the faster one (rates at 64 x 64: 86 against 69 GFLOP/s). And OpenBLAS has kernels for small
matrices that work without copying, up to a million multiplications; larger products are cut into
panels of columns that stay below (256 x 256: 107 instead of 95 GFLOP/s).

Which way is taken follows from the shapes alone, never from a measurement, so that it can not
change a result from one day to the next. numpy calls BLAS once per lane.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from agents.stacks import FLOATS_PER_CACHE_LINE

SMALL_PRODUCT = 1_000_000
NARROWEST_PANEL = 16
THIN = 16

Product = Callable[[], object]


def product(a: Tensor, b: Tensor, out: Tensor) -> Product:
    """A call that multiplies, lane by lane, what `a` and `b` then hold into `out`.

    a    [lanes, rows, inner]
    b    [lanes, inner, columns]
    out  [lanes, rows, columns]
    """
    if a.device.type != "cpu":
        return partial(torch.bmm, a, b, out=out)
    rows, inner, columns = *a.shape[1:], b.shape[2]
    both_along_the_sum = a.stride(2) == 1 and b.stride(1) == 1 and min(inner, columns) > 1
    # Of lanes that end within a cache line one is contiguous for MKL and several are not.
    whole_lines = rows * columns % FLOATS_PER_CACHE_LINE == 0
    if both_along_the_sum and min(rows, columns) >= THIN and whole_lines:
        assert out.is_contiguous(), "as from `aligned`: else MKL is slow, and minds how many lanes"
        return partial(torch.bmm, a, b, out=out)
    first, second, result = a.numpy(), b.numpy(), out.numpy()
    panel = _panel(rows * inner, columns)
    if panel < columns and b.stride(2) == 1:
        first = first[:, None]
        second, result = (
            whole.reshape(*whole.shape[:2], -1, panel).swapaxes(1, 2) for whole in (second, result)
        )
    return partial(np.matmul, first, second, result)


def _panel(multiplications_per_column: int, columns: int) -> int:
    """Columns of the widest equal panels that are small products; all of them if there are none."""
    if multiplications_per_column * columns > SMALL_PRODUCT:
        for panels in range(2, columns // NARROWEST_PANEL + 1):
            width, rest = divmod(columns, panels)
            whole = rest == 0 and width % NARROWEST_PANEL == 0
            if whole and multiplications_per_column * width <= SMALL_PRODUCT:
                return width
    return columns
