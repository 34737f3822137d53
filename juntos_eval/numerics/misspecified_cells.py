r"""Jumps under bounded misspecification, for running variables with few values.

A polynomial fitted to the cells within a window misses the mean of cell g by :math:`\delta_g`. If it errs
at the cutoff by no more than at the cells (Kolesár & Rothe 2018, section IV.B), the bias of the jump lies
between the smallest and the largest of

.. math:: b(W) = s_+ \delta_{g_+} - s_- \delta_{g_-}, \qquad s_\pm \in \{-1, 1\},

over all pairs of cells and signs W. The interval is the union over W of intervals for :math:`\tau + b(W)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from juntos_eval.arrays import Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.numerics.local_polynomial import Side, local_fit

__all__ = ["CellSide", "cell_side", "union_over_cells"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellSide:
    """One side of the cutoff by cells of equal running variable.

    Attributes
    ----------
    level, variance : float
        The polynomial at the cutoff, and its variance.
    misfits : numpy.ndarray, shape (cells,)
        Cell mean less polynomial.
    plus, minus : numpy.ndarray, shape (cells,)
        Variances of the level plus and less each misfit.
    residuals : numpy.ndarray, shape (n,)
        Equivalent weight times outcome less its cell's mean.
    n : int
        Rows of the window.
    """

    level: float
    variance: float
    misfits: Floats
    plus: Floats
    minus: Floats
    residuals: Floats
    n: int


def cell_side(side: Side, bandwidth: float, order: int) -> CellSide:
    """Fit a polynomial and a mean a cell within a window.

    Parameters
    ----------
    side : Side
    bandwidth : float
    order : int

    Returns
    -------
    CellSide

    Raises
    ------
    DesignError
        Where a cell has one row only, so that its variance is not known.
    """
    fit = local_fit(side, bandwidth, order, "uniform")
    outcome, weights = side.columns[0, : fit.n], side.weights[: fit.n]
    starts = np.r_[True, np.diff(side.distance[: fit.n]) > 0]
    cells = np.cumsum(starts) - 1
    count = int(cells[-1]) + 1
    sizes = np.bincount(cells)
    if sizes.min() < 2:
        raise DesignError(
            "bounded misspecification needs two rows or more at each value of the running variable",
            where=f"{'right' if side.sign > 0 else 'left'} of the cutoff: {int((sizes < 2).sum())} of "
            f"{count} values within {bandwidth:g} have one row",
            remedy="use smoothness='hoelder', or round the running variable as its source does",
        )
    mass = np.bincount(cells, weights=weights)
    means = np.bincount(cells, weights=weights * outcome) / mass
    spread = np.bincount(cells, weights=(weights * (outcome - means[cells])) ** 2) * sizes / (sizes - 1.0)
    noise = spread / mass**2
    at = np.flatnonzero(starts)
    powers = fit.place[at][:, None] ** np.arange(order + 1)
    # cell means to fitted cells, and to the cutoff
    hat = powers @ fit.inverse @ (powers * (mass * 0.5)[:, None]).T
    to_cutoff = grouped_sums(fit.equivalent(0)[:, None], cells, count)[:, 0]
    misfit = np.eye(count) - hat
    return CellSide(
        level=float(to_cutoff @ means),
        variance=float(to_cutoff**2 @ noise),
        misfits=misfit @ means,
        plus=(to_cutoff + misfit) ** 2 @ noise,
        minus=(to_cutoff - misfit) ** 2 @ noise,
        residuals=fit.equivalent(0) * (outcome - means[cells]),
        n=fit.n,
    )


def union_over_cells(left: CellSide, right: CellSide, level: float) -> tuple[float, float, float]:
    """Return the ends of the interval, and the largest estimated bias.

    Parameters
    ----------
    left, right : CellSide
    level : float

    Returns
    -------
    tuple of float
    """
    quantile = float(ndtri(0.5 + level / 2.0))
    ends = []
    for sign in (-1.0, 1.0):
        # the right side's level counts positive, the left side's negative
        values_right = np.concatenate([right.level + right.misfits, right.level - right.misfits])
        values_left = np.concatenate([left.level + left.misfits, left.level - left.misfits])
        variances_right = np.concatenate([right.plus, right.minus])
        variances_left = np.concatenate([left.plus, left.minus])
        reach = sign * quantile * np.sqrt(variances_right[:, None] + variances_left) + (
            values_right[:, None] - values_left
        )
        ends.append(float(reach.max() if sign > 0 else reach.min()))
    return ends[0], ends[1], float(np.abs(left.misfits).max() + np.abs(right.misfits).max())
