"""A trained agent's weights in a file, and back. safetensors only: reading it runs no code."""

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from agents.environments import EnvFacts
from agents.errors import CheckpointError
from agents.files import write_whole
from agents.hparams import Hparams
from agents.learner import GreedyPolicy, load_policy

MODEL_FILE = "model.safetensors"


def save(directory: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write one lane's tensors to `directory`/model.safetensors."""
    write_whole(directory / MODEL_FILE, safetensors.torch.save(dict(tensors)))


def load(directory: Path, kind: str, hparams: Hparams, facts: EnvFacts) -> GreedyPolicy:
    """The policy saved there. Raises CheckpointError if it is missing, damaged or another's."""
    path = directory / MODEL_FILE
    try:
        tensors = safetensors.torch.load(path.read_bytes())
        return load_policy(kind, hparams, facts, tensors)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; `tuner train` writes one") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable model ({error})") from None
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: its tensors do not fit the hparams.json beside it: {error}"
        ) from None
