"""The promise about lanes for shapes nobody chose: drawn at random, the same ones every time."""

import random
from typing import Any

import pytest

from agents.budget import Budget
from agents.cohort import Evaluated, Finished, RunSpec
from agents.deep_q_hparams import filled_up
from agents.environments import EnvSpec
from agents.kinds import make_hparams
from agents.training import train

BUDGET = Budget(steps=90, evaluations=2, episodes=2)
ENVS = ["CartPole-v1", "Acrobot-v1", "FrozenLake-v1", "Probe/ManyActions-v0"]


def shape(number: int) -> tuple[str, dict[str, Any]]:
    draws = random.Random(number)
    widths = [
        draws.choice([1, 2, 3, 5, 7, 8, 16, 17, 24, 33, 64, 65]) for _ in range(draws.randrange(4))
    ]
    hparams = {
        "hidden_layers": widths,
        "batch_size": draws.choice([1, 2, 3, 5, 16, 31, 64]),
        "activation": draws.choice(["relu", "tanh"]),
        "loss": draws.choice(["huber", "mse"]),
        "double": draws.random() < 0.5,
        "normalize_observations": draws.random() < 0.3,
        "train_freq": draws.choice([1, 2, 4]),
        "learning_starts": 10,
        "learning_rate": 3e-3,
        "max_grad_norm": draws.choice([0.1, 10.0]),
        "target_update_interval": 7,
    }
    env = draws.choice(ENVS)
    hparams["head"] = draws.choice(["plain", "plain", "dueling", "state_action"])
    return env, hparams


def of_the_same_cohort(hparams: dict[str, Any], seed: int) -> dict[str, Any]:
    """Widths and batch size of another lane, that are filled up to those of `hparams`."""
    draws = random.Random(seed)

    def near(size: int) -> int:
        return draws.choice([n for n in range(1, size + 17) if filled_up(n) == filled_up(size)])

    widths = [near(width) for width in hparams["hidden_layers"]]
    sizes = {"hidden_layers": widths, "batch_size": near(hparams["batch_size"])}
    return hparams | sizes | {"priority_alpha": draws.choice([0.0, 0.7])}


def shown(env: str, hparams: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """Returns and weights of every run, by its seed. Every seed has sizes of its own."""
    runs = {}
    for seed in seeds:
        checked = make_hparams("deep_q", of_the_same_cohort(hparams, seed))
        runs[str(seed)] = RunSpec("deep_q", checked, EnvSpec(env), BUDGET, seed)
    assert len({spec.cohort_key for spec in runs.values()}) == 1
    found: dict[str, Any] = {run: [] for run in runs}
    for event in train(runs):
        if isinstance(event, Evaluated):
            found[event.run].append(event.returns)
        else:
            assert isinstance(event, Finished) and event.exact
            found[event.run] += [t.numpy().tobytes() for t in event.tensors.values()]
    return found


@pytest.mark.parametrize("number", range(40))
def test_a_lane_of_any_shape_learns_the_same_alone_as_among_neighbours(number: int) -> None:
    env, hparams = shape(number)
    lanes = random.Random(number).choice([2, 3, 5, 9])

    together = shown(env, hparams, list(range(lanes)))

    for seed in (0, lanes - 1):
        assert together[str(seed)] == shown(env, hparams, [seed])[str(seed)]
