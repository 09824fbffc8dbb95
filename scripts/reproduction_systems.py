"""The published systems that `reproduce` trains: what their texts say, in this project's words."""

from dataclasses import dataclass, field
from typing import Any

from agents.budget import Budget
from agents.cohort import RunSpec
from agents.environments import EnvSpec
from agents.hparams import Hparams
from agents.kinds import make_hparams

COURSE = "the course's hparams.json"
ZOO = "RL Baselines3 Zoo, hyperparams/dqn.yml"
SEEDS = 10


@dataclass(frozen=True)
class System:
    """One published configuration.

    published  what its text reports
    episodes   training ends with the first mark after so many, if it counts episodes
    steps      training ends at the latest after so many environment steps
    every      steps between marks
    differs    what we had to choose, or do otherwise
    """

    published: str
    source: str
    env: str
    steps: int
    params: dict[str, Any]
    kind: str = "deep_q"
    kwargs: dict[str, Any] = field(default_factory=dict)
    episodes: int | None = None
    every: int = 500
    seeds: int = SEEDS
    differs: str = ""

    @property
    def hparams(self) -> Hparams:
        return make_hparams(self.kind, self.params)

    def run(self, seed: int) -> RunSpec:
        """Seed number `seed` of it."""
        budget = Budget(self.steps, self.steps // self.every, episodes=1)
        return RunSpec(self.kind, self.hparams, EnvSpec(self.env, self.kwargs), budget, seed)


COURSE_COMMON = {"loss": "mse", "epsilon_start": 0.9, "learning_starts": 1_000}
DEEP = COURSE_COMMON | {
    "batch_size": 32,
    "buffer_size": 10_000,
    "train_freq": 8,
    "target_update_interval": 10,
    "hidden_layers": [256, 256],
    "max_grad_norm": 10.0,
}
ZOO_COMMON = {"hidden_layers": [256, 256], "loss": "huber", "max_grad_norm": 10.0}
LAKE = {"is_slippery": False}
DOUBLE = {
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
DOUBLE_DIFFERS = (
    "the target is copied every 1,000 steps (there every 20 episodes), an update every second "
    "step; learning rate, batch and the constants of epsilon are ours; 30,000 steps"
)

LINEAR_DIFFERS = (
    "30 seeds: a few good ones decide the mean, and the first ten had none. That twenty were added "
    "was decided after the first ten had been seen"
)

SYSTEMS: dict[str, System] = {
    "random": System(
        published="about 22, standard deviation about 12, over 1,000 episodes",
        source="the course's first lesson",
        env="CartPole-v1",
        kind="random",
        steps=500,
        params={},
    ),
    "course-deep-good": System(
        published="500 in 1,000 of 1,000 episodes, one agent",
        source=COURSE,
        env="CartPole-v1",
        steps=100_000,
        episodes=200,
        params=DEEP
        | {
            "learning_rate": 0.00016151809562265122,
            "gamma": 0.99,
            "gradient_steps": 16,
            "epsilon_end": 0.14856584122699473,
            "epsilon_decay_steps": 10_000,
        },
    ),
    "course-deep-bad": System(
        published="177.9 +- 21.5 over 1,000 episodes of one agent",
        source=COURSE,
        env="CartPole-v1",
        steps=100_000,
        episodes=200,
        params=DEEP
        | {
            "learning_rate": 0.000171782176772688,
            "gamma": 0.95,
            "gradient_steps": 4,
            "epsilon_end": 0.19818684841911674,
            "epsilon_decay_steps": 1_000,
        },
    ),
    "course-linear-good": System(
        published="164.7 +- 39.5 over 1,000 episodes of one agent",
        source=COURSE,
        env="CartPole-v1",
        steps=400_000,
        episodes=2_000,
        every=1_000,
        seeds=30,
        differs=LINEAR_DIFFERS,
        params=COURSE_COMMON
        | {
            "learning_rate": 0.0005652080372498697,
            "gamma": 0.99,
            "batch_size": 64,
            "buffer_size": 100_000,
            "train_freq": 128,
            "gradient_steps": 4,
            "target_update_interval": 100,
            "hidden_layers": [],
            "max_grad_norm": 10.0,
            "epsilon_end": 0.0429612235926375,
            "epsilon_decay_steps": 1_000,
        },
    ),
    "course-linear-bad": System(
        published="9.4 +- 0.8 over 1,000 episodes of one agent",
        source=COURSE,
        env="CartPole-v1",
        steps=400_000,
        episodes=2_000,
        every=1_000,
        seeds=30,
        differs=LINEAR_DIFFERS,
        params=COURSE_COMMON
        | {
            "learning_rate": 9.214691713730938e-05,
            "gamma": 0.99,
            "batch_size": 32,
            "buffer_size": 10_000,
            "train_freq": 16,
            "gradient_steps": 1,
            "target_update_interval": 1_000,
            "hidden_layers": [],
            "max_grad_norm": 1.0,
            "normalize_observations": True,
            "epsilon_end": 0.08474621504763855,
            "epsilon_decay_steps": 100_000,
        },
    ),
    "frozenlake-tabular": System(
        published="reward and steps per episode, averaged over 30 runs of 500 episodes (curves)",
        source="the tutorial on tabular Q-learning: eta 0.8, gamma 0.9, noise of 1 / episode",
        env="FrozenLake-v1",
        kwargs=LAKE,
        kind="tabular_q",
        steps=50_000,
        episodes=500,
        seeds=30,
        params={"learning_rate": 0.8, "gamma": 0.9, "exploration": "noise"},
    ),
    "frozenlake-projective": System(
        published="reward and steps per episode, averaged over runs (curves)",
        source="the tutorial on projective simulation: eta 0.006, gamma 1e-7",
        env="FrozenLake-v1",
        kwargs=LAKE,
        kind="projective",
        steps=50_000,
        episodes=500,
        seeds=30,
        params={"eta": 0.006, "gamma": 1e-7, "choice": "softmax"},
        differs="actions are chosen by softmax; what the text has is not known",
    ),
    "frozenlake-proportional": System(
        published="(the other choice that projective simulation knows)",
        source="the same, actions in proportion to their h-values",
        env="FrozenLake-v1",
        kwargs=LAKE,
        kind="projective",
        steps=50_000,
        episodes=500,
        seeds=30,
        params={"eta": 0.006, "gamma": 1e-7},
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
    "double-dqn": System(
        published="learns to balance; its best model is kept",
        source="the Double DQN text: the action is an input, 5-500-128-1, epsilon by episodes",
        env="CartPole-v1",
        steps=30_000,
        params=DOUBLE | {"double": True},
        differs=DOUBLE_DIFFERS,
    ),
    "single-dqn": System(
        published="(the text's comparison)",
        source="the same without Double DQN",
        env="CartPole-v1",
        steps=30_000,
        params=DOUBLE,
        differs=DOUBLE_DIFFERS,
    ),
    "zoo-cartpole": System(
        published="500.0 +- 0.0, one model",
        source=ZOO,
        env="CartPole-v1",
        steps=50_000,
        every=2_000,
        params=ZOO_COMMON
        | {
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
    ),
    "zoo-mountaincar": System(
        published="-100.85 +- 9.93, one model",
        source=ZOO,
        env="MountainCar-v0",
        steps=120_000,
        every=4_000,
        params=ZOO_COMMON
        | {
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
    ),
    "zoo-acrobot": System(
        published="-76.64 +- 11.75, one model",
        source=ZOO,
        env="Acrobot-v1",
        steps=100_000,
        every=4_000,
        params=ZOO_COMMON
        | {
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
    ),
}
