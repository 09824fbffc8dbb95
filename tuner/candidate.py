"""A trial in training: which seeds are scored, which marks all of them have reached."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from agents.hparams import Hparams
from tuner.seed_statistics import Spread, across_seeds
from tuner.trials import OpenTrial


class Candidate:
    """What the scheduler knows of an open trial. Seeds are named by their index in the pool."""

    def __init__(self, trial: OpenTrial, hparams: Hparams, seeds: int) -> None:
        self.number = trial.number
        self.hparams = hparams
        self.continued = trial.continued
        self.untrained = list(range(seeds))
        self._seeds = seeds
        self._scores: dict[int, float] = {}
        self._curves: dict[int, dict[int, Sequence[float]]] = {}
        self._reported = set(trial.reported)

    def evaluated(self, index: int, mark: int, returns: Sequence[float]) -> None:
        """A seed reached a mark."""
        self._curves.setdefault(index, {})[mark] = returns

    def scored(self, index: int, score: float) -> None:
        """A seed's run is finished and recorded."""
        self._scores[index] = score

    def recalled(self, index: int, score: float, returns: Sequence[Sequence[float]]) -> None:
        """A seed's run stands finished in the database."""
        self.untrained.remove(index)
        self._scores[index] = score
        self._curves[index] = dict(enumerate(returns, 1))

    def lost(self, index: int) -> None:
        """A seed's run died with its trainer and must begin anew."""
        self._curves.pop(index, None)
        self.untrained.append(index)

    def curve(self, index: int) -> list[Sequence[float]]:
        """The returns of a finished run at every mark, in order."""
        by_mark = self._curves[index]
        return [by_mark[mark] for mark in sorted(by_mark)]

    def new_means(self) -> Iterator[tuple[int, float]]:
        """(mark, mean over the seeds) where all seeds have arrived, each pair once."""
        if len(self._curves) == self._seeds:
            reached = set.intersection(*(set(curve) for curve in self._curves.values()))
            for mark in sorted(reached - self._reported):
                self._reported.add(mark)
                yield mark, fmean(fmean(curve[mark]) for curve in self._curves.values())

    @property
    def unscored(self) -> int:
        """How many of its runs are not finished."""
        return self._seeds - len(self._scores)

    @property
    def marks_in_training(self) -> int:
        """How many marks its unfinished runs have reached."""
        return sum(len(c) for index, c in self._curves.items() if index not in self._scores)

    @property
    def spread(self) -> Spread | None:
        """How the trial did over its seeds, once all are scored."""
        if len(self._scores) < self._seeds:
            return None
        return across_seeds([self._scores[index] for index in sorted(self._scores)])
