"""Every command says what it does, and what it refuses it refuses in one clear line."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from tests.tuner import tiny
from tests.tuner.commands import COMMAND, Quick, started, tuner
from tests.tuner.conftest import Finished
from tests.tuner.tiny import changed, written
from tuner import study as studies

COMMANDS = (
    "launch", "studies", "status", "report", "dashboard", "film", "export", "train", "evaluate",
    "imitate", "watch", "schema", "completion",
)  # fmt: skip


def test_python_m_tuner_is_the_command(tmp_path: Path) -> None:
    ended = tuner("studies", folder=tmp_path)

    assert ended.code == 0, ended.err
    for line, name in zip(ended.out.splitlines(), studies.shipped_names(), strict=True):
        study = studies.load(name)
        assert line.split()[:3] == [name, f"{study.study.env},", str(study.study.trials)]
        assert f"{study.budget.steps:,} steps; searches {', '.join(study.space)}" in line


def test_help_lists_every_command(quick: Quick, tmp_path: Path) -> None:
    ended = quick("--help", folder=tmp_path)

    assert ended.code == 0
    assert all(f"  {command} " in ended.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_help(quick: Quick, tmp_path: Path, command: str) -> None:
    ended = quick(command, "--help", folder=tmp_path)

    assert (ended.code, ended.err) == (0, "")
    assert re.match(f"Usage: .*tuner {command} ", ended.out)


def test_no_command_shows_help(quick: Quick, tmp_path: Path) -> None:
    ended = quick(folder=tmp_path)

    assert ended.code == 2
    assert "launch" in ended.out + ended.err


BAD = [
    (["tuen"], 2, "No such command 'tuen'"),
    (["launch"], 2, "Missing argument 'study'"),
    (["launch", "cartpol"], 2, "no study 'cartpol'; did you mean 'cartpole'"),
    (["launch", ""], 2, "no study ''"),
    (["launch", "../../etc/passwd"], 2, "no study '../../etc/passwd'"),
    (["launch", "/etc/passwd"], 2, "/etc/passwd: invalid TOML"),
    (["launch", "missing.toml"], 2, "missing.toml: no such file"),
    (["launch", "n" * 101], 2, "no study 'nnn"),
    (["launch", "tiny.toml", "--trials", "0"], 2, "--trials: must be at least 1 (got 0)"),
    (["launch", "tiny.toml", "--trials", "-5"], 2, "--trials: must be at least 1 (got -5)"),
    (["launch", "tiny.toml", "--trials", "ten"], 2, "Invalid value for '--trials'"),
    (["launch", "tiny.toml", "--workers", "0"], 2, "--workers: must be at least 1 (got 0)"),
    (["launch", "tiny.toml", "--lanes", "0"], 2, "--lanes: must be at least 1 (got 0)"),
    (["launch", "tiny.toml", "--timeout", "5 minutes"], 2, "cannot read '5 minutes'; write 300"),
    (["launch", "tiny.toml", "--timeout", "-1"], 2, "--timeout: cannot read '-1'"),
    (["launch", "tiny.toml", "--device", "tpu"], 2, "--device: 'tpu' is unknown"),
    (["launch", "tiny.toml", "--device", "cuda:7"], 2, "--device: no cuda:7; available: cpu"),
    (["launch", "tiny.toml", "--storage", ""], 3, "not an SQLite URL; write for example"),
    (["launch", "tiny.toml", "--storage", "redis://x"], 3, "not an SQLite URL"),
    (["launch", "tiny.toml", "--storage", "SECRET@@@"], 3, "not an SQLite URL"),
    (["launch", "tiny.toml", "--storage", "sqlite:///:memory:"], 3, "':memory:' ends with its"),
    (["launch", "tiny.toml", "--storage", "sqlite:///no/a.db"], 3, "/no' does not exist"),
    (["launch", "tiny.toml", "--storage", "sqlite:///folder"], 3, "/folder' is a directory"),
    (["launch", "pendulum.toml"], 2, "Box(-2.0, 2.0, (1,), float32); Q-learning needs Discrete"),
    (["launch", "version.toml"], 2, "env 'CartPole-v9' is not registered"),
    (["launch", "module.toml"], 2, "names a module to import is refused"),
    (["launch", "tuple.toml"], 2, "Box or Discrete are supported"),
    (["launch", "kwargs.toml"], 2, "cannot be made: "),
    (["launch", "key.toml"], 2, "[study] n_trails: unknown key"),
    (["launch", "range.toml"], 2, "low 0.01 is above high 0.0001"),
    (["launch", "garbage.db"], 2, "garbage.db: not UTF-8 text"),
    (["status"], 3, "no database at '"),
    (["status", "--storage", "sqlite:///garbage.db"], 3, "garbage.db'"),
    (["status", "--storage", "sqlite:///empty.db"], 3, "empty.db'"),
    (["status", "--storage", "sqlite:///folder"], 3, "/folder'"),
    (["export", "-o", "h.json"], 3, "no database at '"),
    (["report", "-o", "r.html"], 3, "no database at '"),
    (["report"], 2, "Missing option '-o'"),
    (["report", "a", "a", "-o", "r.html"], 2, "'a' is named twice"),
    (["report", "-o", "r.html", "--format", "pdf"], 2, "--format: 'pdf' is unknown; html, json"),
    (["report", "-o", "folder"], 2, "'folder' is a directory"),
    (["report", "-o", "r.html", "--storage", "sqlite:///garbage.db"], 3, "garbage.db'"),
    (["dashboard"], 3, "no database at '"),
    (["train", "missing.json", "--out", "out"], 2, "missing.json: no such file"),
    (["train", "folder", "--out", "out"], 2, "folder: cannot be read"),
    (["train", "tiny.toml", "--out", "out"], 5, "tiny.toml: incomplete or damaged JSON"),
    (["train", "missing.json"], 2, "Missing option '--out'"),
    (["evaluate", "missing"], 2, "'missing' is not a directory"),
    (["evaluate", "tiny.toml"], 2, "'tiny.toml' is not a directory"),
    (["evaluate", "folder"], 2, "'folder' holds no agent"),
    (["evaluate", "folder", "--episodes", "0"], 2, "--episodes: must be at least 1 (got 0)"),
    (["launch", "n" * 5_000], 2, "no study 'nnn"),
    (["launch", "tiny.toml", "--storage", "sqlite:////proc/a.db"], 3, "/proc/a.db"),
    (["launch", "tiny.toml", "--timeout", "0", "--trials", "1000000000"], 2, "--trials"),
]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good study file and many bad things."""
    folder = tmp_path_factory.mktemp("shelf")
    written(folder)
    env = 'env = "CartPole-v1"'
    for name, new in (
        ("pendulum", 'env = "Pendulum-v1"'),
        ("version", 'env = "CartPole-v9"'),
        ("module", 'env = "os.path:CartPole-v1"'),
        ("tuple", 'env = "Blackjack-v1"'),
        ("kwargs", f"{env}\nenv_kwargs = {{ wind = 3 }}"),
    ):
        (folder / f"{name}.toml").write_text(changed((env, new)))
    (folder / "key.toml").write_text(changed(("trials = 3", "n_trails = 3")))
    swapped = ("low = 1e-4, high = 1e-2", "low = 1e-2, high = 1e-4")
    (folder / "range.toml").write_text(changed(swapped))
    (folder / "garbage.db").write_bytes(b"\xfe\xed not a database" * 100)
    (folder / "empty.db").touch()
    (folder / "folder").mkdir()
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"), BAD, ids=[" ".join(row[0])[:50] for row in BAD]
)
def test_bad_input_gets_one_line_and_leaves_nothing_behind(
    quick: Quick, shelf: Path, arguments: list[str], code: int, fragment: str
) -> None:
    before = sorted(shelf.iterdir())

    ended = quick(*arguments, folder=shelf)

    left = sorted(set(shelf.iterdir()) - set(before))
    for path in left:
        path.unlink()
    assert ended.code == code, ended.err
    assert fragment in ended.err
    assert "Traceback" not in ended.err
    assert "SECRET" not in ended.err
    assert ended.out == ""
    assert left == []


