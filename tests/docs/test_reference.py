"""What `make docs` writes is committed as it is."""

import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from tuner import completion
from tuner.cli import app

ROOT = Path(__file__).parents[2]


def test_the_committed_command_reference_is_what_the_script_writes(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "write_command_reference"
    written = ["--docs", str(tmp_path), "--tree", str(tmp_path / "tree.json")]

    subprocess.run([sys.executable, str(script), *written], check=True, env={"COLUMNS": "40"})

    expected = (tmp_path / "commands.md").read_text()
    assert (ROOT / "docs" / "commands.md").read_text() == expected, "run `make docs`"
    tree = (tmp_path / "tree.json").read_text()
    assert completion.TREE.read_text() == tree, "run `make docs`"


def test_the_reference_has_every_command_and_option() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()

    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        section = text.partition(f"\n## tuner {name}\n")[2].partition("\n## ")[0]
        assert command.help in section
        for param in command.params:
            assert param.opts[0] in section and param.help in section.replace("\\|", "|")
