"""rejax's DQN (JAX): agents of many seeds side by side by vmap. Imported only where installed."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
from rejax import get_algo


def train(
    lanes: int, shared: Mapping[str, Any], epsilon: Mapping[str, Any], turns: Iterator[int]
) -> None:
    """Take these turns of steps with every lane, one update per step. [64, 64], its only shape."""
    steps = 1_000_000  # of the schedule; how many are taken is for `turns` to say
    algorithm = get_algo("dqn").create(
        env="CartPole-v1",
        total_timesteps=steps,
        learning_rate=shared["learning_rate"],
        gamma=shared["gamma"],
        buffer_size=shared["buffer_size"],
        fill_buffer=shared["learning_starts"],
        batch_size=shared["batch_size"],
        max_grad_norm=shared["max_grad_norm"],
        target_update_freq=shared["target_update_interval"],
        polyak=1.0 - shared["tau"],
        eps_start=epsilon["epsilon_start"],
        eps_end=epsilon["epsilon_end"],
        exploration_fraction=epsilon["epsilon_decay_steps"] / steps,
        ddqn=False,
        agent_kwargs={"activation": "relu"},
    )
    state = jax.vmap(algorithm.init_state)(jax.random.split(jax.random.PRNGKey(0), lanes))

    @jax.jit
    def advance(state: Any, steps: int) -> Any:
        step = jax.vmap(algorithm.train_iteration)
        return jax.lax.fori_loop(0, steps, lambda _, now: step(now), state)

    state = jax.block_until_ready(advance(state, 0))  # compiles
    for steps in turns:
        state = jax.block_until_ready(advance(state, steps))
