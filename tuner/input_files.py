"""Files that people name on the command line: small ones, or they are the wrong ones."""

from pathlib import Path

from tuner.errors import TunerError

LARGEST_BYTES = 1_000_000


def read_small(path: Path, refusal: type[TunerError], missing: str, too_large: str) -> bytes:
    """The file's content. Raises `refusal`; missing and too_large say how to mend it."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise refusal(f"{path}: no such file; {missing}") from None
    except OSError as error:
        raise refusal(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_BYTES:
        raise refusal(f"{path}: larger than 1 MB{too_large}")
    return content
