"""What a training says on the terminal while it goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuner.screen import ProgressConsole
from tuner.wording import points

if TYPE_CHECKING:
    from agents.cohort import Evaluated


def marks_told() -> "Callable[[Evaluated], None]":
    """Prints a line for every mark of every run, beside the command's own output."""
    console = ProgressConsole()

    def tell(event: "Evaluated") -> None:
        mean = sum(event.returns) / len(event.returns)
        line = f"seed {event.run}: step {event.step:,}, return {points(mean)}"
        console.print(line, highlight=False)

    return tell