def test_every_problem_of_a_study_file_gets_its_line(quick: Quick, tmp_path: Path) -> None:
    swaps = [("trials = 3", "trials = 0"), ("steps = 600", "stepz = 600")]
    file = written(tmp_path, changed(*swaps))

    ended = quick("launch", file, folder=tmp_path)

    lines = ended.err.splitlines()
    assert ended.code == 2
    assert len(lines) == 3 and all(line.startswith("error: tiny.toml: [") for line in lines)


def test_the_dashboard_refuses_what_it_cannot_serve_safely(
    finished: Finished, quick: Quick
) -> None:
    def refused(*arguments: str) -> tuple[int, str]:
        ended = quick("dashboard", *arguments, folder=finished.folder)
        return ended.code, ended.err

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = refused("--port", str(port))

    assert busy == (2, f"error: port {port} is in use; try --port {port + 1}\n")
    assert refused("--port", "70000")[0] == 2
    assert "add --token auto" in refused("--host", "0.0.0.0")[1]


def test_the_dashboard_prints_its_address_and_ends_at_ctrl_c(finished: Finished) -> None:
    with started("dashboard", "--port", "0", folder=finished.folder) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline()
        serving.send_signal(2)
        _, err = serving.communicate(timeout=10)

    assert address.startswith("http://127.0.0.1:")
    assert serving.returncode == 130
    assert "Traceback" not in err


