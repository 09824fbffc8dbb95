"""Performance profile and probability of improvement of the winner over the default."""

import pytest

from tests.tuner.landscapes import fresh_runs, landscape
from tuner.evidence import Difference, EnvFigures, Sample
from tuner.finals import Finals
from tuner.findings.score_profile import profile, profile_of
from tuner.phases import DEFAULT_CONFIG
from tuner.seed_pools import Pool
from tuner.summary import StudySummary

SPACE = "gamma = { low = 0.5, high = 1.0 }\n"


def sample(*scores: float) -> Sample:
    return Sample(tuple(range(len(scores))), scores, 0, EnvFigures())


def test_the_share_of_runs_that_reach_each_score() -> None:
    found = profile_of(Difference(sample(1, 2, 3, 4), sample(1, 1, 2, 2)), "test", ("a", "b"))

    assert found.thresholds == [1, 2, 3, 4]
    assert found.ours.share == [1.0, 0.75, 0.5, 0.25]
    assert found.theirs.share == [1.0, 0.5, 0.0, 0.0]
    assert found.probability_better == (1 + 3 + 4 + 4) / 16
    for reaching in (found.ours, found.theirs):
        for low, share, high in zip(reaching.low, reaching.share, reaching.high, strict=True):
            assert 0 <= low <= share <= high <= 1


def test_bands_are_those_of_a_binomial() -> None:
    half = sample(*[0.0] * 50, *[1.0] * 50)

    found = profile_of(Difference(half, half), "test", ("a", "b"))

    assert (found.ours.low[1], found.ours.high[1]) == pytest.approx((0.40, 0.60), abs=0.011)


def test_the_winner_is_compared_on_fresh_seeds_or_not_at_all() -> None:
    summary = landscape(SPACE, lambda params, _: params["gamma"], trials=3)
    winner = summary.complete[0].number
    runs = list(summary.finals.runs)
    for trial in summary.finals.finalists:
        scores = [9.0, 9.5] if trial == winner else [1.0, 2.0]
        runs += fresh_runs(trial, Pool.CONFIRM, scores)
    confirmed = with_runs(summary, list(runs))
    runs += fresh_runs(winner, Pool.TEST, [5.0, 6.0])
    tested = with_runs(summary, [*runs, *fresh_runs(DEFAULT_CONFIG, Pool.TEST, [5.5, 1.0])])

    assert profile(summary) is None
    assert (found := profile(confirmed)) and found.pool == "confirmation"
    assert (found := profile(tested)) and found.pool == "test"
    assert found.probability_better == 0.75
    assert found.thresholds == [1.0, 5.0, 5.5, 6.0]


def with_runs(summary: StudySummary, runs: list) -> StudySummary:
    finals = Finals(summary.study, summary.finals.params, runs)
    return StudySummary(summary.study, summary.trials, finals, summary.env)
