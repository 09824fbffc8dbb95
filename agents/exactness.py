"""The arithmetic under which lanes are exact, and a test that they are on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from agents.networks import Backward, Forward, shapes
from agents.optimizer import LaneAdam
from agents.stacks import Stack


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """One thread in torch and numpy, IEEE float32, denormals flushed, no gradients recorded.

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
        quiet = np.errstate(over="ignore", invalid="ignore")
        with torch.inference_mode(), quiet, _blas().limit(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.set_flush_denormal(flushed)


@cache
def _blas() -> ThreadpoolController:
    """The libraries of this process that numpy multiplies with."""
    return ThreadpoolController()


@cache
def network_is_exact(
    sizes: tuple[int, ...], activation: str, batch: int, device: torch.device
) -> bool:
    """Whether an update of these networks gives every lane the bits that it gives it alone.

    Tried once per process on made-up numbers with five lanes: values, gradients, and weights after
    a step of Adam that clips. To be called inside `exact_arithmetic`. It fails, for example, in a
    process whose first matrix product came before MKL was told to be reproducible, that is before
    `agents` was imported.
    """
    draws = torch.Generator().manual_seed(0)
    lanes, features, actions = 5, sizes[0], sizes[-1]

    def made_up(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draws).to(device)

    weights = Stack.zeros(shapes(sizes), lanes, device)
    weights.flat.copy_(made_up(*weights.flat.shape))
    inputs, errors = made_up(lanes, batch, features + 1), made_up(lanes, actions, batch)

    def passed(rows: Sequence[int]) -> list[Tensor]:
        own = weights.selected(rows)
        forward, gradients = Forward(own, inputs[rows], activation), own.blank()
        backward = Backward(forward, errors[rows], gradients)
        forward()
        backward()
        among = [forward.values, gradients.flat.clone()]
        adam = LaneAdam(own.flat.shape[1], device)
        for _ in rows:
            adam.admit(max_grad_norm=0.1)
        adam.bind(own, gradients)
        adam.step(np.ones(len(rows), dtype=np.bool_), rates=np.full(len(rows), 1e-3))
        return [*among, own.flat]

    together = passed(range(lanes))
    return all(
        torch.equal(among[row], alone[0])
        for row in range(lanes)
        for among, alone in zip(together, passed([row]), strict=True)
    )
