"""Training followed in TensorBoard and in Weights & Biases."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.tuner.commands import Quick, tuner

CARTPOLE = {
    "agent": "deep_q",
    "env": {"id": "CartPole-v1"},
    "budget_steps": 600,
    "evaluation": {"marks": 3, "episodes": 2, "score": "final"},
    "hparams": {"hidden_layers": [8], "learning_starts": 50, "train_freq": 2},
}


def written(folder: Path, **changes: object) -> str:
    (folder / "h.json").write_text(json.dumps(CARTPOLE | changes))
    return "h.json"


def scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of everything that TensorBoard would draw."""
    found = EventAccumulator(str(directory)).Reload()
    return {
        name: [(event.step, event.value) for event in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def test_tensorboard_gets_every_episode_and_every_mark(quick: Quick, tmp_path: Path) -> None:
    arguments = ("--seeds", "0:2", "--out", "out", "--tensorboard", "board")
    ended = quick("train", written(tmp_path), *arguments, folder=tmp_path)

    assert ended.code == 0, ended.err
    for seed in ("seed-0", "seed-1"):
        drawn = scalars(tmp_path / "board" / seed)
        with (tmp_path / "out" / seed / "episodes.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        episodes = [(int(row["step"]), float(row["return"])) for row in rows]
        assert drawn["episode/return"] == episodes and len(episodes) > 5
        assert drawn["episode/length"] == [(int(r["step"]), float(r["length"])) for r in rows]
        marks = [200, 400, 600]
        for name in ("epsilon", "loss", "mean_q", "updates_per_second"):
            assert [step for step, _ in drawn[f"learning/{name}"]] == marks
        assert drawn["learning/epsilon"][0][1] == pytest.approx(1.0 - 0.95 * 200 / 10_000)
        assert all(value > 0.0 for _, value in drawn["learning/updates_per_second"])
        with (tmp_path / "out" / seed / "evaluations.csv").open(newline="") as table:
            last = [float(r["return"]) for r in csv.DictReader(table) if r["step"] == "600"]
        assert drawn["evaluation/return"][-1] == pytest.approx((600, sum(last) / 2))


def test_an_agent_without_readings_is_drawn_without_them(quick: Quick, tmp_path: Path) -> None:
    file = written(tmp_path, agent="random", hparams={})

    ended = quick("train", file, "--out", "out", "--tensorboard", "board", folder=tmp_path)

    assert ended.code == 0, ended.err
    drawn = scalars(tmp_path / "board" / "seed-0")
    assert drawn.keys() == {"episode/return", "episode/length", "evaluation/return"}


def test_weights_and_biases_gets_the_same_offline(tmp_path: Path) -> None:
    arguments = ("train", written(tmp_path), "--out", "out", "--seeds", "0:2", "--wandb", "lanes")
    env = {"WANDB_MODE": "offline", "HOME": str(tmp_path)}

    ended = tuner(*arguments, folder=tmp_path, env=env, timeout_s=180)

    assert ended.code == 0, ended.err
    files = list((tmp_path / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(files) == 2
    for file in files:
        content = file.read_bytes()
        for name in (b"episode/return", b"learning/mean_q", b"evaluation/return", b"num_envs"):
            assert name in content


@pytest.mark.parametrize(
    ("arguments", "module", "fragment"),
    [
        (("--tensorboard", "board"), "tensorboard", "--tensorboard: tensorboard is not installed"),
        (("--wandb", "lanes"), "wandb", "--wandb: wandb is not installed here; pip install"),
    ],
)
def test_what_is_not_installed_is_said_before_anything_is_trained(
    tmp_path: Path, arguments: tuple[str, ...], module: str, fragment: str
) -> None:
    without = f"import sys; sys.modules['{module}'] = None; from tuner.cli import main; main()"
    command = ["train", written(tmp_path), "--out", "out", *arguments]

    ended = subprocess.run(
        [sys.executable, "-c", without, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 2
    assert fragment in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_board_that_holds_a_training_is_replaced_by_force_only(
    quick: Quick, tmp_path: Path
) -> None:
    arguments = ["train", written(tmp_path), "--out", "out", "--tensorboard", "board"]
    assert quick(*arguments, folder=tmp_path).code == 0

    refused = quick(*arguments[:3], "other", *arguments[4:], folder=tmp_path)
    again = quick(*arguments, "--steps", "300", "--force", folder=tmp_path)

    assert refused.code == 2
    assert "--tensorboard: board/seed-0 holds a training; add --force" in refused.err
    assert not (tmp_path / "other").exists()
    assert again.code == 0
    drawn = scalars(tmp_path / "board" / "seed-0")
    assert [step for step, _ in drawn["evaluation/return"]] == [100, 200, 300]
    written_down = EventAccumulator(str(tmp_path / "board" / "seed-0")).Reload()
    [text] = written_down.Tensors("hparams")
    assert b"| steps | 300 |" in text.tensor_proto.string_val[0]


def test_what_cannot_be_trained_leaves_no_board(quick: Quick, tmp_path: Path) -> None:
    arguments = ("--steps", "20", "--out", "out", "--tensorboard", "board")
    ended = quick("train", written(tmp_path), *arguments, folder=tmp_path)

    assert ended.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["h.json"]


def test_a_directory_that_cannot_be_written_is_refused(quick: Quick, tmp_path: Path) -> None:
    arguments = ("--out", "out", "--tensorboard", "h.json/board")
    ended = quick("train", written(tmp_path), *arguments, folder=tmp_path)

    assert ended.code == 2
    assert "--tensorboard: 'h.json/board/seed-0' cannot be written" in ended.err
    assert not (tmp_path / "out").exists()
