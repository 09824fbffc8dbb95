"""Exported files that someone has changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.claims import recomputed
from tuner.hparams_file import HparamsFile, checksum


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
