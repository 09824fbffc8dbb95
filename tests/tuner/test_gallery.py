"""Every figure of the gallery, drawn by a real browser for studies of every kind."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from tests.browser import opened
from tests.tuner.summaries import summary_of
from tuner.figures.style import titled
from tuner.gallery import GALLERY, Exhibit
from tuner.summary import StudySummary

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IN_DASHBOARD = [exhibit for exhibit in GALLERY if exhibit.in_dashboard]
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
LOOK = """async figure => {
    const plot = document.getElementById("figure");
    Plotly.purge(plot);
    plot.style.height = (figure.layout.height || 450) + "px";
    await Plotly.newPlot(plot, figure);
    const box = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("text")].filter(t => t.textContent.trim());
    const outside = texts.filter(t => {
        const b = t.getBoundingClientRect();
        return b.width > 0 && (b.left < box.left - 1 || b.right > box.right + 1
            || b.top < box.top - 1 || b.bottom > box.bottom + 1);
    });
    const boxes = texts.map(t => [t.textContent, t.getBoundingClientRect()]);
    const overlapping = boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
        .filter(([_, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
        .map(([other, _]) => `${one} | ${other}`));
    return {
        overlapping,
        drawn: plot.querySelectorAll(".plot-container .trace, .plot-container .points").length,
        text: texts.map(t => t.textContent),
        outside: outside.map(t => t.textContent),
    };
}"""


def axis_titles(figure: go.Figure) -> set[str]:
    axes = (*figure.select_xaxes(), *figure.select_yaxes())
    return {axis.title.text for axis in axes if axis.title.text}


@cache
def made(shape: str) -> StudySummary:
    return summary_of(**SHAPES[shape])


@dataclass(frozen=True)
class Plotted:
    """A page that has Plotly loaded, and what it complained of."""

    page: "Page"
    complaints: list[str]

    def look(self, figure: go.Figure, width: int) -> dict[str, Any]:
        """What the browser shows of a figure at that width."""
        self.page.set_viewport_size({"width": width, "height": 600})
        return self.page.evaluate(LOOK, json.loads(figure.to_json()))


@pytest.fixture(scope="module")
def plotted(browser: "Browser") -> Iterator[Plotted]:
    with opened(browser) as (page, complaints):
        page.set_content("<body style='margin: 0'><div id=figure></div>")
        page.add_script_tag(content=get_plotlyjs())
        yield Plotted(page, complaints)


@pytest.mark.parametrize("exhibit", GALLERY, ids=lambda exhibit: exhibit.name)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_browser_draws_it_whole(exhibit: Exhibit, shape: str, plotted: Plotted) -> None:
    found = exhibit.find(made(shape))
    if found is None:
        assert shape not in ("a whole study", "a thousand trials")
        return

    for width, with_title in WIDTHS.items():
        figure = exhibit.draw(found)
        if with_title:
            titled(figure, found.title, found.caption)
        seen = plotted.look(figure, width)

        assert seen["drawn"]
        assert (seen["outside"], seen["overlapping"]) == ([], [])
        assert axis_titles(figure) <= set(seen["text"])
    assert plotted.complaints == []


@pytest.mark.parametrize("exhibit", IN_DASHBOARD, ids=lambda exhibit: exhibit.name)
def test_it_stays_small_in_the_dashboard_with_a_thousand_trials(exhibit: Exhibit) -> None:
    found = exhibit.find(made("a thousand trials"))

    assert found is not None
    assert len(exhibit.draw(found).to_json().encode()) < LARGEST_BYTES
