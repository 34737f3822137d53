"""Samples drawn again from a sample: units within strata, or blocks of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Codes
from juntos_eval.estimate import Groups
from juntos_eval.inference.weighted_replicates import Units

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DrawnBlocks", "DrawnUnits", "block_starts"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnUnits:
    """A plan that draws as many units as there are in each stratum, with replacement, and all their rows.

    Attributes
    ----------
    data : pandas.DataFrame
    units : Units
    relabel : Mapping of str to Groups
        Columns whose labels must tell the copies of a unit apart: clusters, the units of a panel.
    draws, seed : int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.inference.drawn_rows import DrawnUnits
    >>> from juntos_eval.inference.weighted_replicates import units_in_strata
    >>> frame = pd.DataFrame({"y": [1, 2, 3, 4], "village": [1, 1, 2, 2]})
    >>> units = units_in_strata(frame, strata=None, psu="village", fpc=None)
    >>> plan = DrawnUnits(data=frame, units=units, relabel={}, draws=9, seed=3)
    >>> sorted(plan.frame(0)["y"].tolist()) in ([1, 1, 2, 2], [1, 2, 3, 4], [3, 3, 4, 4])
    True
    """

    data: DataFrame
    units: Units
    relabel: dict[str, Groups]
    draws: int
    seed: int

    @property
    def count(self) -> int:
        """Number of draws."""
        return self.draws

    def frame(self, index: int) -> DataFrame:
        """Return the rows of a draw; copies of a unit stand under labels of their own."""
        units = self.units
        rng = np.random.default_rng([self.seed, index])
        order = np.argsort(units.owners, kind="stable")
        first = np.cumsum(units.counts) - units.counts
        size = units.counts[units.owners[order]]
        drawn = order[first[units.owners[order]] + (rng.random(len(order)) * size).astype(np.int64)]
        rows, copies = _rows_of(units.codes, drawn)
        again = self.data.iloc[rows]
        labels = {
            name: (groups.codes[rows] + copies * groups.count).astype(np.int64)
            for name, groups in self.relabel.items()
        }
        return again.assign(**labels).reset_index(drop=True)


def _rows_of(codes: Codes, drawn: Codes) -> tuple[Codes, Codes]:
    """Return the rows of the drawn units, and which copy of its unit each row belongs to."""
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    many = sizes[drawn]
    inside = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    rows = order[np.repeat(starts[drawn], many) + inside]
    by_unit = np.argsort(drawn, kind="stable")
    ordered = drawn[by_unit]
    copies = np.empty(len(drawn), np.int64)
    copies[by_unit] = np.arange(len(drawn)) - np.searchsorted(ordered, ordered)
    return rows, np.repeat(copies, many)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnBlocks:
    """A plan that draws overlapping blocks of consecutive periods, and all rows of each period.

    Attributes
    ----------
    data : pandas.DataFrame
    periods : Groups
        In the order of time.
    length : int
        Periods in a block.
    draws, seed : int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.inference.drawn_rows import DrawnBlocks
    >>> periods = Groups([0, 1, 2, 3], ("1", "2", "3", "4"))
    >>> plan = DrawnBlocks(data=pd.DataFrame({"y": [1, 2, 3, 4]}), periods=periods, length=4, draws=9, seed=3)
    >>> plan.frame(0)["y"].tolist()
    [1, 2, 3, 4]
    """

    data: DataFrame
    periods: Groups
    length: int
    draws: int
    seed: int

    @property
    def count(self) -> int:
        """Number of draws."""
        return self.draws

    def frame(self, index: int) -> DataFrame:
        """Return the rows of a draw."""
        rng = np.random.default_rng([self.seed, index])
        T = self.periods.count
        starts = block_starts(T, self.length, rng)
        chosen = (starts[:, None] + np.arange(self.length)).ravel()[:T]
        rows, _ = _rows_of(self.periods.codes, chosen)
        return self.data.iloc[rows].reset_index(drop=True)


def block_starts(periods: int, length: int, rng: np.random.Generator) -> Codes:
    """Return the first periods of as many blocks as fill the sample (Künsch 1989).

    Parameters
    ----------
    periods, length : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of int64

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.drawn_rows import block_starts
    >>> len(block_starts(10, 4, np.random.default_rng(1)))
    3
    """
    return rng.integers(0, periods - length + 1, size=-(-periods // length))
