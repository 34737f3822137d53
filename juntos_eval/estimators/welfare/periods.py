"""Two periods in one frame, each a sample of its own population."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Bools
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import Selection

__all__ = ["two_periods"]


def two_periods(chosen: Selection, time: str) -> tuple[Bools, tuple[float, float]]:
    """Return which rows are of the later period, and both periods.

    Parameters
    ----------
    chosen : Selection
    time : str

    Returns
    -------
    tuple of numpy.ndarray of bool, shape (n,), and tuple of float

    Raises
    ------
    DesignError
        Unless there are two.
    """
    column = chosen.columns[time]
    found = sorted(set(column.tolist()))
    if len(found) != 2:
        raise DesignError(
            "a change is between two periods",
            where=f"column '{time}', {len(found)} periods: {', '.join(f'{one:g}' for one in found[:6])}",
            remedy="keep the rows of the two that are to be compared",
        )
    return np.asarray(column == found[1]), (found[0], found[1])
