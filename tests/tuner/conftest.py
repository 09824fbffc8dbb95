"""What tests of `tuner` share: quick commands, and one study that the real `launch` finished."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from tests.browser import browser as browser
from tests.browser import page as page
from tests.tuner import tiny
from tests.tuner.commands import Ended, Quick, tuner
from tuner import study as studies
from tuner.study import Study


@dataclass(frozen=True)
class Finished:
    """A folder in which `tuner launch tiny.toml` ran to its end, and what it printed. Read only."""

    folder: Path
    launch: Ended
    study: Study

    @property
    def option(self) -> str:
        """--storage, for commands run elsewhere."""
        return f"--storage=sqlite:///{self.folder}/tuner.db"


@pytest.fixture(scope="session")
def quick() -> Iterator[Quick]:
    with Quick() as commands:
        yield commands


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    launch = tuner("launch", tiny.written(folder), folder=folder)
    assert launch.code == 0, launch.err
    return Finished(folder, launch, studies.load(str(folder / "tiny.toml")))


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Finished:
    """The same in a folder of its own, to be written to."""
    folder = shutil.copytree(finished.folder, tmp_path / "copied")
    return replace(finished, folder=folder)


@pytest.fixture(scope="session")
def exported(finished: Finished, quick: Quick, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hparams.json of the finished study. Read only."""
    file = tmp_path_factory.mktemp("exported") / "h.json"
    ended = quick("export", "tiny", "-o", str(file), folder=finished.folder)
    assert ended.code == 0, ended.err
    return file


@pytest.fixture(scope="session")
def trained(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The folder in which `tuner train --seeds tune` wrote out/, and what it printed.

    Read only.
    """
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(exported, folder / "h.json")
    ended = tuner("train", "h.json", "--seeds", "tune", "--out", "out", folder=folder)
    assert ended.code == 0, ended.err
    return folder, ended


@pytest.fixture
def agent(trained: tuple[Path, Ended], tmp_path: Path) -> Path:
    """A copy of one seed's directory, to be damaged."""
    return shutil.copytree(sorted((trained[0] / "out").glob("seed-*"))[0], tmp_path / "seed")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """The networks here are so small that a second thread only waits for the first."""
    torch.set_num_threads(1)
