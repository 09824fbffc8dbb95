"""`tuner verify` trains the seeds of a claim again, and says whether it holds."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import Quick
from tests.tuner.conftest import Finished
from tests.tuner.forging import bear_out, edited
from tuner.intervals import claim_interval
from tuner.verification import Verdict


def test_a_true_claim_is_verified_bit_for_bit(exported: Path, quick: Quick, tmp_path: Path) -> None:
    claimed = json.loads(exported.read_text())["evidence"]["test"]

    ended = quick("verify", str(exported), folder=tmp_path)
    data = json.loads(quick("verify", str(exported), "--json", folder=tmp_path).out)

    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[-1].startswith("verified: claimed mean ")
    assert "3 of 3 scores are equal bit for bit" in ended.out
    assert (data["holds"], data["exact"], data["purpose"]) == (True, True, "test")
    assert [one["score"] for one in data["scores"]] == claimed["scores"]
    assert [one["seed"] for one in data["scores"]] == claimed["seeds"]
    assert list(tmp_path.iterdir()) == []


def test_a_score_that_was_changed_a_little_is_found(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    def flatter(data: dict[str, Any]) -> None:
        data["evidence"]["test"]["scores"][1] += 0.1
        bear_out(data)

    ended = quick("verify", edited(exported, tmp_path, flatter), folder=tmp_path)

    assert ended.code == 5
    assert "NOT equal" in ended.out and "NOT verified" in ended.out
    assert "2 of 3 scores are equal bit for bit" in ended.err
    assert "claimed mean" in ended.err and "trained again" in ended.err


@pytest.mark.parametrize(("promised", "code"), [(0.0, 0), (480.0, 5)])
def test_elsewhere_the_claimed_mean_must_lie_where_new_means_do(
    exported: Path, quick: Quick, tmp_path: Path, promised: float, code: int
) -> None:
    def made_elsewhere(data: dict[str, Any]) -> None:
        data["made_with"]["processor"] = "another"
        scores = data["evidence"]["test"]["scores"]
        data["evidence"]["test"]["scores"] = [score + promised for score in scores]
        bear_out(data)

    ended = quick("verify", edited(exported, tmp_path, made_elsewhere), folder=tmp_path)

    assert ended.code == code
    assert "bits need not be equal: processor was another, here" in ended.out
    assert ("does NOT lie in" in ended.err) == (code == 5)


def test_fresh_seeds_are_others_each_time(exported: Path, quick: Quick, tmp_path: Path) -> None:
    found = [
        json.loads(quick("verify", str(exported), "--seeds", "3", "--json", folder=tmp_path).out)
        for _ in range(2)
    ]

    seeds = [{one["seed"] for one in data["scores"]} for data in found]
    assert not seeds[0] & seeds[1]
    assert all(seed % 4 == 3 for seed in seeds[0] | seeds[1])  # of no study's pools
    assert [data["why_not_exact"] for data in found] == ["other seeds were trained"] * 2


def test_a_claim_of_tuning_seeds_is_called_one(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    def unconfirmed(data: dict[str, Any]) -> None:
        data["evidence"]["status"] = "unconfirmed"
        for name in ("test", "confirm", "optimism_gap", "optimism_gap_to_confirm"):
            del data["evidence"][name]
        data["evidence"].pop("difference_to_default", None)

    ended = quick("verify", edited(exported, tmp_path, unconfirmed), folder=tmp_path)

    assert ended.code == 0
    assert "the claim is of its tune seeds, which chose it" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["missing.json"], 2, "no such file"),
        (["h.json", "--seeds", "2"], 2, "--seeds: must be 3 to 1,000"),
        (["h.json", "--device", "tpu"], 2, "--device"),
        (["h.json"], 2, "the file claims nothing"),
    ],
)
def test_what_cannot_be_verified_is_refused(
    exported: Path, quick: Quick, tmp_path: Path, arguments: list[str], code: int, fragment: str
) -> None:
    edited(exported, tmp_path, lambda data: data.pop("evidence"))

    ended = quick("verify", *arguments, folder=tmp_path)

    assert (ended.code, ended.out) == (code, "")
    assert fragment in ended.err


def verdict(claimed: dict[int, float], scores: dict[int, float], **more: Any) -> Verdict:
    """Of a claim that was made elsewhere."""
    known: dict[str, Any] = {
        "purpose": "test",
        "exact": False,
        "why_not": "processor was another, here this",
        "interval": claim_interval(list(scores.values()), list(claimed.values())),
        "failures": {},
        "failed": 0,
        "words": "words",
        "said": "words",
        "uneven": False,
        "picked": False,
    }
    return Verdict(claimed=claimed, scores=scores, **(known | more))


def test_where_no_score_differs_a_claim_may_be_lower_and_not_higher() -> None:
    assert verdict({1: 500.0}, {1: 500.0}).holds
    assert verdict({1: 499.8}, {1: 500.0}).holds
    assert not verdict({1: 500.0}, {1: 499.8}).holds


def test_where_two_different_scores_came_out_equal_the_others_must_too() -> None:
    """Only the same arithmetic does that: one edited word cannot have the rest compared loosely."""
    claimed, scores = {1: 20.5, 2: 31.25, 3: 190.0}, {1: 20.5, 2: 31.25, 3: 40.0}

    found = verdict(claimed, scores)
    uneven = verdict(claimed, scores, uneven=True)

    assert found.objection == "2 of 3 scores are equal bit for bit, so that the others must be too"
    assert uneven.holds
    assert verdict({1: 500.0, 2: 500.0, 3: 490.0}, {1: 500.0, 2: 500.0, 3: 480.0}).holds


def test_runs_that_break_down_are_named_and_verify_nothing() -> None:
    gone = {1: "env_error: no display", 2: "env_error: no display"}

    all_gone = verdict({1: 9.0, 2: 9.0}, {1: 9.0, 2: 9.0}, exact=True, failures=gone, failed=2)
    unsaid = verdict(
        {1: 9.0, 2: 8.0}, {1: 9.0, 2: 8.0}, exact=True, failures={1: gone[1]}, failed=0
    )

    assert all_gone.objection == "every run broke down: env_error: no display"
    assert unsaid.objection == "1 runs broke down, 0 are claimed"
    assert "seed 1: score 9.0, claimed 9.0 (equal), broke down (env_error" in unsaid.text()


def test_what_a_file_says_of_random_agents_is_played_anew(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    """An environment that cannot run, and a claim that failed runs score so well."""

    def crashing(data: dict[str, Any]) -> None:
        data["env"]["kwargs"] = {"render_mode": "human"}
        data["evidence"]["random_score"] = 497.3
        for name in ("tune", "confirm", "test"):
            data["evidence"][name]["scores"] = [497.3] * len(data["evidence"][name]["scores"])
        bear_out(data)

    ended = quick(
        "verify", edited(exported, tmp_path, crashing), folder=tmp_path, env={"DISPLAY": ":99"}
    )

    assert ended.code != 0
    assert "verified: claimed" not in ended.out.replace("NOT verified", "")


def test_words_that_would_rule_the_terminal_are_shown_escaped(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    file = edited(
        exported, tmp_path, lambda data: data["evidence"].update(sentence="\x1b[2J all fine")
    )

    ended = quick("verify", file, folder=tmp_path)

    assert "the file words it otherwise: \\x1b[2J all fine" in ended.out


def test_seeds_that_follow_from_nothing_are_called_so(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    file = edited(exported, tmp_path, lambda data: data["evidence"].pop("master_seed"))

    ended = quick("verify", file, folder=tmp_path)

    assert ended.code == 0
    assert "does not say where its seeds come from" in ended.out


def test_other_words_than_the_scores_bear_out_are_shown_beside_them(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    file = edited(
        exported, tmp_path, lambda data: data["evidence"].update(sentence="The best there is.")
    )

    ended = quick("verify", file, folder=tmp_path)

    assert "the claim, in words: Tuning reported" in ended.out
    assert "the file words it otherwise: The best there is." in ended.out


def test_runs_of_two_machines_are_not_compared_bit_for_bit(
    finished: Finished, quick: Quick, tmp_path: Path
) -> None:
    """As after a study that was continued elsewhere."""
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    with sqlite3.connect(folder / "tuner.db") as database:
        database.execute(
            "UPDATE runs SET made_with = json_set(made_with, '$.processor', 'another') "
            "WHERE purpose = 'test' AND seed_index = 1"
        )

    quick("export", "-o", "h.json", folder=folder)
    ended = quick("verify", "h.json", folder=folder)

    assert ended.code == 0, ended.err
    assert "bits need not be equal: processor was " in ended.out
    assert "another" in ended.out and "compared by means" in ended.out


def test_lanes_that_depend_on_neighbours_need_not_all_come_out_equal(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    """Two scores that did come out equal say nothing of the third."""

    def approximate(data: dict[str, Any]) -> None:
        data["made_with"]["lane_selftest"] = "approximate"
        data["evidence"]["test"]["scores"][1] += 0.1
        bear_out(data)

    ended = quick("verify", edited(exported, tmp_path, approximate), folder=tmp_path)

    assert ended.code == 0, ended.out
    assert "NOT equal" in ended.out and "lanes are not independent" in ended.out
