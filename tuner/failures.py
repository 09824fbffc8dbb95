"""When a study is stopped because its runs fail."""

from tuner.errors import TooManyFailures

FAILURES_TO_STOP = 3
ENDINGS_TO_JUDGE = 5


class Endings:
    """How the runs of this launch ended."""

    def __init__(self) -> None:
        self._texts: list[str | None] = []  # None, or why it failed

    def add(self, failure: str | None) -> None:
        """A run ended: well, or by this failure.

        Raises TooManyFailures where environment or space are broken, before the budget is burnt:
        the first three runs failed, or of at least six more than half.
        """
        self._texts.append(failure)
        if failure is None:
            return
        failures = [text for text in self._texts if text is not None]
        all_of_the_first = len(failures) == len(self._texts) >= FAILURES_TO_STOP
        most = len(self._texts) > ENDINGS_TO_JUDGE and 2 * len(failures) > len(self._texts)
        if all_of_the_first or most:
            raise TooManyFailures(
                f"{len(failures)} of {len(self._texts)} runs failed; the last one by "
                f"{failures[-1].strip().splitlines()[-1]}\n{failures[-1]}\n"
                "mend it, then launch under a new name or with another --storage"
            )
