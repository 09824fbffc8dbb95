"""What the seeds of a study say, as numbers and in words."""

from statistics import fmean

import pytest

from tuner.evidence import EnvFigures, Evidence, Sample, env_figures
from tuner.wording import failures_text, mean_text, reliability_warning, sentence, solved_text

ENV = EnvFigures(random_score=22.0, threshold=475.0, bounds=(0.0, 500.0))
TUNE = [500.0, 480.0, 490.0]
CONFIRM = [470.0, 480.0, 460.0, 500.0, 450.0]
TEST = [500.0] * 15 + [460.0, 450.0, 400.0, 300.0, 480.0]
DEFAULT = [400.0 + 5 * k for k in range(20)]


def sample(scores: list[float], failed: int = 0, env: EnvFigures = ENV) -> Sample:
    return Sample(tuple(range(len(scores))), tuple(scores), failed, env)


def evidence(**changes: object) -> Evidence:
    """That of a study which went all its way."""
    known: dict[str, object] = {
        "trial": 17,
        "trials": 64,
        "best_tune": 490.0,
        "tune": sample(TUNE),
        "confirm": sample(CONFIRM),
        "test": sample(TEST),
        "default_confirm": sample(DEFAULT[:5]),
        "default_test": sample(DEFAULT),
        "reliability": 0.8,
    }
    return Evidence(**{**known, **changes})  # type: ignore[arg-type]


def test_the_whole_claim_in_words() -> None:
    test = sample(TEST)
    assert test.interval is not None

    assert sentence(evidence()) == (
        "Tuning reported 490.0 (best of 64 trials, 3 seeds). On 20 fresh seeds that chose "
        f"nothing: {fmean(TEST):.1f}, 95 % bootstrap-t interval {test.interval.low:.1f} to "
        f"{test.interval.high:.1f}; 16 of 20 seeds solved, 475 or more (95 %: 56% to 94%); "
        "0 failures in 20: the failure rate may still be 14%; optimism gap 10.5 (tuning, "
        "confirmation, test: 490.0, 472.0, 479.5). Default configuration (the agent's, with what "
        "the study fixes): 447.5; difference 32.0 (5.8 to 58.2, Welch t); P(better) 0.85."
    )


def test_what_is_not_confirmed_says_so() -> None:
    claim = evidence(confirm=None, test=None, default_confirm=None, default_test=None)

    assert claim.status == "unconfirmed"
    assert sentence(claim).endswith("Not confirmed on fresh seeds: expect less.")


def test_a_trial_that_was_not_the_best_is_not_called_so() -> None:
    claim = evidence(best_tune=495.0)

    assert "Tuning reported 490.0 (trial 17 of 64 trials, the best had 495.0, 3 seeds)" in sentence(
        claim
    )


def test_what_is_confirmed_and_not_tested_says_that_its_seeds_helped_to_choose() -> None:
    claim = evidence(test=None, default_test=None)

    assert claim.status == "confirmed"
    assert "On 5 fresh seeds: 472.0, 95 % t interval" in sentence(claim)
    assert "These seeds took part in the choice and no others tested it" in sentence(claim)
    assert "410.0; difference 62.0" in sentence(claim)


def test_a_test_that_came_out_higher_than_tuning_has_no_gap() -> None:
    claim = evidence(tune=sample([400.0, 410.0, 420.0]))

    assert "; no optimism gap (tuning, confirmation, test: 410.0, 472.0, 479.5)." in sentence(claim)


def test_of_two_seeds_nobody_is_told_who_is_better() -> None:
    claim = evidence(test=sample(TEST[:2]), default_test=sample(DEFAULT[:2]))

    assert "P(better)" in sentence(evidence()) and "P(better)" not in sentence(claim)


def test_the_default_configuration_may_win() -> None:
    claim = evidence(trial=None, tune=None)

    assert sentence(claim).startswith("No trial was clearly better than the default configuration")
    assert "difference" not in sentence(claim)
    assert claim.gap is None


def test_seeds_that_tested_earlier_winners_are_named() -> None:
    assert "Earlier winners (trials 3, 5) were tested" in sentence(evidence(tested_before=[3, 5]))
    untested = evidence(tested_before=[3, 5], test=None, default_test=None)
    assert "Earlier winners" not in sentence(untested)


@pytest.mark.parametrize(("reliability", "warned"), [(0.49, True), (0.5, False), (None, False)])
def test_below_one_half_reliability_is_warned_of(reliability: float | None, warned: bool) -> None:
    assert bool(reliability_warning(reliability)) == warned
    assert ("Warning: only 49%" in sentence(evidence(reliability=reliability))) == warned


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ([5.0], "5.0"),
        ([4.0, 8.0], "6.0 (lowest 4.0, highest 8.0)"),
        ([4.0, 8.0, 9.0, 7.0], "7.0 (lowest 4.0, highest 9.0)"),
        ([9.0, 9.0, 9.0], "9.0 (each of the 3 seeds alike)"),
        (
            [1.0, 2.0, 3.0, 4.0, 5.0],
            "3.0, 95 % t interval 1.0 to 5.0 (the median lies in 1.0 to 5.0, 93.8%)",
        ),
    ],
)
def test_a_mean_says_only_what_its_seeds_allow(scores: list[float], text: str) -> None:
    assert mean_text(sample(scores)) == text


def test_failed_runs_are_counted_beside_the_bound() -> None:
    assert failures_text(sample(CONFIRM, failed=1)) == (
        "1 failure in 5: the failure rate may still be 66%"
    )
    assert solved_text(sample(CONFIRM, env=EnvFigures())) == ""


def test_the_same_as_data() -> None:
    data = evidence().as_data()

    assert data["status"] == "tested"
    assert data["optimism_gap"] == fmean(TUNE) - fmean(TEST)
    assert data["optimism_gap_to_confirm"] == fmean(TUNE) - fmean(CONFIRM)
    low, high = data["optimism_gap_ci95"]
    assert low < data["optimism_gap"] < high
    assert data["test"]["ci_method"] == "bootstrap-t"
    assert data["test"]["solved"] == 16
    assert data["difference_to_default"]["mean"] == fmean(TEST) - fmean(DEFAULT)
    assert data["difference_to_default"]["probability_better"] == pytest.approx(0.85)
    assert "tested_before" not in data


def test_figures_of_a_later_version_are_read_without_what_is_new() -> None:
    assert env_figures({"random_score": 1.0, "bounds": [0, 500], "more": 3}) == EnvFigures(
        random_score=1.0, bounds=(0, 500)
    )
    assert env_figures({}) == EnvFigures()


def test_an_interval_is_shown_from_five_seeds_on() -> None:
    few, enough = sample([1.0, 2.0, 4.0]), sample([1.0, 2.0, 4.0, 5.0, 6.0])

    assert few.interval is not None and few.shown_interval is None
    assert enough.shown_interval == enough.interval
    assert sample([1.0] * 5).shown_interval is None
