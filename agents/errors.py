"""What `agents` refuses, as text a person can act on.

AgentError
├── HparamsError      hyperparameters of the wrong type, range or combination
├── EnvError          an environment that is missing or that Q-learning cannot act in
└── CheckpointError   a directory that holds no readable agent
"""

from collections.abc import Sequence


class AgentError(Exception):
    """One or more problems, each a line that names the place, the value and the mend."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class HparamsError(AgentError):
    """Hyperparameters that no agent can be built from."""


class EnvError(AgentError):
    """An environment that cannot be made, or that has no Discrete actions."""


class CheckpointError(AgentError):
    """A saved agent that cannot be read."""
