"""A launch races its trials, confirms and tests; every decision can be decided again."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.tuner import tiny
from tests.tuner.commands import Quick, started, tuner, wait_until
from tests.tuner.tiny import changed, trials, written
from tuner import study as studies
from tuner.racing import replay
from tuner.seed_pools import Pool
from tuner.storage import Run, open_for_reading

RACED = changed(
    ("trials = 3", "trials = 14"), ("max = 2", "max = 4"), ("steps = 600", "steps = 400")
)


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of 14 trials that raced to its end."""
    folder = tmp_path_factory.mktemp("raced")
    ended = tuner("launch", written(folder, RACED), "--workers", "1", folder=folder)
    assert ended.code == 0, ended.err
    return folder


def recorded(folder: Path) -> list[Run]:
    """All runs in the order in which they were recorded."""
    with open_for_reading(tiny.url(folder)) as store:
        return store.runs("tiny", purpose=None, as_recorded=True)


def decisions(folder: Path) -> dict[int, list[dict[str, Any]]]:
    return {trial.number: trial.user_attrs["race"] for trial in trials(folder)}


def replayed(folder: Path) -> dict[int, list[dict[str, Any]]]:
    """What the race decides, from nothing but the runs in their order."""
    study = studies.load(str(folder / "tiny.toml"))
    tuned = [run for run in recorded(folder) if run.purpose == Pool.TUNE.word]
    scored = [(run.trial, run.score) for run in tuned if run.score is not None]
    found: dict[int, list[dict[str, Any]]] = {trial: [] for trial, _ in scored}
    for decision in replay(scored, study.race):
        found[decision.trial].append(asdict(decision))
    return found


def test_every_decision_is_stored_and_decided_the_same_again(raced: Path) -> None:
    stored = decisions(raced)

    assert stored == replayed(raced)
    verdicts = [one["verdict"] for found in stored.values() for one in found]
    assert {"raced out", "contender"} <= set(verdicts)
    assert all(found[-1]["verdict"] in ("raced out", "full") for found in stored.values())


def test_a_trial_has_the_seeds_that_the_race_granted(raced: Path) -> None:
    rule = studies.load(str(raced / "tiny.toml")).race
    tuned = [run.trial for run in recorded(raced) if run.purpose == "tune"]

    for trial, found in decisions(raced).items():
        granted = rule.seeds_at_first(trial) + sum(one["verdict"] == "contender" for one in found)
        assert tuned.count(trial) == granted == len(trials(raced)[trial].user_attrs["seed_scores"])
        assert trials(raced)[trial].value == pytest.approx(found[-1]["value"])


def test_confirmation_and_test_train_fresh_seeds(raced: Path) -> None:
    seeds = {
        pool: {run.seed for run in recorded(raced) if run.purpose == pool}
        for pool in ("tune", "confirm", "test")
    }

    assert {pool: len(found) for pool, found in seeds.items()} == {
        "tune": 4,
        "confirm": 2,
        "test": 3,
    }
    assert not seeds["tune"] & seeds["confirm"] and not seeds["test"] & (
        seeds["tune"] | seeds["confirm"]
    )
    assert {run.trial for run in recorded(raced) if run.purpose == "test"} >= {-1}


def test_every_run_of_all_phases_trained_again_gives_the_same_bits(raced: Path) -> None:
    """Default configuration, finalists and tests included."""
    study = studies.load(str(raced / "tiny.toml"))
    params: dict[int, dict[str, Any]] = {t.number: t.params for t in trials(raced)} | {-1: {}}
    for run in recorded(raced)[-12:]:
        found = tiny.score_of(study, params[run.trial], run.seed)

        assert found == run.score


