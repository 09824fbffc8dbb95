"""What a configuration claims can be trained again and kept."""

import csv
import json
import shutil
import signal
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import safetensors.torch
import torch

from agents import checkpoint
from agents.environments import EnvFacts
from tests.tuner.commands import Ended, Quick, assert_refused, started, typed
from tests.tuner.conftest import Finished
from tests.tuner.tiny import results
from tuner import hparams_file, seed_directories

FACTS = EnvFacts(features=4, actions=2, reward_threshold=None, episode_limit=None)


def test_a_tuning_seed_trained_again_gives_its_score_exactly(
    trained: tuple[Path, Ended], exported: Path
) -> None:
    claim = json.loads(exported.read_text())["evidence"]["tune"]

    *runs, last = trained[1].out.splitlines()

    for line, seed, score in zip(runs[::2], claim["seeds"], claim["scores"], strict=True):
        assert line.startswith(f"seed {seed}: score {score}, recorded {score} (equal), in out/seed")
    assert last.startswith(f"mean {claim['mean']:.1f}")


def test_a_directory_holds_the_configuration_the_model_and_every_evaluation(
    trained: tuple[Path, Ended], exported: Path, finished: Finished
) -> None:
    number = json.loads(exported.read_text())["evidence"]["trial"]

    for trial, _, seed, _, curve in results(finished.folder):
        if trial == number:
            folder = trained[0] / "out" / f"seed-{seed}"
            names = {file.name for file in folder.iterdir()}
            tables = {"evaluations.csv", "episodes.csv"}
            assert names == {"hparams.json", "model.safetensors", "best"} | tables
            assert (folder / "hparams.json").read_bytes() == exported.read_bytes()
            with (folder / "evaluations.csv").open(newline="") as table:
                rows = list(csv.reader(table))
            assert rows[0] == ["step", "episode", "return"]
            assert [(int(step), int(n), float(gain)) for step, n, gain in rows[1:]] == [
                (step, n, gain)
                for step, returns in zip(curve["steps"], curve["returns"], strict=True)
                for n, gain in enumerate(returns)
            ]


def test_the_best_weights_are_kept_beside_the_last_and_judged_by_fresh_episodes(
    trained: tuple[Path, Ended], quick: Quick
) -> None:
    folder, ended = trained
    agent = sorted((folder / "out").glob("seed-*"))[0]
    seed = agent.name.removeprefix("seed-")
    with (agent / "evaluations.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    means = {
        int(step): fmean(float(row["return"]) for row in rows if row["step"] == step)
        for step in {row["step"] for row in rows}
    }
    best = min(step for step, mean in means.items() if mean == max(means.values()))

    played = quick(
        "evaluate",
        str(agent / "best"),
        "--episodes",
        "100",
        "--seed",
        seed,
        "--json",
        folder=folder,
    )

    fresh = json.loads(played.out)["mean"]
    assert f"best at step {best:,}: {means[best]:.1f} on the episodes that chose it" in ended.out
    assert f"{fresh:.1f} on fresh ones, in out/seed-{seed}/best" in ended.out
    assert "evidence" not in json.loads((agent / "best" / "hparams.json").read_text())


def test_the_curves_of_all_seeds_open_without_a_network(trained: tuple[Path, Ended]) -> None:
    out = trained[0] / "out"
    page = (out / "returns.html").read_text()

    assert 'src="plotly.min.js"' in page and (out / "plotly.min.js").exists()
    assert "http" not in page.split("<body>")[1].replace("https://plotly.com", "")
    for folder in out.glob("seed-*"):
        assert folder.name.replace("-", " ") in page
    assert f"mean of {len(list(out.glob('seed-*')))} seeds" in page


def test_a_model_opens_in_plain_torch_and_acts_the_same(agent: Path) -> None:
    file = hparams_file.read(agent / "hparams.json")
    policy = checkpoint.load(agent, file.agent, file.checked_hparams(), FACTS)
    tensors = safetensors.torch.load_file(agent / "model.safetensors")
    seen = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)

    hidden = torch.nn.Linear(4, file.checked_hparams().hidden_layers[0])
    last = torch.nn.Linear(hidden.out_features, 2)
    network = torch.nn.Sequential(hidden, torch.nn.ReLU(), last)
    network.load_state_dict(
        {name.replace("layers.0", "0").replace("layers.1", "2"): t for name, t in tensors.items()}
    )

    values = network(torch.from_numpy(seen)).detach().numpy()
    clear = np.abs(values[:, 0] - values[:, 1]) > 1e-5
    assert clear.sum() > 400
    assert (policy.actions(seen[None])[0] == values.argmax(axis=1))[clear].all()


