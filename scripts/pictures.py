"""Pictures of figures, drawn by a browser without a window."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import plotly.graph_objects as go

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_TIMEOUT_S = 120


def found_browser(named: str | None) -> str | None:
    """The one that was named, else one of those known; None, and a line that says so."""
    browsers = [named] if named else BROWSERS
    browser = next(filter(None, map(shutil.which, browsers)), None)
    if browser is None:
        print(f"no picture: {' or '.join(browsers)} not found; install it, or name it: --browser")
    return browser


def write_picture(figure: go.Figure, file: Path, browser: str) -> None:
    """Draw the figure, of the width and height in its layout, into a PNG file."""
    with TemporaryDirectory() as folder:
        html, drawn = Path(folder, "figure.html"), Path(folder, "figure.png")
        figure.write_html(html, include_plotlyjs=True, config={"displayModeBar": False})
        size = f"--window-size={figure.layout.width + 16},{figure.layout.height + 16}"
        command = [browser, "--headless", "--hide-scrollbars", f"--screenshot={drawn}", size]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium has none for root; the page is our own
        done = subprocess.run(
            [*command, html.as_uri()], capture_output=True, text=True, timeout=BROWSER_TIMEOUT_S
        )
        if not drawn.exists():
            sys.exit(f"{browser} drew nothing:\n{done.stderr}")
        shutil.copyfile(drawn, file)
