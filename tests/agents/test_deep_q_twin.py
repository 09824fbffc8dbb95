"""Lanes of deep Q-learning against their slow twin: autograd, one environment, Python lists."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.budget import Budget
from agents.cohort import Evaluated, Finished, RunSpec
from agents.deep_q import DeepQ
from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, EnvSpec, Step
from agents.kinds import make_hparams
from agents.networks import unstacked
from agents.randomness import Purpose, environment_seed
from agents.td_gradient import TDGradient
from agents.training import train
from tests import probes, twin
from tests.twin import Transition, Twin

Floats = NDArray[np.float32]

STEPS = 200
EPISODES = 2
CPU = torch.device("cpu")

# A lane rounds to float32 (6e-8) where its twin does not. Adam divides by the gradient's own size,
# so rounding of a gradient that is nearly zero shows in a weight as a fraction of the learning rate
# (1e-3 for most lanes). Measured over all lanes below: 4.1e-6 at most, most of them 4e-7. An update
# too many, an update on another batch, or a wrong discount moves weights by 1e-3 and more.
CLOSE = 2e-5

LANES: list[dict[str, Any]] = [
    {},
    {"learning_rate": 3e-3, "gamma": 0.9, "learning_starts": 3},
    {"buffer_size": 37, "target_update_interval": 7, "learning_starts": 50},
    {"tau": 0.05, "target_update_interval": 1, "max_grad_norm": 0.05},
    {"epsilon_decay": "exponential", "epsilon_start": 0.9, "epsilon_end": 0.01, "tau": 0.7},
    {"gamma": 1.0, "learning_rate": 3e-4, "max_grad_norm": 1e9, "learning_starts": 0},
    {"gamma": 0.0, "epsilon_decay_steps": 30, "epsilon_end": 0.3, "learning_starts": 123},
    {"learning_rate_decay": "linear", "learning_starts": 10},
    {"n_steps": 3, "gamma": 0.95, "learning_starts": 15},
    {"n_steps": 10, "buffer_size": 25, "learning_starts": 0},
    {"epsilon_clock": "episodes", "epsilon_decay_steps": 4},
    {"epsilon_clock": "episodes", "epsilon_decay": "exponential", "epsilon_decay_steps": 3},
    {"priority_alpha": 0.6, "buffer_size": 64},
    {"priority_alpha": 1.0, "priority_beta": 0.0, "n_steps": 2, "learning_starts": 5},
    {"priority_alpha": 0.5, "priority_beta": 1.0, "buffer_size": 33, "learning_starts": 90},
]
COMMON: dict[str, Any] = {
    "learning_rate": 1e-3,
    "buffer_size": 120,
    "batch_size": 16,
    "learning_starts": 20,
    "train_freq": 1,
    "target_update_interval": 25,
    "epsilon_decay_steps": 100,
    "epsilon_end": 0.1,
    "max_grad_norm": 0.5,
}
SHAPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "linear": {"hidden_layers": (), "loss": "mse", "train_freq": 4, "gradient_steps": 3},
    "tanh-double": {
        "hidden_layers": (33, 7),
        "activation": "tanh",
        "double": True,
        "batch_size": 5,
        "train_freq": 3,
    },
    "dueling": {"head": "dueling", "double": True, "hidden_layers": (12, 9)},
    "state-action": {"head": "state_action", "double": True, "normalize_observations": True},
    "state-action-tanh": {"head": "state_action", "hidden_layers": (9,), "activation": "tanh"},
    "dueling-linear": {"head": "dueling", "hidden_layers": (), "train_freq": 2},
    "three-environments": {
        "num_envs": 3,
        "train_freq": 2,
        "normalize_observations": True,
        "head": "dueling",
    },
    "five-environments": {"num_envs": 5, "train_freq": 7, "gradient_steps": 2, "double": True},
    "normalized": {"normalize_observations": True, "train_freq": 2, "gradient_steps": 2},
    "deep-mse": {
        "hidden_layers": (16, 16, 16, 16),
        "loss": "mse",
        "double": True,
        "normalize_observations": True,
        "train_freq": 5,
        "gradient_steps": 5,
    },
}


@pytest.fixture(scope="module", params=SHAPES)
def pairs(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Every lane of one cohort beside its own twin, after the same number of steps."""
    hparams = [make_hparams("deep_q", COMMON | SHAPES[request.param] | lane) for lane in LANES]
    budget = Budget(STEPS, evaluations=2, episodes=EPISODES)
    env = EnvSpec("Probe/DiaryCartPole-v0")
    runs = {
        str(seed): RunSpec("deep_q", lane, env, budget, seed) for seed, lane in enumerate(hparams)
    }
    probes.diaries.clear()

    events = list(train(runs, followed=True))

    return [pair(seed, lane, events) for seed, lane in enumerate(hparams)]


def pair(seed: int, hparams: DeepQHparams, events: list[Any]) -> dict[str, Any]:
    mine = [event for event in events if event.run == str(seed)]
    slow, taken = twin.train(hparams, "Probe/ShortCartPole-v0", seed, STEPS)
    evaluation_seeds = [
        environment_seed(seed, Purpose.EVALUATION, 2, episode) for episode in range(EPISODES)
    ]
    last = next(e for e in mine if isinstance(e, Evaluated) and e.mark == 2)
    assert last.followed is not None
    counted = {"epsilon": slow.epsilon(last.step), "updates": float(slow.updates)}
    return {
        "readings": (last.followed.readings, counted | slow.readings),
        "actions": ({own: probes.diaries[own] for own in taken}, taken),
        "tensors": (next(e.tensors for e in mine if isinstance(e, Finished)), slow.tensors()),
        "returns": (
            last.returns,
            tuple(twin.greedy_return(slow, "Probe/ShortCartPole-v0", s) for s in evaluation_seeds),
        ),
        "twin": slow,
    }


