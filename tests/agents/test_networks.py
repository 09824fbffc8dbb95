"""Stacked networks, and the greedy policies made of them."""

from typing import Any

import numpy as np
import pytest
import torch

from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, Step
from agents.exactness import exact_arithmetic
from agents.kinds import make_hparams
from agents.learner import Learner, load_policy, make_learner
from agents.networks import initial_weights
from agents.randomness import Purpose, generator

FACTS = EnvFacts(features=5, actions=3, reward_threshold=None, episode_limit=None)
SHAPES: dict[str, dict[str, Any]] = {
    "linear": {"hidden_layers": ()},
    "relu": {"hidden_layers": (33, 7)},
    "tanh-normalized": {
        "hidden_layers": (16,),
        "activation": "tanh",
        "normalize_observations": True,
    },
}


def test_first_weights_are_uniform_within_torchs_own_bound() -> None:
    first, second = initial_weights((4, 100, 2_000), generator(0, Purpose.WEIGHTS))

    assert (first.shape, second.shape) == ((5, 100), (101, 2_000))
    assert first.dtype == second.dtype == torch.float32
    assert 0.49 < first.abs().max() <= 0.5
    assert 0.0999 < second.abs().max() <= 0.1
    assert second.mean().abs() < 1e-3
    assert second.std() == pytest.approx(0.1 / np.sqrt(3.0), rel=0.01)


def test_first_weights_are_a_function_of_the_seed() -> None:
    weights = [initial_weights((4, 3), generator(seed, Purpose.WEIGHTS))[0] for seed in (0, 0, 1)]

    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.fixture(params=SHAPES)
def hparams(request: pytest.FixtureRequest) -> DeepQHparams:
    small = {"batch_size": 8, "learning_starts": 0, "train_freq": 1, "learning_rate": 1e-2}
    return make_hparams("deep_q", small | SHAPES[request.param])


def trained(hparams: DeepQHparams, lanes: int = 4, steps: int = 20) -> Learner:
    """A learner that learned from made-up transitions."""
    learner = make_learner("deep_q", hparams, FACTS, steps, torch.device("cpu"))
    for seed in range(lanes):
        learner.admit(hparams, seed)
    rng = np.random.default_rng(0)
    for step in range(1, steps + 1):
        learn_once(learner, rng, lanes, step)
    return learner


def learn_once(learner: Learner, rng: np.random.Generator, lanes: int, step: int) -> None:
    now, later = rng.normal(3.0, 2.0, (2, lanes, FACTS.features)).astype(np.float32)
    steps = np.full(lanes, step)
    actions = learner.act(now, steps - 1)
    never = np.zeros(lanes, dtype=np.bool_)
    learner.learn(now, actions, Step(rng.normal(size=lanes), never, never), later, steps)


def pictures(lanes: int, episodes: int = 50) -> Any:
    return np.random.default_rng(1).normal(3.0, 2.0, (lanes, episodes, 5)).astype(np.float32)


def test_a_saved_policy_acts_as_the_one_it_was_saved_from(hparams: DeepQHparams) -> None:
    learner = trained(hparams)
    seen = pictures(lanes=4)
    expected = learner.policy([0, 1, 2, 3]).actions(seen)

    for row in range(4):
        again = load_policy("deep_q", hparams, FACTS, learner.tensors(row))

        assert np.array_equal(again.actions(seen[row : row + 1])[0], expected[row])
    assert {tuple(np.unique(lane)) for lane in expected} != {(0,), (1,), (2,)}


def test_a_policy_is_of_the_rows_it_was_asked_for(hparams: DeepQHparams) -> None:
    learner = trained(hparams)
    seen = pictures(lanes=4)

    expected = learner.policy([0, 1, 2, 3]).actions(seen)

    assert np.array_equal(learner.policy([2, 0]).actions(seen[[2, 0]]), expected[[2, 0]])


def test_a_policy_is_frozen_while_its_lanes_learn_on(hparams: DeepQHparams) -> None:
    learner = trained(hparams)
    seen = pictures(lanes=4, episodes=400)
    policy = learner.policy([0, 1, 2, 3])
    before = policy.actions(seen)
    rng = np.random.default_rng(2)

    for step in range(21, 61):
        learn_once(learner, rng, 4, step)

    assert np.array_equal(policy.actions(seen), before)
    assert not np.array_equal(learner.policy([0, 1, 2, 3]).actions(seen), before)


def test_a_policy_chooses_the_best_value(hparams: DeepQHparams) -> None:
    learner = trained(hparams, lanes=1)
    tensors = learner.tensors(0)
    seen = pictures(lanes=1)
    values = torch.from_numpy(seen[0])
    if hparams.normalize_observations:
        values = (values - tensors["observation.mean"]) * tensors["observation.inverse_std"]
    for number in range(len(hparams.hidden_layers) + 1):
        if number:
            values = values.tanh() if hparams.activation == "tanh" else values.relu()
        values = values @ tensors[f"layers.{number}.weight"].T + tensors[f"layers.{number}.bias"]

    assert np.array_equal(learner.policy([0]).actions(seen)[0], values.argmax(dim=1).numpy())


def test_saved_tensors_do_not_change_while_the_lane_learns_on(hparams: DeepQHparams) -> None:
    learner = trained(hparams)
    tensors = learner.tensors(1)
    before = {name: values.clone() for name, values in tensors.items()}

    learn_once(learner, np.random.default_rng(2), 4, 21)

    for name, values in before.items():
        assert torch.equal(tensors[name], values)


@pytest.mark.parametrize("lanes", [2, 5, 33])
@pytest.mark.parametrize("episodes", [1, 2, 10])
def test_a_lane_acts_the_same_alone_as_among_neighbours(
    hparams: DeepQHparams, lanes: int, episodes: int
) -> None:
    with exact_arithmetic():
        learner = trained(hparams, lanes)
        seen = pictures(lanes, episodes)
        together = learner.policy(range(lanes)).actions(seen)

        for row in range(lanes):
            alone = learner.policy([row]).actions(seen[row : row + 1])
            assert np.array_equal(alone[0], together[row])
