"""Imports go downward only, files stay short, and the README names what there is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from agents.kinds import KINDS
from tuner import study as studies
from tuner.cli import app

ROOT = Path(__file__).parents[2]
LONGEST = 400
FREE_OF_TORCH = {
    "agents.__init__",
    "agents.budget",
    "agents.classic_control",
    "agents.deep_q_hparams",
    "agents.device",
    "agents.environments",
    "agents.errors",
    "agents.files",
    "agents.hparams",
    "agents.kinds",
    "agents.lane_envs",
    "agents.problems",
    "agents.provenance",
    "agents.tabular_hparams",
}
KNOW_OPTUNA = {
    "tuner.artifacts",
    "tuner.cli",
    "tuner.dashboard.exhibition",
    "tuner.dashboard.overlay",
    "tuner.dashboard.serving",
    "tuner.finals",
    "tuner.findings.importance",
    "tuner.optuna_objective",
    "tuner.planning",
    "tuner.samplers",
    "tuner.search_space",
    "tuner.storage",
    "tuner.summary",
    "tuner.trials",
}
TRAIN = {
    "tuner.evaluation",
    "tuner.filming",
    "tuner.imitation",
    "tuner.optuna_objective",
    "tuner.planning",
    "tuner.retrain",
    "tuner.seed_directories",
    "tuner.trained_agent",
    "tuner.trainer",
    "tuner.training_log",
    "tuner.claims",
    "tuner.verification",
    "tuner.watching",
}
ARE_COMMANDS = {
    "tuner.agent_commands",
    "tuner.arguments",
    "tuner.cli",
    "tuner.completion",
    "tuner.dashboard_commands",
    "tuner.editor_commands",
    "tuner.file_commands",
    "tuner.report_command",
    "tuner.study_commands",
    "tuner.viewing_commands",
}


def modules() -> dict[str, ast.Module]:
    """Every module that is shipped, by its name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
        for package in ("agents", "tuner")
        for path in sorted((ROOT / package).rglob("*.py"))
    }


MODULES = modules()


def imported(tree: ast.AST, *, when_loaded: bool = False) -> set[str]:
    """The dotted names that a module imports. when_loaded: only as soon as it is loaded."""
    names = set()
    for node in _loaded(tree) if when_loaded else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def _loaded(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not checking and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _loaded(node)


def who_imports(package: str, *, when_loaded: bool = False) -> set[str]:
    return {
        module
        for module, tree in MODULES.items()
        if any(
            name == package or name.startswith(f"{package}.")
            for name in imported(tree, when_loaded=when_loaded)
        )
    }


def test_agents_has_never_heard_of_optuna_nor_of_the_tuner() -> None:
    for package in ("optuna", "tuner", "sqlalchemy", "typer", "rich", "plotly", "studies"):
        assert not {name for name in who_imports(package) if name.startswith("agents.")}, package


def test_torch_stays_in_agents() -> None:
    users = who_imports("torch") | who_imports("safetensors")

    assert {name for name in users if name.startswith("tuner.")} == set()


def test_what_the_scheduler_needs_of_agents_is_free_of_torch() -> None:
    assert not FREE_OF_TORCH & who_imports("torch", when_loaded=True)
    heavy = {name for name in MODULES if name.startswith("agents.")} - FREE_OF_TORCH
    users = set().union(*(who_imports(name, when_loaded=True) for name in heavy))

    assert {name for name in users if name.startswith("tuner.")} <= TRAIN
    assert not users & FREE_OF_TORCH
    for trains in TRAIN:
        assert who_imports(trains, when_loaded=True) <= TRAIN


def test_each_library_is_known_to_few() -> None:
    assert who_imports("optuna") <= KNOW_OPTUNA
    assert who_imports("sqlalchemy") == {"tuner.storage"}
    assert who_imports("sqlite3") == {"tuner.storage", "tuner.completion"}
    assert who_imports("typer") <= ARE_COMMANDS
    assert who_imports("scipy") == {"tuner.intervals", "tuner.planning"}
    assert who_imports("optuna_dashboard") == {
        "tuner.dashboard.exhibition",
        "tuner.dashboard.serving",
    }
    drawing = {name for name in MODULES if name.startswith("tuner.figures.")}
    assert who_imports("plotly") <= drawing | {"tuner.gallery", "tuner.pictures"}
    assert not {name for name in MODULES if name.startswith("tuner.findings.")} & who_imports(
        "tuner.figures"
    )
    assert who_imports("imageio_ffmpeg") == {"tuner.films"}
    assert who_imports("pygame") == {"tuner.display"}


def test_only_the_command_line_exits() -> None:
    for name, tree in MODULES.items():
        exits = [n for n in ast.walk(tree) if ast.unparse(n) in ("sys.exit", "os._exit")]
        assert not exits or name in ("tuner.cli", "tuner.trainer"), name


def test_imports_make_no_ring() -> None:
    below = {
        name: imported(tree, when_loaded=True) & MODULES.keys() for name, tree in MODULES.items()
    }

    while ends := {name for name, needs in below.items() if not needs}:
        below = {name: needs - ends for name, needs in below.items() if name not in ends}

    assert below == {}


@pytest.mark.parametrize("module", ["tuner", "tuner.cli", "tuner.scheduler", "tuner.hparams_file"])
def test_loading_the_command_line_does_not_load_torch(module: str) -> None:
    program = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_nothing_shipped_runs_code_it_reads() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "torch.load", "yaml.load"}

    for package in ("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"):
        assert who_imports(package) == set()
    for name, tree in MODULES.items():
        called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        assert not called & forbidden, name


def test_no_file_is_too_long_to_read() -> None:
    files = [path for folder in ("agents", "tuner") for path in (ROOT / folder).rglob("*.py")]
    files += [path for path in (ROOT / "tests").rglob("*.py")]
    files += [path for path in (ROOT / "scripts").iterdir() if path.is_file()]

    lengths = {path.name: len(path.read_text().splitlines()) for path in files}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_files_are_named_for_what_they_know() -> None:
    vague = {"utils", "helpers", "common", "misc", "manager", "base"}
    names = {name.rpartition(".")[2] for name in MODULES} - {"__init__", "__main__"}

    assert not names & (vague | set(sys.stdlib_module_names))


def test_the_readme_names_every_command_and_every_shipped_study() -> None:
    text = (ROOT / "README.md").read_text()

    for command in get_command(app).commands:  # type: ignore[attr-defined]
        assert f"tuner {command}" in text, command
    for name in studies.shipped_names():
        assert f"`{name}`" in text, name


def test_the_page_on_study_files_names_every_key() -> None:
    text = (ROOT / "docs" / "study-files.md").read_text()
    study = studies.load("cartpole")

    for table in ("study", "budget", "seeds", "objective", "sampler", "pruner"):
        for key in type(getattr(study, table)).model_fields:
            assert key in text, f"[{table}] {key}"


def test_the_page_on_hyperparameters_names_every_one_with_its_default() -> None:
    text = (ROOT / "docs" / "hyperparameters.md").read_text()

    for kind, model in KINDS.items():
        assert f"`{kind}`" in text
        for name in model.model_fields:
            assert f"`{name}`" in text or name.startswith("epsilon"), f"{kind} {name}"
    for name, field in KINDS["deep_q"].model_fields.items():
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        said = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"| `{name}` | {said} |" in text, name
