"""Which transitions are worth learning from again: a sum tree for every lane."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.randomness import WORD

LEAST = 1e-6
Places = NDArray[np.int64]


class Priorities:
    """Proportional prioritized replay (Schaul, Quan, Antonoglou & Silver 2016).

    P(i) = p_i^alpha / sum_j p_j^alpha with p = |TD error| + 1e-6 (section 3.3, variant 1); a new
    transition has the largest p so far, 1 at first. Weights w_i = (N P(i))^-beta, divided by the
    largest of the batch (section 3.4), correct the bias; beta rises linearly to 1 at the end of the
    budget. Draws are independent of each other, not one from each stratum as in the paper. A lane
    whose alpha is 0 draws uniformly, exactly as if there were no priorities.

    Places are numbered within a lane's own ring. A lane's tree stands in one row: the root at 1,
    below n the nodes 2 n and 2 n + 1, the places last. It may be deeper than the lane needs
    because of a neighbour's: what is added then is zero.
    """

    def __init__(self, budget_steps: int) -> None:
        self._budget_steps = budget_steps
        self._alpha = np.empty(0)
        self._beta = np.empty(0)
        self._largest = np.empty(0)
        self._tree = np.zeros((0, 2))

    def admit(self, alpha: float, beta: float, capacity: int) -> None:
        """Add a lane behind the last."""
        self._alpha = np.append(self._alpha, alpha)
        self._beta = np.append(self._beta, beta)
        self._largest = np.append(self._largest, 1.0)
        leaves = 1 << (capacity - 1).bit_length() if alpha > 0.0 else 1
        self._deepen(leaves)
        self._tree = np.concatenate([self._tree, np.zeros((1, self._tree.shape[1]))])

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        index = list(rows)
        self._alpha, self._beta = self._alpha[index], self._beta[index]
        self._largest, self._tree = self._largest[index], self._tree[index]

    def insert(self, lane: Places, place: Places) -> None:
        """New transitions stand there, all [transitions]."""
        used = self._alpha[lane] > 0.0
        lane, place = lane[used], place[used]
        self._write(lane, place, self._largest[lane] ** self._alpha[lane])

    def sample(
        self, uniform: Places, draws: NDArray[np.uint32], fill: Places
    ) -> tuple[Places, NDArray[np.float64]]:
        """Places drawn in proportion, and N P(i) of each, all [lanes, batch].

        uniform  what the same draws are without priorities
        fill     transitions in each lane, [lanes]
        """
        lanes = np.arange(len(fill))[:, None]
        total = self._tree[:, 1:2]
        left_over = draws / WORD * total
        node = np.ones(draws.shape, dtype=np.int64)
        for _ in range(self._levels):
            node *= 2
            below = self._tree[lanes, node]
            right = left_over >= below
            left_over -= np.where(right, below, 0.0)
            node += right
        place = np.minimum(node - self._leaves, fill[:, None] - 1)  # rounding may step over the end
        used = (self._alpha > 0.0)[:, None]
        place = np.where(used, np.maximum(place, 0), uniform)
        share = self._tree[lanes, np.where(used, place + self._leaves, 1)]
        with np.errstate(divide="ignore", invalid="ignore"):  # an empty lane's
            expected = np.where(used, fill[:, None] * share / total, 1.0)
        return place, expected

    def weights(
        self, expected: NDArray[np.float64], counted: NDArray[np.bool_], steps: Places
    ) -> NDArray[np.float32]:
        """How much each sampled transition counts, [lanes, batch].

        expected  N P(i), as from `sample`
        counted   those that count at all; the largest weight is looked for among them
        steps     of each lane, [lanes]
        """
        beta = self._beta + (1.0 - self._beta) * np.minimum(steps / self._budget_steps, 1.0)
        weights = expected ** -beta[:, None]
        largest = np.where(counted, weights, 0.0).max(axis=1, keepdims=True)
        found: NDArray[np.float32] = (weights / largest).astype(np.float32)
        return found

    def update(
        self,
        place: Places,
        errors: NDArray[np.float32],
        counted: NDArray[np.bool_],
        learning: NDArray[np.bool_],
    ) -> None:
        """The TD errors of what was sampled, all [lanes, batch]; learning [lanes]: who learned."""
        used = np.flatnonzero((self._alpha > 0.0) & learning)
        if not len(used):
            return
        place, priority = place[used], np.abs(errors[used]).astype(np.float64) + LEAST
        # What does not count stands for the first that does, so that writing it changes nothing.
        place = np.where(counted[used], place, place[:, :1])
        priority = np.where(counted[used], priority, priority[:, :1])
        self._largest[used] = np.maximum(self._largest[used], priority.max(axis=1))
        lane = np.repeat(used, place.shape[1])
        value = priority ** self._alpha[used, None]
        self._write(lane, place.ravel(), value.ravel())

    @property
    def _leaves(self) -> int:
        return self._tree.shape[1] // 2

    @property
    def _levels(self) -> int:
        """Below the root."""
        return self._leaves.bit_length() - 1

    def _write(self, lane: Places, place: Places, value: NDArray[np.float64]) -> None:
        """Set these leaves, and every sum above them."""
        node = place + self._leaves
        self._tree[lane, node] = value
        for _ in range(self._levels):
            node //= 2
            self._tree[lane, node] = self._tree[lane, 2 * node] + self._tree[lane, 2 * node + 1]

    def _deepen(self, leaves: int) -> None:
        """Make room for so many places, by levels above the root."""
        while self._leaves < leaves:
            lanes, width = self._tree.shape
            deeper = np.zeros((lanes, 2 * width))
            deeper[:, 1] = self._tree[:, 1]
            first = 1
            while first < width:  # a level's nodes move to the left half of the level below
                deeper[:, 2 * first : 3 * first] = self._tree[:, first : 2 * first]
                first *= 2
            self._tree = deeper
