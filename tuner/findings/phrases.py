"""Words that several captions share."""

from collections.abc import Iterable

from tuner.phases import DEFAULT_CONFIG
from tuner.study import Study


def configuration(number: int) -> str:
    """A trial, or DEFAULT_CONFIG, by its name."""
    return "default configuration" if number == DEFAULT_CONFIG else f"trial {number}"


def counted(number: int, noun: str) -> str:
    """As "1 trial", "1,000 trials"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def from_to(numbers: Iterable[int], noun: str) -> str:
    """As "2 to 8 seeds", or "3 seeds" where all are equal."""
    low, high = min(found := list(numbers)), max(found)
    return counted(high, noun) if low == high else f"{low:,} to {counted(high, noun)}"


def score(study: Study) -> str:
    """What a run's score is, as an axis says it."""
    kind = {"final": "final return", "auc": "mean return"}
    return f"score ({kind[study.objective.score]})"


def methods(found: Iterable[str]) -> str:
    """How intervals were made, each way once: as "t, bootstrap-t"."""
    return ", ".join(sorted(set(found), key=lambda method: (len(method), method)))
