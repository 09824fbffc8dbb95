"""Options of the command line that need reading: durations, seeds, processes, devices."""

import os
import re

from agents.device import problem_with
from tuner.errors import UsageError
from tuner.hparams_file import HparamsFile
from tuner.study_tables import MOST_TRIALS

LARGEST_SEED = 2**32 - 1
MOST_SEEDS = 1_000
LEAST_FRESH_SEEDS = 3
MOST_EPISODES = 1_000_000
POOLS = ("tune", "confirm", "test")


def duration_s(text: str) -> float:
    """Seconds from "300", "5m" or "2h"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not match:
        raise UsageError(f"--timeout: cannot read '{text}'; write 300, 5m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def seed_list(text: str, file: HparamsFile) -> list[int]:
    """Seeds from "0:5" (0 to 4), "1,2,7", or those of a pool that the file's evidence records."""
    if text in POOLS:
        recorded = None if file.evidence is None else getattr(file.evidence, text)
        if recorded is None or not recorded.seeds:
            raise UsageError(f"--seeds: the file records no {text} seeds; write for example 0:5")
        return list(recorded.seeds)
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(-?\d{1,20})(?::(-?\d{1,20}))?\s*", part)
        if not match:
            raise UsageError(
                f"--seeds: cannot read '{part}'; write 0:5 or 1,2,7, or {', '.join(POOLS)}"
            )
        first = int(match[1])
        last = int(match[2]) - 1 if match[2] else first
        if last - first >= MOST_SEEDS:
            raise UsageError(f"--seeds: more than {MOST_SEEDS}; train them in parts")
        if match[2] and last < first:
            raise UsageError(
                f"--seeds: '{part}' holds no seed; write first:end with end above first"
            )
        seeds += range(first, last + 1)
    for seed in seeds:
        check_seed("--seeds", seed)
        if seeds.count(seed) > 1:
            raise UsageError(f"--seeds: seed {seed} given twice")
    return seeds


def seed_count(count: int) -> int:
    """A number of fresh seeds that a mean can be judged by."""
    if not LEAST_FRESH_SEEDS <= count <= MOST_SEEDS:
        raise UsageError(
            f"--seeds: must be {LEAST_FRESH_SEEDS} to {MOST_SEEDS:,}, for an interval (got {count})"
        )
    return count


def check_seed(option: str, seed: int) -> None:
    """Refuse what is no run seed."""
    if not 0 <= seed <= LARGEST_SEED:
        raise UsageError(f"{option}: must be 0 to {LARGEST_SEED} (got {seed})")


def trial_count(trials: int) -> int:
    """A number of trials that a study may have."""
    if at_least_one("--trials", trials) > MOST_TRIALS:
        raise UsageError(f"--trials: more than {MOST_TRIALS:,}; split the study")
    return trials


def episode_count(episodes: int) -> int:
    """A number of episodes that one evaluation may have."""
    if at_least_one("--episodes", episodes) > MOST_EPISODES:
        raise UsageError(f"--episodes: more than {MOST_EPISODES:,}; play them with several --seed")
    return episodes


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_device(device: str) -> str:
    """A device that is there."""
    if problem := problem_with(device):
        raise UsageError(f"--device: {problem}")
    return device


def at_least_one(option: str, value: int) -> int:
    """A count that makes sense."""
    if value < 1:
        raise UsageError(f"{option}: must be at least 1 (got {value})")
    return value
