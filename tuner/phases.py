"""A launch is a row of phases: search, confirmation, test. Each says what to train next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.hparams import Hparams
from tuner.seed_pools import Pool
from tuner.time_left import Ahead, Group

DEFAULT_CONFIG = -1  # in place of a trial's number: the agent's default configuration


@dataclass(frozen=True)
class RunKey:
    """Which run of a study: seed number `index` of a pool, for a trial."""

    trial: int
    pool: Pool
    index: int

    @property
    def name(self) -> str:
        """What trainers call it."""
        return f"{self.pool.word}/{self.trial}/{self.index}"

    @staticmethod
    def of(name: str) -> "RunKey":
        word, trial, index = name.split("/")
        return RunKey(int(trial), Pool[word.upper()], int(index))


@dataclass(frozen=True)
class Work:
    """A run to be trained. continued: how often its trial was taken up after an interruption."""

    key: RunKey
    hparams: Hparams
    continued: int = 0


class Phase(Protocol):
    """What the scheduler asks of search, confirmation and test, and tells them."""

    @property
    def name(self) -> str: ...

    @property
    def is_over(self) -> bool: ...

    def ahead(self, left: Mapping[RunKey, float]) -> Ahead:
        """What it still needs, as far as can be told now. left: shares of the runs in training."""
        ...

    def next_work(self) -> Work | None:
        """A run to train now; None if there is none, perhaps only for the moment."""
        ...

    def evaluated(self, key: RunKey, mark: int, returns: Sequence[float]) -> Sequence[RunKey]:
        """A run reached a mark. Names the runs that are no longer wanted."""
        ...

    def scored(self, key: RunKey, score: float, *, failed: bool = False) -> None:
        """A run is over and recorded."""
        ...

    def lost(self, key: RunKey) -> None:
        """A run died with its trainer and must begin anew."""
        ...


class FixedRuns:
    """A phase that trains a list of runs: confirmation, test."""

    def __init__(self, name: str, works: Sequence[Work]) -> None:
        self._name = name
        self._waiting = list(works)
        self._open = {work.key: work for work in works}

    @property
    def name(self) -> str:
        return self._name

    @property
    def is_over(self) -> bool:
        return not self._open

    def ahead(self, left: Mapping[RunKey, float]) -> Ahead:
        training = [left[key] for key in self._open if key in left]
        return Ahead([Group(training, len(self._open) - len(training))])

    def next_work(self) -> Work | None:
        return self._waiting.pop(0) if self._waiting else None

    def evaluated(self, key: RunKey, mark: int, returns: Sequence[float]) -> Sequence[RunKey]:
        return ()

    def scored(self, key: RunKey, score: float, *, failed: bool = False) -> None:
        del self._open[key]

    def lost(self, key: RunKey) -> None:
        self._waiting.append(self._open[key])
