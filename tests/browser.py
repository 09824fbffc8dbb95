"""A real browser for tests: headless Chromium, driven by Playwright.

Where either is missing these tests are skipped; with TUNER_TESTS_NEED_BROWSER=1 they fail instead.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

NEEDED = "TUNER_TESTS_NEED_BROWSER"
MISSING = (
    f"needs a browser: {{}}; install Chromium (`playwright install chromium`), {NEEDED}=1 makes "
    "this a failure"
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Headless Chromium: the system's, or the one that Playwright installed."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _go_without("the package playwright is not installed")
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        path = _chromium(playwright)
        if path is None:
            _go_without("there is no Chromium")
        chromium = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        stack.callback(chromium.close)
        yield chromium


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A page of its own; the test fails if anything on it complains."""
    with opened(browser) as (page, complaints):
        yield page
    assert not complaints


@contextmanager
def opened(browser: "Browser") -> "Iterator[tuple[Page, list[str]]]":
    """An empty page, and what it will complain of: errors of its scripts and on its console."""
    complaints: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        yield page, complaints


def _chromium(playwright: "Playwright") -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    installed = (shutil.which(name) for name in names)
    own = playwright.chromium.executable_path
    return next(filter(None, installed), own if Path(own).exists() else None)


def _go_without(what: str) -> None:
    if os.environ.get(NEEDED) == "1":
        pytest.fail(MISSING.format(what))
    pytest.skip(MISSING.format(what))
