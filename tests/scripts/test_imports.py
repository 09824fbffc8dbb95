"""Scripts find what they import: nobody imports them, so that nothing else would notice."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
FROM_THE_BENCH_GROUP = {"jax", "rejax", "stable_baselines3"}


def python_files() -> Iterator[Path]:
    for path in sorted(SCRIPTS.iterdir()):
        if path.is_file() and (
            path.suffix == ".py" or "python" in path.read_text().partition("\n")[0]
        ):
            yield path


@pytest.mark.parametrize("path", list(python_files()), ids=lambda path: path.name)
def test_a_script_finds_every_module_it_imports(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))

    wanted = {name for name in modules if name.partition(".")[0] not in FROM_THE_BENCH_GROUP}

    assert {name for name in wanted if importlib.util.find_spec(name) is None} == set()
