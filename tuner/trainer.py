"""The child process that owns lanes: `python -m tuner.trainer DESCRIPTOR DEVICE [MODULE ...]`.

It speaks `messages` over one socket, never sees the storage, and ends when its parent does.
"""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread

from agents import cohort
from agents.budget import Budget
from agents.environments import EnvSpec, describe, import_environments
from agents.errors import AgentError
from agents.kinds import make_hparams
from agents.lane_rates import lane_rates
from agents.provenance import made_with
from agents.reference_returns import random_returns, return_bounds
from agents.training import Training
from tuner import messages

STEPS_BETWEEN_LOOKS = 250
PR_SET_PDEATHSIG = 1


def main(descriptor: int, device: str, imports: Sequence[str]) -> None:
    """Train what the scheduler asks for until it closes the connection."""
    _die_with_parent()
    import_environments(imports)
    trainer = _Trainer(Connection(descriptor), device)
    try:
        trainer.serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the scheduler is gone, or wants us gone


class _Trainer:
    def __init__(self, connection: Connection, device: str) -> None:
        self._connection = connection
        self._commands: SimpleQueue[messages.Command | None] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()
        self._device = device
        self._training = Training(device)
        self._admitted_at: dict[str, float] = {}
        self._lane_steps = self._cohort_steps = 0

    def serve(self) -> None:
        self._say(messages.Ready(made_with()))
        while True:
            while (command := self._next_command()) is not None:
                self._obey(command)
            for event in self._training.advance(STEPS_BETWEEN_LOOKS):
                self._say(self._told(event))
            self._tell_advance()

    def _read(self) -> None:
        """Take in commands all the time, so that the scheduler never waits to say one.

        If both waited for the other to listen, with full sockets between them, neither ever would.
        """
        try:
            while True:
                self._commands.put(messages.decode_command(self._connection.recv_bytes()))
        except (EOFError, OSError):
            self._commands.put(None)

    def _next_command(self) -> messages.Command | None:
        """None if there is none; waits for one while there is nothing to train."""
        try:
            command = self._commands.get(block=not self._training.lanes)
        except Empty:
            return None
        if command is None:
            raise EOFError("the scheduler is gone, or wants us gone")
        return command

    def _obey(self, command: messages.Command) -> None:
        match command:
            case messages.Evict():
                self._training.evict(command.runs)
                for run in command.runs:
                    self._admitted_at.pop(run, None)
            case messages.Measure():
                self._say(messages.Measured(self._rates(command)))
            case messages.PlayRandom():
                self._say(_played_random(command))
            case messages.Admit():
                self._admitted_at[command.run] = time.monotonic()
                try:
                    self._training.admit(command.run, _spec(command))
                except AgentError as error:
                    self._say(self._told(cohort.Failed(command.run, "env_error", str(error))))

    def _rates(self, command: messages.Measure) -> list[float]:
        try:
            return lane_rates(_spec(command.sample), command.counts, self._device)
        except AgentError:
            return [1.0] * len(command.counts)  # its runs will tell what is wrong

    def _tell_advance(self) -> None:
        lanes, cohorts = self._training.lane_steps, self._training.cohort_steps
        self._say(messages.Advanced(lanes - self._lane_steps, cohorts - self._cohort_steps))
        self._lane_steps, self._cohort_steps = lanes, cohorts

    def _told(self, event: cohort.Event) -> messages.Report:
        if isinstance(event, cohort.Evaluated):
            return messages.Evaluated(event.run, event.mark, event.step, list(event.returns))
        seconds = time.monotonic() - self._admitted_at.pop(event.run)
        if isinstance(event, cohort.Finished):
            return messages.Finished(event.run, seconds, event.exact)
        return messages.Failed(event.run, event.reason, event.text, seconds)

    def _say(self, report: messages.Report) -> None:
        self._connection.send_bytes(messages.encode(report))


def _played_random(command: messages.PlayRandom) -> messages.PlayedRandom:
    env = EnvSpec(command.env_id, command.env_kwargs)
    try:
        facts = describe(env)
        returns = random_returns(env, command.episodes, command.seed)
    except AgentError as error:
        return messages.PlayedRandom([], failure=str(error))
    return messages.PlayedRandom(returns, facts.reward_threshold, return_bounds(env, facts))


def _spec(admit: messages.Admit) -> cohort.RunSpec:
    return cohort.RunSpec(
        agent=admit.agent,
        hparams=make_hparams(admit.agent, admit.hparams),
        env=EnvSpec(admit.env_id, admit.env_kwargs),
        budget=Budget(admit.steps, admit.evaluations, admit.episodes),
        seed=admit.seed,
    )


def _die_with_parent() -> None:
    """Ask the kernel to kill us when the scheduler dies, even by kill -9 (Linux).

    Elsewhere the closed connection ends us at the next look.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])).detach(), sys.argv[2], sys.argv[3:])
