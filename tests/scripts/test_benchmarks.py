"""The benchmarks are alive; how fast anything is, no test may say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tuner import hparams_file
from tuner.hparams_file import EnvTable, EvaluationTable, HparamsFile

SCRIPTS = Path(__file__).parents[2] / "scripts"


def figures(script: str, folder: Path, *sizes: str) -> dict[str, Any]:
    """What a benchmark writes after a glance of these sizes."""
    file = folder / "figures.json"
    command = [sys.executable, str(SCRIPTS / script), "--quick", "--json", str(file), *sizes]
    subprocess.run(command, check=True)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_benchmark_of_lanes_writes_the_rates_of_every_row(tmp_path: Path) -> None:
    sizes = ["--steps", "300", "--alternations", "1", "--lanes", "1,2"]

    results = figures("benchmark_lanes", tmp_path, *sizes)["results"]

    assert [result["row"]["lanes"] for result in results] == [1, 2]
    for result in results:
        assert {"ours", "products"} <= set(result["turns"])
        assert all(rate > 0 for turns in result["turns"].values() for rate in turns)


def test_the_benchmark_of_studies_writes_every_launch_and_ratio(tmp_path: Path) -> None:
    found = figures("benchmark_study", tmp_path, "--trials", "1", "--steps", "200")

    assert {"machine", "versions", "plan", "launches", "peer", "ratios"} == set(found)
    runs = {side: [turn["runs"] for turn in of["turns"]] for side, of in found["launches"].items()}
    assert runs == {"ours": [2], "ours, 1 seed": [1], "ours, 1 trainer": [2]}
    for launch in found["launches"].values():
        assert all(figure > 0 for turn in launch["turns"] for figure in turn.values())
    peer_is_installed = "stable-baselines3" in found["versions"]
    assert (found["peer"] is not None) == peer_is_installed
    assert set(found["ratios"]) == {
        "scheduler_share_of_wall",
        "seeds_over_one_seed",
        "one_trainer_over_workers",
        *(["peer_over_ours"] if peer_is_installed else []),
    }


def test_the_benchmark_of_the_race_gives_every_method_as_many_runs(tmp_path: Path) -> None:
    found = figures("benchmark_race", tmp_path, "--study-seeds", "1", "--confirm", "2")

    race, alone, confirmed, *others = found["outcomes"]
    assert (alone["method"], confirmed["method"]) == ("race alone", "2 seeds and confirmation")
    assert alone["runs"] == alone["tuning_runs"] and confirmed["runs"] > confirmed["tuning_runs"]
    assert [one["method"] for one in others] == ["1 seed", "2 seeds", "5 seeds"]
    for seeds, other in zip((1, 2, 5), others, strict=True):
        assert other["runs"] == seeds * other["trials"]
        assert race["runs"] - seeds < other["runs"] <= race["runs"]
    assert all(8 <= one["worth"] <= 500 for one in found["outcomes"])
    assert len(found["table"].splitlines()) == 2 + 6


def test_an_exported_configuration_is_trained_there_and_here(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="pip install --group bench")
    file, out = tmp_path / "hparams.json", tmp_path / "scores.json"
    exported = HparamsFile(
        agent="deep_q",
        env=EnvTable(id="CartPole-v1"),
        budget_steps=600,
        evaluation=EvaluationTable(marks=5, episodes=2, score="final"),
        hparams={"learning_starts": 100, "epsilon_decay_steps": 200, "double": True},
    )
    hparams_file.write(file, exported, force=False)

    command = [sys.executable, str(SCRIPTS / "compare_export"), str(file), "--seeds", "3"]
    said = subprocess.run(
        [*command, "--json", str(out)], check=True, capture_output=True, text=True
    ).stdout

    assert "not carried over: double" in said
    assert "here less there" in said
    found = json.loads(out.read_text())
    for side in ("stable_baselines3", "here"):
        assert len(found[side]) == 3
        assert all(8 <= score <= 500 for score in found[side])


def test_a_peer_of_fewer_trials_is_scaled_without_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from study_timing import Peer

    peer = Peer(trials=4, runs=20, wall_s=105, start_up_s=5, cpu_s=1, evaluation_steps=1)

    assert peer.wall_s_of(20) == 505


def test_the_benchmark_of_the_sampler_writes_the_costs_at_every_size(tmp_path: Path) -> None:
    sizes = ("--trials", "2,12", "--open", "2", "--repetitions", "2")

    results = figures("benchmark_sampler", tmp_path, *sizes)["results"]

    assert [result["trials"] for result in results] == [2, 12]
    for result in results:
        assert set(result["costs"]) == {"ask", "report", "record", "race", "tell"}
        for costs in result["costs"].values():
            assert len(costs) == 2
            assert all(cost["wall_ms"] > 0 and cost["cpu_ms"] > 0 for cost in costs)


def test_the_benchmark_of_growth_fills_every_section_of_a_page(tmp_path: Path) -> None:
    found = figures("benchmark_growth", tmp_path, "--lanes", "1,2", "--trials", "2")
    command = [sys.executable, str(SCRIPTS / "plot_growth"), str(tmp_path / "figures.json")]
    command += ["--folder", str(tmp_path), "--browser", str(tmp_path / "none")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    sections = {"lanes": 2, "widths": 1, "memory": 1, "environments": 8, "trials": 1}
    assert {section: len(rows) for section, rows in found["figures"].items()} == sections
    for rate in found["figures"]["lanes"] + found["figures"]["widths"]:
        assert all(turn > 0 for turn in rate["turns"])
    for memory in found["figures"]["memory"]:
        assert 0 < memory["empty_mb"] <= memory["full_mb"] <= memory["peak_mb"]
    page = (tmp_path / "growth.md").read_text()
    assert page.count("## ") == len(sections)
    assert "growth.png" not in page
    assert "no picture" in said


def test_the_benchmark_of_variants_writes_what_each_costs(tmp_path: Path) -> None:
    costs = figures("benchmark_variants", tmp_path, "--lanes", "2")

    assert costs[0] == {"variant": "plain", "times": [1.0, 1.0]}
    assert {"dueling", "prioritized replay", "action as an input"} <= {c["variant"] for c in costs}
    assert all(times > 0 for cost in costs for times in cost["times"])


def test_reproductions_are_trained_once_and_make_a_page(tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    systems = ["random", "frozenlake-tabular"]
    reproduce = [sys.executable, str(SCRIPTS / "reproduce"), "--out", str(out), "--seeds", "3"]
    plot = [sys.executable, str(SCRIPTS / "plot_reproductions"), str(out)]

    subprocess.run([*reproduce, "--only", *systems], check=True)
    first = out.read_text()
    subprocess.run([*reproduce, "--only", *systems], check=True)
    subprocess.run([*plot, "--folder", str(tmp_path), "--browser", "no-such-browser"], check=True)

    assert out.read_text() == first
    found = [json.loads(line) for line in first.splitlines()]
    assert [(line["system"], line["seed"]) for line in found if line["system"] == "random"] == [
        ("random", seed) for seed in range(3)
    ]
    assert all(18.0 < line["mean"] < 27.0 for line in found if line["system"] == "random")
    lakes = [line for line in found if line["system"] == "frozenlake-tabular"]
    assert [line["mean"] for line in lakes] == [1.0] * 3
    assert all(len(line["episodes"]) == 500 for line in lakes)
    page = (tmp_path / "reproductions.md").read_text()
    assert page.count("| `random` (") == 1 and "1.00, every seed the same" in page
    assert "reproductions.png" not in page
