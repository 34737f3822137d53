r"""Local polynomials on one side of a cutoff: weighted least squares near a boundary point.

At distance :math:`u = |x - c| / h` from the cutoff the order-p fit with kernel weights
:math:`W_i = w_i K(u_i)` estimates level and derivatives at the boundary. Coefficients and equivalent weights
are those of :math:`(x - c)/h`; inside, powers of :math:`v = 2u - 1` keep the Gram matrix well conditioned; it
is a Hankel matrix of moments, so that a fit costs a few passes over the window and no design matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError

__all__ = ["KERNELS", "LocalFit", "Side", "kernel_weights", "local_fit", "make_side"]

KERNELS = ("triangular", "uniform", "epanechnikov")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """The rows on one side of the cutoff, the nearest first.

    Attributes
    ----------
    sign : int
        -1 to the left of the cutoff, 1 from the cutoff on.
    running : numpy.ndarray, shape (n,)
        The running variable as given.
    distance : numpy.ndarray, shape (n,)
        From the cutoff, ascending.
    columns : numpy.ndarray, shape (m, n)
        Outcome, treatment (fuzzy designs), covariates.
    weights : numpy.ndarray, shape (n,)
    clusters : numpy.ndarray of int64, shape (n,), optional
    rows : numpy.ndarray of int64, shape (n,)
        Where each row stands in the sample.
    unique : int
        Distinct values of the running variable.
    near : tuple of numpy.ndarray of int64, shape (n,), optional
        First and last row (exclusive) of each row's nearest neighbours on the side, where they are known.
    """

    sign: int
    running: Floats
    distance: Floats
    columns: Floats
    weights: Floats
    clusters: Codes | None
    rows: Codes
    unique: int
    near: tuple[Codes, Codes] | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.distance)

    def within(self, bandwidth: float, kernel: str) -> int:
        """Return how many rows the kernel gives a weight."""
        if kernel == "uniform":
            return int(np.searchsorted(self.distance, bandwidth, side="right"))
        return int(np.searchsorted(self.distance, bandwidth))


def make_side(
    running: Floats, columns: Floats, weights: Floats, rows: Codes, **place: float | Codes | None
) -> Side:
    """Return the rows of one side, sorted by distance from the cutoff.

    Parameters
    ----------
    running : numpy.ndarray, shape (n,)
        Of all rows.
    columns : numpy.ndarray, shape (m, n)
    weights : numpy.ndarray, shape (n,)
    rows : numpy.ndarray of int64
        The rows of this side, in ascending order of the running variable.
    **place
        ``cutoff`` and ``sign`` (-1 or 1); ``clusters`` (n,) of all rows.

    Returns
    -------
    Side
    """
    cutoff, sign, clusters = float(place["cutoff"]), int(place["sign"]), place.get("clusters")  # type: ignore[arg-type]
    rows = rows if sign > 0 else rows[::-1]
    here = running[rows]
    distance = np.abs(here - cutoff)
    unique = int(np.count_nonzero(np.diff(here)) + (len(here) > 0))
    return Side(
        sign=sign,
        running=here,
        distance=distance,
        columns=np.ascontiguousarray(columns[:, rows]),
        weights=weights[rows],
        clusters=None if clusters is None else np.asarray(clusters)[rows],
        rows=rows,
        unique=unique,
    )


def kernel_weights(kernel: str, scaled: Floats) -> Floats:
    """Return the kernel at distances in bandwidths, at most one.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.local_polynomial import kernel_weights
    >>> kernel_weights("triangular", np.array([0.0, 0.25])).tolist()
    [1.0, 0.75]
    """
    if kernel == "uniform":
        return np.full(len(scaled), 0.5)
    return 1.0 - scaled if kernel == "triangular" else 0.75 * (1.0 - scaled**2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalFit:
    """A local polynomial at the boundary; coefficients are those of powers of (x - c) / h.

    Attributes
    ----------
    side : Side
    order : int
    bandwidth : float
    n : int
        Rows that have weight: the first n of the side.
    place : numpy.ndarray, shape (n,)
        v = 2 u - 1.
    weights : numpy.ndarray, shape (n,)
        Kernel times sampling weight.
    inverse : numpy.ndarray, shape (order + 1, order + 1)
        Inverse Gram matrix in powers of v.
    to_boundary : numpy.ndarray, shape (order + 1, order + 1)
        From coefficients in powers of v to those of (x - c) / h.
    """

    side: Side
    order: int
    bandwidth: float
    n: int
    place: Floats
    weights: Floats
    inverse: Floats
    to_boundary: Floats

    def powers_with(self, values: Floats) -> Floats:
        """Return the weighted sums of powers of v times values, (order + 1,) or (order + 1, m)."""
        term = np.atleast_2d(values) * self.weights
        sums = [term.sum(axis=1)]
        for _ in range(self.order):
            term = term * self.place
            sums.append(term.sum(axis=1))
        return np.asarray(sums)[:, 0] if values.ndim == 1 else np.asarray(sums)

    def inner(self, values: Floats) -> Floats:
        """Return coefficients in powers of v."""
        return np.asarray(self.inverse @ self.powers_with(values))

    def coefficients(self, values: Floats) -> Floats:
        """Return coefficients in powers of (x - c) / h for values (n,) or (m, n)."""
        return np.asarray(self.to_boundary @ self.inner(values))

    def fitted(self, values: Floats, at: Floats | None = None) -> Floats:
        """Return the polynomial of values (n,) at places v."""
        place = self.place if at is None else at
        return np.asarray(np.polynomial.polynomial.polyval(place, self.inner(values)))

    def equivalent(self, power: int) -> Floats:
        """Return the weights (n,) whose sum with the outcome is the coefficient of a power."""
        polynomial = self.inverse @ self.to_boundary[power]
        return np.asarray(self.weights * np.polynomial.polynomial.polyval(self.place, polynomial))

    def leverage(self) -> Floats:
        """Return the diagonal of the hat matrix, (n,)."""
        quadratic = np.zeros(2 * self.order + 1)
        for row in range(self.order + 1):
            quadratic[row : row + self.order + 1] += self.inverse[row]
        return np.asarray(self.weights * np.polynomial.polynomial.polyval(self.place, quadratic))

    def bias_constant(self, power: int) -> float:
        r"""Return the coefficient of a power in the fit of :math:`((x - c)/h)^{p+1}`."""
        scaled = self.side.sign * (self.place + 1.0) / 2.0
        return float(self.coefficients(scaled ** (self.order + 1))[power])


def local_fit(side: Side, bandwidth: float, order: int, kernel: str) -> LocalFit:
    """Prepare the local polynomial of an order within a bandwidth.

    Parameters
    ----------
    side : Side
    bandwidth : float
    order : int
    kernel : str
        Of :data:`KERNELS`.

    Returns
    -------
    LocalFit

    Raises
    ------
    DesignError
        Where the window has fewer distinct values than coefficients.
    """
    n = side.within(bandwidth, kernel)
    scaled = side.distance[:n] / bandwidth
    distinct = _distinct(side.running[:n], order + 1)
    if distinct < order + 1:
        raise DesignError(
            f"too few points for a local polynomial of order {order}",
            where=f"{'right' if side.sign > 0 else 'left'} of the cutoff, {n} rows with {distinct} distinct "
            f"values within {bandwidth:.4g}",
            remedy="widen the bandwidth, lower the order, or use local randomisation for so few values",
        )
    place = 2.0 * scaled - 1.0
    weights = kernel_weights(kernel, scaled) * side.weights[:n]
    term, moments = weights.copy(), [weights.sum()]
    for _ in range(2 * order):
        term *= place
        moments.append(term.sum())
    index = np.add.outer(np.arange(order + 1), np.arange(order + 1))
    gram = np.asarray(moments)[index]
    return LocalFit(
        side=side,
        order=order,
        bandwidth=bandwidth,
        n=n,
        place=place,
        weights=weights,
        inverse=np.linalg.inv(gram),
        to_boundary=_to_boundary(order, side.sign),
    )


def _distinct(values: Floats, enough: int) -> int:
    """Count distinct neighbouring values, in a first stretch if that is enough."""
    for stretch in (64, len(values)):
        count = int(np.count_nonzero(np.diff(values[:stretch]))) + (len(values) > 0)
        if count >= enough:
            break
    return count


def _to_boundary(order: int, sign: int) -> Floats:
    """Expand powers of v = 2 u - 1 in powers of u, and give u the sign of x - c."""
    matrix = np.zeros((order + 1, order + 1))
    for power in range(order + 1):
        for term in range(power + 1):
            matrix[term, power] = comb(power, term) * 2.0**term * (-1.0) ** (power - term) * sign**term
    return matrix
