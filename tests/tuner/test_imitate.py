"""`tuner imitate`: the pairs, curves and classifiers that a trained agent leaves."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from agents.errors import AgentError, CheckpointError
from agents.imitation import Part, episode_seed
from tests import probes
from tests.tuner.commands import Ended, Quick, assert_refused, tuner, typed
from tests.tuner.written_agents import BALANCING, BIAS, agent
from tuner import evaluation, imitation, trained_agent
from tuner.errors import TooManyFailures, TunerError, UsageError
from tuner.imitation import Plan

PARTS = ("train", "test")
SMALL = Plan(samples=120, epochs=1, episodes=2, seed=0)
MODELS = {"linear": 10, "256": 1_794, "256-256": 67_586, "256-256-256": 133_378}
RIGHT = {"table": torch.tensor([[0.0, 0.0, 1.0, 0.0]] * 16, dtype=torch.float64)}


@pytest.fixture(scope="module")
def imitated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The folder in which an agent was imitated into cloned/, and what was printed. Read only."""
    folder = tmp_path_factory.mktemp("imitated")
    agent(folder / "teacher", BALANCING)
    options = ("--samples", "600", "--epochs", "6", "--episodes", "3", "--out", "cloned")
    ended = tuner("imitate", "teacher", *options, folder=folder)
    assert ended.code == 0, ended.err
    return folder, ended


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_a_table_of_pairs_holds_what_the_agent_does(
    imitated: tuple[Path, Ended], name: str
) -> None:
    rows = table(imitated[0] / "cloned" / name)
    policy = trained_agent.read(imitated[0] / "teacher").policy()

    assert list(rows[0]) == ["obs_0", "obs_1", "obs_2", "obs_3", "action"]
    assert len(rows) == 600
    seen = np.array([[row[f"obs_{n}"] for n in range(4)] for row in rows], dtype=np.float32)
    actions = [int(row["action"]) for row in rows]
    assert policy.actions(seen[None])[0].tolist() == actions
    assert set(actions) == {0, 1}


def test_no_row_is_in_both_tables(imitated: tuple[Path, Ended]) -> None:
    train, test = ((imitated[0] / "cloned" / f"{name}.csv").read_text() for name in PARTS)

    assert set(train.splitlines()) & set(test.splitlines()) == {"obs_0,obs_1,obs_2,obs_3,action"}


def test_every_epoch_of_every_model_is_written_down(imitated: tuple[Path, Ended]) -> None:
    rows = table(imitated[0] / "cloned" / "epochs.csv")

    assert tuple(rows[0]) == imitation.EPOCHS_COLUMNS
    assert [(row["model"], int(row["epoch"])) for row in rows] == [
        (model, epoch) for model in MODELS for epoch in range(1, 7)
    ]
    for row in rows:
        assert 0 <= float(row["test_accuracy"]) <= 1 and float(row["test_loss"]) > 0


def test_the_table_compares_the_models_with_their_teacher(imitated: tuple[Path, Ended]) -> None:
    last = {row["model"]: row for row in table(imitated[0] / "cloned" / "epochs.csv")}
    lines = {
        cells[0].strip(): [cell.strip() for cell in cells[1:-1]]
        for cells in (line[1:].split("│") for line in imitated[1].out.splitlines())
    }

    for model, parameters in MODELS.items():
        shown = lines[model]
        assert shown[0] == f"{parameters:,}"
        assert shown[1] == f"{100 * float(last[model]['train_accuracy']):.1f} %"
        assert shown[2] == f"{100 * float(last[model]['test_accuracy']):.1f} %"
        assert 8 <= float(shown[5]) <= 500
    actions = [
        [row["action"] for row in table(imitated[0] / "cloned" / f"{part}.csv")] for part in PARTS
    ]
    frequent = max(("0", "1"), key=actions[0].count)
    assert lines["one action"][2] == f"{actions[1].count(frequent) / 6:.1f} %"
    assert lines["the teacher"][5] == "500.0"


def test_progress_is_said_while_it_trains(imitated: tuple[Path, Ended]) -> None:
    lines = imitated[1].err.splitlines()

    assert len(lines) == 6 * len(MODELS)
    assert lines[-1].startswith("256-256-256: epoch 6, train ")


def test_the_curves_of_all_models_open_without_a_network(imitated: tuple[Path, Ended]) -> None:
    out = imitated[0] / "cloned"
    page = (out / "imitation.html").read_text()

    assert 'src="plotly.min.js"' in page and (out / "plotly.min.js").exists()
    assert "http" not in page.split("<body>")[1].replace("https://plotly.com", "")
    for model in MODELS:
        assert f'"{model}, train"' in page and f'"{model}, test"' in page


def test_a_classifier_opens_in_plain_torch_and_answers_as_was_said(
    imitated: tuple[Path, Ended],
) -> None:
    out = imitated[0] / "cloned"
    rows = table(out / "test.csv")
    seen = torch.tensor([[float(row[f"obs_{n}"]) for n in range(4)] for row in rows])
    done = torch.tensor([int(row["action"]) for row in rows])
    tensors = safetensors.torch.load_file(out / "256" / "model.safetensors")

    scaled = (seen - tensors["observation.mean"]) * tensors["observation.inverse_std"]
    hidden = torch.relu(scaled @ tensors["layers.0.weight"].T + tensors["layers.0.bias"])
    scores = hidden @ tensors["layers.1.weight"].T + tensors["layers.1.bias"]

    reported = [float(r["test_accuracy"]) for r in table(out / "epochs.csv") if r["model"] == "256"]
    right = float((scores.argmax(dim=1) == done).float().mean())
    assert right == pytest.approx(reported[-1], abs=1 / 600)


