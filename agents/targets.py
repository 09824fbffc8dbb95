"""TD targets and losses of stacked lanes, as pure functions."""

from torch import Tensor


def max_target(reward: Tensor, discount: Tensor, next_values: Tensor) -> Tensor:
    """One-step target of every transition (Mnih et al. 2015, Algorithm 1).

    reward       [lanes, batch]
    discount     [lanes, batch]           gamma, or 0 where the episode terminated
    next_values  [lanes, actions, batch]  from the target weights
    returns      [lanes, batch]
    """
    return reward + discount * next_values.amax(dim=1)


def double_target(
    reward: Tensor, discount: Tensor, next_values: Tensor, next_online_values: Tensor
) -> Tensor:
    """Double Q-learning target (van Hasselt, Guez & Silver 2016, equation 4).

    As `max_target`, but the online weights choose the next action and the target weights value it.
    next_online_values  [lanes, actions, batch]
    """
    chosen = next_online_values.argmax(dim=1, keepdim=True)
    return reward + discount * next_values.gather(1, chosen).squeeze(1)


def loss_slope(td_error: Tensor, loss: str) -> Tensor:
    """A lane's mean loss over its batch, differentiated by each predicted value.

    td_error  [lanes, batch]  prediction minus target
    huber     0.5 e^2 within one, |e| - 0.5 beyond: slope e, clipped to -1..1
    mse       e^2: slope 2 e
    """
    batch = td_error.shape[1]
    if loss == "huber":
        return td_error.clamp(-1.0, 1.0).div_(batch)
    return td_error * (2.0 / batch)