def test_other_steps_leave_the_evidence_out(exported: Path, quick: Quick, tmp_path: Path) -> None:
    ended = quick(
        "train", str(exported), "--steps", "300", "--seeds", "3", "--out", "out", folder=tmp_path
    )

    data = json.loads((tmp_path / "out" / "seed-3" / "hparams.json").read_text())
    assert ended.code == 0
    assert "recorded" not in ended.out
    assert data["budget_steps"] == 300
    assert "evidence" not in data and "made_with" not in data


def test_what_is_there_is_replaced_by_force_only(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    train = ("train", str(exported), "--steps", "150", "--seeds", "0,1", "--out", "out")
    (tmp_path / "out" / "seed-1").mkdir(parents=True)
    (tmp_path / "out" / "seed-1" / "hparams.json").touch()

    refused = quick(*train, folder=tmp_path)
    forced = quick(*train, "--force", folder=tmp_path)

    assert refused.code == 2
    assert "out/seed-1 exists; add --force to replace it" in refused.err
    assert forced.code == 0
    assert len(list((tmp_path / "out").glob("*/model.safetensors"))) == 2


def test_curves_are_drawn_of_whole_neighbours_only(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    train = ("train", str(exported), "--steps", "150", "--out", "out", "--seeds")
    assert quick(*train, "0:3", folder=tmp_path).code == 0
    out = tmp_path / "out"
    shutil.copytree(out / "seed-0", out / "seed-0-old")
    (out / "seed-1" / "evaluations.csv").unlink()

    ended = quick(*train, "3", folder=tmp_path)

    assert ended.code == 0, ended.err
    page = (out / "returns.html").read_text()
    shown = [f"seed {seed}" for seed in (0, 1, 2, 3) if f'"seed {seed}"' in page]
    assert shown == ["seed 0", "seed 2", "seed 3"]
    assert "mean of 3 seeds" in page


def test_an_agent_stays_until_another_replaces_it_as_a_whole(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    train = ("train", str(exported), "--out", "out", "--steps")
    assert quick(*train, "150", folder=tmp_path).code == 0

    with started(*train, "60000", "--force", folder=tmp_path) as training:
        assert training.stderr is not None
        training.stderr.readline()
    for agent in ("out/seed-0", "out/seed-0/best"):
        assert quick("evaluate", agent, "--episodes", "2", folder=tmp_path).code == 0

    seed_directories.clear(tmp_path / "out" / "seed-0")
    for agent in ("out/seed-0", "out/seed-0/best"):
        ended = quick("evaluate", agent, folder=tmp_path)
        assert ended.code == 2 and "holds no agent" in ended.err


def test_ctrl_c_ends_a_training_without_a_traceback(exported: Path, tmp_path: Path) -> None:
    train = ("train", str(exported), "--steps", "60000", "--out", "out")

    with started(*train, folder=tmp_path) as training:
        assert training.stderr is not None
        first = training.stderr.readline()
        training.send_signal(signal.SIGINT)
        _, err = training.communicate(timeout=20)

    assert first.startswith("seed 0: step 10,000, return ")
    assert training.returncode == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--steps", "0"], "--steps: must be at least 1 (got 0)"),
        (["--seeds", "1,2,1"], "--seeds: seed 1 given twice"),
        (["--seeds=-3"], "--seeds: must be 0 to 4294967295 (got -3)"),
        (["--seeds", "4294967296"], "--seeds: must be 0 to 4294967295 (got 4294967296)"),
        (["--seeds", "5:5"], "--seeds: '5:5' holds no seed"),
        (["--seeds", "0:999999999999"], "--seeds: more than 1000; train them in parts"),
        (["--seeds", "a"], "--seeds: cannot read 'a'; write 0:5 or 1,2,7, or tune, confirm, test"),
        (["--seeds", ""], "--seeds: cannot read ''"),
        (["--device", "tpu"], "--device: 'tpu' is unknown; write cpu or cuda"),
        (["--device", "cuda:77"], "--device: no cuda:77; available: cpu"),
        (["--steps", "3"], "--steps"),
        (["--seeds", "1" * 5_000], "--seeds"),
        (["--out", "h.json/x"], "--out"),
        (["--out", "/proc/x"], "--out"),
    ],
    ids=typed,
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_written(
    exported: Path, quick: Quick, tmp_path: Path, arguments: list[str], fragment: str
) -> None:
    shutil.copy(exported, tmp_path / "h.json")

    ended = quick("train", "h.json", "--out", "out", *arguments, folder=tmp_path)

    assert_refused(ended, fragment)
    assert [file.name for file in tmp_path.iterdir()] == ["h.json"]
