"""Replay rings against a slow twin with Python lists."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents.replay import Replay, Transitions

Batch = Transitions[NDArray[np.float32]]
Row = tuple[float, ...]


class ListReplay:
    """A ring per lane, as a list of rows: both observations, action, reward, goes_on."""

    def __init__(self) -> None:
        self.rings: list[list[Row]] = []
        self.capacities: list[int] = []
        self.stored: list[int] = []

    def admit(self, capacity: int) -> None:
        self.rings.append([])
        self.capacities.append(capacity)
        self.stored.append(0)

    def keep(self, rows: list[int]) -> None:
        self.rings = [self.rings[row] for row in rows]
        self.capacities = [self.capacities[row] for row in rows]
        self.stored = [self.stored[row] for row in rows]

    def store(self, rows: list[Row]) -> None:
        for lane, row in enumerate(rows):
            if self.stored[lane] < self.capacities[lane]:
                self.rings[lane].append(row)
            else:
                self.rings[lane][self.stored[lane] % self.capacities[lane]] = row
            self.stored[lane] += 1


class Rehearsal:
    """A replay and its slow twin, told the same."""

    def __init__(self, features: int, seed: int) -> None:
        self.features = features
        self.replay = Replay(features)
        self.slow = ListReplay()
        self.rng = np.random.default_rng(seed)

    def admit(self, capacity: int) -> None:
        self.replay.admit(capacity)
        self.slow.admit(capacity)

    def keep(self, rows: list[int]) -> None:
        self.replay.keep(rows)
        self.slow.keep(rows)

    def store(self) -> None:
        lanes = len(self.slow.rings)
        now, later = self.rng.normal(size=(2, lanes, self.features)).astype(np.float32)
        action = self.rng.integers(5, size=lanes)
        reward = self.rng.normal(size=lanes)
        terminated = self.rng.random(lanes) < 0.5
        self.replay.store(now, action, reward, terminated, later)
        self.slow.store(
            [
                (
                    *now[lane].tolist(),
                    *later[lane].tolist(),
                    float(action[lane]),
                    float(np.float32(reward[lane])),
                    0.0 if terminated[lane] else 1.0,
                )
                for lane in range(lanes)
            ]
        )

    def check(self) -> None:
        """Every row of every ring, at its place."""
        lanes = [lane for lane, ring in enumerate(self.slow.rings) if ring]
        if len(lanes) < len(self.slow.rings) or not lanes:
            return  # lanes are sampled together, once each has something
        batch = max(len(ring) for ring in self.slow.rings)
        draws = np.array([words(len(ring), batch) for ring in self.slow.rings])
        sampled = as_rows(sample(self.replay, draws))
        for lane, ring in enumerate(self.slow.rings):
            assert sampled[lane] == [ring[place % len(ring)] for place in range(batch)]


def words(stored: int, batch: int) -> NDArray[np.uint32]:
    """The smallest 32-bit word that draws place 0, 1, 2 ... of what is stored, round and round."""
    places = np.arange(batch) % stored
    return (-(-(places << 32) // stored)).astype(np.uint32)


def sample(replay: Replay, draws: NDArray[np.uint32]) -> Batch:
    rows = np.empty((*draws.shape, replay.width), dtype=np.float32)
    replay.read(replay.uniform(draws), out=rows)
    return replay.views(rows)


def as_rows(batch: Batch) -> list[list[Row]]:
    features = batch.observation.shape[2] - 1
    assert (batch.observation[:, :, features] == 1.0).all()
    assert (batch.next_observation[:, :, features] == 1.0).all()
    columns = [
        batch.observation[:, :, :features],
        batch.next_observation[:, :, :features],
        np.stack([batch.action, batch.reward, batch.goes_on], axis=2),
    ]
    return [[tuple(row) for row in lane] for lane in np.concatenate(columns, axis=2).tolist()]


orders = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.integers(1, 9)),
        st.tuples(st.just("keep"), st.integers(0, 2**16)),
        st.tuples(st.just("store"), st.integers(1, 6)),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(features=st.integers(1, 20), orders=orders)
def test_rings_hold_what_their_slow_twin_holds(
    features: int, orders: list[tuple[str, int]]
) -> None:
    rehearsal = Rehearsal(features, seed=features)
    for order, number in orders:
        lanes = len(rehearsal.slow.rings)
        match order:
            case "admit":
                rehearsal.admit(capacity=number)
            case "keep":
                rehearsal.keep([row for row in range(lanes) if number >> row & 1])
            case "store":
                for _ in range(number if lanes else 0):
                    rehearsal.store()
        rehearsal.check()
    rehearsal.admit(capacity=3)
    rehearsal.store()
    rehearsal.check()


def test_a_full_ring_forgets_its_oldest() -> None:
    rehearsal = Rehearsal(features=2, seed=0)
    for capacity in (1, 3, 10):
        rehearsal.admit(capacity)

    for _ in range(25):
        rehearsal.store()
        rehearsal.check()

    assert [len(ring) for ring in rehearsal.slow.rings] == [1, 3, 10]


def test_lanes_may_change_rows() -> None:
    rehearsal = Rehearsal(features=3, seed=0)
    for capacity in (4, 5, 6):
        rehearsal.admit(capacity)
    for _ in range(8):
        rehearsal.store()

    rehearsal.keep([2, 0])

    rehearsal.check()
    rehearsal.store()
    rehearsal.check()


def test_freed_room_is_used_again() -> None:
    choose = random.Random(0)
    replay = Replay(4)
    for _ in range(10):
        replay.admit(1_000)
    memory = replay.width * 4 * 10 * 1_000

    for _ in range(500):
        left_out = choose.randrange(10)
        replay.keep([row for row in range(10) if row != left_out])
        replay.admit(choose.randint(1, 1_000))

    assert replay_bytes(replay) <= 2 * memory


def replay_bytes(replay: Replay) -> int:
    return max(value.nbytes for value in vars(replay).values() if isinstance(value, np.ndarray))


@pytest.mark.parametrize("stored", [1, 2, 3, 1_000])
def test_every_stored_transition_is_drawn_about_as_often(stored: int) -> None:
    replay = Replay(1)
    replay.admit(1_000)
    for number in range(stored):
        shown = np.array([[float(number)]], dtype=np.float32)
        replay.store(shown, np.zeros(1, int), np.zeros(1), np.zeros(1, bool), shown)
    draws = np.random.default_rng(0).integers(2**32, size=(1, 100_000), dtype=np.uint32)

    sampled = sample(replay, draws)

    times = np.bincount(sampled.observation[0, :, 0].astype(int), minlength=stored)
    expected = 100_000 / stored
    assert len(times) == stored
    assert np.abs(times - expected).max() <= 5.0 * np.sqrt(expected)


def test_the_smallest_and_the_largest_draw_stay_inside() -> None:
    rehearsal = Rehearsal(features=1, seed=0)
    for capacity in (7, 7):
        rehearsal.admit(capacity)
    for _ in range(5):
        rehearsal.store()
    draws = np.array([[0, 2**32 - 1]] * 2, dtype=np.uint32)

    sampled = as_rows(sample(rehearsal.replay, draws))

    for lane, ring in enumerate(rehearsal.slow.rings):
        assert sampled[lane] == [ring[0], ring[4]]
