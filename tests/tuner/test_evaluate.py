"""What was trained can be played, and what was damaged is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import gymnasium
import numpy as np
import pytest
import safetensors.torch
import torch

from agents import checkpoint
from agents.environments import EnvFacts
from agents.randomness import Purpose, environment_seed
from tests import probes
from tests.tuner import written_agents
from tests.tuner.commands import Quick
from tuner import evaluation, hparams_file, imitation
from tuner.errors import TooManyFailures

FACTS = EnvFacts(features=4, actions=2, reward_threshold=None, episode_limit=None)


def test_evaluate_prints_one_json_document(agent: Path, quick: Quick) -> None:
    command = ("evaluate", str(agent), "--episodes", "50", "--json")

    first, again = (quick(*command, folder=agent) for _ in range(2))
    other = quick(*command, "--seed", "1", folder=agent)

    data = json.loads(first.out)
    assert set(data) == {"episodes", "mean", "std", "minimum", "maximum", "at_limit"}
    assert data["episodes"] == 50
    assert 8 <= data["minimum"] <= data["mean"] <= data["maximum"] <= 500
    assert 0 <= data["at_limit"] <= 1
    assert again.out == first.out != other.out


def test_evaluate_plays_what_gymnasium_plays(agent: Path, quick: Quick) -> None:
    file = hparams_file.read(agent / "hparams.json")
    policy = checkpoint.load(agent, file.agent, file.checked_hparams(), FACTS)
    returns = []
    env = gymnasium.make("CartPole-v1")
    for seed in range(200):
        seen, gain, over = env.reset(seed=seed)[0], 0.0, False
        while not over:
            action = policy.actions(seen[None, None].astype(np.float32))[0, 0]
            seen, reward, terminated, truncated, _ = env.step(action)
            gain, over = gain + float(reward), terminated or truncated
        returns.append(gain)

    data = json.loads(
        quick("evaluate", str(agent), "--episodes", "400", "--json", folder=agent).out
    )

    error = 5 * (np.std(returns) + 0.1) / 200**0.5
    assert data["mean"] == pytest.approx(fmean(returns), abs=error)


def test_one_episode_has_no_standard_deviation(agent: Path, quick: Quick) -> None:
    ended = quick("evaluate", str(agent), "--episodes", "1", folder=agent)

    assert ended.code == 0
    assert ended.out.startswith("1 episodes: mean ") and "deviation" not in ended.out


def test_returns_that_are_no_finite_numbers_are_refused(tmp_path: Path) -> None:
    env, plan = "Probe/NoNumber-v0", imitation.Plan(samples=120, epochs=1, episodes=2, seed=0)
    fatal = environment_seed(plan.seed, Purpose.EVALUATION, 0, 1)
    kwargs = {"fatal_seed": fatal, "fatal_step": 3, "reward": float("nan")}
    gymnasium.register(env, probes.FragileCartPole, max_episode_steps=40, kwargs=kwargs)
    teacher = written_agents.agent(tmp_path / "teacher", written_agents.BALANCING, env=env)

    with pytest.raises(TooManyFailures, match="'Probe/NoNumber-v0' are not all finite"):
        evaluation.evaluate(teacher, plan.episodes, plan.seed)
    with pytest.raises(TooManyFailures, match="'Probe/NoNumber-v0' are not all finite"):
        imitation.imitate(teacher, tmp_path / "out", plan)


Tensors = dict[str, torch.Tensor]
FILES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda agent: os.truncate(agent / checkpoint.MODEL_FILE, 200),
    "empty": lambda agent: (agent / checkpoint.MODEL_FILE).write_bytes(b""),
    "pickle": lambda agent: (agent / checkpoint.MODEL_FILE).write_bytes(b"\x80\x04" * 100),
    "missing": lambda agent: (agent / checkpoint.MODEL_FILE).unlink(),
    "no configuration": lambda agent: (agent / "hparams.json").unlink(),
}
TENSORS: dict[str, Callable[[Tensors], Tensors]] = {
    "a layer less": lambda old: {name: old[name] for name in old if name != "layers.1.weight"},
    "a vector for a matrix": lambda old: old | {"layers.0.weight": torch.zeros(8)},
    "other features": lambda old: old | {"layers.0.weight": torch.zeros(width(old), 6)},
    "other actions": lambda old: (
        old | {"layers.1.weight": torch.zeros(5, width(old)), "layers.1.bias": torch.zeros(5)}
    ),
    "whole numbers": lambda old: {name: tensor.long() for name, tensor in old.items()},
}


def width(tensors: Tensors) -> int:
    return tensors["layers.0.weight"].shape[0]


def spoil(agent: Path, how: str) -> None:
    if how in FILES:
        FILES[how](agent)
    else:
        model = agent / checkpoint.MODEL_FILE
        safetensors.torch.save_file(TENSORS[how](safetensors.torch.load_file(model)), model)


@pytest.mark.parametrize("how", [*FILES, *TENSORS])
def test_a_damaged_agent_is_refused_by_its_file(agent: Path, quick: Quick, how: str) -> None:
    spoil(agent, how)

    ended = quick("evaluate", str(agent), folder=agent)

    assert ended.code in (2, 5), (ended.out, ended.err)
    assert "Traceback" not in ended.err
    assert "model.safetensors" in ended.err or "hparams.json" in ended.err
