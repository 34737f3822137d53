r"""Density on both sides of a cutoff, by a local polynomial of the distribution function.

The empirical distribution :math:`\tilde F` is regressed on powers of :math:`x - c` within the bandwidth; the
coefficient of the first power is the density (Cattaneo, Jansson & Ma 2020). The unrestricted fit has a
polynomial a side, the restricted one shares level and all powers but the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np
from numpy.polynomial.hermite_e import hermeval

from juntos_eval.arrays import Codes, Floats

__all__ = ["DensityDesign", "DensityFit", "density_bandwidths", "density_fit"]

# coefficients of the kernel in powers of |u|
POLYNOMIALS = {"triangular": (1.0, -1.0), "uniform": (0.5,), "epanechnikov": (0.75, 0.0, -0.75)}
# windows hold so many observations, and distinct values, beyond the coefficients of a side
LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityDesign:
    """What is fitted: order p of the bandwidth, order of the test, kernel, restriction, variance, ties."""

    order: int = 2
    test_order: int = 3
    kernel: str = "triangular"
    is_restricted: bool = False
    has_jackknife: bool = True
    has_mass_points: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DensityFit:
    """Densities or their derivatives left and right, with covariance (2, 2) and rows in the windows."""

    values: Floats
    covariance: Floats
    counts: tuple[int, int]


@cache
def _side_moments(order: int, kernel: str) -> tuple[Floats, Floats]:
    r"""Return :math:`\int u^m K` for m up to 2 p + 1 and :math:`\iint \min(u, v) u^i v^j K K`, on [0, 1]."""
    terms = list(enumerate(POLYNOMIALS[kernel]))
    moments = np.array([sum(c / (m + a + 1) for a, c in terms) for m in range(2 * order + 2)])
    shared = np.zeros((order + 1, order + 1))
    for i in range(order + 1):
        for j in range(order + 1):
            for a, c in terms:
                for b, d in terms:
                    both = i + a + j + b + 3
                    shared[i, j] += (
                        c * d * (1 / ((j + b + 2) * both) + (1 / (i + a + 2) - 1 / both) / (j + b + 1))
                    )
    return moments, shared


def _basis(order: int, *, is_restricted: bool) -> tuple[Codes, Floats]:
    """Return the power of each term, and on which side (left, right) it lives."""
    if is_restricted:
        powers = np.array([0, 1, 1, *range(2, order + 1)])
        live = np.ones((2, len(powers)))
        live[0, 2] = live[1, 1] = 0.0
        return powers, live
    powers = np.tile(np.arange(order + 1), 2)
    live = np.zeros((2, len(powers)))
    live[0, : order + 1] = live[1, order + 1 :] = 1.0
    return powers, live


def _places(order: int, power: int, *, is_restricted: bool) -> list[int]:
    """Return where the coefficients of a power stand, left and right."""
    if not is_restricted:
        return [power, order + 1 + power]
    return [1, 2] if power == 1 else [power + 1, power + 1]


def _constants(design: DensityDesign, order: int, densities: Floats) -> tuple[Floats, Floats]:
    """Return the asymptotic variance and bias of all coefficients at given densities, bandwidth one."""
    powers, live = _basis(order, is_restricted=design.is_restricted)
    moments, shared = _side_moments(order, design.kernel)
    gram, middle, bias = np.zeros((len(powers),) * 2), np.zeros((len(powers),) * 2), np.zeros(len(powers))
    for side, sign in enumerate((-1.0, 1.0)):
        on = live[side] * sign**powers
        pair = np.outer(on, on)
        gram += densities[side] * pair * moments[np.add.outer(powers, powers)]
        middle += densities[side] ** 3 * pair * shared[np.ix_(powers, powers)]
        bias += densities[side] * on * sign ** (order + 1) * moments[powers + order + 1]
    inverse = np.linalg.inv(gram)
    return inverse @ middle @ inverse, inverse @ bias


def density_fit(
    values: Floats, bandwidths: tuple[float, float], design: DensityDesign, order: int, power: int = 1
) -> DensityFit:
    """Fit the distribution function around zero.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Distances from the cutoff with their sign, ascending.
    bandwidths : tuple of float
    design : DensityDesign
    order : int
    power : int
        Coefficient that is wanted: 1 is the density.

    Returns
    -------
    DensityFit
    """
    n = len(values)
    first = int(np.searchsorted(values, -bandwidths[0]))
    last = int(np.searchsorted(values, bandwidths[1], side="right"))
    inside = values[first:last]
    middle = int(np.searchsorted(inside, 0.0))
    rank = np.arange(first, last)
    if design.has_mass_points:
        rank = np.searchsorted(values, inside, side="right") - 1
    width = np.where(inside < 0, bandwidths[0], bandwidths[1])
    scaled = inside / width
    weights = np.polynomial.polynomial.polyval(np.abs(scaled), POLYNOMIALS[design.kernel]) / width
    powers, live = _basis(order, is_restricted=design.is_restricted)
    scale = max(bandwidths) ** powers.astype(float)
    vander = np.vander(inside / max(bandwidths), int(powers.max()) + 1, increasing=True)
    matrix = vander[:, powers] * np.where((inside < 0)[:, None], live[0], live[1])
    inverse = np.linalg.inv(matrix.T @ (matrix * weights[:, None]))
    at = _places(order, power, is_restricted=design.is_restricted)
    estimates = (inverse @ (matrix.T @ (weights * (rank / (n - 1.0)))))[at] / scale[at]
    if design.has_jackknife or power != 1:
        equivalent = (matrix @ inverse[:, at]) * weights[:, None] / scale[at]
        covariance = _jackknife(values, (first, last), equivalent, design)
    else:
        variance, _ = _constants(design, order, estimates)
        root = 1.0 / np.sqrt(n * np.array(bandwidths))
        covariance = variance[np.ix_(at, at)] * np.outer(root, root)
    return DensityFit(values=estimates, covariance=covariance, counts=(middle, last - first - middle))


def _jackknife(values: Floats, span: tuple[int, int], equivalent: Floats, design: DensityDesign) -> Floats:
    r"""Return :math:`\sum_i L_i L_i'`, with :math:`(n - 1) L_i = \sum_{j \ne i} W_j 1\{x_i \le x_j\}`."""
    first, last = span
    from_here = np.vstack([np.cumsum(equivalent[::-1], axis=0)[::-1], np.zeros((1, 2))])
    inside = np.arange(last - first)
    starts = inside
    if design.has_mass_points:
        starts = np.searchsorted(values[first:last], values[first:last])
    influence = from_here[starts] - equivalent
    # to the left of the window all weights are above, and they sum to almost nothing
    below = from_here[0]
    total = influence.T @ influence + first * np.outer(below, below)
    return np.asarray(total / (len(values) - 1.0) ** 2)


def density_bandwidths(values: Floats, design: DensityDesign) -> dict[str, tuple[float, float]]:
    """Return the bandwidths of least mean squared error: of each side, the difference, the sum, and comb.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        As of :func:`density_fit`.
    design : DensityDesign

    Returns
    -------
    dict of str to tuple of float
    """
    p, n = design.order, len(values)
    longest = float(max(-values[0], values[-1]))
    wide, narrow = _pilots(values, p)
    wide = min(max(wide, *_least(values, p + 2)), longest)
    narrow = min(max(narrow, *_least(values, p)), longest)
    level = density_fit(values, (narrow, narrow), design, p)
    bent = density_fit(values, (wide, wide), design, p + 2, p + 1)
    densities = level.values if design.is_restricted else np.ones(2)
    _, constant = _constants(design, p, densities)
    bias = bent.values * constant[_places(p, 1, is_restricted=design.is_restricted)]
    spread = level.covariance * n * narrow
    floor = _least(values, p)

    def best(variance: float, squared_bias: float, least: float = max(floor)) -> float:
        bandwidth = (variance / (2.0 * p * squared_bias * n)) ** (1.0 / (2 * p + 1))
        return float(min(max(bandwidth, least), longest))

    each = (best(spread[0, 0], bias[0] ** 2, floor[0]), best(spread[1, 1], bias[1] ** 2, floor[1]))
    total, cross = float(spread[0, 0] + spread[1, 1]), 2.0 * float(spread[0, 1])
    difference = best(total - cross, float(bias[1] - bias[0]) ** 2)
    added = best(total + cross, float(bias[1] + bias[0]) ** 2)
    if design.is_restricted:
        comb = (min(difference, added),) * 2
    else:
        comb = (
            float(np.median([each[0], difference, added])),
            float(np.median([each[1], difference, added])),
        )
    return {"each": each, "diff": (difference,) * 2, "sum": (added,) * 2, "comb": comb}


def _pilots(values: Floats, order: int) -> tuple[float, float]:
    """Return the best bandwidths for derivative and density if the density were normal, uniform kernel."""
    n, spread = len(values), float(np.std(values, ddof=1))
    z = -float(np.mean(values)) / spread
    normal = float(np.exp(-0.5 * z * z)) / np.sqrt(2.0 * np.pi)

    def ratio(at: int, power: int) -> float:
        variance, bias = _constants(DensityDesign(kernel="uniform"), at, np.ones(2))
        place = at + 1 + power
        hermite = float(hermeval(z, [0.0] * at + [1.0]))
        constant = float(variance[place, place]) * (factorial(at + 1) / float(bias[place])) ** 2
        return float(constant / (hermite**2 * normal * n))

    wide = ((2 * order + 1) / 4.0 * ratio(order + 2, order + 1)) ** (1.0 / (2 * order + 5))
    narrow = (ratio(order, 1) / (2.0 * order)) ** (1.0 / (2 * order + 1))
    return float(wide * spread), float(narrow * spread)


def _least(values: Floats, order: int) -> tuple[float, float]:
    """Return the bandwidths, left and right, that hold enough rows and enough distinct values."""
    count, middle = LEAST + order + 1, int(np.searchsorted(values, 0.0))
    reach = []
    for side in (-values[:middle][::-1], values[middle:]):
        distinct = side[np.r_[True, side[1:] != side[:-1]]]
        reach.append(max(float(kept[min(count, len(kept)) - 1]) for kept in (side, distinct)))
    return reach[0], reach[1]
