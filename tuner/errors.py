"""Everything the tuner refuses or gives up on, with the exit code a script can act on.

TunerError
├── UsageError         2   a wrong option, name or file on the command line
├── StudyError         2   a study file with problems, all of them named
├── StorageError       3   a database that cannot be used
├── TooManyFailures    4   runs that fail one after the other, or nothing to export
├── VerificationError  5   a file that is not what it claims to be
└── Stopped           75   stopped before the end; safe to run again (130 SIGINT, 143 SIGTERM)
"""

from collections.abc import Sequence


class TunerError(Exception):
    """One or more problems, each a line that names the place, the value and the mend."""

    exit_code = 1

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class UsageError(TunerError):
    """A wrong option, name or file on the command line."""

    exit_code = 2


class StudyError(TunerError):
    """A study file with problems, or a study that does not match the recorded one."""

    exit_code = 2


class StorageError(TunerError):
    """A database that cannot be opened, read or written, or that somebody else holds."""

    exit_code = 3


class TooManyFailures(TunerError):  # noqa: N818 - named for what happened
    """Runs that fail one after the other, or a study with nothing to export."""

    exit_code = 4


class VerificationError(TunerError):
    """A file whose content is not what it claims to be."""

    exit_code = 5


class Stopped(TunerError):  # noqa: N818 - nothing went wrong
    """Stopped before the end by a signal or a time limit; the same command goes on."""

    def __init__(self, problems: str | Sequence[str], exit_code: int = 75) -> None:
        super().__init__(problems)
        self.exit_code = exit_code
