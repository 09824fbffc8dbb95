"""TD targets and losses of stacked lanes, as pure functions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def max_target(reward: Floats, discount: Floats, next_values: Floats) -> Floats:
    """One-step target of every transition (Mnih et al. 2015, Algorithm 1).

    reward       [lanes, batch]
    discount     [lanes, batch]           gamma, or 0 where the episode terminated
    next_values  [lanes, actions, batch]  from the target weights
    returns      [lanes, batch]
    """
    best: Floats = next_values.max(axis=1)
    return reward + discount * best


def double_target(
    reward: Floats, discount: Floats, next_values: Floats, next_online_values: Floats
) -> Floats:
    """Double Q-learning target (van Hasselt, Guez & Silver 2016, equation 4).

    As `max_target`, but the online weights choose the next action and the target weights value it.
    next_online_values  [lanes, actions, batch]
    """
    chosen = next_online_values.argmax(axis=1)[:, None]
    return reward + discount * np.take_along_axis(next_values, chosen, axis=1)[:, 0]


def loss_value(td_error: Floats, loss: str) -> Floats:
    """The loss of each predicted value, whose slope is `loss_slope`."""
    if loss == "huber":
        size = np.abs(td_error)
        return np.where(size < 1.0, 0.5 * size * size, size - 0.5)
    return td_error * td_error


def loss_slope(td_error: Floats, loss: str) -> Floats:
    """The loss of each predicted value, differentiated by it.

    td_error  [lanes, batch]  prediction minus target
    huber     0.5 e^2 within one, |e| - 0.5 beyond: slope e, clipped to -1..1
    mse       e^2: slope 2 e
    """
    if loss == "huber":
        return np.minimum(np.maximum(td_error, np.float32(-1.0)), np.float32(1.0))
    return td_error * np.float32(2.0)
