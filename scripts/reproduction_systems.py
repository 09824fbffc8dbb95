"""The published systems that `reproduce` trains: what their texts say, in this project's words."""

from functools import partial
from typing import Any

from course_systems import COURSE
from published_system import System

LAKE = partial(
    System,
    env="FrozenLake-v1",
    kwargs={"is_slippery": False},
    steps=50_000,
    episodes=500,
    seeds=30,
)
PROJECTIVE = {"eta": 0.006, "gamma": 1e-7}
DOUBLE_PARAMS = {
    "hidden_layers": [500, 128],
    "head": "state_action",
    "buffer_size": 10_000,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "learning_starts": 500,
    "train_freq": 2,
    "target_update_interval": 1_000,
    "epsilon_end": 0.02,
    "epsilon_decay": "exponential",
    "epsilon_clock": "episodes",
    "epsilon_decay_steps": 50,
}
DOUBLE = partial(
    System,
    env="CartPole-v1",
    steps=30_000,
    differs=(
        "the target is copied every 1,000 steps (there every 20 episodes), an update every second "
        "step; learning rate, batch and the constants of epsilon are ours; 30,000 steps"
    ),
)


def _zoo(env: str, mean: float, std: float, params: dict[str, Any], **other: Any) -> System:
    """A tuned configuration of RL Baselines3 Zoo."""
    common = {"hidden_layers": [256, 256], "loss": "huber", "max_grad_norm": 10.0}
    return System(
        published=f"{mean} +- {std}, one model",
        published_mean=mean,
        source="RL Baselines3 Zoo, hyperparams/dqn.yml",
        env=env,
        params=common | params,
        **other,
    )


SYSTEMS: dict[str, System] = {
    "random": System(
        published="about 22, standard deviation about 12, over 1,000 episodes",
        published_mean=22.0,
        source="the course's first lesson",
        env="CartPole-v1",
        kind="random",
        steps=500,
        params={},
    ),
    **COURSE,
    "frozenlake-tabular": LAKE(
        published="reward and steps per episode, averaged over 30 runs of 500 episodes (curves)",
        source="the tutorial on tabular Q-learning: eta 0.8, gamma 0.9, noise of 1 / episode",
        kind="tabular_q",
        params={"learning_rate": 0.8, "gamma": 0.9, "exploration": "noise"},
    ),
    "frozenlake-projective": LAKE(
        published="reward and steps per episode, averaged over runs (curves)",
        source="the tutorial on projective simulation: eta 0.006, gamma 1e-7",
        kind="projective",
        params=PROJECTIVE | {"choice": "softmax"},
        differs="actions are chosen by softmax; what the text has is not known",
    ),
    "frozenlake-proportional": LAKE(
        published="(the other choice that projective simulation knows)",
        source="the same, actions in proportion to their h-values",
        kind="projective",
        params=PROJECTIVE,
    ),
    "vectorised": System(
        published="a curve that rises over 20,000 steps of 32 environments, in 43 s",
        source="the tutorial on vectorised DQN: [24, 24], epsilon linear over a tenth of training",
        env="CartPole-v1",
        steps=640_000,
        every=16_000,
        params={
            "num_envs": 32,
            "hidden_layers": [24, 24],
            "train_freq": 32,
            "learning_starts": 1_000,
            "learning_rate": 1e-3,
            "batch_size": 64,
            "buffer_size": 50_000,
            "target_update_interval": 3_200,
            "epsilon_end": 0.05,
            "epsilon_decay_steps": 64_000,
        },
        differs="learning rate, batch, buffer and target interval are ours",
    ),
    "dqn-128": System(
        published="a curve over 300 episodes",
        source="the DQN tutorial: [128, 128], 1e-3, exponential epsilon, target every 1,000 steps",
        env="CartPole-v1",
        steps=100_000,
        episodes=300,
        params={
            "hidden_layers": [128, 128],
            "learning_rate": 1e-3,
            "batch_size": 64,
            "buffer_size": 50_000,
            "learning_starts": 64,
            "train_freq": 1,
            "target_update_interval": 1_000,
            "epsilon_end": 0.05,
            "epsilon_decay": "exponential",
            "epsilon_decay_steps": 500,
        },
        differs="100,000 steps at most, which good seeds reach before their 300th episode",
    ),
    "double-dqn": DOUBLE(
        published="learns to balance; its best model is kept",
        source="the Double DQN text: the action is an input, 5-500-128-1, epsilon by episodes",
        params=DOUBLE_PARAMS | {"double": True},
    ),
    "single-dqn": DOUBLE(
        published="(the text's comparison)",
        source="the same without Double DQN",
        params=DOUBLE_PARAMS,
    ),
    "zoo-cartpole": _zoo(
        "CartPole-v1",
        500.0,
        0.0,
        {
            "learning_rate": 0.0023,
            "gamma": 0.99,
            "batch_size": 64,
            "buffer_size": 100_000,
            "train_freq": 256,
            "gradient_steps": 128,
            "target_update_interval": 10,
            "learning_starts": 1_000,
            "epsilon_end": 0.04,
            "epsilon_decay_steps": 8_000,
        },
        steps=50_000,
        every=2_000,
    ),
    "zoo-mountaincar": _zoo(
        "MountainCar-v0",
        -100.85,
        9.93,
        {
            "learning_rate": 0.004,
            "gamma": 0.98,
            "batch_size": 128,
            "buffer_size": 10_000,
            "train_freq": 16,
            "gradient_steps": 8,
            "target_update_interval": 600,
            "learning_starts": 1_000,
            "epsilon_end": 0.07,
            "epsilon_decay_steps": 24_000,
        },
        steps=120_000,
        every=4_000,
    ),
    "zoo-acrobot": _zoo(
        "Acrobot-v1",
        -76.64,
        11.75,
        {
            "learning_rate": 0.00063,
            "gamma": 0.99,
            "batch_size": 128,
            "buffer_size": 50_000,
            "train_freq": 4,
            "gradient_steps": 4,
            "target_update_interval": 250,
            "learning_starts": 0,
            "epsilon_end": 0.1,
            "epsilon_decay_steps": 12_000,
        },
        steps=100_000,
        every=4_000,
    ),
}
