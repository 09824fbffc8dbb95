"""Optuna's dashboard on a database of ours, behind a door, with what we know laid over it."""
