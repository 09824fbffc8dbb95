"""Summaries of studies of any size, made up in memory: nothing is trained, nothing stored.

`summary_of(trials=1000, seeds=3)` is a whole study; `Shape` says what else may be asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import numpy as np

from tests.tuner.tiny import TINY
from tuner import study as studies
from tuner.evidence import EnvFigures
from tuner.finals import Finals
from tuner.phases import DEFAULT_CONFIG
from tuner.racing import Decision
from tuner.search_space import Choices, is_searched, is_whole, label
from tuner.seed_pools import Pool
from tuner.storage import Run
from tuner.study import Study
from tuner.summary import StudySummary, TrialSummary, sample_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RUN_S, LANES = 20.0, 8
ENV = EnvFigures(random_score=22.0, threshold=475.0, bounds=(0.0, 500.0))
SPACE = """\
learning_rate = { low = 1e-5, high = 1e-2, log = true }
gamma = { choices = [0.9, 0.99, 0.999] }
hidden_layers = { choices = [[8], [16], [256, 256]] }
epsilon_end = { low = 0.01, high = 0.1 }
target_update_interval = { low = 10, high = 1_000, log = true }
head = { choices = ["plain", "dueling", "state_action"] }
double = { choices = [false, true] }
epsilon_decay_steps = { low = 400, high = 40_000, log = true }
priority_alpha = { choices = [0.0, 0.5] }
priority_beta = { low = 0.2, high = 1.0, when = { priority_alpha = 0.5 } }
n_steps = { choices = [1, 3, 5] }
batch_size = { choices = [16, 32] }
buffer_size = { low = 1_000, high = 100_000, log = true }
loss = { choices = ["huber", "mse"] }
learning_rate_decay = { choices = ["none", "linear"] }
""".splitlines()


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a made-up study looks like.

    seeds    of each trial at most; those raced out have two
    raced    False: every trial has all its seeds
    failed   trial → how many of its tuning runs broke down
    pruned   these trials ended early, without a value
    running  so many trials at the end are not over
    finals   how far they are: "none", "confirmed" or "tested"
    pause_s  how long nobody worked in the middle of the search
    """

    trials: int = 12
    seeds: int = 4
    raced: bool = True
    marks: int = 6
    hparams: int = 3
    failed: Mapping[int, int] = field(default_factory=dict)
    pruned: Sequence[int] = ()
    running: int = 0
    finals: str = "tested"
    pause_s: float = 0.0

    @property
    def study(self) -> Study:
        tables = {
            "trials = 3": f"trials = {self.trials}",
            "steps = 600": f"steps = {self.marks * 100}",
            "evaluations = 6": f"evaluations = {self.marks}",
            "start = 2": f"start = {min(2, self.seeds)}",
            "max = 2": f"max = {self.seeds}",
            "confirm = 2": "confirm = 6",
            "test = 3": "test = 12",
        }
        text, names = TINY, {line.split()[0] for line in SPACE[: self.hparams]}
        for old, new in tables.items():
            text = text.replace(old, new)
        head, _, rest = text.partition("[space]")
        fixed = [
            line
            for line in rest.partition("[fixed]")[2].splitlines()
            if not line.startswith(tuple(names))
        ]
        space = "\n".join(["[space]", *SPACE[: self.hparams], "", "[fixed]", *fixed])
        return studies.parse(f"{head}{space}\n".encode(), "made-up.toml")


def summary_of(**shape: Any) -> StudySummary:
    """A study of that `Shape`, the same one each time."""
    made = _MadeUp(Shape(**shape))
    trials = [made.trial(number) for number in range(made.shape.trials)]
    params = {trial.number: trial.params for trial in trials if trial.value is not None}
    runs = [run for trial in trials for run in trial.runs]
    finals = Finals(made.study, params, runs)
    if made.shape.finals != "none":
        finals = Finals(made.study, params, [*runs, *made.runs(finals, Pool.CONFIRM)])
    if made.shape.finals == "tested":
        finals = Finals(made.study, params, [*finals.runs, *made.runs(finals, Pool.TEST)])
    return StudySummary(made.study, trials, finals, ENV)


