"""The search: studies, trials and runs, and what comes out of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.optuna_objective import objective as objective


def __getattr__(name: str) -> Any:
    """`tuner.objective`, imported when it is first asked for: it needs torch, the rest does not."""
    if name == "objective":
        from tuner.optuna_objective import objective

        return objective
    raise AttributeError(f"module 'tuner' has no attribute '{name}'")
