"""What a launch leaves behind, and that no circumstance changes it."""

import json
import re
import shutil
import sys
from pathlib import Path
from statistics import fmean, stdev

import pytest

from tests.tuner import tiny
from tests.tuner.commands import Quick, children, started, tuner, wait_until
from tests.tuner.conftest import Finished
from tests.tuner.tiny import SEEDS, TRIALS, asked, changed, results, trials, written
from tuner.seed_pools import Pool, run_seed
from tuner.storage import open_for_reading


def test_every_run_is_recorded_once_with_its_seed(finished: Finished) -> None:
    keys = [(trial, index, seed) for trial, index, seed, _, _ in results(finished.folder)]

    assert keys == [
        (trial, index, run_seed(7, Pool.TUNE, index))
        for trial in range(TRIALS)
        for index in range(SEEDS)
    ]


def test_a_run_is_recorded_with_its_curve_its_time_and_its_makers(finished: Finished) -> None:
    with open_for_reading(tiny.url(finished.folder)) as store:
        runs = store.runs("tiny")

    for run in runs:
        assert (run.purpose, run.status, run.attempt, run.error) == ("tune", "finished", 1, None)
        assert run.curve["steps"] == [100, 200, 300, 400, 500, 600]
        assert [len(episodes) for episodes in run.curve["returns"]] == [2] * 6
        assert run.score == fmean(map(fmean, run.curve["returns"][-5:]))
        assert 0 < run.seconds < 60
        assert {"torch", "gymnasium", "python", "processor"} <= set(run.made_with)


def test_a_trials_value_is_the_mean_of_its_seeds(finished: Finished) -> None:
    scores = {(t, i): score for t, i, _, score, _ in results(finished.folder)}

    for trial in trials(finished.folder):
        own = [scores[trial.number, index] for index in range(SEEDS)]
        assert trial.state.name == "COMPLETE"
        assert trial.value == fmean(own)
        attrs = trial.user_attrs
        assert attrs["seed_scores"] == own
        assert (attrs["mean"], attrs["std"]) == (fmean(own), stdev(own))
        assert (attrs["min"], attrs["max"]) == (min(own), max(own))
        assert (attrs["solved"], attrs["failed"]) == ("0 of 2", 0)
        assert attrs["failure_rate_upper95"] == pytest.approx(1 - 0.05**0.5)
        assert (attrs["ci95"], attrs["ci_method"]) == (None, None)  # of two seeds there is none


def test_the_mean_of_every_mark_is_reported(finished: Finished) -> None:
    curves = {(t, i): curve["returns"] for t, i, _, _, curve in results(finished.folder)}

    for trial in trials(finished.folder):
        assert trial.intermediate_values == {
            mark: fmean(fmean(curves[trial.number, index][mark - 1]) for index in range(SEEDS))
            for mark in range(1, 7)
        }


def test_hyperparameters_differ_between_trials_and_stay_in_their_space(finished: Finished) -> None:
    found = [trial.params for trial in trials(finished.folder)]

    assert len({params["learning_rate"] for params in found}) == TRIALS
    assert all(1e-4 <= params["learning_rate"] <= 1e-2 for params in found)
    assert all(params["hidden_layers"] in ("8", "16") for params in found)


def test_every_run_trained_again_in_one_process_gives_the_same_bits(finished: Finished) -> None:
    params = {trial.number: trial.params for trial in trials(finished.folder)}

    assert tiny.trained_undisturbed(finished.study, params) == results(finished.folder)


@pytest.mark.parametrize(("workers", "lanes"), [("2", "1"), ("1", "3")])
def test_workers_and_lanes_change_nothing(
    finished: Finished, tmp_path: Path, workers: str, lanes: str
) -> None:
    file = written(tmp_path)

    ended = tuner("launch", file, "--workers", workers, "--lanes", lanes, folder=tmp_path)

    assert ended.code == 0, ended.err
    assert results(tmp_path) == results(finished.folder)


def test_a_launch_ends_with_a_table_the_choice_and_what_to_type_next(finished: Finished) -> None:
    lines = finished.launch.out.splitlines()
    best = max(trials(finished.folder), key=lambda trial: trial.value)

    assert f"tiny: best {TRIALS} of {TRIALS} trials" in lines[0]
    assert f"│ {best.number:>5} │" in lines[4]
    assert re.search(r"^chosen: (trial \d|default)$", finished.launch.out, re.MULTILINE)
    assert "database: sqlite:///tuner.db" in lines
    commands = [line.split("#")[0].partition(" -m tuner ") for line in lines[-6:]]
    assert {python.strip() for python, *_ in commands} == {sys.executable}
    assert [f"tuner {command.strip()}" for *_, command in commands] == [
        "tuner dashboard",
        "tuner film tiny",
        "tuner report tiny -o report.html",
        "tuner export tiny -o hparams.json",
        "tuner verify hparams.json",
        "tuner train hparams.json --seeds 0:10 --out trained",
    ]


