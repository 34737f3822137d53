"""What an engine must do: answer a query about one table with arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "as_array"]


@runtime_checkable
class Engine(Protocol):
    """A table that stays where it is, and a way to ask for sums of it."""

    @property
    def table(self) -> str:
        """What stands after FROM."""
        ...

    def quoted(self, name: str) -> str:
        """Return a column's name as its SQL writes it, whatever is in it."""
        ...

    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        ...

    def run(self, query: str) -> Mapping[str, NDArray[Any]]:
        """Return the columns of a query's answer, missing values as NaN or None."""
        ...


def as_array(values: list[Any]) -> NDArray[Any]:
    """Return a column of an answer as numbers where it has only numbers.

    Parameters
    ----------
    values : list

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from juntos_eval.engine.sql import as_array
    >>> as_array([1, None, 2.5]).tolist(), as_array(["a", None]).tolist()
    ([1.0, nan, 2.5], ['a', None])
    """
    if all(value is None or isinstance(value, bool | int | float) for value in values):
        if all(isinstance(value, int) for value in values):
            return np.array(values, dtype=np.int64)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    try:
        return np.array([None if value is None else float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found
