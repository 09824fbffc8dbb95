"""A trained agent in a file, and back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from agents import checkpoint
from agents.budget import Budget
from agents.cohort import Finished, RunSpec
from agents.deep_q_hparams import DeepQHparams
from agents.environments import EnvFacts, EnvSpec
from agents.errors import CheckpointError
from agents.kinds import make_hparams
from agents.learner import load_policy
from agents.training import train

FACTS = EnvFacts(features=4, actions=2, reward_threshold=None, episode_limit=None)


def small(**params: Any) -> DeepQHparams:
    return make_hparams("deep_q", {"hidden_layers": (8, 6), "batch_size": 8} | params)


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    spec = RunSpec("deep_q", small(), EnvSpec("CartPole-v1"), Budget(20, 1, 1), seed=0)
    *_, finished = train({"a": spec})
    assert isinstance(finished, Finished)
    return finished.tensors


def test_a_saved_agent_acts_as_before(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    seen = np.random.default_rng(0).normal(size=(1, 200, 4)).astype(np.float32)

    checkpoint.save(tmp_path, tensors)

    again = checkpoint.load(tmp_path, "deep_q", small(), FACTS)
    expected = load_policy("deep_q", small(), FACTS, tensors).actions(seen)
    assert np.array_equal(again.actions(seen), expected)
    assert len(np.unique(expected)) == 2


def test_the_file_is_one_that_other_programs_read(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    checkpoint.save(tmp_path, tensors)

    read = safetensors.torch.load_file(tmp_path / "model.safetensors")

    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], values) for name, values in tensors.items())
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.safetensors: no such file"):
        checkpoint.load(tmp_path, "deep_q", small(), FACTS)


@pytest.mark.parametrize("damage", [b"", b"not tensors", bytes(100)])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(damage)

    with pytest.raises(CheckpointError, match=r"model\.safetensors: not a readable model"):
        checkpoint.load(tmp_path, "deep_q", small(), FACTS)


def test_half_a_file_is_named(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    checkpoint.save(tmp_path, tensors)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(CheckpointError, match="not a readable model"):
        checkpoint.load(tmp_path, "deep_q", small(), FACTS)


@pytest.mark.parametrize(
    "other",
    [
        {"hidden_layers": (8,)},
        {"hidden_layers": (8, 6, 6)},
        {"hidden_layers": ()},
        {"hidden_layers": (8, 7)},
        {"normalize_observations": True},
    ],
)
def test_an_agent_of_other_hparams_is_refused(
    tmp_path: Path, tensors: dict[str, torch.Tensor], other: dict[str, Any]
) -> None:
    checkpoint.save(tmp_path, tensors)

    with pytest.raises(CheckpointError, match="do not fit the hparams"):
        checkpoint.load(tmp_path, "deep_q", small(**other), FACTS)