def test_progress_goes_to_stderr_in_plain_lines(finished: Finished) -> None:
    last = finished.launch.err.splitlines()[-1]
    runs = len(tiny.recorded(finished.folder))

    assert re.match(
        rf"done: trials 3/3, runs {runs}/{runs}, lanes 0 of \d+ "
        r"\([\d.]+ to a cohort\), [\d,]+ steps/s, "
        r"best [\d.]+ \(trial ",
        last,
    )
    assert "\x1b" not in finished.launch.err + finished.launch.out


def test_more_trials_go_on_and_a_finished_study_trains_nothing(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    file = written(tmp_path, changed(("trials = 3", "trials = 1")))
    first = tuner("launch", file, "--workers", "1", folder=tmp_path)
    before = tiny.recorded(tmp_path)

    longer = tuner("launch", file, "--workers", "1", "--trials", "2", folder=tmp_path)
    grown = tiny.recorded(tmp_path)
    again = quick("launch", file, "--trials", "2", folder=tmp_path)

    assert (first.code, longer.code, again.code) == (0, 0, 0)
    assert set(before) < set(grown)
    assert results(tmp_path) == results(finished.folder)[: 2 * SEEDS]
    assert tiny.recorded(tmp_path) == grown
    assert f"runs {len(grown)}/{len(grown)}" in again.err and "chosen: " in again.out


def test_status_counts_by_the_number_of_trials_last_asked_for(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    stopped = quick(
        "launch", "tiny.toml", "--trials", "9", "--timeout", "0", "--workers", "1", folder=folder
    )

    [study] = json.loads(quick("status", "--json", folder=folder).out)["studies"]

    assert stopped.code == 75
    assert study["trials"] == 9
    expected_runs = 9 * SEEDS + (9 + 1) * 2 + 2 * 3  # all nine and the default, as a guess
    assert study["runs"] == expected_runs


def test_tpe_repeats_itself_where_trials_are_asked_in_the_same_order(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    text = changed(('name = "random"', 'name = "tpe"'), ("steps = 600", "steps = 200"))
    for folder in folders:
        folder.mkdir()
        ended = tuner(
            "launch", written(folder, text), "--workers", "1", "--lanes", "2", folder=folder
        )
        assert ended.code == 0, ended.err

    assert results(folders[0]) == results(folders[1])
    assert len({trial.params["learning_rate"] for trial in trials(folders[0])}) == TRIALS


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("steps = 600", "steps = 900", "budget.steps 600 -> 900"),
        ("[0.9, 0.99]", "[0.9, 0.95]", "space.gamma.choices"),
        ("batch_size = 16", "tau = 0.5", "fixed.batch_size 16 -> 64"),
    ],
)
def test_a_changed_study_under_the_same_name_is_refused_by_the_changed_key(
    finished: Finished, quick: Quick, tmp_path: Path, old: str, new: str, key: str
) -> None:
    before = tiny.recorded(finished.folder)
    file = written(tmp_path, changed((old, new)))

    ended = quick("launch", file, finished.option, folder=tmp_path)

    assert ended.code == 2
    assert f"study 'tiny' was recorded with another specification: {key}" in ended.err
    assert "new name" in ended.err
    assert tiny.recorded(finished.folder) == before


def test_while_a_launch_runs_it_is_named_and_nobody_else_writes(
    quick: Quick, tmp_path: Path
) -> None:
    text = changed(("steps = 600", "steps = 2_000_000"))
    secret = {"TUNER_STORAGE": f"sqlite:///{tmp_path}/tuner.db"}

    with started("launch", written(tmp_path, text), folder=tmp_path, env=secret) as launch:
        wait_until(lambda: asked(tmp_path))
        status = quick("status", folder=tmp_path)
        data = json.loads(quick("status", "--json", folder=tmp_path).out)
        second = quick("launch", "quickstart", folder=tmp_path)
        seen = [Path(f"/proc/{child}/environ").read_text() for child in children(launch.pid)]

    assert f"process {launch.pid} is at work on this database" in status.out
    assert data["writer"] == launch.pid
    assert data["studies"][0]["states"]["RUNNING"] >= 1
    assert data["studies"][0]["progress"]["running"]
    assert second.code == 3
    assert f"in use by process {launch.pid}" in second.err
    assert seen and not any("TUNER_STORAGE" in environ for environ in seen)
