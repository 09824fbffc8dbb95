"""Confirmation and test: which runs there are still to train, and who wins."""

from tests.tuner.tiny import TINY, a_run, changed
from tuner import study as studies
from tuner.finals import Finals
from tuner.phases import DEFAULT_CONFIG, RunKey
from tuner.seed_pools import Pool
from tuner.storage import Run

STUDY = studies.parse(TINY.encode(), "tiny.toml")
PARAMS = {
    number: {"learning_rate": 1e-3, "gamma": 0.9, "hidden_layers": "8"} for number in range(5)
}


def runs(pool: Pool, scores: dict[int, list[float]]) -> list[Run]:
    """Recorded runs of a pool, by trial."""
    return [
        a_run(trial=trial, purpose=pool.word, seed_index=index, score=score)
        for trial, found in scores.items()
        for index, score in enumerate(found)
    ]


TUNED = runs(Pool.TUNE, {n: [100.0 * n, 100.0 * n + 1] for n in range(5)})
FINALISTS = [4, 3, 2, DEFAULT_CONFIG]


def confirmed(scores: dict[int, list[float]]) -> Finals:
    return Finals(STUDY, PARAMS, TUNED + runs(Pool.CONFIRM, scores))


def keys(finals: Finals) -> tuple[list[RunKey], list[RunKey]]:
    return [w.key for w in finals.to_confirm], [w.key for w in finals.to_test]


def test_the_best_three_and_the_default_configuration_are_confirmed_on_fresh_seeds() -> None:
    finals = Finals(STUDY, PARAMS, TUNED)

    to_confirm, to_test = keys(finals)

    assert finals.finalists == FINALISTS
    assert to_confirm == [RunKey(t, Pool.CONFIRM, i) for t in FINALISTS for i in range(2)]
    assert (to_test, finals.choice, finals.is_tested) == ([], None, False)


def test_what_is_recorded_is_not_trained_again() -> None:
    to_confirm, _ = keys(confirmed({4: [400.0, 401.0], 3: [300.0]}))

    assert to_confirm[0] == RunKey(3, Pool.CONFIRM, 1)
    assert len(to_confirm) == 5


def test_who_was_confirmed_before_the_search_went_on_stays_a_finalist() -> None:
    """Trial 0 has paid for its confirmation; by its tuning seeds it would not get one today."""
    finals = confirmed({0: [5.0, 6.0]})

    assert finals.finalists == [4, 3, 2, 0, DEFAULT_CONFIG]
    assert RunKey(0, Pool.CONFIRM, 0) not in keys(finals)[0]


def test_tuning_and_confirmation_choose_together() -> None:
    """Trial 4 was lucky: with its fresh seeds it falls behind trial 3."""
    finals = confirmed(
        {4: [100.0, 101.0], 3: [300.0, 301.0], 2: [200.0, 201.0], DEFAULT_CONFIG: [50.0, 51.0]}
    )

    assert finals.choice is not None
    assert (finals.choice.winner, finals.choice.values[4]) == (3, 250.5)
    assert keys(finals)[1] == [
        RunKey(trial, Pool.TEST, i) for trial in (3, DEFAULT_CONFIG) for i in range(3)
    ]


def test_the_default_configuration_may_win_and_is_then_tested_alone() -> None:
    finals = confirmed(
        {4: [400.0, 401.0], 3: [300.0, 301.0], 2: [200.0, 201.0], DEFAULT_CONFIG: [900.0, 901.0]}
    )

    assert finals.choice is not None and finals.choice.winner == DEFAULT_CONFIG
    assert keys(finals)[1] == [RunKey(DEFAULT_CONFIG, Pool.TEST, i) for i in range(3)]
    assert finals.hparams(DEFAULT_CONFIG) == STUDY.hparams({})


def test_a_failed_run_counts_with_its_score() -> None:
    scores = {3: [300.0, 301.0], 2: [200.0, 201.0], DEFAULT_CONFIG: [1.0, 2.0]}
    broken = a_run(trial=4, purpose="confirm", seed_index=0, status="failed", score=-900.0)
    whole = a_run(trial=4, purpose="confirm", seed_index=1, score=401.0)

    finals = Finals(STUDY, PARAMS, [*confirmed(scores).runs, broken, whole])

    assert finals.choice is not None
    assert finals.choice.values[4] == (400.0 + 401.0 - 900.0 + 401.0) / 4
    assert finals.choice.winner == 3


def test_a_winner_that_was_tested_before_the_search_went_on_is_remembered() -> None:
    scores = {4: [400.0, 401.0], 3: [300.0, 301.0], 2: [200.0, 201.0], DEFAULT_CONFIG: [1.0, 2.0]}
    before = runs(Pool.TEST, {2: [1.0, 2.0, 3.0], 4: [1.0, 2.0, 3.0], DEFAULT_CONFIG: [1.0] * 3})

    finals = Finals(STUDY, PARAMS, confirmed(scores).runs + before)

    assert (finals.is_tested, finals.tested_before) == (True, [2])


def test_no_trial_leaves_nothing_to_confirm_against() -> None:
    finals = Finals(STUDY, {}, [])

    assert (finals.finalists, finals.choice) == ([DEFAULT_CONFIG], None)


def test_the_users_own_seeds_are_used() -> None:
    text = changed(("test = 3", "test = 3\nown_test = [9, 8, 7]\nown_confirm = [1, 2]"))
    study = studies.parse(text.encode(), "tiny.toml")

    assert [study.run_seed(Pool.TEST, index) for index in range(3)] == [9, 8, 7]
    assert study.run_seed(Pool.CONFIRM, 1) == 2
    assert study.run_seed(Pool.TUNE, 0) == STUDY.run_seed(Pool.TUNE, 0)
    assert study.fingerprint() != STUDY.fingerprint()
