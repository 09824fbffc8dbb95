"""What a study will cost on this machine, and what its numbers of seeds can and cannot tell."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
import optuna
from scipy import stats

from agents.cohort import Failed, RunSpec
from agents.training import Training
from tuner.errors import TooManyFailures
from tuner.finals import expected_runs
from tuner.intervals import half_width, highest_rate, visible_difference
from tuner.racing import LEAST_SHORTLIST, MOST_SHORTLIST, Rule
from tuner.samplers import make_sampler
from tuner.search_space import suggest_all
from tuner.seed_pools import Pool
from tuner.study import Study
from tuner.time_left import finalists_expected

LANES = 16
MEASURED_S = 8.0
STEPS_BETWEEN_LOOKS = 250


@dataclass(frozen=True)
class Range:
    """Least, about, and most."""

    least: int
    about: int
    most: int


@dataclass(frozen=True)
class Plan:
    """Runs, time, and what the seeds can tell. Differences are in standard deviations over seeds.

    steps_per_second  environment steps of one trainer, measured on configurations of the space
    """

    name: str
    trials: int
    start: int
    most: int
    confirm: int
    test: int
    steps: int
    workers: int
    steps_per_second: float

    @property
    def search_runs(self) -> Range:
        """About: as if a third of the trials went on to the end of the race."""
        rule = Rule(self.start, self.most)
        least = sum(rule.seeds_at_first(trial) for trial in range(self.trials))
        most = self.trials * self.most
        return Range(least, round(least + (most - least) / 3), most)

    @property
    def confirm_runs(self) -> Range:
        ends = [min(size, self.trials) + 1 for size in (LEAST_SHORTLIST, MOST_SHORTLIST)]
        return Range(ends[0] * self.confirm, self.expected["confirm"], ends[1] * self.confirm)

    @property
    def test_runs(self) -> Range:
        return Range(self.test, self.expected["test"], 2 * self.test)

    @property
    def runs(self) -> Range:
        parts = (self.search_runs, self.confirm_runs, self.test_runs)
        return Range(*(sum(ends) for ends in zip(*map(_ends, parts), strict=True)))

    @property
    def expected(self) -> dict[str, int]:
        """What a launch expects, too, before any trial is told."""
        return expected_runs(finalists_expected(0, 0, self.trials), self.confirm, self.test)

    def wall_s(self, runs: int) -> float:
        """How long so many runs take all trainers."""
        return runs * self.steps / (self.steps_per_second * self.workers)

    @property
    def optimism(self) -> tuple[float, float]:
        """By how much the best tuning mean is expected to flatter, with all seeds and with the
        first only, where trials differ as much as seeds do (normal data)."""
        return _optimism(self.trials, self.most), _optimism(self.trials, self.start)

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        seeds = f"{self.start} to {self.most}" if self.most > self.start else f"{self.start}"
        rows = (
            ("search", f"{self.trials} trials x {seeds} seeds", self.search_runs),
            ("confirm", f"finalists and default x {self.confirm} fresh seeds", self.confirm_runs),
            ("test", f"winner and default x {self.test} fresh seeds", self.test_runs),
            ("in all", f"{self.steps:,} steps each", self.runs),
        )
        yield f"{self.name}: runs, and wall time with {self.workers} trainers"
        for word, what, runs in rows:
            least, about, most = (_clock(self.wall_s(count)) for count in _ends(runs))
            yield (
                f"  {word:<8} {what:<40} {runs.least:>5} to {runs.most:<5} about {runs.about:<5} "
                f"{least} to {most}, about {about}"
            )
        yield (
            f"  measured: {self.steps_per_second:,.0f} steps/s per trainer, {LANES} random "
            "configurations of the space side by side; agents that play long episodes well are "
            "evaluated for longer"
        )
        yield ""
        yield "what these seeds can tell, in standard deviations of one configuration over seeds:"
        yield f"  search   {self._search_text()}"
        low, high = self.optimism
        yield (
            f"           the best tuning mean flatters by about {low:.1f} to {high:.1f}, where "
            "trials differ as much as seeds"
        )
        yield (
            f"  confirm  two finalists on {self.most} + {self.confirm} seeds: differences of "
            f"{visible_difference(self.most + self.confirm):.1f} are seen with 80 % probability"
        )
        yield (
            f"  test     the final mean is known to +-{half_width(self.test):.2f}; a difference to "
            f"the default of {visible_difference(self.test):.1f} is seen with 80 % probability"
        )
        yield (
            f"           no failure in {self.test} would still allow a failure rate of "
            f"{highest_rate(0, self.test):.0%}"
        )

    def _search_text(self) -> str:
        if self.start == 1:
            return "one seed tells nothing about seeds; a race needs a second"
        width = half_width(self.start)
        return (
            f"a trial's mean of {self.start} seeds is known to +-{width:.1f}; two trials of "
            f"{self.most} seeds: differences of {visible_difference(self.most):.1f} are seen with "
            "80 % probability"
        )

    def as_data(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            **asdict(self),
            "runs": asdict(self.runs),
            "search_runs": asdict(self.search_runs),
            "confirm_runs": asdict(self.confirm_runs),
            "test_runs": asdict(self.test_runs),
            "wall_s": {word: self.wall_s(count) for word, count in asdict(self.runs).items()},
            "optimism": list(self.optimism),
            "visible_difference": {
                "search": visible_difference(self.most),
                "confirm": visible_difference(self.most + self.confirm),
                "test": visible_difference(self.test),
            },
            "half_width_of_test_mean": half_width(self.test),
        }


def plan(study: Study, workers: int) -> Plan:
    """Measure this machine for some seconds, and plan. Raises TooManyFailures if no run works."""
    seeds = study.seeds
    return Plan(
        name=study.name,
        trials=study.study.trials,
        start=seeds.start,
        most=seeds.max,
        confirm=seeds.confirm,
        test=seeds.test,
        steps=study.budget.steps,
        workers=workers,
        steps_per_second=steps_per_second(study, MEASURED_S),
    )


def steps_per_second(study: Study, seconds: float) -> float:
    """Of one process that trains random configurations of the space from their first update on."""
    training = Training()
    for number, spec in enumerate(_samples(study)):
        training.admit(str(number), spec)
    begun = time.perf_counter()
    failures = []
    while training.lanes and time.perf_counter() - begun < seconds:
        events = training.advance(STEPS_BETWEEN_LOOKS)
        failures += [event for event in events if isinstance(event, Failed)]
    broken = [event for event in failures if event.reason != "diverged"]
    if len(broken) == LANES:
        raise TooManyFailures(f"every run failed; the last one by {broken[-1].text}")
    return training.lane_steps / (time.perf_counter() - begun)


def _samples(study: Study) -> Iterator[RunSpec]:
    asked = optuna.create_study(sampler=make_sampler("random", study.study.master_seed))
    for _ in range(LANES):
        trial = asked.ask()
        suggest_all(trial, study.study.agent, study.space)
        hparams = study.hparams(trial.params)
        seed = study.run_seed(Pool.TUNE, 0)
        yield RunSpec(study.study.agent, hparams.eager(), study.env_spec, study.run_budget, seed)


def _optimism(trials: int, seeds: int) -> float:
    """The expected gap of the best of so many trials, normal scores, trials differing by one
    standard deviation over seeds: (s^2/n) / sqrt(t^2 + s^2/n) times the expected maximum."""
    return 1 / seeds / sqrt(1 + 1 / seeds) * expected_maximum(trials)


def expected_maximum(count: int) -> float:
    """Of so many standard normal numbers."""
    x = np.linspace(-9.0, 9.0, 20_001)
    density = count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1)
    return float(np.trapezoid(x * density, x))


def _ends(runs: Range) -> tuple[int, int, int]:
    return runs.least, runs.about, runs.most


def _clock(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes >= 2 else f"{seconds:.0f} s"
