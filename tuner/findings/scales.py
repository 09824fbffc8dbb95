"""Where the values of a hyperparameter lie in its search space, from 0 to 1."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.search_space import Choices, Range, Space, is_whole, label
from tuner.study import Study

LEAST_GAP = 0.26  # between two ticks, of the axis


@dataclass(frozen=True)
class Scale:
    """One hyperparameter's axis: a range, on a log scale if the space is, or choices in order.

    choices  as they are stored; empty for a range
    whole    whether its values are whole numbers
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: Sequence[Any] = ()
    whole: bool = False

    def position(self, value: Any) -> float | None:
        """None for what the search space does not hold."""
        if self.choices:
            places = [k for k, choice in enumerate(self.choices) if choice == value]
            return _share(places[0], len(self.choices) - 1) if places else None
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return None
        low, high, at = (self._scaled(number) for number in (self.low, self.high, value))
        return _share(at - low, high - low)

    def value(self, position: float) -> float:
        """The number that lies there in a range."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        at = low + position * (high - low)
        found = math.exp(at) if self.log else at
        return float(round(found)) if self.whole else found

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(position, text) of every choice, or of both ends of a range and round numbers between"""
        if self.choices:
            last = len(self.choices) - 1
            return [(_share(k, last), value_text(c)) for k, c in enumerate(self.choices)]
        ticks = [(0.0, self.low), (1.0, self.high)]
        for number in _round_numbers(self.low, self.high, log=self.log):
            at = self.position(number)
            if at is not None and all(abs(at - other) >= LEAST_GAP for other, _ in ticks):
                ticks.append((at, number))
        return [(at, number_text(number)) for at, number in sorted(ticks)]

    def _scaled(self, number: float) -> float:
        return math.log(number) if self.log else float(number)


def scales(study: Study) -> dict[str, Scale]:
    """Of everything the study searches, in the order of its file."""
    return {name: _scale(study.study.agent, name, study.space) for name in study.space}


def positions(scaled: Mapping[str, Scale], params: Mapping[str, Any]) -> list[float | None]:
    """Where a trial lies on each axis; None where it has no value."""
    return [scale.position(params[n]) if n in params else None for n, scale in scaled.items()]


def number_text(number: float) -> str:
    """Short enough for a tick: 12,000 or 0.00023."""
    if number == round(number) and 1_000 <= abs(number) < 10_000_000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def value_text(value: Any) -> str:
    """A hyperparameter's value, as tables show it."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(value) if number else str(label(value))


def exact_text(value: Any) -> str:
    """A hyperparameter's value to the last digit."""
    return str(label(value))


def _scale(agent: str, name: str, space: Space) -> Scale:
    match space[name]:
        case Choices(choices=choices):
            return Scale(name, choices=[label(value) for value in choices])
        case Range(low=low, high=high, log=log):
            return Scale(name, low, high, log, whole=is_whole(agent, name))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.5


def _round_numbers(low: float, high: float, *, log: bool) -> list[float]:
    """Powers of ten first, where the scale is logarithmic; else quarters of the axis, rounded."""
    if not log:
        step = 10.0 ** math.floor(math.log10((high - low) or 1.0))
        fine = step / 2 if (high - low) / step < 4 else step
        first = math.ceil(low / fine)
        return [round(fine * k, 12) for k in range(first, math.floor(high / fine) + 1)]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [float(f"{digit}e{power}") for digit in (1, 3, 2, 5) for power in powers]
