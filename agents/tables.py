"""Policies that look up what to do: one table per lane, [lanes, states, actions]."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.environments import EnvFacts

TABLE = "table"
Table = NDArray[np.float64]


class TablePolicy:
    """Takes the action of the highest entry, the first of equals, in [lanes, states, actions]."""

    def __init__(self, tables: Table) -> None:
        self._tables = tables

    def actions(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        lanes = np.arange(len(self._tables))[:, None]
        chosen: NDArray[np.int64] = self._tables[lanes, states(observations)].argmax(axis=-1)
        return chosen

    def selected(self, rows: Sequence[int]) -> "TablePolicy":
        return TablePolicy(self._tables[list(rows)])

    def joined(self, lanes: "TablePolicy") -> "TablePolicy":
        return TablePolicy(np.concatenate([self._tables, lanes._tables]))


def states(observations: NDArray[np.float32]) -> NDArray[np.int64]:
    """The numbers that one-hot observations [..., features] stand for."""
    found: NDArray[np.int64] = observations.argmax(axis=-1)
    return found


def with_lane(tables: Table, facts: EnvFacts, value: float) -> Table:
    """The tables and, behind them, one full of `value`."""
    return np.concatenate([tables, np.full((1, facts.features, facts.actions), value)])


def named_table(tables: Table, row: int) -> dict[str, Tensor]:
    """One lane's table for a file that other programs can read."""
    return {TABLE: torch.from_numpy(tables[row].copy())}


def load_table(facts: EnvFacts, tensors: Mapping[str, Tensor]) -> TablePolicy:
    """The policy of one lane from its `named_table`. Raises ValueError if it does not fit."""
    expected = {TABLE: (facts.features, facts.actions)}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected:
        raise ValueError(f"expected {expected}, found {found}")
    if tensors[TABLE].dtype != torch.float64:
        raise ValueError("expected 64-bit floating point numbers")
    return TablePolicy(tensors[TABLE].numpy()[None])
