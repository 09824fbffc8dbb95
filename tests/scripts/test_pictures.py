"""The README's pictures are drawn from a real study, and are small enough for a page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.tuner.conftest import Finished, finished  # noqa: F401 - a fixture

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_pictures"
NEEDED = os.environ.get("TUNER_TESTS_NEED_BROWSER") == "1"


@pytest.mark.skipif(
    not NEEDED and shutil.which("chromium") is None, reason="chromium is not installed"
)
def test_terminal_dashboard_and_report_are_drawn(
    finished: Finished,  # noqa: F811
    tmp_path: Path,
) -> None:
    names = ("terminal", "dashboard", "report")
    command = [sys.executable, str(SCRIPT), "tiny", finished.option, "--out", str(tmp_path)]

    ended = subprocess.run([*command, "--only", *names], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    for name in names:
        file = tmp_path / f"{name}.png"
        assert file.stat().st_size < 300_000
        picture = Image.open(file).convert("L")
        assert picture.width >= 1000
        assert len(picture.getcolors() or ()) > 10  # something is drawn there


def test_a_browser_that_is_not_there_is_said(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--browser", "no-such-browser", "--out", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True)

    assert ended.returncode == 1
    assert "no-such-browser not found" in ended.stderr
    assert list(tmp_path.iterdir()) == []
