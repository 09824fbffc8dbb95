"""The command `tuner`, as a program and as `python -m tuner`."""

import os

from tuner import completion


def main() -> None:
    """Run a command, or tell a shell at once what may stand next."""
    if completion.VARIABLE in os.environ:
        completion.answer()
        return
    from tuner import cli  # here: it takes a second to load

    cli.main()


if __name__ == "__main__":
    main()
