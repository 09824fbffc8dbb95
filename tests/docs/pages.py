"""The pages of documentation, taken apart: files that they show, commands that they name."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = ("", "sh", "bash", "console")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.(?:toml|py))\n")


@dataclass(frozen=True)
class Block:
    """Between two fences. file: the name in its first line, if that is a comment with a name."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        match = FILE_NAME.match(self.text)
        return match[1] if match else None

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, without prompt and comment, continued lines as one."""
        if self.language not in SHELL:
            return []
        joined = self.text.replace("\\\n", " ")
        lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()]
        return [line.removeprefix("$ ") for line in lines if line]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page in order."""
    return [Block(language, text) for language, text in FENCE.findall(page.read_text())]


def inline_commands(page: Path) -> Iterator[list[str]]:
    """The words of every `tuner ...` that stands in a sentence or a table of a page."""
    text = FENCE.sub("", page.read_text())
    for span in re.findall(r"`(tuner [^`]+)`", text):
        yield shlex.split(span.replace("\\|", "|"))
