"""`tuner verify` trains the seeds of a claim again, and says whether it holds."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import Quick
from tests.tuner.conftest import Finished
from tuner.claims import recomputed
from tuner.hparams_file import HparamsFile, checksum
from tuner.verification import Verdict


def edited(exported: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """The exported file with some of it changed, and a checksum that fits again."""
    data = json.loads(exported.read_text())
    del data["sha256"]
    change(data)
    data["sha256"] = checksum(data)
    (folder / "h.json").write_text(json.dumps(data))
    return "h.json"


def bear_out(data: dict[str, Any]) -> None:
    """Let the figures of the evidence follow from its scores."""
    data["evidence"] |= recomputed(HparamsFile.model_validate(data)).as_data()


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


def verdict(mean: float, claimed: float) -> Verdict:
    """Of new scores without any spread."""
    return Verdict("test", {1: claimed}, {2: mean}, False, "elsewhere", None, "words", "words")


def test_where_new_scores_show_no_spread_a_claim_may_be_lower_and_not_higher() -> None:
    assert verdict(500.0, claimed=500.0).holds
    assert verdict(500.0, claimed=499.8).holds
    assert not verdict(499.8, claimed=500.0).holds


def test_the_claimed_scores_own_spread_does_not_widen_where_they_must_lie(
    exported: Path, quick: Quick, tmp_path: Path
) -> None:
    def wild(data: dict[str, Any]) -> None:
        data["made_with"]["processor"] = "another"
        data["evidence"]["test"]["scores"] = [499.0, 9.0, 499.0]
        bear_out(data)

    ended = quick("verify", edited(exported, tmp_path, wild), folder=tmp_path)

    assert ended.code == 5
    assert "does NOT lie in" in ended.err


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a mean": (lambda e: e["test"].update(mean=499.9), "evidence.test.mean: 499.9, but its scores"),
    "a number of solved seeds": (
        lambda e: e["test"].update(threshold=475.0, solved=3),
        "evidence.test.solved: 3, but its scores say 0",
    ),
    "a gap": (lambda e: e.update(optimism_gap=0.0), "evidence.optimism_gap: 0.0"),
    "the default's mean": (
        lambda e: e["default_config_test"].update(mean=1.0),
        "evidence.default_config_test.mean",
    ),
    "a difference": (
        lambda e: e["difference_to_default"].update(mean=400.0),
        "evidence.difference_to_default.mean: 400.0",
    ),
    "the best seed alone": (
        lambda e: e["test"].update(seeds=e["test"]["seeds"][1:2], scores=e["test"]["scores"][1:2]),
        "evidence.test.seeds: not the first 1 test seeds that follow from master seed 7",
    ),
    "tuning seeds for test seeds": (
        lambda e: e["test"].update(seeds=e["tune"]["seeds"], scores=e["tune"]["scores"]),
        "evidence.test.seeds: not the first 2 test seeds",
    ),
    "an impossible score": (
        lambda e: e["test"].update(scores=[501.0, *e["test"]["scores"][1:]]),
        "evidence.test.scores: 501.0 is no return of CartPole-v1, which lie in 0 to 500",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_file_that_its_own_scores_contradict_is_not_even_trained(
    exported: Path, quick: Quick, tmp_path: Path, name: str
) -> None:
    forge, fragment = FORGERIES[name]

    file = edited(exported, tmp_path, lambda data: forge(data["evidence"]))
    ended = quick("verify", file, folder=tmp_path)

    assert (ended.code, ended.out) == (5, "")
    assert fragment in ended.err


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda t: t["scores"].pop(), "3 seeds, but 2 scores"),
        (lambda t: t.update(seeds=[t["seeds"][0]] * 3), "a seed stands twice"),
    ],
)
def test_seeds_and_scores_that_do_not_go_together_are_refused(
    exported: Path,
    quick: Quick,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    fragment: str,
) -> None:
    file = edited(exported, tmp_path, lambda data: change(data["evidence"]["test"]))

    ended = quick("verify", file, folder=tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert fragment in ended.err


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
    assert "another" in ended.out and "verified by its mean, not bit for bit" in ended.out
