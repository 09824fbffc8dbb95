"""`tuner verify` trains the seeds of a claim again, and says whether it holds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import Quick
from tuner.hparams_file import checksum
from tuner.verification import Verdict, _where_the_claim_must_lie


def edited(exported: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """The exported file with some of it changed, and a checksum that fits again."""
    data = json.loads(exported.read_text())
    del data["sha256"]
    change(data)
    data["sha256"] = checksum(data)
    (folder / "h.json").write_text(json.dumps(data))
    return "h.json"


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
        del data["evidence"]["test"], data["evidence"]["confirm"]

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


def test_the_interval_holds_the_noise_of_both_sides() -> None:
    found = _where_the_claim_must_lie([10.0, 12.0, 14.0], [10.0, 12.0, 14.0])

    assert found is not None
    assert (found.low + found.high) / 2 == pytest.approx(12.0)
    assert found.half_width == pytest.approx(2.776 * (4 / 3 + 4 / 3) ** 0.5, rel=1e-3)


def test_without_any_spread_the_means_must_be_equal() -> None:
    assert _where_the_claim_must_lie([500.0] * 3, [500.0] * 3) is None
    same = Verdict("test", {1: 500.0}, {2: 500.0}, False, "other seeds were trained", None)
    other = Verdict("test", {1: 500.0}, {2: 499.0}, False, "other seeds were trained", None)

    assert (same.holds, other.holds) == (True, False)
