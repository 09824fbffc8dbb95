"""What a file says of its scores must follow from them; `tuner verify` looks before it trains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import Quick
from tests.tuner.forging import edited


@pytest.mark.parametrize(
    ("name", "value"),
    [("trials", "abc"), ("reliability", "0.3"), ("return_bounds", [1]), ("tested_before", 3),
     ("status", "tested by God"), ("sentence", [1, 2]), ("difference_to_default", [1])],
)  # fmt: skip
def test_evidence_of_a_wrong_kind_is_refused(
    exported: Path, quick: Quick, tmp_path: Path, name: str, value: object
) -> None:
    file = edited(exported, tmp_path, lambda data: data["evidence"].update({name: value}))

    ended = quick("verify", file, folder=tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert f"evidence.{name}" in ended.err


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a mean": (lambda e: e["test"].update(mean=499.9), "evidence.test.mean: 499.9, but its scores"),
    "a number of solved seeds": (
        lambda e: e["test"].update(solved=3),
        "evidence.test.solved: 3, but its scores say 0",
    ),
    "an easier threshold": (
        lambda e: e["test"].update(threshold=1.0, solved=3),
        "evidence.test.threshold: 1, but CartPole-v1 counts as solved from 475.0 on",
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
    "confirmation seeds for the author's own": (
        lambda e: e.update(test=e["confirm"], own_seeds=["test", "confirm"]),
        "is also a seed of evidence.confirm",
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
        (lambda t: t.update(failed=4), "4 of 3 runs cannot have failed"),
        (lambda t: t.update(failed=-1), "failed: must be at least 0"),
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
