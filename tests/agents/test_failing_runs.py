"""Runs that fail: what is told of them, and that their neighbours do not notice."""

import pytest

from agents.cohort import DIVERGED, Evaluated, Event, Failed
from agents.environments import EnvSpec
from agents.randomness import Purpose, environment_seed
from agents.training import Training, train
from tests.agents.small_runs import fragile, spec, told


def test_a_run_whose_environment_raises_has_failed_with_its_traceback() -> None:
    env = fragile(environment_seed(0, Purpose.ENVIRONMENT), fatal_step=20)

    first, last = train({"a": spec(env=env)})

    assert told([first, last]) == [("Evaluated", "a"), ("Failed", "a")]
    assert isinstance(last, Failed)
    assert last.reason == "env_error"
    assert last.text.rstrip().endswith("RuntimeError: the pole snapped")


@pytest.mark.parametrize("fatal_step", [0, 3])
def test_a_run_whose_evaluation_raises_has_failed(fatal_step: int) -> None:
    env = fragile(environment_seed(0, Purpose.EVALUATION, 2, 1), fatal_step=fatal_step)

    events = list(train({"a": spec(env=env)}))

    assert told(events) == [("Evaluated", "a"), ("Failed", "a")]
    assert isinstance(events[-1], Failed)
    assert events[-1].reason == "env_error"


def test_a_run_whose_weights_are_no_numbers_has_diverged_at_its_next_mark() -> None:
    env = fragile(environment_seed(0, Purpose.ENVIRONMENT), fatal_step=20, reward=float("nan"))

    events = list(train({"a": spec(env=env)}))

    assert told(events) == [("Evaluated", "a"), ("Failed", "a")]
    assert events[-1] == Failed("a", "diverged", DIVERGED)


def test_a_reward_beyond_float32_is_the_lanes_own_misfortune() -> None:
    env = fragile(environment_seed(0, Purpose.ENVIRONMENT), fatal_step=20, reward=1e300)

    events = list(train({"a": spec(env=env), "b": spec(seed=1, env=env)}))

    assert ("Failed", "a") in told(events)
    assert ("Finished", "b") in told(events)


def test_the_marks_a_run_reached_are_told_before_its_failure() -> None:
    training = Training()
    fatal_seed = environment_seed(0, Purpose.ENVIRONMENT)
    training.admit("doomed", spec(seed=0, env=fragile(fatal_seed, fatal_step=20)))
    training.advance(10)
    training.admit("late", spec(seed=1, env=fragile(fatal_seed, fatal_step=20)))

    events = told(training.advance(1_000))

    assert events[:2] == [("Evaluated", "doomed"), ("Failed", "doomed")]
    assert events[-1] == ("Finished", "late")


def test_a_neighbour_that_fails_at_a_mark_changes_no_reading() -> None:
    doomed = environment_seed(0, Purpose.ENVIRONMENT)
    env = EnvSpec("Probe/FragileCartPole-v0", {"fatal_seed": doomed, "fatal_step": 33})
    runs = {str(seed): spec(seed, env=env) for seed in range(3)}

    among = list(train(runs, followed=True))

    assert ("Failed", "0") in told(among)
    for run in ("1", "2"):
        alone = list(train({run: runs[run]}, followed=True))
        mine = [event for event in among if event.run == run]
        assert readings(mine) == readings(alone)
        assert all("loss" in found for found in readings(mine))


def readings(events: list[Event]) -> list[dict[str, float]]:
    return [
        dict(event.followed.readings)
        for event in events
        if isinstance(event, Evaluated) and event.followed is not None
    ]
