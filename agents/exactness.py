"""The arithmetic under which lanes are exact, and a test that they are on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch

from agents.networks import Activations, laid_out


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """One torch thread, IEEE float32 products, denormals flushed, no gradients recorded.

    With more threads some products split differently for different numbers of lanes. The settings
    before are put back, so that a caller's own program is left as it was.
    """
    threads = torch.get_num_threads()
    precision = torch.get_float32_matmul_precision()
    flushed = bool(torch.tensor([1e-40]) * 0.5 == 0)  # torch has no question for it
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.set_flush_denormal(True)
    try:
        # A value beyond float32 becomes an infinity in its own lane, which is then found diverged.
        with torch.inference_mode(), np.errstate(over="ignore", invalid="ignore"):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.set_flush_denormal(flushed)


def network_is_exact(
    sizes: Sequence[int], activation: str, batch: int, device: torch.device
) -> bool:
    """Whether a pass through these networks gives every lane the bits that it gives it alone.

    Tried on made-up numbers with five lanes, values and gradients, inside `exact_arithmetic`. It
    fails, for example, in a process whose first matrix product came before MKL was told to be
    reproducible, that is before `agents` was imported.
    """
    draws = torch.Generator().manual_seed(0)
    lanes = 5
    weights = laid_out(
        [
            torch.randn((lanes, inputs + 1, outputs), generator=draws)
            for inputs, outputs in pairwise(sizes)
        ],
        device,
    )
    inputs = torch.randn((lanes, batch, sizes[0] + 1), generator=draws).to(device)
    errors = torch.randn((lanes, sizes[-1], batch), generator=draws).to(device)

    def passed(rows: slice) -> list[torch.Tensor]:
        own = weights.selected(range(lanes)[rows])
        room = Activations(sizes, activation, own.lanes, batch, device)
        values = room.values(own, inputs[rows].clone()).clone()
        gradients = own.zeros()
        room.gradients(own, inputs[rows].clone(), errors[rows].clone(), out=gradients)
        return [values, *gradients.layers]

    together = passed(slice(0, lanes))
    return all(
        torch.equal(among[row], alone[0])
        for row in range(lanes)
        for among, alone in zip(together, passed(slice(row, row + 1)), strict=True)
    )
