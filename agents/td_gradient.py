"""The gradient of the TD loss of many lanes, each over its own sampled batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agents.hparams import Hparams
from agents.mirror import Mirror
from agents.networks import Backward, Forward, Hidden
from agents.normalization import RunningScale
from agents.replay import Replay
from agents.stacks import Stack
from agents.targets import double_target, loss_slope, max_target


class TDGradient:
    """Bound to the memory of the lanes there are. A call differentiates the loss of `sampled`.

    sampled    [lanes, batch, width]  rows of the replay. `batch` is filled up: a lane draws as many
               and counts the first of them, its own batch size; the others weigh nothing
    gradients  receives the result; shaped like the weights
    """

    def __init__(
        self,
        lanes: Sequence[Hparams],
        online: Stack,
        target: Stack,
        replay: Replay,
        scale: RunningScale | None,
        batch: int,
    ) -> None:
        shaping, device, actions = lanes[0], online.flat.device, online.shapes[-1][0]
        self._loss, self._scale, self._batch_size = shaping.loss, scale, batch
        self._rows = Mirror(torch.ones((len(lanes), batch, replay.width), device=device))
        self.sampled = self._rows.array
        self._batch = replay.views(self._rows.array)
        self._seen = replay.views(self._rows.tensor)
        now, later = self._seen.observation, self._seen.next_observation
        if scale is not None:
            now, later = torch.ones((2, *now.shape), device=device)
        hidden = Hidden(online, batch)
        self._forward = Forward(online, now, shaping.activation, hidden)
        self._bootstrap = Forward(target, later, shaping.activation, hidden)
        self._chooser = Forward(online, later, shaping.activation, hidden)
        self._values = Mirror(self._forward.values)
        self._next_values = Mirror(self._bootstrap.values)
        self._chooser_values = Mirror(self._chooser.values) if shaping.double else None
        self._errors = Mirror(torch.zeros((len(lanes), actions, batch), device=device))
        self.gradients = online.blank()
        self._backward = Backward(self._forward, self._errors.tensor, self.gradients)

        own = np.array([lane.batch_size for lane in lanes])[:, None]
        counted = np.arange(batch) < own
        self._uncounted = None if counted.all() else ~counted
        self._weight = np.where(counted, 1.0 / own, 0.0).astype(np.float32)
        self._gamma = np.array([[lane.gamma] for lane in lanes], dtype=np.float32)
        self._first_action = np.arange(len(lanes))[:, None] * actions * batch + np.arange(batch)
        self._every_action = np.arange(actions)[:, None]

    def __call__(self) -> None:
        self._rows.push()
        if self._scale is not None:
            scale = self._scale.scale()
            scale.apply(self._seen.observation, out=self._forward.inputs)
            scale.apply(self._seen.next_observation, out=self._bootstrap.inputs)
        target = self._target()
        self._forward()
        action = self._batch.action.astype(np.int64)
        place = self._first_action + action * self._batch_size
        error = self._values.pull().reshape(-1).take(place) - target
        if self._uncounted is not None:
            error[self._uncounted] = 0.0  # not by the weight alone: zero times infinity is no zero
        slope = loss_slope(error, self._loss) * self._weight
        taken = action[:, None] == self._every_action
        np.multiply(slope[:, None], taken, out=self._errors.array)
        self._errors.push()
        self._backward()

    def _target(self) -> NDArray[np.float32]:
        batch = self._batch
        discount = batch.goes_on * self._gamma
        self._bootstrap()
        next_values = self._next_values.pull()
        if self._chooser_values is None:
            return max_target(batch.reward, discount, next_values)
        self._chooser()
        return double_target(batch.reward, discount, next_values, self._chooser_values.pull())
