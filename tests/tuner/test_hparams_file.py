"""hparams.json is what it claims to be, or it is refused."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.commands import Quick
from tuner import hparams_file
from tuner.errors import TunerError, UsageError, VerificationError

Content = dict[str, Any]


@pytest.fixture
def content(exported: Path) -> Content:
    """What the file says, without its checksum: as somebody would write it by hand."""
    data = json.loads(exported.read_text())
    del data["sha256"]
    return data


def refusal(text: str | bytes, folder: Path) -> TunerError:
    file = folder / "h.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TunerError) as refused:
        hparams_file.read(file)
    return refused.value


def test_the_checksum_is_over_everything_else_in_canonical_json(exported: Path) -> None:
    data = json.loads(exported.read_text())
    claimed = data.pop("sha256")
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert claimed == hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def test_a_file_reads_back_and_writes_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    hparams_file.write(tmp_path / "again.json", hparams_file.read(exported), force=False)

    assert (tmp_path / "again.json").read_bytes() == exported.read_bytes()


def test_a_file_truncated_at_any_byte_is_refused(exported: Path, tmp_path: Path) -> None:
    whole = exported.read_bytes()

    for length in range(len(whole) - 1):  # the last byte ends the last line, and nothing else
        error = refusal(whole[:length], tmp_path)
        assert isinstance(error, VerificationError), length
        assert "incomplete or damaged JSON at byte" in str(error)


def test_any_edited_digit_is_noticed(exported: Path, tmp_path: Path) -> None:
    whole = exported.read_bytes()
    body = whole[: whole.index(b'"sha256"')]

    for place in [place for place, byte in enumerate(body) if chr(byte) in "12345678"]:
        edited = whole[:place] + bytes([whole[place] + 1]) + whole[place + 1 :]
        if json.loads(edited) == json.loads(whole):
            continue  # the seventeenth digit of a number does not always count
        assert refusal(edited, tmp_path).exit_code in (2, 5)


def test_an_edited_file_says_so(exported: Path, tmp_path: Path) -> None:
    text = exported.read_text().replace('"gamma": 0.9', '"gamma": 0.8')

    error = refusal(text, tmp_path)

    assert error.exit_code == 5
    assert "the checksum does not match the content" in str(error)


def test_a_file_written_by_hand_needs_neither_checksum_nor_evidence(
    content: Content, tmp_path: Path
) -> None:
    for key in ("evidence", "made_with"):
        del content[key]
    (tmp_path / "h.json").write_text(json.dumps(content))

    assert hparams_file.read(tmp_path / "h.json").evidence is None


EDITS: dict[str, tuple[Callable[[Content], object], str]] = {
    "unknown hyperparameter": (
        lambda c: c["hparams"].update(gama=0.9),
        "hparams.gama: unknown key; did you mean 'gamma'?",
    ),
    "text for a number": (
        lambda c: c["hparams"].update(batch_size="64"),
        "hparams.batch_size: needs a whole number (got '64')",
    ),
    "half a transition": (
        lambda c: c["hparams"].update(batch_size=64.5),
        "hparams.batch_size: needs a whole number",
    ),
    "true for a number": (
        lambda c: c["hparams"].update(batch_size=True),
        "hparams.batch_size: needs a whole number (got true)",
    ),
    "no unit": (lambda c: c["hparams"].update(hidden_layers=[0]), "must be at least 1 (got 0)"),
    "too wide": (lambda c: c["hparams"].update(hidden_layers=[10**9]), "must be at most 16384"),
    "too deep": (lambda c: c["hparams"].update(hidden_layers=[8] * 1_000), "at most 16 entries"),
    "code for a name": (
        lambda c: c["hparams"].update(activation="os.system"),
        "hparams.activation: must be one of 'relu' or 'tanh' (got 'os.system')",
    ),
    "later schema": (lambda c: c.update(schema=99), "schema 99 is newer than this version"),
    "schema of text": (lambda c: c.update(schema="1"), "schema: must be one of 1"),
    "unknown agent": (lambda c: c.update(agent="sarsa"), "agent: must be one of 'deep_q'"),
    "unknown key": (lambda c: c.update(entry_point="os:system"), "entry_point: unknown key"),
    "near key": (lambda c: c.update(budget_step=1), "unknown key; did you mean 'budget_steps'?"),
    "no environment": (lambda c: c.pop("env"), "env: missing"),
    "environment of text": (lambda c: c.update(env="CartPole-v1"), "env: needs a table"),
    "no budget": (lambda c: c.update(budget_steps=0), "budget_steps: must be at least 1"),
    "hparams of text": (lambda c: c.update(hparams="x"), "hparams: needs a table"),
    "evidence of text": (lambda c: c.update(evidence="x"), "evidence: needs a table"),
    "more marks than steps": (lambda c: c.update(budget_steps=3), "budget_steps"),
    "evidence without tables": (lambda c: c.update(evidence={"tune": 5}), "evidence.tune"),
    "evidence without lists": (
        lambda c: c.update(evidence={"tune": {"seeds": 5, "scores": 5}}),
        "evidence.tune",
    ),
    "evidence of negative seeds": (
        lambda c: c.update(evidence={"tune": {"seeds": [-1], "scores": [1.0]}}),
        "evidence.tune",
    ),
    "evidence of textual seeds": (
        lambda c: c.update(evidence={"tune": {"seeds": ["a"], "scores": [1.0]}}),
        "evidence.tune",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_wrong_content_is_refused_by_place(edit: str, content: Content, tmp_path: Path) -> None:
    change, fragment = EDITS[edit]
    change(content)

    error = refusal(json.dumps(content), tmp_path)

    assert isinstance(error, UsageError)
    assert fragment in str(error)
    assert all(line.startswith(str(tmp_path / "h.json")) for line in error.problems)


@pytest.mark.parametrize(
    ("text", "code", "fragment"),
    [
        (b"", 5, "incomplete or damaged JSON"),
        (b"[]", 2, "must be a JSON object"),
        (b'"x"', 2, "must be a JSON object"),
        (b'{"a": 1, "a": 2}', 2, "'a' appears twice"),
        (b'{"a": NaN}', 2, "NaN is not a finite number"),
        (b'{"a": -Infinity}', 2, "-Infinity is not a finite number"),
        (b'{"budget_steps": 1e999}', 2, "budget_steps"),
        (b"[" * 100_000, 2, "nested deeper than 20 levels"),
        (b'{"a": "\xff"}', 2, "not UTF-8 text (at offset 7)"),
        (b" " * 1_000_001, 2, "larger than 1 MB"),
        (b'{"budget_steps": ' + b"9" * 5_000 + b"}", 2, "h.json"),
        (b'{"agent": "\\ud800", "sha256": "0"}', 5, "h.json"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_hparams_file_is_refused(
    text: bytes, code: int, fragment: str, tmp_path: Path
) -> None:
    error = refusal(text, tmp_path)

    assert error.exit_code == code
    assert fragment in str(error)


def test_all_problems_of_a_file_are_reported_together(content: Content, tmp_path: Path) -> None:
    content["budget_steps"] = 0
    content["hparams"] |= {"gama": 1, "tau": 7.0}

    text = str(refusal(json.dumps(content), tmp_path))

    assert all(place in text for place in ("budget_steps", "hparams.gama", "hparams.tau"))


@pytest.mark.parametrize(("damage", "code"), [("truncated", 5), ("edited", 5), ("missing", 2)])
def test_train_refuses_a_damaged_file_in_one_line(
    exported: Path, quick: Quick, tmp_path: Path, damage: str, code: int
) -> None:
    text = exported.read_text()
    if damage != "missing":
        edited = text[:500] if damage == "truncated" else text.replace("0.9", "0.8")
        (tmp_path / "h.json").write_text(edited)

    ended = quick("train", "h.json", "--out", "trained", folder=tmp_path)

    assert ended.code == code
    assert ended.err.count("\n") == 1 and ended.err.startswith("error: h.json: ")
    assert not (tmp_path / "trained").exists()
