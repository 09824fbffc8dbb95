"""`tuner export` hands over a configuration with its evidence, whole or not at all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest

from tests.tuner.commands import COMMAND, Quick
from tests.tuner.conftest import Finished
from tests.tuner.tiny import opened, results, trials, url, written
from tuner.storage import open_for_reading


def test_the_best_trial_is_exported_with_every_seed_and_score(
    finished: Finished, exported: Path
) -> None:
    data = json.loads(exported.read_text())

    evidence = data["evidence"]
    best = trials(finished.folder)[evidence["trial"]]
    rows = [row for row in results(finished.folder) if row[0] == best.number]
    assert evidence["status"] == "tested"
    assert (evidence["study"], evidence["trials"]) == ("tiny", 3)
    assert evidence["fingerprint"] == finished.study.fingerprint()
    assert evidence["tune"]["seeds"] == [seed for _, _, seed, _, _ in rows]
    assert evidence["tune"]["scores"] == [score for _, _, _, score, _ in rows]
    assert evidence["tune"]["mean"] == fmean(evidence["tune"]["scores"]) == best.value
    assert data["hparams"]["learning_rate"] == best.params["learning_rate"]
    assert data["hparams"]["hidden_layers"] == [int(best.params["hidden_layers"])]
    assert data["hparams"]["learning_starts"] == 100
    assert len(data["hparams"]) == 26
    assert data["env"] == {"id": "CartPole-v1", "kwargs": {}}
    assert data["evaluation"] == {"marks": 6, "episodes": 2, "score": "final"}
    assert (data["schema"], data["agent"], data["budget_steps"]) == (1, "deep_q", 600)
    assert {"torch", "gymnasium", "optuna", "python", "processor"} <= set(data["made_with"])


def test_another_trial_is_exported_by_its_number(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    for number in range(3):
        file = tmp_path / f"{number}.json"
        ended = quick(
            "export", "--trial", str(number), finished.option, "-o", str(file), folder=tmp_path
        )

        assert ended.code == 0
        assert f"trial {number} of tiny" in ended.out
        assert json.loads(file.read_text())["evidence"]["trial"] == number


@pytest.mark.parametrize(
    ("command", "target"),
    [
        (("export",), "study.db"),
        (("report",), "study.db"),
        (("schema", "study"), "study.db"),
        (("export",), "/dev/null"),
    ],
)
def test_no_force_replaces_a_database_or_a_device(
    finished: Finished, quick: Quick, tmp_path: Path, command: tuple[str, ...], target: str
) -> None:
    shutil.copy(finished.folder / "tuner.db", tmp_path / "study.db")
    before = (tmp_path / "study.db").read_bytes()
    storage = () if command[0] == "schema" else (finished.option,)

    ended = quick(*command, *storage, "-o", target, "--force", folder=tmp_path)

    assert ended.code == 2, ended.out
    assert f"'{target}' is " in ended.err and "give another name" in ended.err
    assert (tmp_path / "study.db").read_bytes() == before
    assert Path("/dev/null").is_char_device()


def test_an_existing_file_is_replaced_by_force_only(
    finished: Finished, exported: Path, quick: Quick, tmp_path: Path
) -> None:
    (tmp_path / "h.json").write_text("mine")
    export = ("export", finished.option, "-o", "h.json")

    refused = quick(*export, folder=tmp_path)
    kept = (tmp_path / "h.json").read_text()
    forced = quick(*export, "--force", folder=tmp_path)

    assert (refused.code, kept, forced.code) == (2, "mine", 0)
    assert "'h.json' exists; add --force to replace it" in refused.err
    assert (tmp_path / "h.json").read_bytes() == exported.read_bytes()


LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); "
LIMITED += "os.execv(sys.argv[1], sys.argv[1:])"


def test_a_write_that_fails_leaves_the_old_file(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text("mine")
    export = ["export", finished.option, "-o", "h.json", "--force"]

    with open_for_reading(url(finished.folder)) as store:
        store.runs("tiny")  # SQLite's own files beside the database are there, and large enough
        ended = subprocess.run(
            [sys.executable, "-c", LIMITED, *COMMAND, *export],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert ended.returncode != 0
    assert (tmp_path / "h.json").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["h.json"]
    assert "Traceback" not in ended.stderr
    assert "h.json" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["-o", "."], 2, "-o: '.' is a directory; give a file name"),
        (["-o", "missing/h.json"], 2, "-o: directory 'missing' does not exist"),
        (["-o", "h.json", "--trial", "3"], 2, "trial 3 does not exist; the study has 0 to 2"),
        (["-o", "h.json", "--trial", "-1"], 2, "trial -1 does not exist; the study has 0 to 2"),
        (["other", "-o", "h.json"], 2, "no study 'other' in sqlite:///"),
        ([], 2, "--output"),
        (["-o", "/proc/h.json"], 2, "/proc/h.json"),
        (["-o", "n" * 300], 2, "-o"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    finished: Finished,
    quick: Quick,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    fragment: str,
) -> None:
    ended = quick("export", *arguments, finished.option, folder=tmp_path)

    assert ended.code == code
    assert fragment in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_study_with_nothing_finished_exports_nothing(quick: Quick, tmp_path: Path) -> None:
    opened(tmp_path, written(tmp_path))

    best = quick("export", "-o", "h.json", folder=tmp_path)
    first = quick("export", "-o", "h.json", "--trial", "0", folder=tmp_path)

    assert (best.code, first.code) == (4, 2)
    assert "nothing to export yet in study 'tiny': no complete trial" in best.err
    assert "trial 0 is RUNNING (its runs are not finished); wait" in first.err
    assert not (tmp_path / "h.json").exists()
