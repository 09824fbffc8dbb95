"""A trained agent in its directory: hparams.json and its weights, read."""

from dataclasses import dataclass
from pathlib import Path

from agents import checkpoint
from agents.environments import EnvFacts, describe
from agents.learner import GreedyPolicy
from tuner import hparams_file
from tuner.errors import UsageError
from tuner.hparams_file import HparamsFile


@dataclass(frozen=True)
class TrainedAgent:
    """What `tuner train` left of one seed."""

    directory: Path
    file: HparamsFile
    facts: EnvFacts

    def policy(self) -> GreedyPolicy:
        """What it does, as one lane, read anew: a random agent goes on drawing from call to call.

        Raises CheckpointError if the weights are missing, damaged or another's.
        """
        hparams = self.file.checked_hparams()
        return checkpoint.load(self.directory, self.file.agent, hparams, self.facts)


def read(directory: Path) -> TrainedAgent:
    """The agent saved there. Raises the error of whatever is missing or damaged."""
    if not directory.is_dir():
        raise UsageError(f"'{directory}' is not a directory; name one such as trained/seed-0")
    if not (directory / hparams_file.NAME).exists():
        raise UsageError(
            f"'{directory}' holds no agent (it has no hparams.json); name a directory that "
            "`tuner train` wrote, such as trained/seed-0"
        )
    file = hparams_file.read(directory / hparams_file.NAME)
    return TrainedAgent(directory, file, describe(file.env_spec))
