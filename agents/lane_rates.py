"""How fast a run trains with how many lanes beside it, measured."""

import time
from collections.abc import Sequence
from dataclasses import replace

from agents.cohort import RunSpec
from agents.hparams import Hparams
from agents.training import Training

STEPS, REPEATS = 16, 2
STORED = 1_000


def lane_rates(spec: RunSpec, counts: Sequence[int], device: str = "cpu") -> list[float]:
    """Environment steps per second of work, all lanes together, for each number of lanes.

    Trains copies of the run for a few steps, from its first update on. Raises EnvError where its
    environment is unfit; an environment that fails in a step makes lanes few, and the rate low.
    """
    busy = replace(spec, hparams=_evenly_busy(spec.hparams))
    return [_rate(busy, lanes, device) for lanes in counts]


def _rate(spec: RunSpec, lanes: int, device: str) -> float:
    training = Training(device)
    for seed in range(lanes):
        training.admit(str(seed), replace(spec, seed=seed))
    training.advance(spec.hparams.train_freq)
    steps = max(1, STEPS // spec.hparams.train_freq) * spec.hparams.train_freq
    rates = []
    for _ in range(REPEATS):
        before, begun = training.lane_steps, time.process_time()
        training.advance(steps)
        rates.append((training.lane_steps - before) / max(1e-9, time.process_time() - begun))
    return max(rates)


def _evenly_busy(hparams: Hparams) -> Hparams:
    """About as many updates per step, but few at a time, from the first step, on little memory."""
    updates_per_step = hparams.gradient_steps / hparams.train_freq
    return hparams.model_copy(
        update={
            "learning_starts": 0,
            "buffer_size": max(STORED, hparams.batch_size),
            "train_freq": max(1, min(STEPS, round(1 / updates_per_step))),
            "gradient_steps": max(1, round(updates_per_step)),
        }
    )
