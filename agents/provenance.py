"""What a result was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from threadpoolctl import threadpool_info


def made_with() -> dict[str, str]:
    """Versions and processor that a run's bits depend on."""
    return {
        "dqn_tuner": _version("dqn-tuner"),
        "torch": _version("torch"),
        "gymnasium": _version("gymnasium"),
        "numpy": _version("numpy"),
        "blas": _blas(),
        "python": platform.python_version(),
        "processor": processor(),
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def _blas() -> str:
    """What numpy multiplies with, and for which processors its kernels are.

    Other packages in the process, such as scipy, may bring libraries of their own.
    """
    loaded = [library for library in threadpool_info() if library["user_api"] == "blas"]
    numpys = [library for library in loaded if "numpy" in library["filepath"]]
    found = numpys or loaded
    names = [
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in found
    ]
    return ", ".join(sorted(set(names))) or "unknown"


def processor() -> str:
    """Its name, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
