"""Tensors of many lanes in one memory."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

FLOATS_PER_CACHE_LINE = 16

Shape = tuple[int, int]


class Stack:
    """A few matrices per lane (a network's layers, say), one row of `flat` per lane.

    flat    [lanes, floats]         arithmetic number by number runs once, over this
    layers  [lanes, rows, columns]  views of it, for products

    Every lane begins with a cache line of its own, the last one filled up with zeros: what a lane's
    memory looks like to the processor does not depend on its place.
    """

    def __init__(self, shapes: Sequence[Shape], flat: Tensor) -> None:
        self.shapes, self.flat = tuple(shapes), flat
        self.layers, begin = [], 0
        for rows, columns in self.shapes:
            part = flat[:, begin : begin + rows * columns]
            self.layers.append(part.view(len(flat), rows, columns))
            begin += rows * columns

    @staticmethod
    def zeros(shapes: Sequence[Shape], lanes: int, device: torch.device) -> "Stack":
        """Lanes of zeros."""
        floats = whole_lines(sum(map(prod, shapes)))
        return Stack(shapes, torch.zeros((lanes, floats), device=device))

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return len(self.flat)

    def blank(self) -> "Stack":
        """Another of this shape, filled with zeros."""
        return Stack(self.shapes, torch.zeros_like(self.flat))

    def joined(self, lanes: "Stack") -> "Stack":
        """These lanes and, behind them, those."""
        return Stack(self.shapes, torch.cat([self.flat, lanes.flat]))

    def selected(self, rows: Sequence[int]) -> "Stack":
        """Copies of these lanes, in that order."""
        return Stack(self.shapes, self.flat[list(rows)])

    def finite(self) -> list[bool]:
        """Which lanes hold neither NaN nor infinity."""
        found: list[bool] = self.flat.isfinite().all(dim=1).tolist()
        return found


def aligned(lanes: int, rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Room for a matrix of ones per lane, each on cache lines of its own.

    Returns all of it, [lanes, floats], and the matrices, [lanes, rows, columns].
    """
    flat = torch.ones((lanes, whole_lines(rows * columns)), device=device)
    return flat, flat[:, : rows * columns].view(lanes, rows, columns)


def whole_lines(floats: int) -> int:
    """That many, filled up to whole cache lines."""
    return -(-floats // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE
