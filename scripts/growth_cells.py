"""One cell of benchmark_growth, measured in this process and printed as JSON.

    python growth_cells.py '{"cell": "rate", "lanes": 8, "units": 64, "turns": 5, "turn_s": 1.0}'

A process of its own, because memory is not given back and the processor's caches are remembered.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any

import gymnasium
import numpy as np
from growth_figures import AS_ARRAYS, BARE, ONE_BY_ONE, EnvCost, Figure, Memory, Rate
from numpy.typing import NDArray

from agents.budget import Budget
from agents.classic_control import classic_lanes
from agents.cohort import RunSpec
from agents.environments import EnvSpec, GymnasiumLanes, LaneEnvs, describe
from agents.kinds import make_hparams
from agents.training import Training

ENV_ID, BATCH, LEARNING_STARTS = "CartPole-v1", 64, 1_000
UNREACHED_STEPS = 10_000_000
PILOT_STEPS, LEAST_STEPS = 20, 20
ACTIONS_DRAWN = 1_000


def main() -> None:
    job = json.loads(sys.argv[1])
    figures = CELLS[job.pop("cell")](**job)
    print(json.dumps([asdict(figure) for figure in figures]))


def rate(lanes: int, units: int, turns: int, turn_s: float) -> Sequence[Figure]:
    """Lane-updates per second of CPU time, environment steps included, evaluations not."""
    training = Training()
    for seed in range(lanes):
        training.admit(str(seed), run_spec(seed, hidden_layers=(units, units), train_freq=1))
    training.advance(LEARNING_STARTS)
    pilot_s = seconds_of(lambda: training.advance(PILOT_STEPS))
    steps = max(LEAST_STEPS, round(turn_s * PILOT_STEPS / pilot_s))
    took_s = [seconds_of(lambda: training.advance(steps)) for _ in range(turns)]
    assert training.lanes == lanes, "a lane failed"
    return [Rate(lanes, units, steps, [lanes * steps / turn for turn in took_s])]


def memory(lanes: int, buffer_steps: int, gap_steps: int, train_freq: int) -> Sequence[Figure]:
    """What is resident when every lane has trained for as many steps as its buffer holds."""
    import tuner.trainer  # noqa: F401  with all the modules that a trainer holds

    training = Training()
    training.admit("first", run_spec(0, buffer_size=LEARNING_STARTS, train_freq=train_freq))
    training.advance(LEARNING_STARTS + train_freq)
    training.evict(["first"])
    empty_mb = resident_mb("VmRSS")
    for seed in range(lanes):
        spec = run_spec(seed, buffer_size=buffer_steps, train_freq=train_freq)
        training.admit(str(seed), spec)
        training.advance(gap_steps)
    training.advance(buffer_steps + train_freq)
    assert training.lanes == lanes, "a lane failed"
    full_mb, peak_mb = resident_mb("VmRSS"), resident_mb("VmHWM")
    return [Memory(lanes, buffer_steps, gap_steps, empty_mb, full_mb, peak_mb)]


def run_spec(seed: int, **hparams: Any) -> RunSpec:
    """A run that does not end while it is measured."""
    settings = {
        "batch_size": BATCH,
        "learning_starts": LEARNING_STARTS,
        "epsilon_decay_steps": LEARNING_STARTS,
        **hparams,
    }
    budget = Budget(steps=UNREACHED_STEPS, evaluations=1, episodes=1)
    return RunSpec("deep_q", make_hparams("deep_q", settings), EnvSpec(ENV_ID), budget, seed)


def resident_mb(field: str) -> float:
    """Of this process: VmRSS is now, VmHWM the most there ever was."""
    [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(field)]
    return int(line.split()[1]) * 1_024 / 1e6


@dataclass(frozen=True)
class Form:
    """One way to step an environment. run: so many steps of every lane."""

    name: str
    lanes: int
    run: Callable[[int], None]

    def seconds_of(self, steps: int) -> float:
        return seconds_of(lambda: self.run(steps))

    def steps_in(self, turn_s: float) -> int:
        """So many fill about this time; tried twice, because the first steps are slower."""
        _, pilot_s = self.seconds_of(PILOT_STEPS), self.seconds_of(PILOT_STEPS)
        return max(LEAST_STEPS, round(turn_s * PILOT_STEPS / pilot_s))


def environment(env: str, lanes: Sequence[int], turns: int, turn_s: float) -> Sequence[Figure]:
    """Random actions and the resets they lead to, in every form; the forms take turns."""
    forms = forms_of(EnvSpec(env), lanes)
    steps = [form.steps_in(turn_s) for form in forms]
    us: list[list[float]] = [[] for _ in forms]
    for _ in range(turns):
        for form, count, turns_us in zip(forms, steps, us, strict=True):
            turns_us.append(1e6 * form.seconds_of(count) / count / form.lanes)
    return [
        EnvCost(env, form.name, form.lanes, turns_us, bare_turns=us[0])
        for form, turns_us in zip(forms, us, strict=True)
    ]


def forms_of(spec: EnvSpec, lanes: Sequence[int]) -> list[Form]:
    """The bare environment first."""
    facts = describe(spec)
    draws = np.random.default_rng(0).integers(facts.actions, size=(ACTIONS_DRAWN, max(lanes)))
    forms = [Form(BARE, 1, bare_loop(spec.make(), draws[:, 0].tolist()))]
    for count in lanes:
        found: dict[str, LaneEnvs | None] = {
            ONE_BY_ONE: GymnasiumLanes(spec, facts),
            AS_ARRAYS: classic_lanes(spec),
        }
        for name, envs in found.items():
            if envs is not None:
                envs.admit(*range(count))
                forms.append(Form(name, count, lanes_loop(envs, draws[:, :count].copy())))
    return forms


def bare_loop(env: gymnasium.Env[Any, Any], actions: Sequence[int]) -> Callable[[int], None]:
    env.reset(seed=0)

    def run(steps: int) -> None:
        for step in range(steps):
            _, _, terminated, truncated, _ = env.step(actions[step % ACTIONS_DRAWN])
            if terminated or truncated:
                env.reset()

    return run


def lanes_loop(envs: LaneEnvs, actions: NDArray[np.int64]) -> Callable[[int], None]:
    """As a cohort steps them."""

    def run(steps: int) -> None:
        for number in range(steps):
            step = envs.step(actions[number % ACTIONS_DRAWN])
            ended = np.flatnonzero(step.terminated | step.truncated)
            if len(ended):
                envs.reset(ended.tolist())
        assert not envs.failures, envs.failures

    return run


def seconds_of(work: Callable[[], Any]) -> float:
    """The seconds this process worked for it."""
    begun = process_time()
    work()
    return process_time() - begun


CELLS: dict[str, Callable[..., Sequence[Figure]]] = {
    "rate": rate,
    "memory": memory,
    "environment": environment,
}

if __name__ == "__main__":
    main()
