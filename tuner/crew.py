"""The trainer processes as the scheduler sees them: start, place runs, listen, replace the dead."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import IO

from tuner import messages
from tuner.errors import TooManyFailures
from tuner.lane_count import LaneRoom
from tuner.placement import Load, Place, best_load

STOP_GRACE_S = 5.0
STARTS_TO_TRY = 3
SECRETS = ("TUNER_STORAGE",)


@dataclass(frozen=True)
class Died:
    """A trainer is gone; these runs were in its hands and must be trained again."""

    runs: list[str]
    exit_code: int | None
    last_words: str


@dataclass
class _Trainer:
    process: subprocess.Popen[bytes]
    connection: Connection
    errors: IO[bytes]
    ready: bool = False
    load: Load = field(default_factory=Load)


class Crew:
    """`workers` trainers of `lanes` lanes each. A context: leaving it ends them all.

    lanes: None for none yet, see `choose_lanes`
    measured: lanes busy in all trainers → environment steps per second, where that was measured
    imports: modules that every trainer imports, to register environments
    """

    def __init__(
        self, workers: int, lanes: int | None, device: str, imports: Sequence[str] = ()
    ) -> None:
        self._lanes = lanes or 0
        self._measuring: _Trainer | None = None
        self.measured: dict[int, float] = {}
        self._arguments = [device, *imports]
        self._stillborn = 0
        self._trainers = [self._start() for _ in range(workers)]

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for trainer in self._trainers:
            trainer.process.terminate()
        while self._trainers:
            self._bury(self._trainers.pop())

    @property
    def free_lanes(self) -> int:
        """How many runs could be placed now."""
        return sum(self._lanes - len(trainer.load.runs) for trainer in self._trainers)

    @property
    def lanes(self) -> int:
        """How many runs can be in training; 0 until it is known."""
        return self._lanes * len(self._trainers)

    @property
    def busy_lanes(self) -> int:
        """How many runs are in training."""
        return sum(len(trainer.load.runs) for trainer in self._trainers)

    @property
    def process_ids(self) -> list[int]:
        """The trainers' process ids."""
        return [trainer.process.pid for trainer in self._trainers]

    def choose_lanes(self, sample: messages.Admit, room: LaneRoom) -> None:
        """As many lanes as suit runs like `sample`, which a trainer measures if that is worth it.

        Until it has answered no lane is free.
        """
        self._room = room
        if room.measured:
            self._measuring = self._trainers[0]
            self._say(self._measuring, messages.Measure(sample, room.counts))
        else:
            self._lanes = room.most

    def play_random(self, command: messages.PlayRandom) -> None:
        """Have a trainer measure what an agent gets that acts at random."""
        self._say(self._trainers[0], command)

    def place(self, admit: messages.Admit, place: Place) -> None:
        """Give a run to the trainer that suits it best. One must have a free lane."""
        by_load = {
            id(trainer.load): trainer
            for trainer in self._trainers
            if len(trainer.load.runs) < self._lanes
        }
        load = best_load([trainer.load for trainer in by_load.values()], place.cohort)
        load.runs[admit.run] = place
        chosen = by_load[id(load)]
        self._say(chosen, admit)

    def evict(self, runs: Sequence[str]) -> None:
        """Let these runs go, wherever they are."""
        for trainer in self._trainers:
            held = [run for run in runs if trainer.load.runs.pop(run, None) is not None]
            if held:
                self._say(trainer, messages.Evict(held))

    def listen(self, timeout_s: float) -> Iterator[messages.Report | Died]:
        """What trainers say within `timeout_s`; a dead one is replaced. Reports of evicted runs
        are left out."""
        by_connection = {trainer.connection: trainer for trainer in self._trainers}
        for connection in wait(list(by_connection), timeout_s):
            assert isinstance(connection, Connection)
            trainer = by_connection[connection]
            try:
                while True:
                    report = messages.decode_report(connection.recv_bytes())
                    if self._is_wanted(trainer, report):
                        yield report
                    if not connection.poll():
                        break
            except (EOFError, ConnectionResetError):
                yield self._replace(trainer)

    def _is_wanted(self, trainer: _Trainer, report: messages.Report) -> bool:
        if isinstance(report, messages.Ready):
            trainer.ready = True
        if isinstance(report, messages.Measured):
            self._lanes, self._measuring = self._room.lanes(report.rates), None
            workers = len(self._trainers)
            self.measured = {
                workers * lanes: workers * rate
                for lanes, rate in zip(self._room.counts, report.rates, strict=True)
            }
        if isinstance(report, messages.Finished | messages.Failed):
            return trainer.load.runs.pop(report.run, None) is not None
        return not isinstance(report, messages.Evaluated) or report.run in trainer.load.runs

    def _replace(self, trainer: _Trainer) -> Died:
        exit_code, last_words = self._bury(trainer)
        self._stillborn = 0 if trainer.ready else self._stillborn + 1
        if trainer is self._measuring:  # what killed it may kill a run, and is told then
            self._lanes, self._measuring = min(self._room.most, self._room.counts[0]), None
        place = self._trainers.index(trainer)
        del self._trainers[place]
        if self._stillborn > STARTS_TO_TRY:
            raise TooManyFailures(
                f"a trainer process could not start (exit {exit_code}):\n{last_words}"
            )
        self._trainers.insert(place, self._start())
        return Died(list(trainer.load.runs), exit_code, last_words)

    def _bury(self, trainer: _Trainer) -> tuple[int | None, str]:
        trainer.connection.close()
        try:
            trainer.process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            trainer.process.kill()
            trainer.process.wait()
        trainer.errors.seek(0)
        last_words = trainer.errors.read()[-4_000:].decode(errors="replace").strip()
        trainer.errors.close()
        return trainer.process.returncode, last_words

    def _start(self) -> _Trainer:
        ours, theirs = socket.socketpair()
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the trainer is buried
        environment = {name: text for name, text in os.environ.items() if name not in SECRETS}
        environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        environment["OPENBLAS_NUM_THREADS"] = "1"
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tuner.trainer", str(theirs.fileno()), *self._arguments],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the scheduler, which then ends us in order
            )
        return _Trainer(process, Connection(ours.detach()), errors)

    def _say(self, trainer: _Trainer, command: messages.Command) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # its death is heard by `listen`
            trainer.connection.send_bytes(messages.encode(command))
