"""A curve in a line of text."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-~=+*#"


def sparkline(
    values: Sequence[float], low: float, high: float, width: int, *, plain: bool = False
) -> str:
    """A character for each value, higher ones between `low` and `high` taller; of more values than
    `width` those at equal distances, the last one among them. plain: of ASCII."""
    marks = PLAIN if plain else BLOCKS
    if len(values) > width:
        last = len(values) - 1
        values = [values[round(n * last / max(1, width - 1))] for n in range(width)]
    extent = high - low
    shares = [(value - low) / extent if extent > 0 else 0.5 for value in values]
    return "".join(marks[min(len(marks) - 1, max(0, int(s * len(marks))))] for s in shares)
