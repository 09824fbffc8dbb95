"""A trial in training: which seeds it was granted, which marks its first ones have reached."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from agents.hparams import Hparams
from tuner.trials import OpenTrial


class Candidate:
    """What the search knows of an open trial. Seeds are named by their index in the pool.

    first    seeds it begins with; means of marks are theirs
    granted  seeds it has been given so far, the first ones included
    is_decided  whether the race has let it go and only its value is still to be told
    """

    def __init__(
        self, trial: OpenTrial, hparams: Hparams, first: int, granted: int, is_decided: bool = False
    ) -> None:
        self.number = trial.number
        self.hparams = hparams
        self.continued = trial.continued
        self.is_decided = is_decided
        self.untrained = list(range(granted))
        self.granted = granted
        self._first = first
        self._scored: set[int] = set()
        self._means: dict[int, dict[int, float]] = {index: {} for index in range(first)}
        self._reported = set(trial.reported)

    def evaluated(self, index: int, mark: int, returns: Sequence[float]) -> None:
        """A seed reached a mark."""
        if index < self._first:
            self._means[index][mark] = fmean(returns)

    def scored(self, index: int) -> None:
        """A seed's run is over and recorded."""
        self._scored.add(index)

    def recalled(self, index: int, returns: Sequence[Sequence[float]]) -> None:
        """A seed's run stands in the database."""
        self.untrained.remove(index)
        for mark, episodes in enumerate(returns, 1):
            self.evaluated(index, mark, episodes)
        self.scored(index)

    def lost(self, index: int) -> None:
        """A seed's run died with its trainer and must begin anew."""
        self.untrained.append(index)

    def grant(self) -> None:
        """Give it another seed."""
        self.untrained.append(self.granted)
        self.granted += 1

    def new_means(self) -> Iterator[tuple[int, float]]:
        """(mark, mean over the first seeds) where all of them have arrived, each pair once."""
        reached = set.intersection(*(set(means) for means in self._means.values()))
        for mark in sorted(reached - self._reported):
            self._reported.add(mark)
            yield mark, fmean(means[mark] for means in self._means.values())

    @property
    def unscored_seeds(self) -> list[int]:
        """The granted seeds whose runs are not over."""
        return [index for index in range(self.granted) if index not in self._scored]

    @property
    def unscored(self) -> int:
        """How many these are."""
        return len(self.unscored_seeds)
