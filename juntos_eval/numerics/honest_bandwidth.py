r"""Bandwidths of local linear estimates at a cutoff whose second derivative is bounded.

With equivalent weights :math:`w_i` (positive right, negative left) and :math:`|f''| \le M` on both sides, the
largest bias of :math:`\sum_i w_i y_i` is

.. math:: \bar b = \tfrac{M}{2} \Bigl( \bigl|\sum_{x_i < c} w_i x_i^2\bigr|
          + \bigl|\sum_{x_i \ge c} w_i x_i^2\bigr| \Bigr), \qquad
          \bar b_T = \tfrac{M}{2} \sum_i |w_i| x_i^2

in the Hölder class and in Taylor's, where only the error of the expansion at the cutoff is bounded
(Armstrong & Kolesár 2020, section 3). Both, and the variance under one error variance a side, hang on the
data by sums of powers up to the bandwidth: after one pass a bandwidth costs the same whatever n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.local_polynomial import Side, local_fit

__all__ = [
    "CRITERIA",
    "SMOOTHNESS",
    "BandwidthTable",
    "Criterion",
    "KernelSums",
    "Noise",
    "bandwidth_table",
    "folded_normal_quantiles",
    "honest_bandwidth",
]

CRITERIA = ("mse", "flci", "oci")
SMOOTHNESS = ("hoelder", "taylor")
# coefficients of the kernels in powers of the distance in bandwidths
_POLYNOMIALS = {"triangular": (1.0, -1.0), "uniform": (1.0,), "epanechnikov": (1.0, 0.0, -1.0)}
# bandwidths that are tried before the best of them is refined
_GRID = 200


def folded_normal_quantiles(means: Floats, level: float) -> Floats:
    r"""Return the quantiles of :math:`|N(\mu, 1)|`, by Newton's method from below.

    Parameters
    ----------
    means : numpy.ndarray
        Any shape.
    level : float
        Above one half.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.honest_bandwidth import folded_normal_quantiles
    >>> folded_normal_quantiles(np.array([0.0, 1.0]), 0.95).round(4).tolist()
    [1.96, 2.6461]
    """
    means = np.abs(np.asarray(means, dtype=np.float64))
    found = means + float(ndtri(level))
    for _ in range(60):
        # concave to the right of the mean: each step stays below the root
        above, below = found - means, -found - means
        slope = np.exp(-0.5 * above**2) + np.exp(-0.5 * below**2)
        step = (level - ndtr(above) + ndtr(below)) * np.sqrt(2.0 * np.pi) / slope
        found = found + step
        if np.all(np.abs(step) <= 1e-14 * found):
            break
    return np.asarray(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """What the bandwidth is best for.

    Attributes
    ----------
    kind : {"mse", "flci", "oci"}
        Largest mean squared error, length of the two-sided interval, or quantile ``power`` of the excess
        length of the one-sided one.
    level : float
        Coverage.
    power : float
    """

    kind: str = "mse"
    level: float = 0.95
    power: float = 0.8

    def loss(self, bias: Floats, variance: Floats) -> Floats:
        """Return the criterion at largest biases and variances."""
        if self.kind == "mse":
            return np.asarray(bias**2 + variance)
        error = np.sqrt(variance)
        if self.kind == "oci":
            return np.asarray(2.0 * bias + float(ndtri(self.level) + ndtri(self.power)) * error)
        ratio = np.divide(bias, error, out=np.full_like(bias, np.inf), where=error > 0)
        return np.where(np.isfinite(ratio), error * folded_normal_quantiles(ratio, self.level), bias)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelSums:
    """Sums of powers of the distance on one side, from the cutoff outward.

    Attributes
    ----------
    distance : numpy.ndarray, shape (n,)
        Ascending.
    kernel : str
    first, second : numpy.ndarray, shape (n + 1, powers)
        Of the sampling weights and of their squares.
    unit : float
        Distances are counted in it inside the sums.
    """

    distance: Floats
    kernel: str
    first: Floats
    second: Floats
    unit: float

    @classmethod
    def of(cls, side: Side, kernel: str) -> KernelSums:
        """Return the sums of a side."""
        degree = len(_POLYNOMIALS[kernel]) - 1
        unit = float(side.distance[-1]) or 1.0
        scaled = side.distance / unit
        sums = []
        for weights, powers in ((side.weights, 3 + degree), (side.weights**2, 2 + 2 * degree)):
            term, columns = weights.copy(), [np.cumsum(weights)]
            for _ in range(powers):
                term *= scaled
                columns.append(np.cumsum(term))
            sums.append(np.vstack([np.zeros(powers + 1), np.column_stack(columns)]))
        return cls(distance=side.distance, kernel=kernel, first=sums[0], second=sums[1], unit=unit)

    def constants(self, bandwidths: Floats, smoothness: str) -> tuple[Floats, Floats]:
        r"""Return :math:`|\sum w_i x_i^2| / 2` and :math:`\sum w_i^2` at bandwidths (m,)."""
        ends = np.searchsorted(self.distance, bandwidths, side="right").astype(np.int64)
        scale = self.unit / bandwidths
        zero, one, two, three = (self._moment(self.first, ends, scale, power, 1) for power in range(4))
        determinant = zero * two - one**2
        # a window with one distinct value has no slope
        usable = determinant > 1e-12 * zero * two
        determinant = np.where(usable, determinant, np.nan)
        level, slope = two / determinant, -one / determinant
        squares = [self._moment(self.second, ends, scale, power, 2) for power in range(3)]
        variance = level**2 * squares[0] + 2.0 * level * slope * squares[1] + slope**2 * squares[2]
        total = level * two + slope * three
        if smoothness == "taylor":
            turn = np.minimum(
                np.divide(two, one, out=np.zeros_like(two), where=one > 0) * self.unit, bandwidths
            )
            inner = np.minimum(np.searchsorted(self.distance, turn, side="right"), ends).astype(np.int64)
            positive = level * self._moment(self.first, inner, scale, 2, 1)
            positive += slope * self._moment(self.first, inner, scale, 3, 1)
            total = 2.0 * positive - total
        return np.abs(total) * self.unit**2 / 2.0, variance

    def _moment(self, sums: Floats, ends: Codes, scale: Floats, power: int, times: int) -> Floats:
        polynomial = np.array([1.0])
        for _ in range(times):
            polynomial = np.convolve(polynomial, _POLYNOMIALS[self.kernel])
        parts = [c * scale**a * sums[ends, power + a] for a, c in enumerate(polynomial) if c]
        return np.asarray(np.sum(parts, axis=0))

    def least(self, distinct: int = 4) -> float:
        """Return the distance of the nearest few distinct values."""
        starts = np.flatnonzero(np.r_[True, self.distance[1:] != self.distance[:-1]])
        return float(self.distance[starts[min(distinct, len(starts)) - 1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Error variance left and right, and the covariance of two rows of a cluster."""

    left: float
    right: float
    within: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BandwidthTable:
    """What bias and variance hang on, at bandwidths from the narrowest to the whole data.

    Attributes
    ----------
    bandwidths, squares, left, right, shared : numpy.ndarray, shape (m,)
        Largest bias under a bound of one; sums of squared weights by side; sums of products of weights of
        different rows of a cluster.
    """

    bandwidths: Floats
    squares: Floats
    left: Floats
    right: Floats
    shared: Floats

    def best(self, criterion: Criterion, noise: Noise, bound: float) -> float:
        """Return the bandwidth of the table at which the criterion is smallest."""
        variance = _noisy(self, noise)
        return float(self.bandwidths[int(np.nanargmin(criterion.loss(bound * self.squares, variance)))])


