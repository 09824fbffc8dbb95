"""Deep Q-learning finds the right values on environments that have one, in order of difficulty."""

from typing import Any

import pytest
import torch
from torch import Tensor

from agents.budget import Budget
from agents.cohort import Evaluated, Event, Finished, RunSpec
from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvSpec, describe
from agents.kinds import make_hparams
from agents.training import train
from tests.twin import Twin

GAMMA = 0.9
SEEDS = range(3)
BUDGET = Budget(steps=1_200, evaluations=1, episodes=5)
QUICK: dict[str, Any] = {
    "learning_rate": 3e-3,
    "gamma": GAMMA,
    "buffer_size": 500,
    "batch_size": 32,
    "learning_starts": 50,
    "train_freq": 1,
    "target_update_interval": 20,
    "epsilon_decay_steps": 500,
    "epsilon_end": 0.2,
    "hidden_layers": (16,),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "double-mse-tanh": {"double": True, "loss": "mse", "activation": "tanh"},
    "averaged": {"tau": 0.1, "target_update_interval": 2, "epsilon_decay": "exponential"},
    "three-steps": {"n_steps": 3},
    "prioritized": {"priority_alpha": 0.6},
    "dueling": {"head": "dueling", "learning_rate_decay": "linear"},
    "state-action": {"head": "state_action", "double": True},
    "four-environments": {"num_envs": 4, "epsilon_clock": "episodes", "epsilon_decay_steps": 200},
}


@pytest.fixture(params=VARIANTS)
def hparams(request: pytest.FixtureRequest) -> DeepQHparams:
    return make_hparams("deep_q", QUICK | VARIANTS[request.param])


def test_a_constant_reward_is_expected(hparams: DeepQHparams) -> None:
    for values in learned_values("Probe/ConstantReward-v0", hparams, [1.0]):
        assert_close(values, [[1.0]])


def test_a_reward_seen_in_the_observation_is_expected(hparams: DeepQHparams) -> None:
    for values in learned_values("Probe/VisibleReward-v0", hparams, [-1.0, 1.0]):
        assert_close(values, [[-1.0], [1.0]])


def test_a_reward_two_steps_away_is_discounted_once(hparams: DeepQHparams) -> None:
    for values in learned_values("Probe/DelayedReward-v0", hparams, [-1.0, 1.0]):
        assert_close(values, [[GAMMA], [1.0]])


def test_a_reward_is_laid_to_the_action_that_brought_it(hparams: DeepQHparams) -> None:
    for values in learned_values("Probe/ChosenReward-v0", hparams, [1.0], best_return=1.0):
        assert_close(values, [[-1.0, 1.0]])


def test_the_right_action_may_depend_on_the_observation(hparams: DeepQHparams) -> None:
    found = learned_values("Probe/MatchedReward-v0", hparams, [-1.0, 1.0], best_return=1.0)

    for values in found:
        assert_close(values, [[1.0, -1.0], [-1.0, 1.0]])


def test_a_time_limit_bootstraps_and_a_death_does_not(hparams: DeepQHparams) -> None:
    endless = learned_values("Probe/TimeLimit-v0", hparams, [1.0])
    deadly = learned_values("Probe/Death-v0", hparams, [1.0])

    for values in endless:
        assert_close(values, [[1.0 / (1.0 - GAMMA)]], within=0.2)
    for values in deadly:
        assert_close(values, [[1.0]])


def test_gamma_zero_sees_one_reward_only() -> None:
    short_sighted = make_hparams("deep_q", QUICK | {"gamma": 0.0})

    for values in learned_values("Probe/TimeLimit-v0", short_sighted, [1.0]):
        assert_close(values, [[1.0]])


def test_normalized_observations_carry_the_same_values() -> None:
    hparams = make_hparams("deep_q", QUICK | {"normalize_observations": True})

    for values in learned_values("Probe/VisibleReward-v0", hparams, [-1.0, 1.0]):
        assert_close(values, [[-1.0], [1.0]])


def test_a_linear_agent_learns_what_is_linear() -> None:
    hparams = make_hparams("deep_q", QUICK | {"hidden_layers": ()})

    for values in learned_values("Probe/VisibleReward-v0", hparams, [-1.0, 1.0]):
        assert_close(values, [[-1.0], [1.0]])


def learned_values(
    env_id: str, hparams: DeepQHparams, observations: list[float], best_return: float | None = None
) -> list[Tensor]:
    """Train one lane per seed; action values [observations, actions] of each."""
    env = EnvSpec(env_id)
    runs = {str(seed): RunSpec("deep_q", hparams, env, BUDGET, seed) for seed in SEEDS}

    events = list(train(runs))

    assert_weights_moved(events, hparams, env)
    if best_return is not None:
        returns = [value for e in events if isinstance(e, Evaluated) for value in e.returns]
        assert returns == [best_return] * BUDGET.episodes * len(SEEDS)
    finished = [event.tensors for event in events if isinstance(event, Finished)]
    assert len(finished) == len(SEEDS)
    return [action_values(tensors, hparams, env, observations) for tensors in finished]


def assert_weights_moved(events: list[Event], hparams: DeepQHparams, env: EnvSpec) -> None:
    """Updates happened: no layer is as it was at first."""
    facts = describe(env)
    for event in events:
        if isinstance(event, Finished):
            first = Twin(hparams, facts.features, facts.actions, int(event.run), BUDGET.steps)
            for name, layer in first.tensors().items():
                if name.endswith("weight"):
                    assert not torch.equal(event.tensors[name].double(), layer)


def action_values(
    tensors: dict[str, Tensor], hparams: DeepQHparams, env: EnvSpec, observations: list[float]
) -> Tensor:
    """What the network says of each observation, [observations, actions], by torch's own layers."""
    facts = describe(env)
    twin = Twin(hparams, facts.features, facts.actions, seed=0, budget_steps=BUDGET.steps)
    twin.take_over(tensors)
    shown = torch.tensor(observations, dtype=torch.float64)[:, None]
    if hparams.normalize_observations:
        shown = (shown - tensors["observation.mean"]) * tensors["observation.inverse_std"]
    with torch.no_grad():
        values: Tensor = twin.online(shown)
    return values


def assert_close(values: Tensor, right: list[list[float]], within: float = 0.01) -> None:
    expected = torch.tensor(right, dtype=torch.float64)
    torch.testing.assert_close(values, expected, rtol=0.0, atol=within)
