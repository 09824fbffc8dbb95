"""How fast a run trains with how many lanes beside it, measured."""

import time
from collections.abc import Sequence
from dataclasses import replace

from agents.cohort import RunSpec
from agents.training import Training

STEPS, REPEATS = 16, 2


def lane_rates(spec: RunSpec, counts: Sequence[int], device: str = "cpu") -> list[float]:
    """Environment steps per second of work, all lanes together, for each number of lanes.

    Trains copies of the run for a few steps, from its first update on. Raises EnvError where its
    environment is unfit; an environment that fails in a step makes lanes few, and the rate low.
    """
    busy = replace(spec, hparams=spec.hparams.eager())
    return [_rate(busy, lanes, device) for lanes in counts]


def _rate(spec: RunSpec, lanes: int, device: str) -> float:
    training = Training(device)
    for seed in range(lanes):
        training.admit(str(seed), replace(spec, seed=seed))
    training.advance(spec.hparams.rhythm)
    steps = max(1, STEPS // spec.hparams.rhythm) * spec.hparams.rhythm
    rates = []
    for _ in range(REPEATS):
        before, begun = training.lane_steps, time.process_time()
        training.advance(steps)
        rates.append((training.lane_steps - before) / max(1e-9, time.process_time() - begun))
    return max(rates)
