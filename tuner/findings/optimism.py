"""What is left of the finalists' scores on fresh seeds: tuning, confirmation, test."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.evidence import Evidence, Sample
from tuner.findings.phrases import counted, from_to, methods
from tuner.findings.phrases import score as score_of
from tuner.intervals import SEEDS_TO_SHOW, Interval
from tuner.phases import DEFAULT_CONFIG
from tuner.seed_pools import Pool
from tuner.summary import StudySummary
from tuner.wording import configuration_text, points

MOST_LINES = 8
STAGES = {Pool.TUNE: "tuning", Pool.CONFIRM: "confirmation", Pool.TEST: "test"}


@dataclass(frozen=True)
class Stage:
    """A configuration on one pool of seeds.

    interval  of the mean; None for fewer than five seeds, where all score alike, and on tuning
              seeds, which chose the trials: an interval would claim too much
    """

    pool: Pool
    seeds: int
    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class Finalist:
    """One configuration, through the stages that it has behind it. number: or DEFAULT_CONFIG."""

    number: int
    is_winner: bool
    stages: Sequence[Stage]

    @property
    def name(self) -> str:
        return configuration_text(self.number) + ", winner" * self.is_winner


@dataclass(frozen=True)
class Optimism:
    """The winner, the default configuration, and the best of the other finalists.

    among  how many finalists there are, the default configuration among them
    gap    the winner's mean on tuning seeds less that on test seeds, once it is tested
    """

    finalists: Sequence[Finalist]
    among: int
    gap: float | None
    score: str

    @property
    def title(self) -> str:
        return "What the finalists score on fresh seeds"

    @property
    def caption(self) -> str:
        return "\n".join(filter(None, (self._seeds, self._intervals, self._gap)))

    @property
    def _seeds(self) -> str:
        parts = [
            f"{from_to(seeds, f'{word} seed')}"
            for pool, word in STAGES.items()
            if (seeds := [s.seeds for f in self.finalists for s in f.stages if s.pool == pool])
        ]
        text = f"Means over {', '.join(parts)}; dashed: the default configuration."
        if (missing := self.among - len(self.finalists)) > 0:
            text += f" {counted(missing, 'finalist')} further down not shown."
        return text

    @property
    def _intervals(self) -> str:
        stages = [stage for finalist in self.finalists for stage in finalist.stages]
        found = [stage.interval.method for stage in stages if stage.interval is not None]
        if not found:
            return f"No intervals: they need {SEEDS_TO_SHOW} fresh seeds that differ."
        return (
            f"Bars: 95 % intervals of the mean ({methods(found)}) from {SEEDS_TO_SHOW} fresh seeds "
            "on; none where all seeds score alike, none on tuning seeds, which chose the trials."
        )

    @property
    def _gap(self) -> str:
        explained = "Tuning seeds found them, confirmation seeds chose, test seeds chose nothing"
        if self.gap is None:
            return f"{explained}."
        if self.gap <= 0:
            return f"{explained}: no optimism gap."
        return f"{explained}: the winner's optimism gap is {points(self.gap)}."


def optimism(summary: StudySummary) -> Optimism | None:
    """None as long as no finalist is confirmed."""
    finalists = summary.finals.finalists
    winner = summary.finals.choice.winner if summary.finals.choice else None
    first = [number for number in (winner, DEFAULT_CONFIG) if number is not None]
    shown = list(dict.fromkeys([*first, *finalists]))[:MOST_LINES]
    evidence = {n: summary.evidence(n) for n in finalists if n in shown}
    if all(found.confirm is None for n, found in evidence.items() if n != DEFAULT_CONFIG):
        return None
    lines = [Finalist(n, n == winner, _stages(found)) for n, found in evidence.items()]
    gap = evidence[winner].gap if winner is not None else None
    return Optimism(
        [line for line in lines if line.stages],
        len(finalists),
        gap.mean if gap else None,
        score_of(summary.study),
    )


def _stages(found: Evidence) -> Sequence[Stage]:
    samples = {Pool.TUNE: found.tune, Pool.CONFIRM: found.confirm, Pool.TEST: found.test}
    return [_stage(pool, sample) for pool, sample in samples.items() if sample is not None]


def _stage(pool: Pool, sample: Sample) -> Stage:
    interval = None if pool == Pool.TUNE else sample.shown_interval
    return Stage(pool, sample.n, sample.mean, interval)
