r"""Kernel links on a line: every target draws on the pool rows near it, the nearer the more.

The strength of a link is :math:`L_{ij} = K\!\left(\frac{x_i - v_j}{h}\right)`. Kernels that are polynomials
in :math:`|u|` on :math:`|u| \le 1` are summed by sorting and prefix sums of powers, in
:math:`O(n \log n)`: with :math:`z_j` the position of row j relative to the middle of a bin of width h and
:math:`s` that of the target,

.. math:: \sum_j v_j K(|s - z_j|) = \sum_m c_m(s) \sum_j v_j z_j^m, \qquad |z_j| \le 1/2, |s| \le 3/2,

so that powers never grow and little cancels. The Gaussian kernel is summed in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import comb

import numpy as np

from juntos_eval.arrays import Codes, Floats, FrozenMapping, frozen

__all__ = ["KERNELS", "Binned", "KernelLinks", "kernel_at_zero", "ridge_factor"]

# coefficients of 1, |u|, |u|², … on |u| <= 1 (Heckman, Ichimura & Todd 1997 use the biweight)
POLYNOMIALS = FrozenMapping(
    {
        "uniform": (0.5,),
        "epanechnikov": (0.75, 0.0, -0.75),
        "biweight": (15 / 16, 0.0, -30 / 16, 0.0, 15 / 16),
        "tricube": tuple(70 / 81 * x for x in (1.0, 0.0, 0.0, -3.0, 0.0, 0.0, 3.0, 0.0, 0.0, -1.0)),
    }
)
KERNELS = (*POLYNOMIALS, "gaussian")

# Gaussian links weaker than e^-37 of a target's strongest add nothing that a double can hold
GAUSSIAN_REACH = 74.0
CHUNK = 4_000_000


def kernel_at_zero(kernel: str) -> float:
    """Return the kernel's value where target and pool row coincide.

    Examples
    --------
    >>> from juntos_eval.numerics.kernels import kernel_at_zero
    >>> kernel_at_zero("epanechnikov")
    0.75
    """
    return 1.0 if kernel == "gaussian" else POLYNOMIALS[kernel][0]


def ridge_factor(kernel: str) -> float:
    r"""Return :math:`K(0) / (4 \int K^2)`: 5/16 for Epanechnikov and 0.35 for the Gaussian density.

    Examples
    --------
    >>> from juntos_eval.numerics.kernels import ridge_factor
    >>> round(ridge_factor("epanechnikov"), 12), round(ridge_factor("gaussian"), 4)
    (0.3125, 0.3536)
    """
    if kernel == "gaussian":
        return float(np.sqrt(2.0) / 4.0)
    squared = np.convolve(POLYNOMIALS[kernel], POLYNOMIALS[kernel])
    roughness = 2.0 * float((squared / np.arange(1, len(squared) + 1)).sum())
    return POLYNOMIALS[kernel][0] / (4.0 * roughness)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLinks:
    r"""Links of strength :math:`K((x_i - v_j) / h)` between targets and pool rows of the same block.

    The Gaussian strength is :math:`\exp\{-(u_{ij}^2 - \min_k u_{ik}^2) / 2\}`: scaled by target, which its
    shares do not notice, so that targets far from everybody keep their precision.

    Attributes
    ----------
    target_values : numpy.ndarray, shape (m,)
    pool_values : numpy.ndarray, shape (pool,)
    target_blocks : numpy.ndarray of int64, shape (m,)
    pool_blocks : numpy.ndarray of int64, shape (pool,)
    bandwidth : float
        h, in units of the values.
    kernel : str
        One of ``KERNELS``.

    References
    ----------
    Heckman, J. J., Ichimura, H. & Todd, P. (1997). Matching as an econometric evaluation estimator: evidence
    from evaluating a job training programme. *Review of Economic Studies* 64(4), 605–654.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.kernels import KernelLinks
    >>> zero = np.zeros(2, dtype=np.int64)
    >>> links = KernelLinks(target_values=[0.0], pool_values=[0.0, 0.5], target_blocks=zero[:1],
    ...                     pool_blocks=zero, bandwidth=1.0, kernel="epanechnikov")
    >>> links.gather(np.array([[1.0], [10.0]])).ravel().tolist()
    [6.375]
    """

    target_values: Floats
    pool_values: Floats
    target_blocks: Codes
    pool_blocks: Codes
    bandwidth: float
    kernel: str

    def __post_init__(self) -> None:
        for name in ("target_values", "pool_values"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("target_blocks", "pool_blocks"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def targets(self) -> int:
        """Number of targets m."""
        return len(self.target_values)

    @property
    def pool(self) -> int:
        """Number of rows in the pool."""
        return len(self.pool_values)

    @property
    def counts(self) -> Codes:
        """Pool rows of the target's block within the kernel's support."""
        pool, targets = self._sides()
        if self.kernel == "gaussian":
            return np.searchsorted(np.sort(pool.blocks), targets.blocks, side="right") - np.searchsorted(
                np.sort(pool.blocks), targets.blocks
            )
        ones = np.ones((self.pool, 1))
        return np.asarray(np.rint(polynomial_sums(targets, pool, ones, (1.0,))[:, 0]), dtype=np.int64)

    def gather(self, values: Floats, *, degree: int = 0) -> Floats:
        r"""Return :math:`\sum_j L_{ij} u_{ij}^{degree} y_j`, (m, c), :math:`u_{ij} = (v_j - x_i) / h`."""
        pool, targets = self._sides()
        if self.kernel == "gaussian":
            out = np.zeros((self.targets, values.shape[1]))
            for rows, near, strength in _gaussian_chunks(targets, pool):
                gap = pool.values[near] - targets.values[rows, None] if degree else 1.0
                out[rows] = (strength * gap**degree) @ values[near]
            return out
        polynomial = (0.0,) * degree + POLYNOMIALS[self.kernel]
        return polynomial_sums(targets, pool, values, polynomial, is_odd=degree % 2 == 1)

    def scatter(self, weights: Floats, *, degree: int = 0) -> Floats:
        r"""Sum, for each pool row, the weights of the targets by :math:`L_{ij} u_{ij}^{degree}`."""
        return self._scattered(weights, 1, degree)

    def scatter_squared(self, weights: Floats, *, degree: int = 0) -> Floats:
        r"""Sum, for each pool row, the weights of the targets by :math:`L_{ij}^2 u_{ij}^{degree}`."""
        return self._scattered(weights, 2, degree)

    def excess(self) -> Floats:
        """Return by what factor each target's strengths exceed the kernel as a density, shape (m,)."""
        if self.kernel != "gaussian":
            return np.ones(self.targets)
        pool, targets = self._sides()
        out = np.full(self.targets, np.inf)
        for block in np.unique(targets.blocks):
            here, there = targets.blocks == block, np.sort(pool.values[pool.blocks == block])
            if len(there):
                gap = _nearest(targets.values[here], there)
                with np.errstate(over="ignore"):
                    out[here] = np.sqrt(2.0 * np.pi) * np.exp(0.5 * gap**2)
        return out

    def _scattered(self, weights: Floats, power: int, degree: int) -> Floats:
        pool, targets = self._sides()
        if self.kernel == "gaussian":
            out = np.zeros(self.pool)
            for rows, near, strength in _gaussian_chunks(targets, pool):
                gap = pool.values[near] - targets.values[rows, None] if degree else 1.0
                out[near] += weights[rows] @ (strength**power * gap**degree)
            return out
        polynomial = np.asarray(POLYNOMIALS[self.kernel])
        polynomial = np.convolve(polynomial, polynomial) if power == 2 else polynomial
        is_odd, shifted = degree % 2 == 1, (0.0,) * degree + (*polynomial,)
        sums = polynomial_sums(pool, targets, weights[:, None], shifted, is_odd=is_odd)[:, 0]
        # seen from the pool row the target lies on the other side
        return -sums if is_odd else sums

    def _sides(self) -> tuple[Binned, Binned]:
        return (
            Binned(values=self.pool_values / self.bandwidth, blocks=self.pool_blocks),
            Binned(values=self.target_values / self.bandwidth, blocks=self.target_blocks),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binned:
    """Points on a line in units of the bandwidth, each with its block."""

    values: Floats
    blocks: Codes


def polynomial_sums(
    at: Binned, points: Binned, values: Floats, polynomial: tuple[float, ...], *, is_odd: bool = False
) -> Floats:
    r"""Return :math:`\sum_j v_j \, p(|x_i - z_j|) 1\{|x_i - z_j| \le 1\}`, (m, c), within blocks.

    Parameters
    ----------
    at, points : Binned
    values : numpy.ndarray, shape (n, c)
        One row a point.
    polynomial : tuple of float
        Coefficients of 1, :math:`|u|`, :math:`u^2`, …
    is_odd : bool
        Whether points below are counted negatively.

    Returns
    -------
    numpy.ndarray, shape (m, c)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.kernels import Binned, polynomial_sums
    >>> here = Binned(values=np.array([0.0, 0.5, 3.0]), blocks=np.zeros(3, dtype=np.int64))
    >>> polynomial_sums(here, here, np.ones((3, 1)), (1.0, -1.0)).ravel().tolist()
    [1.5, 1.5, 1.0]
    """
    out = np.zeros((len(at.values), values.shape[1]))
    if not len(at.values) or not len(points.values):
        return out
    origin = min(at.values.min(), points.values.min())
    bins = int(max(at.values.max(), points.values.max()) - origin) + 4
    by_point, grid = _on_grid(points, origin, bins)
    by_query, queries = _on_grid(at, origin, bins)
    pieces = _pieces(queries, grid, is_even=not any(polynomial[1::2]))
    keys, starts = np.unique(grid.key, return_index=True)
    bounds = np.append(starts, len(grid.key))
    # each bin's prefix sums begin with a zero of their own
    pieces = tuple(_after(piece, np.searchsorted(keys, queries.key + piece.step)) for piece in pieces)
    moment, sums = values[by_point], np.zeros_like(out)
    for power in range(len(polynomial)):
        prefix = _prefix_sums(moment, bounds)
        for piece in pieces:
            factor = _factor(queries.offset - piece.step, polynomial, power, is_below=piece.is_below)
            factor = -factor if is_odd and piece.is_below else factor
            sums += factor[:, None] * (prefix[piece.last] - prefix[piece.first])
        moment = moment * grid.offset[:, None]
    out[by_query] = sums
    return out


@dataclass(frozen=True, slots=True)
class _Grid:
    """Points in sorted order: the bin of each, numbered over blocks, and where it lies from its middle."""

    key: Codes
    offset: Floats
    line: Floats  # places of all blocks laid out on one line


@dataclass(frozen=True, slots=True)
class _Piece:
    """For each query a stretch of points of the bin ``step`` bins away, all on one side of the query."""

    step: int
    first: Codes
    last: Codes
    is_below: bool


def _on_grid(side: Binned, origin: float, bins: int) -> tuple[Codes, _Grid]:
    """Return the sorting order and the sorted grid; bins of different blocks never touch."""
    order = np.argsort(side.values, kind="stable")
    if side.blocks.max() > 0:
        order = order[np.argsort(side.blocks[order], kind="stable")]
    place = side.values[order] - origin
    bin_of = np.floor(place)
    shift = side.blocks[order] * bins + 1
    return order, _Grid(bin_of.astype(np.int64) + shift, place - bin_of - 0.5, place + shift)


def _pieces(queries: _Grid, grid: _Grid, *, is_even: bool) -> tuple[_Piece, ...]:
    """Return the stretches of points within a bandwidth of each query: one bin below, its own, one above."""
    starts = [np.searchsorted(grid.key, queries.key + step) for step in (-1, 0, 1, 2)]
    first = np.clip(np.searchsorted(grid.line, queries.line - 1.0), starts[0], starts[1])
    last = np.clip(np.searchsorted(grid.line, queries.line + 1.0, side="right"), starts[2], starts[3])
    below = _Piece(-1, first, starts[1], is_below=True)
    above = _Piece(1, starts[2], last, is_below=False)
    if is_even:
        return (below, _Piece(0, starts[1], starts[2], is_below=True), above)
    middle = np.clip(np.searchsorted(grid.line, queries.line, side="right"), starts[1], starts[2])
    return (
        below,
        _Piece(0, starts[1], middle, is_below=True),
        _Piece(0, middle, starts[2], is_below=False),
        above,
    )


def _after(piece: _Piece, shift: Codes) -> _Piece:
    return replace(piece, first=piece.first + shift, last=piece.last + shift)


def _prefix_sums(moment: Floats, bounds: Codes) -> Floats:
    """Return prefix sums that start anew in each bin, a zero before each: far bins cost no precision."""
    prefix = np.zeros((len(moment) + len(bounds), moment.shape[1]))
    for rank, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        np.cumsum(moment[start:end], axis=0, out=prefix[start + rank + 1 : end + rank + 1])
    return prefix


def _factor(place: Floats, polynomial: tuple[float, ...], power: int, *, is_below: bool) -> Floats:
    r"""Return the factor of :math:`z^{power}` in :math:`p(s - z)`, or in :math:`p(z - s)` above the query."""
    terms = []
    for degree in range(power, len(polynomial)):
        sign = (-1) ** (power if is_below else degree - power)
        terms.append(sign * comb(degree, power) * polynomial[degree])
    return np.asarray(np.polynomial.polynomial.polyval(place, terms))


def _gaussian_chunks(targets: Binned, pool: Binned) -> Iterator[tuple[Codes, Codes, Floats]]:
    """Yield target rows, pool rows and the strengths between them, at most ``CHUNK`` at once."""
    for block in np.unique(targets.blocks):
        here, there = np.flatnonzero(targets.blocks == block), np.flatnonzero(pool.blocks == block)
        if not len(there):
            continue
        here = here[np.argsort(targets.values[here], kind="stable")]
        there = there[np.argsort(pool.values[there], kind="stable")]
        x, v = targets.values[here], pool.values[there]
        nearest = _nearest(x, v)
        reach = np.sqrt(nearest**2 + GAUSSIAN_REACH)
        low, high = np.searchsorted(v, x - reach), np.searchsorted(v, x + reach, side="right")
        start = 0
        while start < len(x):
            end = start + max(1, CHUNK // max(1, int(high[start] - low[start])))
            near = slice(int(low[start:end].min()), int(high[start:end].max()))
            gap = (x[start:end, None] - v[None, near]) ** 2 - nearest[start:end, None] ** 2
            yield here[start:end], there[near], np.exp(-0.5 * gap)
            start = end


def _nearest(x: Floats, ordered: Floats) -> Floats:
    """Return how far the nearest of ordered values lies from each place."""
    right = np.clip(np.searchsorted(ordered, x), 0, len(ordered) - 1)
    return np.minimum(np.abs(x - ordered[right]), np.abs(x - ordered[np.maximum(right - 1, 0)]))
