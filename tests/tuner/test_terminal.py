"""What `launch` and `status` draw in a real terminal."""

import re
from pathlib import Path

import pytest

from tests.tuner import tiny
from tests.tuner.commands import wait_until
from tests.tuner.conftest import Finished
from tests.tuner.terminal import Terminal, terminal
from tests.tuner.tiny import changed, written

FIELDS = ("study", "phase", "trials", "runs", "lanes", "pace", "best", "time")
SLOWER = changed(("steps = 600", "steps = 3_000"))
LONG_S = 120  # where many tests share a core


def picture(shown: list[str]) -> dict[str, str]:
    """Field → what stands beside it."""
    found = (re.match(r"(\w+) +(.*?) *$", line) for line in shown)
    return {match[1]: match[2] for match in found if match and match[1] in FIELDS}


def ended(pane: Terminal) -> int | None:
    """The exit code of the command in the pane; None while it runs."""
    found = re.findall(r"^ended (\d+)$", pane.text(), re.MULTILINE)
    return int(found[-1]) if found else None


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (40, 20)])
def test_a_launch_draws_every_field_and_leaves_nothing_of_it_behind(
    tmp_path: Path, columns: int, rows: int
) -> None:
    file = written(tmp_path, SLOWER)
    seen: dict[str, str] = {}

    with terminal(tmp_path, columns, rows) as pane:
        pane.tuner("launch", file, "--workers", "1", "--lanes", "4")

        def is_over() -> bool:
            shown = pane.lines()
            assert max(map(len, shown)) <= columns
            found = picture(shown)
            if "none" not in found.get("best", "none"):
                seen.update(found)
            return ended(pane) is not None

        wait_until(is_over, timeout_s=LONG_S)
        code, left = ended(pane), pane.text()

    assert code == 0
    assert set(FIELDS) <= seen.keys()
    assert seen["study"] == "tiny"
    assert "confirm" in seen["phase"]
    assert seen["trials"].endswith(" of 3")
    assert re.search(r"\d+ of (about )?\d+$", seen["runs"])
    assert re.match(r"\d of 4 busy", seen["lanes"])
    assert re.fullmatch(r"[\d,]+ steps/s", seen["pace"])
    assert re.match(r"[\d.]+ ± [\d.]+ · trial \d", seen["best"])
    assert re.match(r"\d:\d\d used", seen["time"])
    assert picture(left.splitlines()) == {}


def test_a_terminal_may_shrink_while_a_launch_runs_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    file = written(tmp_path, changed(("steps = 600", "steps = 2_000_000")))

    with terminal(tmp_path, 100, 30) as pane:
        pane.tuner("launch", file, "--workers", "1", "--lanes", "2")
        wait_until(lambda: "pace" in picture(pane.lines()), LONG_S)
        pane.resize(44, 20)
        wait_until(lambda: "pace" in picture(pane.lines()) and is_narrow(pane), LONG_S)
        narrow = pane.lines()
        pane.press("C-c")
        wait_until(lambda: ended(pane) is not None, LONG_S)
        code, left, last = ended(pane), pane.text(), pane.lines()

    assert [line.split()[:1] for line in narrow].count(["study"]) == 1
    assert code == 130
    assert "stopped; every finished run is kept; run the same command to go on" in left
    assert picture(last) == {}  # what the terminal itself wrapped may stand above the screen


def is_narrow(pane: Terminal) -> bool:
    """Whether the bar ends where its text begins to fit into 44 columns."""
    return any(re.match(r"trials [━]+ \d of 3$", line) for line in pane.lines())


@pytest.mark.parametrize("columns", [40, 80])
def test_status_draws_the_same_picture_of_a_finished_study(
    finished: Finished, columns: int
) -> None:
    runs = len(tiny.recorded(finished.folder))

    with terminal(finished.folder, columns, 150) as pane:
        pane.tuner("status")
        wait_until(lambda: ended(pane) is not None, LONG_S)
        shown, drawn = pane.lines(), pane.lines(colours=True)

    found = picture(shown)
    assert max(map(len, shown)) <= columns
    assert found["phase"] == "search → confirm → test → done"
    assert found["runs"].endswith(f"{runs} of {runs}")
    assert re.match(r"\d:\d\d used$", found["time"])
    assert "lanes" not in found and "pace" not in found
    assert any(block in "".join(shown) for block in "▁▂▃▄▅▆▇█")
    assert "\x1b[" in "".join(drawn)


@pytest.mark.parametrize(
    ("env", "is_ascii", "is_coloured"),
    [({"NO_COLOR": "1"}, False, False), ({"LANG": "C"}, True, True)],
)
def test_a_terminal_may_want_no_colours_or_know_only_ascii(
    finished: Finished, env: dict[str, str], is_ascii: bool, is_coloured: bool
) -> None:
    with terminal(finished.folder, 80, 150, env) as pane:
        pane.tuner("status")
        wait_until(lambda: ended(pane) is not None, LONG_S)
        top = "\n".join(line for line in pane.lines(colours=True)[1:8] if "status" not in line)

    assert "search" in top and "trial" in top
    assert bool(re.search(r"\x1b\[[\d;]*3[0-7]m", top)) == is_coloured
    assert top.isascii() == is_ascii