def test_a_classifier_does_not_claim_to_be_trained_by_deep_q(imitated: tuple[Path, Ended]) -> None:
    out = imitated[0] / "cloned"

    assert list(out.rglob("hparams.json")) == []
    assert {path.parent.name for path in out.rglob("model.safetensors")} == set(MODELS)


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    teacher = agent(tmp_path / "teacher", BALANCING)
    names = ["train.csv", "test.csv", "epochs.csv", "256-256/model.safetensors"]

    found = [imitation.imitate(teacher, tmp_path / name, SMALL) for name in ("one", "two")]

    assert found[0] == found[1]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_table_agent_is_imitated_by_its_one_hot_states(tmp_path: Path) -> None:
    teacher = agent(tmp_path / "teacher", RIGHT, kind="tabular_q", env="FrozenLake-v1")

    found = imitation.imitate(teacher, tmp_path / "out", SMALL)

    assert found.majority_share == 1.0
    assert found.clones[-1].test.accuracy == 1.0
    assert list(table(tmp_path / "out" / "train.csv")[0])[-2:] == ["obs_15", "action"]


def test_an_environment_without_randomness_is_refused(tmp_path: Path) -> None:
    teacher = agent(
        tmp_path / "t", RIGHT, kind="projective", env="FrozenLake-v1", is_slippery=False
    )

    with pytest.raises(UsageError, match="plays the same episodes from every seed"):
        imitation.imitate(teacher, tmp_path / "out", SMALL)

    assert not (tmp_path / "out").exists()


def test_an_environment_that_fails_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    probes.register()
    fatal = episode_seed(0, Part.TEST, 1)
    env = "Probe/FragileCartPole-v0"
    teacher = agent(tmp_path / "teacher", BALANCING, env=env, fatal_seed=fatal, fatal_step=3)

    with pytest.raises(TooManyFailures, match="Traceback"):
        imitation.imitate(teacher, tmp_path / "out", SMALL)

    assert not (tmp_path / "out").exists()


def test_what_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    teacher, out = agent(tmp_path / "teacher", BALANCING), tmp_path / "out"
    out.mkdir()
    (out / "train.csv").touch()

    with pytest.raises(UsageError, match="out exists; add --force to replace it"):
        imitation.imitate(teacher, out, SMALL)
    assert (out / "train.csv").read_text() == ""
    imitation.imitate(teacher, out, SMALL, force=True)

    assert len(table(out / "train.csv")) == SMALL.samples


def test_a_random_agent_is_refused(tmp_path: Path) -> None:
    teacher = agent(tmp_path / "teacher", {"seed": torch.tensor([0, 100])}, kind="random")

    with pytest.raises(UsageError, match="a random agent does nothing to imitate; name another"):
        imitation.imitate(teacher, tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("place", "error", "fragment"),
    [
        ("missing", UsageError, "missing' is not a directory; name one such as trained/seed-0"),
        ("", UsageError, "holds no agent"),
        ("teacher", CheckpointError, "model.safetensors: no such file"),
    ],
)
def test_a_directory_without_an_agent_is_refused(
    tmp_path: Path, place: str, error: type[TunerError | AgentError], fragment: str
) -> None:
    (agent(tmp_path / "teacher", BALANCING) / "model.safetensors").unlink()

    with pytest.raises(error, match=fragment):
        imitation.imitate(tmp_path / place, tmp_path / "out", SMALL)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--samples", "0"], "--samples: must be at least 1 (got 0)"),
        (["--samples", "1000001"], "--samples: at most 1,000,000 (got 1,000,001)"),
        (["--epochs", "0"], "--epochs: must be at least 1 (got 0)"),
        (["--episodes", "0"], "--episodes: must be at least 1 (got 0)"),
        (["--seed=-1"], "--seed: must be 0 to 4294967295 (got -1)"),
        (["--out", "teacher/model.safetensors/x"], "--out: 'teacher/model.safetensors/x' cannot"),
    ],
    ids=typed,
)
def test_what_cannot_be_imitated_is_refused_and_nothing_is_written(
    quick: Quick, tmp_path: Path, arguments: list[str], fragment: str
) -> None:
    agent(tmp_path / "teacher", BALANCING)
    command = ("imitate", "teacher", "--samples", "100", "--out", "out")

    ended = quick(*command, *arguments, folder=tmp_path)

    assert_refused(ended, fragment)
    assert [path.name for path in tmp_path.iterdir()] == ["teacher"]


def test_imitate_prints_one_json_document(tmp_path: Path) -> None:
    agent(tmp_path / "teacher", BALANCING)
    options = ("--samples", "64", "--epochs", "1", "--episodes", "2", "--out", "out", "--json")

    ended = tuner("imitate", "teacher", *options, folder=tmp_path)

    data = json.loads(ended.out)
    assert data["plan"] == {"samples": 64, "epochs": 1, "episodes": 2, "seed": 0}
    assert {clone["model"]: clone["parameters"] for clone in data["clones"]} == MODELS
    assert set(data["clones"][0]["test"]) == {"loss", "accuracy"}


def test_the_teacher_is_played_as_evaluate_plays_it(tmp_path: Path) -> None:
    teacher = agent(tmp_path / "teacher", {"layers.0.weight": torch.eye(2, 4), **BIAS})

    found = imitation.imitate(teacher, tmp_path / "out", SMALL)

    assert found.teacher_return == evaluation.evaluate(teacher, SMALL.episodes, SMALL.seed).mean
    assert found.teacher_return < 500
