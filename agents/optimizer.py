"""Adam for stacked lanes, with a clock and a clip norm per lane."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.stacks import Stack

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
LEAST_RATE = 1e-30  # what is divided by where a rate has decayed to zero
# 1 - beta^n for n = 0, 1, ...; beyond the table both are 1 in double precision
_UPDATES = np.arange(40_000)
_CORRECTION1 = 1.0 - BETA1**_UPDATES
_ROOT_CORRECTION2 = np.sqrt(1.0 - BETA2**_UPDATES)


class LaneAdam:
    """Adam (Kingma & Ba 2015, Algorithm 1) with torch's defaults, one per lane.

    Before the step a lane's gradient is scaled so that its global norm is at most `max_grad_norm`,
    as torch.nn.utils.clip_grad_norm_ does.

    fused: torch's own kernel, the one of torch.optim.Adam(fused=True), which reads every number
    once, called for all lanes of one learning rate. Otherwise the same written out for all lanes at
    once, for devices on which many small calls are slow.
    """

    def __init__(self, floats: int, device: torch.device, *, fused: bool | None = None) -> None:
        """For lanes of so many weights each; they are yet to be admitted."""
        self._device = device
        self._fused = device.type == "cpu" if fused is None else fused
        self._max_norm = np.empty(0, dtype=np.float32)
        self._updates = torch.zeros(0)  # on the CPU, as the fused kernel wants them
        self._mean = self._square = torch.zeros((0, floats), device=device)

    def admit(self, max_grad_norm: float) -> None:
        """Add a lane behind the last."""
        self._max_norm = np.append(self._max_norm, np.float32(max_grad_norm))
        self._updates = torch.cat([self._updates, torch.zeros(1)])
        blank = torch.zeros((1, self._mean.shape[1]), device=self._device)
        self._mean, self._square = (torch.cat([m, blank]) for m in (self._mean, self._square))

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        self._max_norm = self._max_norm[list(rows)]
        self._updates = self._updates[list(rows)]
        self._mean, self._square = self._mean[list(rows)], self._square[list(rows)]

    def bind(self, weights: Stack, gradients: Stack) -> None:
        """Work on this memory, of the lanes there are, until they change."""
        self._weights, self._gradients = weights.flat, gradients.flat
        self._gradients_array = gradients.flat.numpy() if self._device.type == "cpu" else None
        self._grouped_for: tuple[bytes, bytes] | None = None
        memory = (self._weights, self._gradients, self._mean, self._square)
        self._lanes: list[list[Tensor]] = [list(lane) for lane in zip(*memory, strict=True)]

    def updates(self, row: int) -> int:
        """How many a lane has made."""
        return int(self._updates[row])

    def step(self, learning: NDArray[np.bool_], rates: NDArray[np.float64]) -> None:
        """Move the weights of the lanes in `learning` [lanes] along the gradients there are now.

        rates [lanes] are their learning rates. The other lanes stay as they are, whatever their
        gradient.
        """
        self._clip()
        if self._fused:
            self._fused_step(learning, rates)
        else:
            self._written_step(learning, rates)

    def _fused_step(self, learning: NDArray[np.bool_], rates: NDArray[np.float64]) -> None:
        if self._grouped_for != (key := (learning.tobytes(), rates.tobytes())):
            self._grouped_for, self._groups = key, self._grouped(learning, rates)
            self._tick = torch.from_numpy(learning.astype(np.float32))
        self._updates += self._tick
        for rate, (weights, gradients, mean, square), clocks in self._groups:
            torch._fused_adam_(
                weights,
                gradients,
                mean,
                square,
                [],
                clocks,
                lr=rate,
                beta1=BETA1,
                beta2=BETA2,
                weight_decay=0.0,
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )

    def _grouped(
        self, learning: NDArray[np.bool_], rates: NDArray[np.float64]
    ) -> list[tuple[float, list[list[Tensor]], list[Tensor]]]:
        """Learning rates, and of the learning lanes that have it: memory, and clocks."""
        rows_of: dict[float, list[int]] = {}
        for row in np.flatnonzero(learning):
            rows_of.setdefault(float(rates[row]), []).append(int(row))
        groups = []
        for rate, rows in rows_of.items():
            memory = [list(part) for part in zip(*(self._lanes[row] for row in rows), strict=True)]
            groups.append((rate, memory, [self._updates[row] for row in rows]))
        return groups

    def _written_step(self, learning: NDArray[np.bool_], rates: NDArray[np.float64]) -> None:
        self._updates += torch.from_numpy(learning)
        count = np.clip(self._updates.numpy().astype(np.int64), 1, len(_UPDATES) - 1)
        # w -= (lr / c1) m / (sqrt(v) / c2 + eps), rearranged to w -= m / (sqrt(v) a + b)
        scale = _CORRECTION1[count] / np.maximum(rates, LEAST_RATE)
        factors = np.stack([scale / _ROOT_CORRECTION2[count], scale * EPSILON])
        a, b = torch.from_numpy(factors.astype(np.float32)).to(self._device)[:, :, None]
        mean, square, gradients = self._mean, self._square, self._gradients
        if not learning.all():
            idle = torch.from_numpy(~learning).to(self._device)[:, None]
            gradients.masked_fill_(idle, 0.0)  # not a product: zero times infinity is no zero
        mean.lerp_(gradients, 1.0 - BETA1)
        square.mul_(BETA2).addcmul_(gradients, gradients, value=1.0 - BETA2)
        self._weights.addcdiv_(mean, square.sqrt().mul_(a).add_(b), value=-1.0)

    def _clip(self) -> None:
        norm = self._norms()
        too_long = norm > self._max_norm
        if too_long.any():  # else every factor is exactly one, and nothing would change
            safe = np.where(too_long, self._max_norm / (norm + np.float32(1e-6)), np.float32(1.0))
            self._gradients.mul_(torch.from_numpy(safe).to(self._device)[:, None])

    def _norms(self) -> NDArray[np.float32]:
        """Of every lane's gradient, [lanes]."""
        found: NDArray[np.float32]
        if self._gradients_array is not None:
            found = np.sqrt(np.vecdot(self._gradients_array, self._gradients_array))
        else:
            found = torch.linalg.vector_norm(self._gradients, dim=1).cpu().numpy()
        return found
