"""The arithmetic under which lanes are exact."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


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