def _noisy(table: BandwidthTable, noise: Noise) -> Floats:
    variance = noise.left * table.left + noise.right * table.right
    # a negative correlation cannot make an estimate better than certain
    return np.maximum(variance + noise.within * table.shared, 1e-3 * variance)


def bandwidth_table(
    sides: tuple[Side, Side], kernel: str, smoothness: str, bandwidths: Floats | None = None
) -> BandwidthTable:
    """Return the table at given bandwidths, or at as many as there are values to choose between.

    Parameters
    ----------
    sides : tuple of Side
    kernel, smoothness : str
    bandwidths : numpy.ndarray, shape (m,), optional

    Returns
    -------
    BandwidthTable
    """
    sums = (KernelSums.of(sides[0], kernel), KernelSums.of(sides[1], kernel))
    tried = _candidates(sums, kernel) if bandwidths is None else bandwidths
    return _table(sides, sums, tried, (kernel, smoothness))


def _table(
    sides: tuple[Side, Side], sums: tuple[KernelSums, KernelSums], tried: Floats, rule: tuple[str, str]
) -> BandwidthTable:
    kernel, smoothness = rule
    squares, weights = zip(*(side.constants(tried, smoothness) for side in sums), strict=True)
    shared = np.zeros(len(tried))
    if sides[0].clusters is not None:
        shared = np.array([_shared(sides, kernel, float(h)) for h in tried])
    return BandwidthTable(
        bandwidths=tried, squares=squares[0] + squares[1], left=weights[0], right=weights[1], shared=shared
    )