class _MadeUp:
    """Draws trials and runs one after the other, and keeps the clock."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.study = shape.study
        self._random = np.random.default_rng(0)
        self._trained = 0
        self._paused_s = 0.0
        self._leader: tuple[int, float] | None = None
        self._quality: dict[int, float] = {DEFAULT_CONFIG: 150.0}

    def trial(self, number: int) -> TrialSummary:
        shape = self.shape
        if number == shape.trials // 2:
            self._paused_s = shape.pause_s
        params = dict(self._params())
        far_off = abs(np.log10(params["learning_rate"]) + 3)
        self._quality[number] = float(self._random.uniform(250, 505) - 110 * far_off)
        raced_out = shape.raced and self._quality[number] < (self._leader or (0, 0.0))[1] - 40
        is_over = number < shape.trials - shape.running
        seeds = min(2, shape.seeds) if raced_out else shape.seeds
        if not is_over or number in shape.pruned:
            seeds = min(1, seeds - 1)
        failed = shape.failed.get(number, 0)
        runs = [self._run(number, Pool.TUNE, k, k < failed) for k in range(seeds)]
        complete = is_over and number not in shape.pruned
        sample = sample_of(runs, ENV) if complete else None
        return TrialSummary(
            number=number,
            state="COMPLETE" if complete else "PRUNED" if is_over else "RUNNING",
            params=params,
            runs=runs,
            value=sample.mean if sample else None,
            sample=sample,
            failure=None,
            race=list(self._decisions(number, runs)) if complete else [],
        )

    def runs(self, finals: Finals, pool: Pool) -> list[Run]:
        works = finals.to_confirm if pool == Pool.CONFIRM else finals.to_test
        return [self._run(work.key.trial, pool, work.key.index, False) for work in works]

    def _params(self) -> Iterator[tuple[str, Any]]:
        chosen: dict[str, Any] = {}
        space = self.study.space
        for name in sorted(space, key=lambda name: bool(space[name].when)):
            searched = space[name]
            if not is_searched(space, name, chosen):
                continue
            if isinstance(searched, Choices):
                index = int(self._random.integers(len(searched.choices)))
                chosen[name] = label(searched.choices[index])
            else:
                ends = np.log([searched.low, searched.high]) if searched.log else None
                low, high = (searched.low, searched.high) if ends is None else ends
                drawn = float(self._random.uniform(low, high))
                value = drawn if ends is None else float(np.exp(drawn))
                chosen[name] = round(value) if is_whole("deep_q", name) else value
            yield name, chosen[name]

    def _run(self, trial: int, pool: Pool, index: int, failed: bool) -> Run:
        quality, marks = self._quality[trial], self.shape.marks
        final = float(np.clip(self._random.normal(quality, 60 - quality / 10), 10, 500))
        rise = np.linspace(0, 1, marks + 1)[1:, None] ** 0.7
        returns = np.clip(self._random.normal(22 + rise * (final - 22), 20, (marks, 2)), 9, 500)
        reached = marks // 3 if failed else marks
        batch, lane = divmod(self._trained, LANES)
        self._trained += 1
        after = (batch + 1) * RUN_S + 0.1 * lane + self._paused_s
        return Run(
            study=self.study.name,
            trial=trial,
            purpose=pool.word,
            seed_index=index,
            seed=self.study.run_seed(pool, index),
            status="failed" if failed else "finished",
            score=22.0 if failed else fmean(returns[-5:].ravel()),
            curve={
                "steps": [100 * (mark + 1) for mark in range(reached)],
                "returns": returns[:reached].tolist(),
            },
            seconds=RUN_S,
            attempt=1,
            made_with={},
            error="diverged: made up" if failed else None,
            recorded_at=BEGAN + timedelta(seconds=after),
        )

    def _decisions(self, trial: int, runs: Sequence[Run]) -> Iterator[Decision]:
        scores = [run.score or 0.0 for run in runs]
        for seeds in range(min(2, self.shape.seeds), len(runs) + 1):
            value = fmean(scores[:seeds])
            last = "full" if seeds == self.shape.seeds else "raced out"
            verdict = last if seeds == len(runs) else "contender"
            if self._leader is None or verdict == "full":
                yield Decision(trial, seeds, value, verdict)
            else:
                leader, best = self._leader
                behind = value - best
                yield Decision(trial, seeds, value, verdict, leader, 3, best, behind, 30.0, 0.67)
        if self._leader is None or fmean(scores) > self._leader[1]:
            self._leader = trial, fmean(scores)
