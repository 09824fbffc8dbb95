"""Tensors of many lanes in one memory."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Stack:
    """A few tensors per lane (a network's layers, say), stacked over lanes in one flat memory.

    Arithmetic number by number runs once, over `flat`; products run layer by layer, over `layers`,
    which are views of it, each [lanes, rows, columns].
    """

    def __init__(self, layers: Sequence[Tensor]) -> None:
        """Copy `layers`, each [lanes, rows, columns]."""
        self.flat = torch.cat([layer.reshape(-1) for layer in layers])
        parts = torch.split(self.flat, [layer.numel() for layer in layers])
        self.layers = [part.view(layer.shape) for part, layer in zip(parts, layers, strict=True)]

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return len(self.layers[0])

    def zeros(self) -> "Stack":
        """Another of this shape, filled with zeros."""
        return Stack([torch.zeros_like(layer) for layer in self.layers])

    def joined(self, lanes: "Stack") -> "Stack":
        """These lanes and, behind them, those."""
        pairs = zip(self.layers, lanes.layers, strict=True)
        return Stack([torch.cat([mine, theirs]) for mine, theirs in pairs])

    def selected(self, rows: Sequence[int]) -> "Stack":
        """Copies of these lanes, in that order."""
        index = torch.tensor(list(rows), dtype=torch.int64, device=self.flat.device)
        return Stack([layer[index] for layer in self.layers])

    def finite(self) -> Tensor:
        """Which lanes hold neither NaN nor infinity, [lanes] bool."""
        finite = [layer.isfinite().flatten(1).all(dim=1) for layer in self.layers]
        return torch.stack(finite).all(dim=0)
