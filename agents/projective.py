"""Two-layer projective simulation of many lanes at once.

Briegel & De las Cuevas (2012), with the glow of Mautner, Makmal, Manzano, Tiersch & Briegel (2015)
and the choice by exponentials of Melnikov, Makmal & Briegel (2018).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts, Step
from agents.hparams import Hparams
from agents.randomness import WORD, Draws, Purpose
from agents.tables import Table, TablePolicy, named_table, states, with_lane
from agents.tabular_hparams import ProjectiveHparams

EXPLORATION_BLOCK = 256
FIRST_H = 1.0


class Projective:
    """An h-value and a glow for every edge from a state to an action.

    choice  p(a | s) = h(s, a) / sum_b h(s, b), or of exp(beta h)
    glow    g <- (1 - eta) g everywhere, and 1 on the edge that was just taken
    learn   h <- h - gamma (h - 1) + g r

    The glow outlives episodes, as in the papers. A negative reward may take h below zero, which
    the proportional choice counts as zero; where nothing is left, every action is as likely.
    """

    def __init__(self, facts: EnvFacts) -> None:
        self._facts = facts
        self._lanes: list[ProjectiveHparams] = []
        self._h = np.empty((0, facts.features, facts.actions))
        self._glow = np.empty((0, facts.features, facts.actions))
        self._draws = Draws(Purpose.EXPLORATION, words=1, block=EXPLORATION_BLOCK)
        self._fit()

    def admit(self, hparams: Hparams, seed: int) -> None:
        assert isinstance(hparams, ProjectiveHparams)
        self._lanes.append(hparams)
        self._h = with_lane(self._h, self._facts, FIRST_H)
        self._glow = with_lane(self._glow, self._facts, 0.0)
        self._draws.admit(seed)
        self._fit()

    def keep(self, rows: Sequence[int]) -> None:
        index = list(rows)
        self._lanes = [self._lanes[row] for row in index]
        self._h, self._glow = self._h[index], self._glow[index]
        self._draws.keep(index)
        self._fit()

    def act(self, observations: NDArray[np.float32], steps: NDArray[np.int64]) -> NDArray[np.int64]:
        h = self._h[self._every, states(observations)]
        limits = np.cumsum(_weights(h, self._softmax, self._beta), axis=1)
        drawn = self._draws.next()[:, 0] / WORD * limits[:, -1]
        chosen: NDArray[np.int64] = (drawn[:, None] < limits).argmax(axis=1)
        return chosen

    def learn(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        step: Step,
        next_observations: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> None:
        self._glow *= self._glow_kept
        self._glow[self._every, states(observations), actions] = 1.0
        self._h -= self._gamma * (self._h - FIRST_H)
        self._h += self._glow * step.reward[:, None, None]

    def is_exact(self, episodes: int) -> bool:
        """Exponentials may be worked out in groups, so they are tried."""
        h = np.random.default_rng(0).normal(size=(5, self._facts.actions))
        softmax, beta = np.ones(5, dtype=np.bool_), np.ones(5)
        among = _weights(h, softmax, beta)
        alone = [_weights(h[[row]], softmax[[row]], beta[[row]]) for row in range(5)]
        return np.array_equal(among, np.concatenate(alone))

    def policy(self, rows: Sequence[int]) -> TablePolicy:
        return TablePolicy(self._h[list(rows)])

    def diverged(self, rows: Sequence[int]) -> list[bool]:
        return [not np.isfinite(self._h[row]).all() for row in rows]

    def readings(self, row: int, steps: NDArray[np.int64]) -> Mapping[str, float]:
        return {}

    def tensors(self, row: int) -> Mapping[str, Tensor]:
        return named_table(self._h, row)

    def _fit(self) -> None:
        lanes = self._lanes
        self._every = np.arange(len(lanes))
        self._gamma = np.array([lane.gamma for lane in lanes]).reshape(-1, 1, 1)
        self._glow_kept = np.array([1.0 - lane.eta for lane in lanes]).reshape(-1, 1, 1)
        self._softmax = np.array([lane.choice == "softmax" for lane in lanes], dtype=np.bool_)
        self._beta = np.array([lane.beta for lane in lanes])


def _weights(h: Table, softmax: NDArray[np.bool_], beta: NDArray[np.float64]) -> Table:
    """What each action [lanes, actions] is chosen in proportion to."""
    weights = np.maximum(h, 0.0)
    weights[~weights.any(axis=1)] = 1.0
    if softmax.any():
        exponents = beta[:, None] * (h - h.max(axis=1, keepdims=True))
        weights = np.where(softmax[:, None], np.exp(exponents), weights)
    return weights