def _candidates(sums: tuple[KernelSums, KernelSums], kernel: str) -> Floats:
    """Return bandwidths to try: all distances of rows, or an even grid for kernels that fall to zero."""
    least = max(side.least() for side in sums)
    most = max(float(side.distance[-1]) for side in sums)
    if kernel == "uniform":
        tried = np.unique(np.concatenate([side.distance for side in sums]))
        return np.asarray(tried[tried >= least])
    # where a kernel is as wide as the nearest values themselves the last of them has no weight
    least = min(least * (1.0 + 1e-9), most)
    return np.geomspace(least, most, _GRID) if least < most else np.array([most])


def honest_bandwidth(
    sides: tuple[Side, Side], kernel: str, criterion: Criterion, noise: Noise, curvature: tuple[str, float]
) -> float:
    """Return the bandwidth that is best for a criterion.

    Parameters
    ----------
    sides : tuple of Side
    kernel : str
    criterion : Criterion
    noise : Noise
    curvature : tuple
        Class of functions and bound M.

    Returns
    -------
    float
    """
    sums = (KernelSums.of(sides[0], kernel), KernelSums.of(sides[1], kernel))
    smoothness, bound = curvature

    def loss(bandwidths: Floats) -> Floats:
        table = _table(sides, sums, bandwidths, (kernel, smoothness))
        return criterion.loss(bound * table.squares, _noisy(table, noise))

    tried = _candidates(sums, kernel)
    losses = loss(tried)
    at = int(np.nanargmin(losses))
    low, high = tried[max(at - 1, 0)], tried[min(at + 1, len(tried) - 1)]
    if kernel == "uniform" or not low < high:
        return float(tried[at])
    found = minimize_scalar(
        lambda log_h: float(loss(np.exp(np.atleast_1d(log_h)))[0]),
        bounds=(float(np.log(low)), float(np.log(high))),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.exp(found.x)) if found.fun < losses[at] else float(tried[at])


def _shared(sides: tuple[Side, Side], kernel: str, bandwidth: float) -> float:
    """Return the sum of products of the weights of different rows of a cluster."""
    clusters, weights = [], []
    for side in sides:
        if side.clusters is None:
            return 0.0
        fit = local_fit(side, bandwidth, 1, kernel)
        weights.append(side.sign * fit.equivalent(0))
        clusters.append(side.clusters[: fit.n])
    weight = np.concatenate(weights)
    total = np.bincount(np.concatenate(clusters), weights=weight)
    return float(total @ total - weight @ weight)
