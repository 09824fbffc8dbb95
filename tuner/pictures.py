"""Pictures of figures, drawn by a browser without a window."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import plotly.graph_objects as go

from tuner.errors import UsageError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_TIMEOUT_S = 120
NO_BROWSER = f"no picture: none of {', '.join(BROWSERS)} is installed here to draw it"


def found_browser(named: str | None = None) -> str | None:
    """The one that was named, else one of those known; None if it is not there."""
    return next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)


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
            raise UsageError(f"{browser} drew nothing:\n{done.stderr}")
        shutil.copyfile(drawn, file)
