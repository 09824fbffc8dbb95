"""Random numbers with an owner.

Draw number k of a lane for a purpose is a function of (run seed, purpose, k) and nothing else:
Philox, a counter-based generator (Salmon et al. 2011), keyed by seed and purpose. Blocks of draws
for many lanes are taken ahead of time, which changes no number.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD = 2.0**32  # how many numbers a word of 32 bits can be


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of every result: never change or reuse one."""

    WEIGHTS = 1
    EXPLORATION = 2
    REPLAY = 3
    ENVIRONMENT = 4
    EVALUATION = 5
    RANDOM_AGENT = 6
    NOISE = 7
    RANDOM_POLICY = 8
    IMITATION = 9


def sequence(seed: int, purpose: Purpose, *path: int) -> np.random.SeedSequence:
    """The root of one stream; `path` tells apart what a purpose needs several of."""
    return np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose), *path))


def environment_seed(seed: int, purpose: Purpose, *path: int) -> int:
    """A seed for `env.reset(seed=...)`, 0 to 2**31 - 1."""
    return int(sequence(seed, purpose, *path).generate_state(1)[0]) >> 1


def generator(seed: int, purpose: Purpose) -> np.random.Generator:
    """A lane's own generator for draws made once, such as initial weights."""
    return np.random.Generator(np.random.Philox(sequence(seed, purpose)))


def below(words: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Whole numbers from 0 to count - 1, one for each word of 32 bits."""
    return (words.astype(np.int64) * count) >> 32


class Draws:
    """The next draws of many lanes for one purpose, taken ahead in blocks.

    A draw is `words` numbers of 32 bits. Lanes that join later start at their own draw 0.
    """

    dtype: type[np.generic] = np.uint32

    def __init__(self, purpose: Purpose, words: int, block: int) -> None:
        self._purpose = purpose
        self._words = words
        self._streams: list[np.random.Philox] = []
        self._block = np.empty((block, 0, words), dtype=self.dtype)
        self._used = 0

    def admit(self, seed: int) -> None:
        """Add a lane behind the last."""
        block, lanes, words = self._block.shape
        grown = np.empty((block, lanes + 1, words), dtype=self.dtype)
        grown[:, :lanes] = self._block
        self._streams.append(np.random.Philox(sequence(seed, self._purpose)))
        self._block = grown
        self._fill(lanes)

    def keep(self, rows: Sequence[int]) -> None:
        """Let the lanes in `rows` stay, in that order."""
        self._streams = [self._streams[row] for row in rows]
        self._block = np.ascontiguousarray(self._block[:, list(rows)])

    def next(self) -> NDArray[Any]:
        """Every lane's next draw, [lanes, words], valid until the following call."""
        if self._used == len(self._block):
            self._used = 0
            for lane in range(len(self._streams)):
                self._fill(lane)
        self._used += 1
        draws: NDArray[Any] = self._block[self._used - 1]
        return draws

    def _fill(self, lane: int) -> None:
        """Take the lane's draws for what is left of the block."""
        count = len(self._block) - self._used
        self._block[self._used :, lane] = self._drawn(self._streams[lane], count)

    def _drawn(self, stream: np.random.Philox, count: int) -> NDArray[Any]:
        """The stream's next draws, [count, words]."""
        pairs = (self._words + 1) // 2  # Philox gives 64 bits at a time
        raw = stream.random_raw(count * pairs).astype("<u8", copy=False)
        return raw.view("<u4").reshape(count, 2 * pairs)[:, : self._words]


class Normals(Draws):
    """Draws of `words` standard normal numbers."""

    dtype = np.float64

    def _drawn(self, stream: np.random.Philox, count: int) -> NDArray[Any]:
        return np.random.Generator(stream).standard_normal((count, self._words))
