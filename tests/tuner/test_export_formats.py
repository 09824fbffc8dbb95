"""Configurations for other libraries: what they hold, what they cannot, and that they train."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from agents.deep_q_hparams import DeepQHparams
from tests.tuner.commands import Quick
from tests.tuner.conftest import Finished
from tuner.export_formats import sb3_arguments, write
from tuner.hparams_file import EnvTable, EvaluationTable, HparamsFile

PLAIN = {"learning_rate": 1e-3, "hidden_layers": [120, 84], "epsilon_decay_steps": 500}
ODD = {
    "double": True,
    "epsilon_decay": "exponential",
    "loss": "mse",
    "normalize_observations": True,
    "gradient_steps": 2,
    "activation": "tanh",
    "learning_rate_decay": "linear",
    "n_steps": 3,
    "epsilon_clock": "episodes",
    "head": "dueling",
    "priority_alpha": 0.6,
    "num_envs": 4,
}


def hparams_file(steps: int = 2_000, **changes: object) -> HparamsFile:
    return HparamsFile(
        agent="deep_q",
        env=EnvTable(id="CartPole-v1"),
        budget_steps=steps,
        evaluation=EvaluationTable(marks=5, episodes=2, score="final"),
        hparams={**PLAIN, **changes},
    )


def written(folder: Path, name: str, **changes: object) -> tuple[str, list[str]]:
    """The file's text, and what was said of it."""
    said = list(write(folder / "out.json", hparams_file(**changes), name, force=False))
    return (folder / "out.json").read_text(), said


def test_sb3_has_every_argument_of_the_same_meaning() -> None:
    found = sb3_arguments(DeepQHparams(), budget_steps=50_000)

    assert found["exploration_fraction"] == 10_000 / 50_000
    assert (found["exploration_initial_eps"], found["exploration_final_eps"]) == (1.0, 0.05)
    assert found["policy_kwargs"] == {"net_arch": [64, 64], "activation_fn": "ReLU"}
    same = {"learning_rate", "buffer_size", "learning_starts", "batch_size", "tau", "gamma"}
    same |= {"train_freq", "gradient_steps", "target_update_interval", "max_grad_norm"}
    assert all(found[name] == getattr(DeepQHparams(), name) for name in same)
    assert len(found) == len(same) + 5


def test_zoo_is_an_entry_whose_numbers_yaml_reads_as_numbers(tmp_path: Path) -> None:
    text, said = written(tmp_path, "zoo", learning_rate=1e-5, normalize_observations=True)

    lines = text.splitlines()
    assert lines[0] == "CartPole-v1:"
    assert "  n_timesteps: 2000" in lines
    assert "  learning_rate: !!float 1e-05" in lines
    assert "  policy: 'MlpPolicy'" in lines
    assert '  policy_kwargs: "dict(net_arch=[120, 84], activation_fn=nn.ReLU)"' in lines
    assert "  normalize: \"{'norm_obs': True, 'norm_reward': False}\"" in lines
    assert said == []


@pytest.mark.parametrize("name", ["sb3", "zoo"])
def test_a_falling_learning_rate_is_written_as_rl_zoo_writes_it(tmp_path: Path, name: str) -> None:
    text, said = written(tmp_path, name, learning_rate_decay="linear")

    assert "lin_0.001" in text
    assert not any("not carried over" in line for line in said)


def test_cleanrl_is_a_command_line(tmp_path: Path) -> None:
    text, said = written(tmp_path, "cleanrl", loss="mse")

    words = shlex.split(text)
    assert words[:2] == ["python", "cleanrl/dqn.py"]
    flags = dict(zip(words[2::2], words[3::2], strict=True))
    assert flags["--env-id"] == "CartPole-v1"
    assert float(flags["--exploration-fraction"]) == 0.25
    assert len(flags) == 13
    assert [line.split(":")[1].split()[0] for line in said] == ["max_grad_norm", "learning_starts"]


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        (
            "sb3",
            ["double", "epsilon_decay", "epsilon_clock", "num_envs", "head", "priority_alpha",
             "loss", "normalize_observations"],
        ),
        (
            "zoo",
            ["double", "epsilon_decay", "epsilon_clock", "num_envs", "head", "priority_alpha",
             "loss"],
        ),
        (
            "cleanrl",
            ["double", "epsilon_decay", "epsilon_clock", "num_envs", "head", "priority_alpha",
             "hidden_layers", "n_steps", "learning_rate_decay",
             "gradient_steps", "max_grad_norm", "learning_starts", "normalize_observations"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_over_is_said(tmp_path: Path, name: str, lost: list[str]) -> None:
    _, said = written(tmp_path, name, **ODD)

    prefix = "not carried over: "
    named = [line.removeprefix(prefix).split()[0].rstrip(":") for line in said if prefix in line]
    assert named == lost


@pytest.mark.parametrize("name", ["sb3", "zoo", "cleanrl"])
def test_an_environment_of_ones_own_needs_its_module_there_too(tmp_path: Path, name: str) -> None:
    file = hparams_file().model_copy(update={"env": EnvTable(id="Mine-v0", kwargs={"a": "b c"})})

    said = list(write(tmp_path / "out.json", file, name, force=False))

    assert any("env Mine-v0: import the module that registers it first" in line for line in said)
    quoted = ["--env-kwargs " + shlex.quote("a:'b c'") in line for line in said]
    assert any(quoted) == (name == "zoo")


@pytest.mark.parametrize("name", ["sb3", "zoo", "cleanrl"])
def test_the_command_writes_it_once(
    finished: Finished, quick: Quick, tmp_path: Path, name: str
) -> None:
    export = ("export", "tiny", finished.option, "--format", name, "-o", "out.json")

    first = quick(*export, folder=tmp_path)
    second = quick(*export, folder=tmp_path)

    assert (first.code, second.code) == (0, 2)
    assert "exists; add --force" in second.err
    assert {path.name for path in tmp_path.iterdir()} == (
        {"out.json", "out.py"} if name == "sb3" else {"out.json"}
    )


def test_an_unknown_format_is_refused(finished: Finished, quick: Quick, tmp_path: Path) -> None:
    ended = quick("export", finished.option, "--format", "rllib", "-o", "out.json", folder=tmp_path)

    assert ended.code == 2
    assert "--format: 'rllib' is unknown; native, sb3, zoo, cleanrl" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_the_script_is_short_and_trains_with_stable_baselines3(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="pip install --group bench")
    _, said = written(
        tmp_path,
        "sb3",
        batch_size=16,
        learning_starts=100,
        learning_rate_decay="linear",
        n_steps=3,
    )

    script = tmp_path / "out.py"
    ended = subprocess.run(
        [sys.executable, str(script), "3"], cwd=tmp_path, capture_output=True, text=True
    )

    assert said == [f"wrote {script}: python {script} trains it"]
    assert len(script.read_text().splitlines()) <= 18
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout.split(":")[1]) >= 8
    assert json.loads((tmp_path / "out.json").read_text())["total_timesteps"] == 2_000
