"""Behaviour cloning: pairs are a policy's own, classifiers learn from them and repeat."""

from collections.abc import Sequence

import gymnasium
import numpy as np
import pytest
import torch

from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvSpec, describe
from agents.errors import EnvError
from agents.imitation import (
    Classifier,
    Epoch,
    Pairs,
    Part,
    collect,
    episode_seed,
    observation_scale,
)
from agents.policy import DeepQPolicy, load_policy

CARTPOLE = EnvSpec("CartPole-v1")
FACTS = describe(CARTPOLE)
BALANCING = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.1, 0.5, 3.0, 1.0]])  # one row per action


def teacher() -> DeepQPolicy:
    """Pushes to the side to which the pole falls, and holds it up until the time limit."""
    tensors = {"layers.0.weight": BALANCING, "layers.0.bias": torch.zeros(2)}
    return load_policy(DeepQHparams(hidden_layers=()), FACTS, tensors)


def pairs(part: Part, samples: int, *, seed: int = 0) -> Pairs:
    return collect(teacher(), CARTPOLE, FACTS, part=part, samples=samples, seed=seed)


def trained(
    hidden_layers: Sequence[int], train: Pairs, *, seed: int = 0, epochs: int = 2
) -> tuple[Classifier, list[Epoch]]:
    classifier = Classifier(hidden_layers, train, FACTS, seed)
    return classifier, list(classifier.train(pairs(Part.TEST, 300), epochs))


@pytest.mark.parametrize("part", Part)
def test_pairs_are_whole_episodes_of_the_policy_one_after_the_other(part: Part) -> None:
    found = pairs(part, 1_200)

    row = 0
    for episode in range(3):
        env = gymnasium.make("CartPole-v1")
        seen, over = env.reset(seed=episode_seed(0, part, episode))[0], False
        while not over and row < 1_200:
            action = teacher().actions(seen[None, None])[0, 0]
            np.testing.assert_array_equal(found.observations[row], seen)
            assert found.actions[row] == action
            seen, _, terminated, truncated, _ = env.step(action)
            row, over = row + 1, terminated or truncated
    assert row == 1_200


def test_no_episode_is_both_learned_and_tested() -> None:
    seeds = {
        part: {episode_seed(seed, part, n) for seed in range(20) for n in range(500)}
        for part in Part
    }

    assert not seeds[Part.TRAIN] & seeds[Part.TEST]
    train, test = (pairs(part, 1_000).observations for part in Part)
    assert not set(map(bytes, train)) & set(map(bytes, test))


def test_an_environment_that_fails_is_named_with_its_traceback() -> None:
    fatal = episode_seed(0, Part.TEST, 1)
    env = EnvSpec("Probe/FragileCartPole-v0", {"fatal_seed": fatal, "fatal_step": 5})

    with pytest.raises(EnvError, match=r"env 'Probe/FragileCartPole-v0' failed: Traceback"):
        collect(teacher(), env, describe(env), part=Part.TEST, samples=100, seed=0)


@pytest.mark.parametrize(
    ("hidden_layers", "parameters"),
    [((), 10), ((256,), 1_794), ((256, 256), 67_586), ((256, 256, 256), 133_378)],
)
def test_a_classifier_of_cartpole_has_so_many_parameters(
    hidden_layers: tuple[int, ...], parameters: int
) -> None:
    assert Classifier(hidden_layers, pairs(Part.TRAIN, 50), FACTS, 0).parameters == parameters


def test_two_seeds_differ_and_one_seed_repeats() -> None:
    train = pairs(Part.TRAIN, 300)

    (first, curve), (again, repeated), (other, _) = (
        trained((16,), train, seed=seed) for seed in (0, 0, 1)
    )

    assert curve == repeated
    assert all(torch.equal(first.tensors[name], again.tensors[name]) for name in first.tensors)
    assert not torch.equal(first.tensors["layers.0.weight"], other.tensors["layers.0.weight"])


def test_the_generators_and_settings_of_the_program_are_left_as_they_were() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), torch.is_grad_enabled()

    trained((16,), pairs(Part.TRAIN, 100))

    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (np.random.get_state()[1].tolist(), torch.is_grad_enabled())
    assert not torch.is_inference_mode_enabled()


def test_more_pairs_are_answered_better_beyond_the_episodes_they_are_from() -> None:
    few, many = (trained((256,), pairs(Part.TRAIN, samples), epochs=10) for samples in (200, 2_000))

    assert few[1][-1].test.accuracy < 0.88  # measured: 0.79
    assert many[1][-1].test.accuracy > 0.95  # measured: 0.97
    assert many[1][-1].test.loss < few[1][-1].test.loss


def test_a_curve_reports_what_the_policy_answers() -> None:
    train, test = pairs(Part.TRAIN, 300), pairs(Part.TEST, 300)

    classifier, curve = trained((32,), train, epochs=5)

    assert [epoch.number for epoch in curve] == [1, 2, 3, 4, 5]
    for asked, fit in ((train, curve[-1].train), (test, curve[-1].test)):
        answers = classifier.policy.actions(asked.observations[None])[0]
        assert fit.accuracy == pytest.approx((answers == asked.actions).mean(), abs=1 / 300)


def test_a_feature_that_never_varies_keeps_its_unit() -> None:
    seen = np.array([[1.0, 7.0], [3.0, 7.0]], dtype=np.float32)

    scale = observation_scale(Pairs(seen, np.zeros(2, dtype=np.int64)))

    assert scale.mean.flatten().tolist() == [2.0, 7.0]
    assert scale.inverse_std.flatten().tolist() == [1.0, 1.0]