@pytest.mark.parametrize("phase", ["search", "confirm", "test"])
def test_killed_in_any_phase_a_launch_goes_on_to_the_same_end(
    raced: Path, tmp_path: Path, phase: str
) -> None:
    """kill -9 while that phase has begun: the same finalists, winner and scores."""
    file = written(tmp_path, RACED)
    purpose = "tune" if phase == "search" else phase
    with started("launch", file, "--workers", "1", folder=tmp_path) as launch:
        wait_until(lambda: any(row[2] == purpose for row in tiny.recorded(tmp_path)))
        launch.kill()
    before = tiny.recorded(tmp_path)

    ended = tuner("launch", file, "--workers", "1", folder=tmp_path)

    assert ended.code == 0, ended.err
    assert set(before) <= set(tiny.recorded(tmp_path))
    assert decisions(tmp_path) == replayed(tmp_path)
    if phase != "search":  # whose order of runs a kill changes, and with it the race
        assert [run[:7] for run in tiny.recorded(tmp_path)] == [
            run[:7] for run in tiny.recorded(raced)
        ]


def test_search_only_leaves_out_what_confirm_does_later(
    raced: Path, quick: Quick, tmp_path: Path
) -> None:
    file = written(tmp_path, RACED)
    searched = tuner("launch", file, "--workers", "1", "--search-only", folder=tmp_path)
    after_search = {run.purpose for run in recorded(tmp_path)}
    exported = quick("export", "-o", "h.json", folder=tmp_path)
    status = json.loads((tmp_path / "h.json").read_text())["evidence"]["status"]

    confirmed = tuner("confirm", "tiny", "--workers", "1", folder=tmp_path)

    assert (searched.code, exported.code, confirmed.code) == (0, 0, 0)
    assert (after_search, status) == ({"tune"}, "unconfirmed")
    assert "Not confirmed on fresh seeds: expect less." in " ".join(searched.out.split())
    assert "tuner confirm tiny" in searched.out
    assert "unconfirmed" in exported.out
    assert [run[:7] for run in tiny.recorded(tmp_path)] == [run[:7] for run in tiny.recorded(raced)]
    assert "fresh seeds that chose nothing" in " ".join(confirmed.out.split())


def test_confirm_needs_a_complete_trial(quick: Quick, tmp_path: Path) -> None:
    tiny.opened(tmp_path, written(tmp_path))

    ended = quick("confirm", "tiny", folder=tmp_path)
    missing = quick("confirm", "other", folder=tmp_path)

    assert (ended.code, missing.code) == (4, 2)
    assert "no complete trial" in ended.err


def finals(folder: Path) -> dict[str, Any]:
    with open_for_reading(tiny.url(folder)) as store:
        found: dict[str, Any] = store.optuna_study("tiny").user_attrs["finals"]
    return found


def test_a_search_that_goes_on_keeps_its_finalists_and_names_who_was_tested_before(
    raced: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(raced, tmp_path / "copy")

    ended = tuner("launch", "tiny.toml", "--workers", "1", "--trials", "17", folder=folder)

    assert ended.code == 0, ended.err
    assert len(trials(folder)) == 17
    assert set(tiny.recorded(raced)) < set(tiny.recorded(folder))
    before, after = finals(raced), finals(folder)
    assert set(before["finalists"]) <= set(after["finalists"])
    assert before["confirm_scores"].items() <= after["confirm_scores"].items()
    assert set(after["test_scores"]) == {str(after["winner"]), "-1"} | set(before["test_scores"])
    earlier = {before["winner"]} - {after["winner"], -1}
    assert (f"Earlier winners (trials {before['winner']})" in " ".join(ended.out.split())) == bool(
        earlier
    )


@pytest.mark.parametrize("name", ["median", "hyperband"])
def test_a_pruner_ends_trials_early(tmp_path: Path, name: str) -> None:
    text = changed(
        ("trials = 3", "trials = 24"),
        ("steps = 600", "steps = 900"),
        ("evaluations = 6", "evaluations = 9"),
        ("[space]", f'[pruner]\nname = "{name}"\n\n[space]'),
    )

    few = ("--workers", "1", "--lanes", "4")  # two trials at a time, so that most have predecessors
    ended = tuner("launch", written(tmp_path, text), *few, folder=tmp_path)

    assert ended.code == 0, ended.err
    pruned = [trial for trial in trials(tmp_path) if trial.state.name == "PRUNED"]
    assert 0 < len(pruned) < 24
    for trial in pruned:
        assert max(trial.intermediate_values) >= 2  # never in the first fifth of nine marks
        assert max(trial.intermediate_values) < 9
        assert trial.number not in {
            run.trial for run in recorded(tmp_path) if run.purpose != "tune"
        }
