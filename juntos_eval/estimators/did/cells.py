"""Which comparisons a staggered design allows: a cohort and a period, its base period, its controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Bools, Floats

__all__ = ["Base", "Cell", "Control", "cells_of", "controls_of"]

Base = Literal["varying", "universal"]
Control = Literal["never", "not_yet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cohort in a period against a base period.

    Attributes
    ----------
    cohort : float
        When it is first treated, on the timeline's scale.
    period, base : int
        Positions in the timeline.
    untreated_until : float
        Controls are first treated after this point of the scale.

    Examples
    --------
    >>> from juntos_eval.estimators.did.cells import Cell
    >>> Cell(cohort=2006.0, period=2, base=1, untreated_until=2006.0).base
    1
    """

    cohort: float
    period: int
    base: int
    untreated_until: float


def cells_of(times: Floats, cohorts: Floats, base: Base, anticipation: float) -> tuple[Cell, ...]:
    r"""Lay out the cells of a design, cohort by cohort.

    With :math:`a` periods of anticipation a cohort :math:`g` is compared with its last period
    :math:`s < g - a`. With a varying base, periods before :math:`g` are compared with the period before
    them; with a universal one, with :math:`s` as well, which has no effect of its own. Controls that are
    treated later must be untreated until the later of both periods, and :math:`a` periods on.

    Parameters
    ----------
    times : numpy.ndarray, shape (T,)
        In order.
    cohorts : numpy.ndarray, shape (G,)
        In order; those without a period to compare with have no cell.
    base : {"varying", "universal"}
    anticipation : float
        In the unit of the times.

    Returns
    -------
    tuple of Cell

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.
    *Journal of Econometrics*, 225(2), 200-230. (Section 2.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.cells import cells_of
    >>> cells = cells_of(np.array([1.0, 2.0, 3.0]), np.array([3.0]), "varying", 0)
    >>> [(cell.period, cell.base) for cell in cells]
    [(1, 0), (2, 1)]
    """
    found = []
    for cohort in cohorts:
        before = np.flatnonzero(times + anticipation < cohort)
        if not len(before):
            continue
        last = int(before[-1])
        for period in range(1 if base == "varying" else 0, len(times)):
            is_before = times[period] < cohort
            chosen = period - 1 if base == "varying" and is_before else last
            if chosen == period:
                continue
            # the rule of controls looks at the later period, before an anticipated base is put in
            later = period if base == "varying" else max(period, last)
            found.append(
                Cell(
                    cohort=float(cohort),
                    period=period,
                    base=chosen,
                    untreated_until=float(times[later] + anticipation),
                )
            )
    return tuple(found)


def controls_of(first_treated: Floats, cell: Cell, control: Control) -> Bools:
    """Say which units (or rows) a cell's cohort is compared with.

    Parameters
    ----------
    first_treated : numpy.ndarray, shape (n,)
        Infinite for never.
    cell : Cell
    control : {"never", "not_yet"}

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.cells import Cell, controls_of
    >>> cell = Cell(cohort=2.0, period=1, base=0, untreated_until=2.0)
    >>> controls_of(np.array([2.0, 3.0, np.inf]), cell, "not_yet").tolist()
    [False, True, True]
    """
    if control == "never":
        return np.isinf(first_treated)
    return np.asarray((first_treated > cell.untreated_until) & (first_treated != cell.cohort))
