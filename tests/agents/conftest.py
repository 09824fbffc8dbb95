"""What every test of `agents` starts from."""

import pytest
import torch

from tests import probes


@pytest.fixture(autouse=True, scope="session")
def _probes_known_to_gymnasium() -> None:
    probes.register()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """The networks here are so small that a second thread only waits for the first."""
    torch.set_num_threads(1)
