"""A whole study timed, from the start of its first process to the end of its last."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import STDOUT, Popen
from tempfile import TemporaryDirectory
from time import perf_counter

import optuna

from tuner.storage import open_for_reading
from tuner.study import load

PEER_PROGRAM = Path(__file__).with_name("peer_study.py")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}


@dataclass(frozen=True)
class Launch:
    """One `tuner launch`. CPU seconds are user and system time together.

    runs                 those that have a score
    scheduler_cpu_s      of the launched process itself
    trainers_cpu_s       of the processes that it started
    start_and_end_cpu_s  of a second launch, which finds every trial done
    evaluation_steps     environment steps of all greedy episodes
    """

    runs: int
    wall_s: float
    scheduler_cpu_s: float
    trainers_cpu_s: float
    start_and_end_cpu_s: float
    evaluation_steps: int

    @property
    def cpu_s(self) -> float:
        return self.scheduler_cpu_s + self.trainers_cpu_s


@dataclass(frozen=True)
class Peer:
    """So many trials of the peer. start_up_s: until the first of them began."""

    trials: int
    runs: int
    wall_s: float
    start_up_s: float
    cpu_s: float
    evaluation_steps: int

    def wall_s_of(self, trials: int) -> float:
        """What so many trials would take at the measured pace."""
        return self.start_up_s + (self.wall_s - self.start_up_s) * trials / self.trials


def time_launch(study_text: str, workers: int) -> Launch:
    """The study from the command line in an empty folder, and once more when it is done."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file, storage = folder / "study.toml", f"sqlite:///{folder}/tuner.db"
        file.write_text(study_text)
        command = [
            sys.executable,
            "-m",
            "tuner",
            "launch",
            str(file),
            "--storage",
            storage,
            "--search-only",
        ]
        command += ["--workers", str(workers)]
        begun = perf_counter()
        scheduler_cpu_s, trainers_cpu_s = _cpu_seconds(command, folder)
        wall_s = perf_counter() - begun
        start_and_end_cpu_s, _ = _cpu_seconds(command, folder)
        with open_for_reading(storage) as store:
            runs = [run for run in store.runs(load(str(file)).name) if run.score is not None]
    # CartPole rewards every step by 1: a return is the length of its episode.
    evaluation_steps = sum(sum(mark) for run in runs for mark in run.curve["returns"])
    return Launch(
        runs=len(runs),
        wall_s=wall_s,
        scheduler_cpu_s=scheduler_cpu_s,
        trainers_cpu_s=trainers_cpu_s,
        start_and_end_cpu_s=start_and_end_cpu_s,
        evaluation_steps=int(evaluation_steps),
    )


def _cpu_seconds(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a command to its end: CPU seconds of its process, and of the children it waited for.

    They are read before the process is reaped, because afterwards only their sum is known.
    """
    log = folder / "log"
    with log.open("w") as output:
        process = Popen(command, cwd=folder, stdout=output, stderr=STDOUT)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    after_name = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    user, system, user_below, system_below = (int(ticks) for ticks in after_name[11:15])
    if process.wait() != 0:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()}")
    second = os.sysconf("SC_CLK_TCK")
    return (user + system) / second, (user_below + system_below) / second


def time_peer(study_text: str, trials: int, cores: Sequence[int]) -> Peer:
    """The same study in a peer process on each of these cores, so many trials in all."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with TemporaryDirectory() as folder:
        file = Path(folder, "study.toml")
        file.write_text(study_text)
        searched, storage = load(str(file)), f"sqlite:///{folder}/optuna.db"
        job = {"file": str(file), "storage": storage, "trials": trials}
        begun_at, begun, cpu_before = datetime.now(), perf_counter(), _children_cpu_s()
        study = optuna.create_study(study_name=searched.name, storage=storage, direction="maximize")
        processes = [_started_peer(json.dumps({**job, "core": core})) for core in cores]
        if any([process.wait() for process in processes]):
            sys.exit("a peer process failed; its message stands above")
        wall_s, cpu_s = perf_counter() - begun, _children_cpu_s() - cpu_before
        done = study.trials
    first_began = min(trial.datetime_start for trial in done if trial.datetime_start)
    return Peer(
        trials=len(done),
        runs=len(done) * searched.seeds.start,
        wall_s=wall_s,
        start_up_s=(first_began - begun_at).total_seconds(),
        cpu_s=cpu_s,
        evaluation_steps=sum(trial.user_attrs["evaluation_steps"] for trial in done),
    )


def _started_peer(job: str) -> "Popen[bytes]":
    return Popen([sys.executable, str(PEER_PROGRAM), job], env={**os.environ, **ONE_THREAD})


def _children_cpu_s() -> float:
    """Of all processes that this one has waited for."""
    times = os.times()
    return times.children_user + times.children_system
