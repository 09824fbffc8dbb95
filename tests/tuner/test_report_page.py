"""The report in a real browser: without a network, light and dark, wide and narrow, hostile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tuner.summaries import summary_of
from tests.tuner.tiny import a_run
from tuner.comparison import compare
from tuner.gallery import GALLERY
from tuner.report import Report, report
from tuner.report_page import comparison_page, report_page
from tuner.storage import DEFAULT_URL
from tuner.study import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LARGEST_BYTES = 6_000_000
HOSTILE = "</script><!--<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


@contextmanager
def shown(
    browser: "Browser", file: Path, *, width: int = 1280, scheme: str = "light"
) -> "Iterator[Page]":
    """The file as a browser without a network shows it. Fails if anything on it complains."""
    complaints: list[str] = []
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme, offline=True) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on(
            "request",
            lambda r: None if r.url.startswith("file:") else complaints.append(r.url),
        )
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-drawn]")
        yield page
    assert complaints == []


@pytest.fixture(scope="module")
def whole() -> Report:
    return report(summary_of(trials=30, seeds=4, marks=20, hparams=6), DEFAULT_URL)


@pytest.fixture(scope="module")
def written(whole: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page(whole))
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_figure_is_drawn_and_nothing_sticks_out(
    browser: "Browser", written: Path, whole: Report, width: int, scheme: str
) -> None:
    with shown(browser, written, width=width, scheme=scheme) as page:
        drawn = page.locator("figure .plot svg.main-svg:first-child").count()
        widest = page.evaluate("() => document.documentElement.scrollWidth")
        paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    found = [finding for _, finding in whole.exhibits if finding is not None]
    assert drawn == len(found) == len(GALLERY)
    assert widest == width
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_it_reads_in_order(browser: "Browser", written: Path, whole: Report) -> None:
    with shown(browser, written) as page:
        headings = page.locator("h2").all_inner_texts()
        lede = page.locator(".lede").inner_text()
        rows = page.locator("#finalists ~ .scroll").first.locator("tbody tr").count()

    assert headings == [
        "Finalists",
        "Figures",
        "Gain over the default configuration",
        "Budget spent",
        "Failures",
        "Reproducibility checklist",
        "How to reproduce this",
    ]
    assert whole.sentence is not None
    assert lede == " ".join(whole.sentence.split())
    assert rows == len(whole.configurations)


def test_what_the_database_says_is_text_and_never_runs(browser: "Browser", tmp_path: Path) -> None:
    summary = summary_of(trials=20, seeds=2)
    broken = a_run(trial=1, status="failed", error=f"Traceback\n{HOSTILE}")
    trials = list(summary.trials)
    trials[3] = replace(trials[3], failure=HOSTILE, params=trials[3].params | {HOSTILE: HOSTILE})
    finals = replace(summary.finals, runs=[*summary.finals.runs, broken])
    spec = summary.study.spec()
    spec["study"]["env"] = HOSTILE
    hostile = replace(summary, trials=trials, study=Study.from_spec(spec), finals=finals)
    file = tmp_path / "hostile.html"
    file.write_text(report_page(report(hostile, f"sqlite:///{HOSTILE}.db")))

    with shown(browser, file) as page:
        failures = page.locator("#failures ~ .scroll").first.inner_text()
        kicker = page.locator(".kicker").inner_text()
        images = page.locator("img").count()
        scripts = page.locator("script:not([type])").count()

    assert HOSTILE in failures and HOSTILE in kicker
    assert (images, scripts) == (0, 2)


def test_script_that_got_into_the_page_would_not_run(browser: "Browser", written: Path) -> None:
    injected = written.with_name("injected.html")
    text = written.read_text().replace("<header>", "<header><script>document.title = 1</script>")
    injected.write_text(text)

    with browser.new_context() as context:
        page = context.new_page()
        page.goto(injected.as_uri())
        page.wait_for_selector("body[data-drawn]")
        title = page.title()

    assert "report of a hyperparameter search" in title


def test_a_thousand_trials_stay_below_six_megabytes(browser: "Browser", tmp_path: Path) -> None:
    large = summary_of(trials=1000, seeds=3, raced=False, marks=25, hparams=10)
    file = tmp_path / "large.html"

    file.write_text(report_page(report(large, DEFAULT_URL)))

    assert file.stat().st_size < LARGEST_BYTES
    with shown(browser, file) as page:
        assert page.locator("figure .plot svg.main-svg:first-child").count() == len(GALLERY)


@pytest.mark.parametrize(
    "shape",
    [
        {"trials": 1, "seeds": 1},
        {"trials": 6, "running": 2, "finals": "none"},
        {"trials": 2, "running": 2, "finals": "none"},
        {"trials": 12, "failed": {0: 1, 3: 2}, "pruned": (4, 5), "finals": "confirmed"},
    ],
    ids=["one trial", "unfinished", "nothing complete", "failures"],
)
def test_a_study_in_any_state_has_a_page(
    browser: "Browser", tmp_path: Path, shape: dict[str, object]
) -> None:
    found = report(summary_of(**shape), DEFAULT_URL)
    (tmp_path / "r.html").write_text(report_page(found))
    json.dumps(found.as_data(), allow_nan=False)

    with shown(browser, tmp_path / "r.html", width=390) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert page.locator("figure").count() == len(GALLERY)


def test_two_studies_stand_side_by_side(browser: "Browser", tmp_path: Path) -> None:
    one, other = summary_of(trials=8), summary_of(trials=12)
    spec = other.study.spec()
    spec["study"]["name"] = "other"
    other = replace(other, study=Study.from_spec(spec))
    file = tmp_path / "both.html"
    file.write_text(comparison_page(compare(report(one, DEFAULT_URL), report(other, DEFAULT_URL))))

    for width in (1280, 390):
        with shown(browser, file, width=width) as page:
            assert page.locator("figure .plot svg.main-svg:first-child").count() == 2
            assert page.evaluate("() => document.documentElement.scrollWidth") == width
            assert page.locator("h1").inner_text() == "tiny and other"
