"""Numbers that numpy and a device share."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Mirror:
    """A tensor, and the same numbers as an array: one memory on the CPU, two elsewhere."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self._shared = tensor.device.type == "cpu"
        self.array: NDArray[np.float32] = tensor.cpu().numpy()

    def push(self) -> None:
        """Let the tensor have what stands in the array."""
        if not self._shared:
            self.tensor.copy_(torch.from_numpy(self.array))

    def pull(self) -> NDArray[np.float32]:
        """Let the array have what stands in the tensor."""
        if not self._shared:
            self.array[...] = self.tensor.cpu().numpy()
        return self.array
