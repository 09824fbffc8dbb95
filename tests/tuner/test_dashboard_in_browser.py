"""The real `tuner dashboard` in a real browser: figures, note, film, two trials, no edits."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tuner.commands import Quick, started, wait_until
from tests.tuner.conftest import Finished
from tests.tuner.dashboard_site import ATTACK, WRITES, example_path
from tests.tuner.test_film import filmed

if TYPE_CHECKING:
    from playwright.sync_api import Page

WAIT_MS = 60_000
H264 = 'video/mp4; codecs="avc1.64001f"'
CAN_PLAY = "kind => document.createElement('video').canPlayType(kind)"
PLAY = "video => { video.muted = true; return video.play() }"


@pytest.fixture(scope="module")
def with_films(
    finished: Finished, quick: Quick, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    folder = tmp_path_factory.mktemp("films") / "study"
    shutil.copytree(finished.folder, folder)
    study = replace(finished, folder=folder)
    filmed(study, quick)
    return study


@pytest.fixture(scope="module")
def address(with_films: Finished) -> Iterator[str]:
    """The URL that the command printed."""
    with started("dashboard", "--port=0", folder=with_films.folder) as serving:
        assert serving.stdout is not None
        yield serving.stdout.readline().strip()


def study_page(page: "Page", address: str, part: str = "") -> None:
    """Open the address, pick the study, go to a part of its pages."""
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.get_by_text(re.compile("^1. tiny")).click()
    page.wait_for_url("**/studies/1**")
    if part:
        page.goto(page.url.split("?")[0].rstrip("/") + part)


def test_the_figures_of_the_seeds_are_drawn(page: "Page", address: str) -> None:
    study_page(page, address)

    figures = page.locator('[id^="user-defined-plot:"]')
    figures.first.locator(".main-svg").first.wait_for()
    assert all(figures.nth(k).locator(".main-svg").count() for k in range(figures.count()))
    titles = page.locator('[id^="user-defined-plot:"] .g-gtitle').all_text_contents()
    assert any("Learning curves" in title for title in titles)


def test_the_note_has_the_result_and_the_command(page: "Page", address: str) -> None:
    study_page(page, address, "/note")

    page.get_by_text("fresh seeds that chose nothing").wait_for()
    page.get_by_text("tuner launch tiny.toml").wait_for()
    page.get_by_role("cell", name=re.compile(r"\(chosen\)")).wait_for()


def test_a_film_plays_in_the_page(page: "Page", address: str) -> None:
    study_page(page, address)
    films = page.locator("video")
    films.first.wait_for()
    if not page.evaluate(CAN_PLAY, H264):
        pytest.skip("this Chromium plays no H.264")

    assert films.count() == 3
    film = films.first
    film.evaluate(PLAY)
    page.wait_for_function(
        "video => video.readyState >= 2 && video.currentTime > 0.05",
        arg=film.element_handle(),
    )


def test_two_trials_stand_side_by_side(page: "Page", address: str) -> None:
    study_page(page, address, "/trials?numbers=0,1")

    for trial in (0, 1):
        page.get_by_role("heading", name=f"Trial {trial} (trial_id={trial + 1})").wait_for()
    assert page.get_by_text(re.compile("^every seed's score ")).count() == 2


def test_every_write_of_somebody_who_knows_the_token_is_refused(page: "Page", address: str) -> None:
    study_page(page, address)
    base = address.partition("/?")[0]

    for route in WRITES:
        method, path = route.split()[0], example_path(route)
        answer = page.request.fetch(
            base + path, method=method, data=ATTACK, headers={"Origin": base}
        )
        assert answer.status == 403, route
        assert "This dashboard only shows." in answer.text()


def test_open_hands_the_address_to_the_browser(finished: Finished, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}.part && mv {seen}.part {seen}\n')
    program.chmod(0o755)

    options = ("dashboard", "--port=0", "--open")
    with started(*options, folder=finished.folder, env={"BROWSER": str(program)}) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline().strip()
        wait_until(seen.exists)

    assert seen.read_text().strip() == address
