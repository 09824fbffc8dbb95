"""Agents that act at random and learn nothing: what every other has to beat."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts, Step
from agents.hparams import Hparams
from agents.randomness import Draws, Purpose, below, sequence

BLOCK = 256
SEED = "seed"


class RandomAgent:
    """Every action as likely, in training and in evaluations alike."""

    def __init__(self, facts: EnvFacts) -> None:
        self._actions = facts.actions
        self._seeds: list[int] = []
        self._steps = np.empty(0, dtype=np.int64)
        self._draws = Draws(Purpose.EXPLORATION, words=1, block=BLOCK)

    def admit(self, hparams: Hparams, seed: int) -> None:
        self._seeds.append(seed)
        self._steps = np.append(self._steps, 0)
        self._draws.admit(seed)

    def keep(self, rows: Sequence[int]) -> None:
        index = list(rows)
        self._seeds = [self._seeds[row] for row in index]
        self._steps = self._steps[index]
        self._draws.keep(index)

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        return below(self._draws.next()[:, 0], self._actions)

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        self._steps = steps.copy()

    def is_exact(self, episodes: int) -> bool:
        return True  # nothing is worked out

    def policy(self, rows: Sequence[int]) -> "RandomPolicy":
        streams = [_stream(self._seeds[row], int(self._steps[row])) for row in rows]
        return RandomPolicy(self._actions, streams)

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        return [False] * len(rows)

    def readings(self, row: int, steps: NDArray[np.int64]) -> Mapping[str, float]:
        return {}

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        return {SEED: torch.tensor([self._seeds[row], int(self._steps[row])])}


class RandomPolicy:
    """Lanes that act at random, each by draws of its own, which go on from call to call."""

    def __init__(self, actions: int, streams: Sequence[np.random.Generator]) -> None:
        self._actions, self._streams = actions, streams

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        episodes = observations.shape[1]
        words = [stream.integers(2**32, size=episodes) for stream in self._streams]
        return below(np.array(words), self._actions)

    def selected(self, rows: Sequence[int]) -> "RandomPolicy":
        return RandomPolicy(self._actions, [self._streams[row] for row in rows])

    def joined(self, lanes: "RandomPolicy") -> "RandomPolicy":
        return RandomPolicy(self._actions, [*self._streams, *lanes._streams])


def load_random(facts: EnvFacts, tensors: Mapping[str, Tensor]) -> RandomPolicy:
    """The policy that `tensors` wrote down. Raises ValueError if they are no random agent's."""
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != {SEED: (2,)}:
        raise ValueError(f"expected {{'{SEED}': (2,)}}, found {found}")
    seed, step = map(int, tensors[SEED].tolist())
    return RandomPolicy(facts.actions, [_stream(seed, step)])


def _stream(seed: int, step: int) -> np.random.Generator:
    """What a lane acts by in the evaluation after `step` steps."""
    return np.random.Generator(np.random.Philox(sequence(seed, Purpose.RANDOM_POLICY, step)))
