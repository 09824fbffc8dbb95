"""The gradient of the TD loss of many lanes, each over its own sampled batch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agents.deep_q_hparams import DeepQHparams
from agents.heads import ActionValues, action_values, choices, output_errors
from agents.mirror import Mirror
from agents.networks import Backward, Forward, Hidden
from agents.normalization import RunningScale
from agents.replay import Replay
from agents.stacks import Stack
from agents.targets import double_target, loss_slope, loss_value, max_target


class TDGradient:
    """Bound to the memory of the lanes there are. A call differentiates the loss of `sampled`.

    sampled    [lanes, batch, width]  rows of the replay. `batch` is filled up: a lane draws as many
               and counts the first of them, its own batch size; the others weigh nothing
    counted    [lanes, batch]         which of them are the lane's own
    gradients  receives the result; shaped like the weights
    """

    def __init__(
        self,
        lanes: Sequence[DeepQHparams],
        online: Stack,
        target: Stack,
        replay: Replay,
        scale: RunningScale | None,
        batch: int,
        actions: int,
    ) -> None:
        shaping, device, outputs = lanes[0], online.flat.device, online.shapes[-1][0]
        head, activation = shaping.head, shaping.activation
        self._loss, self._scale, self._batch_size = shaping.loss, scale, batch
        self._head = head
        self._rows = Mirror(torch.ones((len(lanes), batch, replay.width), device=device))
        self.sampled = self._rows.array
        self._batch = replay.views(self._rows.array)
        self._seen = replay.views(self._rows.tensor)
        now, later = self._seen.observation, self._seen.next_observation
        if scale is not None:
            now, later = torch.ones((2, *now.shape), device=device)
        self._now, self._later = now, later
        self._acted = torch.ones((len(lanes), batch, now.shape[2] + 1), device=device)
        hidden = Hidden(online, batch)
        inputs = self._acted if head == "state_action" else now
        self._forward = Forward(online, inputs, activation, hidden)
        self._outputs = Mirror(self._forward.values)
        self._bootstrap = ActionValues(head, actions, target, later, activation, hidden)
        self._chooser = ActionValues(head, actions, online, later, activation, hidden)
        self._double = shaping.double
        self._errors = Mirror(torch.zeros((len(lanes), outputs, batch), device=device))
        self.gradients = online.blank()
        self._backward = Backward(self._forward, self._errors.tensor, self.gradients)
        self._latest: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._weigh(lanes, choices(head, actions))

    def _weigh(self, lanes: Sequence[DeepQHparams], count: int) -> None:
        """Note what each lane's transitions count, and where its `count` choices stand."""
        batch = self._batch_size
        own = np.array([lane.batch_size for lane in lanes])[:, None]
        counted = np.arange(batch) < own
        self.counted = np.broadcast_to(counted, (len(lanes), batch))
        self._uncounted = None if counted.all() else ~counted
        self._weight = np.where(counted, 1.0 / own, 0.0).astype(np.float32)
        self._gamma = np.array([[lane.gamma] for lane in lanes], dtype=np.float32)
        self._first_choice = np.arange(len(lanes))[:, None] * count * batch + np.arange(batch)
        self._every_choice = np.arange(count)[:, None]

    def __call__(self, importance: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """importance: how much each transition counts; the TD errors of all, [lanes, batch]."""
        self._rows.push()
        if self._scale is not None:
            scale = self._scale.scale()
            scale.apply(self._seen.observation, out=self._now)
            scale.apply(self._seen.next_observation, out=self._later)
        target = self._target()
        choice = self._chosen()
        self._forward()
        place = self._first_choice + choice * self._batch_size
        values = action_values(self._head, self._outputs.pull()).reshape(-1).take(place)
        error = values - target
        self._latest = values, error
        if self._uncounted is not None:
            error[self._uncounted] = 0.0  # not by the weight alone: zero times infinity is no zero
        slope = loss_slope(error, self._loss) * self._weight
        if importance is not None:
            slope *= importance
        taken = choice[:, None] == self._every_choice
        output_errors(self._head, slope, taken, out=self._errors.array)
        self._errors.push()
        self._backward()
        return error

    def latest(self, row: int) -> tuple[float, float] | None:
        """Mean loss and mean value of a lane's latest batch, if there is one since binding."""
        if self._latest is None:
            return None
        values, errors = (part[row, self.counted[row]] for part in self._latest)
        return float(loss_value(errors, self._loss).mean()), float(values.mean())

    def _target(self) -> NDArray[np.float32]:
        batch = self._batch
        discount = batch.goes_on * self._gamma
        next_values = self._bootstrap()
        if not self._double:
            return max_target(batch.reward, discount, next_values)
        return double_target(batch.reward, discount, next_values, self._chooser())

    def _chosen(self) -> NDArray[np.int64]:
        """Which of the values of a pass is that of the action taken, [lanes, batch]."""
        if self._head != "state_action":
            return self._batch.action.astype(np.int64)
        self._acted[:, :, :-2].copy_(self._now[:, :, :-1])
        self._acted[:, :, -2].copy_(self._seen.action)
        return np.zeros(self._batch.action.shape, dtype=np.int64)
