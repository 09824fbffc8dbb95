"""The agents of the course on deep Q-learning, all of them on CartPole, as its texts have them."""

from typing import Any

from published_system import System


def _course(mean: float, published: str, params: dict[str, Any], **other: Any) -> System:
    """One of CartPole's agents in the course on deep Q-learning."""
    common = {"loss": "mse", "epsilon_start": 0.9, "learning_starts": 1_000}
    return System(
        published=published,
        published_mean=mean,
        source="the course's hparams.json",
        env="CartPole-v1",
        params=common | params,
        **other,
    )


def _course_deep(mean: float, published: str, params: dict[str, Any]) -> System:
    common = {
        "batch_size": 32,
        "buffer_size": 10_000,
        "train_freq": 8,
        "target_update_interval": 10,
        "hidden_layers": [256, 256],
        "max_grad_norm": 10.0,
    }
    return _course(mean, published, common | params, steps=100_000, episodes=200)


def _course_linear(mean: float, std: float, params: dict[str, Any]) -> System:
    return _course(
        mean,
        _of_one_agent(mean, std),
        {"hidden_layers": []} | params,
        steps=400_000,
        episodes=2_000,
        every=1_000,
        seeds=30,
        differs=(
            "30 seeds: a few good ones decide the mean, and the first ten had none. That twenty "
            "were added was decided after the first ten had been seen"
        ),
    )


def _of_one_agent(mean: float, std: float) -> str:
    return f"{mean} +- {std} over 1,000 episodes of one agent"


COURSE: dict[str, System] = {
    "course-deep-good": _course_deep(
        500.0,
        "500 in 1,000 of 1,000 episodes, one agent",
        {
            "learning_rate": 0.00016151809562265122,
            "gamma": 0.99,
            "gradient_steps": 16,
            "epsilon_end": 0.14856584122699473,
            "epsilon_decay_steps": 10_000,
        },
    ),
    "course-deep-bad": _course_deep(
        177.9,
        _of_one_agent(177.9, 21.5),
        {
            "learning_rate": 0.000171782176772688,
            "gamma": 0.95,
            "gradient_steps": 4,
            "epsilon_end": 0.19818684841911674,
            "epsilon_decay_steps": 1_000,
        },
    ),
    "course-linear-good": _course_linear(
        164.7,
        39.5,
        {
            "learning_rate": 0.0005652080372498697,
            "gamma": 0.99,
            "batch_size": 64,
            "buffer_size": 100_000,
            "train_freq": 128,
            "gradient_steps": 4,
            "target_update_interval": 100,
            "max_grad_norm": 10.0,
            "epsilon_end": 0.0429612235926375,
            "epsilon_decay_steps": 1_000,
        },
    ),
    "course-linear-bad": _course_linear(
        9.4,
        0.8,
        {
            "learning_rate": 9.214691713730938e-05,
            "gamma": 0.99,
            "batch_size": 32,
            "buffer_size": 10_000,
            "train_freq": 16,
            "gradient_steps": 1,
            "target_update_interval": 1_000,
            "max_grad_norm": 1.0,
            "normalize_observations": True,
            "epsilon_end": 0.08474621504763855,
            "epsilon_decay_steps": 100_000,
        },
    ),
}