def test_a_lane_acts_as_its_twin(pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        lane, slow = pair["actions"]

        assert lane == slow


def test_a_lane_ends_with_the_weights_of_its_twin(pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        lane, slow = pair["tensors"]

        for name in slow:
            torch.testing.assert_close(lane[name].double(), slow[name], rtol=0.0, atol=CLOSE)


def test_a_lane_scores_as_its_twin(pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        lane, slow = pair["returns"]

        assert lane == slow


def test_a_lane_reads_as_its_twin(pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        lane, slow = pair["readings"]

        assert lane == pytest.approx(slow, rel=2e-4, abs=1e-6)


def test_the_twins_meet_every_case(pairs: list[dict[str, Any]]) -> None:
    slow: list[Twin] = [pair["twin"] for pair in pairs]

    assert sum(twin.deaths > 0 for twin in slow) >= 3
    assert sum(twin.time_limits > 0 for twin in slow) >= 3
    assert slow[2].stored > len(slow[2].replay) == 37
    assert slow[3].clipped_updates >= 200 // slow[3].hparams.train_freq * 9 // 10
    assert slow[5].clipped_updates == 0


GRADIENT_SHAPES: dict[str, dict[str, Any]] = {
    "linear-huber": {"hidden_layers": (), "loss": "huber"},
    "linear-mse": {"hidden_layers": (), "loss": "mse", "normalize_observations": True},
    "relu-huber": {"hidden_layers": (64, 64)},
    "relu-mse-double": {"hidden_layers": (64, 64), "loss": "mse", "double": True},
    "odd-tanh-double": {
        "hidden_layers": (33, 7),
        "activation": "tanh",
        "double": True,
        "batch_size": 5,
    },
    "odd-relu-normalized": {"hidden_layers": (33, 7), "normalize_observations": True},
    "wide-tanh-mse": {"hidden_layers": (256, 256), "activation": "tanh", "loss": "mse"},
    "wide-relu-double-normalized": {
        "hidden_layers": (256, 256),
        "double": True,
        "normalize_observations": True,
    },
}
FACTS = EnvFacts(features=6, actions=3, reward_threshold=None, episode_limit=None)
UPDATES = 30


@pytest.mark.parametrize("shape", GRADIENT_SHAPES)
def test_the_gradient_written_by_hand_is_that_of_autograd(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = {"learning_rate": 3e-3, "batch_size": 32, "learning_starts": 0, "train_freq": 1}
    lanes = [
        make_hparams("deep_q", common | GRADIENT_SHAPES[shape] | {"gamma": gamma})
        for gamma in (0.99, 0.5, 1.0)
    ]
    sizes = (FACTS.features, *lanes[0].hidden_layers, FACTS.actions)
    given: list[list[list[Tensor]]] = []
    differentiate = TDGradient.__call__

    def listen(gradient: TDGradient, importance: Floats | None) -> Floats:
        errors = differentiate(gradient, importance)
        given.append([unstacked(gradient.gradients, row, sizes) for row in range(len(lanes))])
        return errors

    monkeypatch.setattr(TDGradient, "__call__", listen)
    learner = DeepQ(lanes[0], FACTS, UPDATES, CPU)
    twins = []
    for seed, hparams in enumerate(lanes):
        learner.admit(hparams, seed)
        twins.append(Twin(hparams, FACTS.features, FACTS.actions, seed, budget_steps=1_000))

    for step in range(1, UPDATES + 1):
        before = [dict(learner.tensors(row)) for row in range(len(lanes))]
        feed(learner, twins, step)

    for row, slow in enumerate(twins):
        slow.take_over(before[row])
        words = [slow.replay_draws.next()[0].tolist() for _ in range(UPDATES)]
        places, _ = slow.sampled(words[-1], UPDATES)
        losses, _ = slow.losses([slow.replay[place] for place in places])
        losses.mean().backward()
        for layer, mine in zip(slow.layers(), given[-1][row], strict=True):
            expected = torch.cat([layer.weight.grad.T, layer.bias.grad[None]])
            error = (mine.double() - expected).norm() / expected.norm()
            assert error < 1e-5


def feed(learner: DeepQ, twins: list[Twin], step: int) -> None:
    """Show one made-up transition to every lane and its twin; the lane also learns from it."""
    rng = np.random.default_rng(step)
    lanes = len(twins)
    now, later = rng.normal(2.0, 3.0, (2, lanes, FACTS.features)).astype(np.float32)
    steps = np.full(lanes, step, dtype=np.int64)
    learner.act(now, steps - 1)
    actions = rng.integers(FACTS.actions, size=lanes)
    ends = rng.random(lanes) < 0.2
    brought = Step(rng.normal(0.0, 2.0, lanes), ends, np.zeros(lanes, dtype=np.bool_))
    learner.learn(now, actions, brought, later, steps)
    for row, slow in enumerate(twins):
        reward, ended = float(brought.reward[row]), bool(ends[row])
        slow.observed.append(now[row])
        slow.remember(Transition(now[row], int(actions[row]), reward, ended, later[row]))
