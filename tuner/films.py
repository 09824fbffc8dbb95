"""Films, written frame by frame: GIF and MP4.

The encoder is the ffmpeg that imageio-ffmpeg brings along, in a process of its own. It gets every
frame as it comes, so that a film takes the same memory however long it is. That is why a GIF has a
palette for each frame: one for the whole film would make it smaller, but needs all frames at once.
"""

import math
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from agents.files import replacing
from tuner.errors import UsageError
from tuner.hparams_file import check_target

OWN_PALETTES = (
    "split[seen][counted];[counted]palettegen=stats_mode=single[palette];"
    "[seen][palette]paletteuse=new=1:dither=none"
)
EVEN_SIZES = "pad=ceil(iw/2)*2:ceil(ih/2)*2"  # a colour of yuv420p covers two by two pixels


@dataclass(frozen=True)
class Format:
    """A kind of film. most_fps: the frame rate beyond which frames are left out."""

    option: str
    suffix: str
    arguments: tuple[str, ...]
    most_fps: float = math.inf


GIF = Format("--gif", ".gif", ("-vf", OWN_PALETTES, "-f", "gif"), most_fps=25.0)
H264 = ("-vf", EVEN_SIZES, "-c:v", "libx264", "-pix_fmt", "yuv420p")
MP4 = Format("--mp4", ".mp4", (*H264, "-movflags", "+faststart", "-f", "mp4"))
# for pages, where many stand side by side: no wider than they are shown, colours a bit coarser
SMALL_SIZE = "scale='min(480,iw)':-2"
SMALL = Format(
    "film",
    ".mp4",
    (
        *("-vf", SMALL_SIZE, "-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv420p"),
        *("-movflags", "+faststart", "-f", "mp4"),
    ),
)


@dataclass(frozen=True)
class Target:
    """A file that shall become a film, checked to be possible."""

    path: Path
    format: Format


def target(path: Path, format: Format, *, force: bool) -> Target:
    """Refuse a file that cannot be written, or that is there."""
    if path.suffix.lower() != format.suffix:
        raise UsageError(f"{format.option}: '{path}' must end in {format.suffix}")
    check_target(path, force=force, option=format.option)
    return Target(path, format)


@contextmanager
def filming(target: Target, fps: float) -> Iterator["Film"]:
    """A film to add frames to, `fps` a second: whole at the end, and not there after an error."""
    with ExitStack() as stack:
        with _writing(target):
            temporary = stack.enter_context(replacing(target.path))
            complaints = stack.enter_context(tempfile.TemporaryFile())
        film = Film(target, fps, temporary, complaints)
        try:
            yield film
            film.finish()
        finally:
            film.stop()


@contextmanager
def _writing(target: Target) -> Iterator[None]:
    """Say which film it was that cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        where = f"{target.format.option}: '{target.path}'"
        raise UsageError(f"{where} cannot be written ({reason})") from None


class Film:
    """Frames on their way into a file.

    fps         frames per second, as they come
    complaints  where the encoder says what is wrong
    """

    def __init__(self, target: Target, fps: float, path: Path, complaints: IO[bytes]) -> None:
        self._target, self._path, self._complaints = target, path, complaints
        self._every = max(1, math.ceil(fps / target.format.most_fps))
        self._fps = fps / self._every
        self._shape: tuple[int, ...] = ()
        self._added = 0
        self._encoder: subprocess.Popen[bytes] | None = None

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return math.ceil(self._added / self._every) / self._fps

    def add(self, frame: Any) -> None:
        """Append [height, width, 3] uint8. All frames have the size of the first."""
        picture = np.asarray(frame)
        if self._encoder is None:
            self._shape = _checked_shape(picture)
            self._encoder = self._started()
        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise UsageError(f"the environment rendered {_described(picture)} after {self._shape}")
        if self._added % self._every == 0:
            self._write(picture)
        self._added += 1

    def finish(self) -> None:
        """Wait until the file is complete."""
        assert self._encoder is not None and self._encoder.stdin is not None
        with suppress(BrokenPipeError):  # its exit code says more
            self._encoder.stdin.close()
        if self._encoder.wait() != 0:
            self._fail()

    def stop(self) -> None:
        """End the encoder, if it is still there."""
        if self._encoder is not None:
            self._encoder.kill()
            self._encoder.wait()
            assert self._encoder.stdin is not None
            with suppress(BrokenPipeError):
                self._encoder.stdin.close()

    def _started(self) -> subprocess.Popen[bytes]:
        height, width, _ = self._shape
        raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}")
        return subprocess.Popen(
            [
                *(_ffmpeg(), "-v", "error", "-y", *raw, "-r", str(self._fps), "-i", "-"),
                *(*self._target.format.arguments, str(self._path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
            process_group=0,  # Ctrl-C is for us: we end it
        )

    def _write(self, picture: NDArray[np.uint8]) -> None:
        assert self._encoder is not None and self._encoder.stdin is not None
        try:
            self._encoder.stdin.write(picture.tobytes())
        except BrokenPipeError:
            self._fail()

    def _fail(self) -> NoReturn:
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip().splitlines()
        with _writing(self._target):
            raise OSError(said[-1] if said else "the encoder ended")


def _ffmpeg() -> str:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise UsageError(f"no encoder for films: {error}") from None


def _checked_shape(picture: NDArray[Any]) -> tuple[int, ...]:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError(
            f"the environment rendered {_described(picture)}; a film needs pictures of uint8, "
            "[height, width, 3]"
        )
    return picture.shape


def _described(picture: NDArray[Any]) -> str:
    return f"{picture.dtype} of shape {picture.shape}"
