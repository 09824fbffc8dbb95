"""Agents written down by hand, in directories such as `tuner train` leaves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint
from tuner import hparams_file
from tuner.hparams_file import HparamsFile

BIAS = {"layers.0.bias": torch.zeros(2)}
BALANCING = {
    "layers.0.weight": torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.1, 0.5, 3.0, 1.0]]),
    **BIAS,
}


def agent(
    directory: Path,
    tensors: Mapping[str, Tensor],
    *,
    kind: str = "deep_q",
    env: str = "CartPole-v1",
    **kwargs: Any,
) -> Path:
    """A directory such as `tuner train` writes."""
    directory.mkdir()
    data = {
        "agent": kind,
        "env": {"id": env, "kwargs": kwargs},
        "budget_steps": 100,
        "evaluation": {"marks": 1, "episodes": 1, "score": "final"},
        "hparams": {"hidden_layers": []} if kind == "deep_q" else {},
    }
    checkpoint.save(directory, tensors)
    hparams_file.write(directory / hparams_file.NAME, HparamsFile.model_validate(data), force=False)
    return directory