def test_status_tells_where_a_study_stands(finished: Finished, quick: Quick) -> None:
    shown = quick("status", folder=finished.folder)
    named = quick("status", "tiny", folder=finished.folder)
    unknown = quick("status", "other", folder=finished.folder)

    runs = len(tiny.recorded(finished.folder))
    rows = [line.split() for line in shown.out.splitlines()[:4]]
    assert rows[0] == ["study", "tiny"]
    assert rows[1][-1] == "done"
    assert rows[2][-3:] == ["3", "of", "3"]
    assert rows[3][-3:] == [str(runs), "of", str(runs)]
    assert "on fresh seeds" in shown.out and "chosen: " in shown.out
    assert named.out == shown.out
    assert "at work" not in shown.out
    assert (unknown.code, unknown.out) == (2, "")
    assert "no study 'other' in sqlite:///tuner.db; it holds: tiny" in unknown.err


def test_status_as_json_is_one_document_with_the_best_trials(
    finished: Finished, quick: Quick
) -> None:
    data = json.loads(quick("status", "--json", folder=finished.folder).out)

    [study] = data["studies"]
    assert data["writer"] is None
    assert (study["study"], study["trials"], study["states"]) == ("tiny", 3, {"COMPLETE": 3})
    runs = len(tiny.recorded(finished.folder))
    assert (study["runs"], study["runs_finished"]) == (runs, runs)
    values = [best["value"] for best in study["best"]]
    assert values == sorted(values, reverse=True) and len(values) == 3
    assert {"trial", "seeds", "scores", "ci95", "solved", "failed"} <= set(study["best"][0])
    assert study["chosen"]["status"] == "tested"
    assert study["sentence"].startswith(("Tuning reported", "No trial was clearly better"))
    assert study["finals"]["finalists"][-1] == -1
    assert (study["progress"]["phase"], study["progress"]["left_s"]) == ("done", 0.0)
    assert len(study["progress"]["best"]["curve"]) == 6
    assert study["pace"] is None


def test_a_study_may_be_named_by_its_file(finished: Finished, quick: Quick) -> None:
    by_file = quick("status", "tiny.toml", folder=finished.folder)
    missing = quick("status", "other.toml", folder=finished.folder)

    assert by_file.out == quick("status", "tiny", folder=finished.folder).out
    assert (missing.code, missing.out) == (2, "")
    assert "other.toml" in missing.err


def test_a_trial_that_optuna_was_given_without_any_run_is_left_out(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/tuner.db")
    study = optuna.load_study(study_name="tiny", storage=storage)
    study.add_trial(optuna.trial.create_trial(value=999.0))
    storage.engine.dispose()

    ended = quick("status", folder=folder)

    assert ended.code == 0, ended.err
    assert " 4 of 4" in ended.out
    assert "best 3 of 3 trials" in ended.out and "999" not in ended.out


def test_the_database_may_be_named_by_the_environment(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    env = {"TUNER_STORAGE": f"sqlite:///{finished.folder}/tuner.db"}

    ended = quick("status", folder=tmp_path, env=env)

    assert ended.out.split()[:2] == ["study", "tiny"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("study", ["foreign", None])
def test_a_study_that_another_program_made_is_left_alone(
    finished: Finished, quick: Quick, tmp_path: Path, study: str | None
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/tuner.db")
    optuna.create_study(study_name="foreign", storage=storage, direction="maximize")
    storage.engine.dispose()

    ended = quick("status", *([study] if study else []), folder=folder)

    assert "Traceback" not in ended.err
    assert ended.code == (2 if study else 0)
    assert ("foreign" in ended.err) if study else (ended.out.split()[:2] == ["study", "tiny"])


def test_a_launch_does_not_take_over_the_trials_of_another_program(
    quick: Quick, tmp_path: Path
) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/tuner.db")
    foreign = optuna.create_study(study_name="tiny", storage=storage, direction="maximize")
    foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    storage.engine.dispose()

    ended = quick("launch", written(tmp_path), folder=tmp_path)

    assert ended.code == 2
    with closing(sqlite3.connect(tmp_path / "tuner.db")) as database:
        assert database.execute("SELECT COUNT(*) FROM study_user_attributes").fetchall() == [(0,)]


@pytest.mark.parametrize("command", [["studies"], ["status"]])
def test_a_reader_that_leaves_early_is_no_error(finished: Finished, command: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [*COMMAND, *command], cwd=finished.folder, stdout=pipe, stderr=subprocess.PIPE
        )

    assert b"Traceback" not in ended.stderr and b"Broken" not in ended.stderr
    assert ended.returncode == 0


def test_a_training_whose_reader_leaves_is_trained_to_its_end(
    exported: Path, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [*COMMAND, "train", str(exported), "--out", "trained"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=pipe,
        )

    assert ended.returncode == 0
    assert re.search(rb"^mean [\d.]+, minimum [\d.]+ over 1 seed$", ended.stdout, re.MULTILINE)
    assert (tmp_path / "trained" / "seed-0" / "model.safetensors").exists()


def test_a_terminal_that_knows_no_unicode_shows_the_table_too(finished: Finished) -> None:
    ended = tuner("status", folder=finished.folder, env={"PYTHONIOENCODING": "ascii"})

    assert (ended.code, ended.err) == (0, "")
    assert "every seed's score" in ended.out
