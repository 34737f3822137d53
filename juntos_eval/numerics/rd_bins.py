r"""Bins of a regression-discontinuity plot: how many, where they end, what lies in them.

With J bins on a side the integrated squared error of bin means is :math:`J V / n + B / J^2`, so that the best
number is :math:`\lceil (2 B n / V)^{1/3} \rceil`; bins whose means vary as the outcome does are
:math:`\lceil \hat\sigma^2_Y n / (V \log^2 n) \rceil` (Calonico, Cattaneo & Titiunik 2015, theorems 1 to 4).
For bins evenly spaced over a side of length L, and of n_s rows each by quantiles,

.. math:: V_{ES} = \tfrac1L \int \sigma^2(x) dx, \quad B_{ES} = \tfrac{L^2}{12} \int \mu'(x)^2 f(x) dx, \qquad
          V_{QS} = E \sigma^2, \quad B_{QS} = \tfrac{n_s^2}{12 n^2} \int \mu'(x)^2 / f(x) dx ,

by spacings of the sorted rows, or with the variance from polynomials of y and its square.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.numerics.distributions import t_quantile
from juntos_eval.numerics.local_polynomial import Side, local_fit

__all__ = ["BIN_RULES", "BinCounts", "BinnedSide", "bin_counts", "bin_edges", "binned"]

BIN_RULES = ("es", "espr", "esmv", "esmvpr", "qs", "qspr", "qsmv", "qsmvpr")
# order of the polynomials from which slopes and variances are had
_ORDER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BinCounts:
    """Numbers of bins on a side before they are rounded up: least error, and as variable as the outcome."""

    least_error: float
    mimicking: float


def bin_counts(side: Side, outcome: Floats, rows: int, rule: str) -> BinCounts:
    """Return the numbers of bins that a rule asks for on a side.

    Parameters
    ----------
    side : Side
    outcome : numpy.ndarray, shape (n,)
    rows : int
        Of both sides.
    rule : str
        Of :data:`BIN_RULES`; whether it names the mimicking number makes no difference.

    Returns
    -------
    BinCounts
        NaN where neither slope nor variance is there.
    """
    # powers of the distance in units of the side; slopes with respect to it
    order = min(_ORDER, side.unique - 1)
    length = float(side.distance[-1])
    plain = replace(side, weights=np.ones(side.n))
    fit = local_fit(plain, length, order, "uniform")
    mean = np.polynomial.Polynomial(fit.inner(outcome))
    slope, spread = mean.deriv(1), float(np.var(outcome, ddof=1))
    between, within, starts = _squared_jumps(side, outcome)
    levels = fit.place[starts]
    spacing, middle = np.diff(side.distance[starts]), (levels[1:] + levels[:-1]) / 2.0
    # the place v = 2 u - 1 runs twice as fast as u, and u by the length
    pace = 2.0 / length
    if rule.startswith("es"):
        noise = between / 2.0
        if rule.endswith("pr"):
            noise = _local_variance(fit.inner(outcome**2), mean, middle, spread)
        variance = float(spacing @ noise) / length
        bias = length**2 / 12.0 / rows * float(np.sum((pace * slope(fit.place)) ** 2))
    else:
        variance = (float(between.sum()) + within) / (2.0 * side.n)
        if rule.endswith("pr"):
            variance = float(np.mean(_local_variance(fit.inner(outcome**2), mean, fit.place, spread)))
        bias = side.n**2 / 24.0 / rows * float(np.sum((spacing * pace * slope(middle)) ** 2))
    if not variance > 0:
        return BinCounts(least_error=np.nan, mimicking=np.nan)
    return BinCounts(
        least_error=(2.0 * bias * rows / variance) ** (1.0 / 3.0),
        mimicking=spread / variance * rows / np.log(rows) ** 2,
    )


def _squared_jumps(side: Side, outcome: Floats) -> tuple[Floats, float, np.ndarray]:
    """Return squared jumps between neighbouring values, the sum of those within values, and starts.

    Where values repeat these are expectations over the order of their rows, which is none.
    """
    starts = np.flatnonzero(np.r_[True, side.distance[1:] != side.distance[:-1]])
    if len(starts) == side.n:
        return np.diff(outcome) ** 2, 0.0, starts
    sizes = np.diff(np.append(starts, side.n))
    means = np.add.reduceat(outcome, starts) / sizes
    spread = np.add.reduceat((outcome - np.repeat(means, sizes)) ** 2, starts) / sizes
    between = np.diff(means) ** 2 + spread[1:] + spread[:-1]
    # m rows in a random order have m - 1 jumps of twice their variance each
    return between, float(np.sum(2.0 * spread * sizes)), starts


def _local_variance(square: Floats, mean: np.polynomial.Polynomial, at: Floats, whole: float) -> Floats:
    """Return the variance by polynomials; where these cross, that of the whole side."""
    found = np.polynomial.Polynomial(square)(at) - mean(at) ** 2
    return np.asarray(np.where(found < 0, whole, found))


def bin_edges(side: Side, cutoff: float, count: int, rule: str) -> Floats:
    """Return the ends of the bins, ascending, (count + 1,): even from the cutoff, or quantiles."""
    if rule.startswith("qs"):
        return np.asarray(np.quantile(side.running, np.linspace(0.0, 1.0, count + 1)))
    end = float(side.running[-1])
    return np.linspace(end, cutoff, count + 1) if side.sign < 0 else np.linspace(cutoff, end, count + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinnedSide:
    """What lies in the bins that hold rows, from left to right.

    Attributes
    ----------
    low, high : numpy.ndarray, shape (bins,)
        Closed to the left; the last bin closed on both ends.
    rows : numpy.ndarray of int64
    running, outcome : numpy.ndarray
        Means.
    error : numpy.ndarray
        Standard errors of the mean outcome; NaN for one row.
    conf_low, conf_high : numpy.ndarray
        By Student's t with one degree less than rows.
    """

    low: Floats
    high: Floats
    rows: np.ndarray
    running: Floats
    outcome: Floats
    error: Floats
    conf_low: Floats
    conf_high: Floats


def binned(side: Side, outcome: Floats, edges: Floats, weights: Floats, level: float) -> BinnedSide:
    """Return means, standard errors and intervals by bin.

    Parameters
    ----------
    side : Side
    outcome : numpy.ndarray, shape (n,)
    edges : numpy.ndarray, shape (bins + 1,)
    weights : numpy.ndarray, shape (n,)
        Ones for plain means.
    level : float

    Returns
    -------
    BinnedSide
        Bins without rows are left out.
    """
    count = len(edges) - 1
    at = np.clip(np.searchsorted(edges, side.running, side="right") - 1, 0, count - 1)
    rows = np.bincount(at, minlength=count)
    kept = rows > 0
    mass = np.bincount(at, weights=weights, minlength=count)
    divisor = np.where(kept, mass, 1.0)
    running = np.bincount(at, weights=weights * side.running, minlength=count) / divisor
    mean = np.bincount(at, weights=weights * outcome, minlength=count) / divisor
    residual = weights * (outcome - mean[at])
    squares = np.bincount(at, weights=residual**2, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(squares * rows / (rows - 1.0)) / divisor
    error = np.where(rows > 1, error, np.nan)
    half = t_quantile(0.5 + level / 2.0, np.maximum(rows - 1, 1)) * error
    return BinnedSide(
        low=edges[:-1][kept],
        high=edges[1:][kept],
        rows=rows[kept],
        running=running[kept],
        outcome=mean[kept],
        error=error[kept],
        conf_low=(mean - half)[kept],
        conf_high=(mean + half)[kept],
    )
