"""Every figure of the gallery, drawn by a real browser for studies of every kind."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from plotly.offline import get_plotlyjs

from tests.tuner.summaries import summary_of
from tuner.figures.style import titled
from tuner.gallery import GALLERY, Exhibit
from tuner.summary import StudySummary

if TYPE_CHECKING:
    from playwright.sync_api import Page

LARGEST_BYTES = 100_000
LARGE: dict[str, Any] = {
    "trials": 1000, "seeds": 3, "raced": False, "marks": 25, "hparams": 10,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "a whole study": {"trials": 40, "seeds": 5, "marks": 20},
    "one trial of one seed": {"trials": 1, "seeds": 1},
    "failures": {"trials": 12, "hparams": 15, "failed": {0: 1, 3: 4, 11: 4}, "pruned": (5, 6)},
    "not finished": {"trials": 12, "running": 3, "finals": "none", "pause_s": 36_000.0},
    "not a trial complete": {"trials": 2, "running": 2, "finals": "none"},
    "a thousand trials": LARGE,
}
# width in pixels → whether title and caption are drawn too: on phones the page has them
WIDTHS = {640: True, 390: False}
LONGEST_OVERHANG_PX = 1
LOOK = """() => {
    const plot = document.querySelector(".js-plotly-plot");
    const box = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("text")].filter(t => t.textContent.trim());
    const outside = texts.filter(t => {
        const b = t.getBoundingClientRect();
        return b.width > 0 && (b.left < box.left - 1 || b.right > box.right + 1
            || b.top < box.top - 1 || b.bottom > box.bottom + 1);
    });
    return {
        drawn: plot.querySelectorAll(".plot-container .trace, .plot-container .points").length,
        text: texts.map(t => t.textContent),
        outside: outside.map(t => t.textContent),
    };
}"""


@cache
def made(shape: str) -> StudySummary:
    return summary_of(**SHAPES[shape])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds Plotly, which every page loads."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "plotly.js").write_text(get_plotlyjs())
    (folder / "page.html").write_text(
        "<!doctype html><meta charset=utf-8><script src=plotly.js></script>"
        "<body style='margin: 0'><div id=figure></div>"
    )
    return folder


@pytest.mark.parametrize("exhibit", GALLERY, ids=lambda exhibit: exhibit.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_browser_draws_it_whole(exhibit: Exhibit, shape: str, folder: Path, page: "Page") -> None:
    found = exhibit.find(made(shape))
    if found is None:
        assert shape not in ("a whole study", "a thousand trials")
        return
    figure = exhibit.draw(found)
    axes = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes())]

    for width, with_title in WIDTHS.items():
        if with_title:
            titled(figure, found.title, found.caption)
        page.set_viewport_size({"width": width, "height": 600})
        page.goto(f"file://{folder}/page.html")
        page.evaluate("f => Plotly.newPlot('figure', f)", json.loads(figure.to_json()))
        seen = page.evaluate(LOOK)

        assert seen["drawn"]
        assert seen["outside"] == []
        assert all(title in " ".join(seen["text"]) for title in axes if title)


@pytest.mark.parametrize("exhibit", GALLERY, ids=lambda exhibit: exhibit.name)
def test_it_stays_small_with_a_thousand_trials(exhibit: Exhibit) -> None:
    found = exhibit.find(made("a thousand trials"))

    assert found is not None
    assert len(exhibit.draw(found).to_json().encode()) < LARGEST_BYTES
