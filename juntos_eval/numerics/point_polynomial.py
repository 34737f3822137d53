r"""Local polynomials at a point, on a line or in the plane: levels, their errors, bandwidths of their gaps.

With :math:`u = (x - b) / h` in d dimensions around the point b, the level at b is the first coefficient of a
weighted least-squares fit of all monomials of u up to degree p, with weights
:math:`w_i K(\lVert u_i \rVert)`. At the best bandwidth for the mean squared error of the gap of two levels,

.. math:: h = \Bigl[ \frac{d (V_1 + V_0)}{(2p + 2) \{ (B_1 - B_0)^2 + 3 \widehat{var}(B_1 - B_0) \}}
          \Bigr]^{1/(2p+2+d)},

since the variance falls with :math:`h^d` and the bias grows with :math:`h^{p+1}` (Fan & Gijbels 1996; in the
plane, Cattaneo, Titiunik & Yu 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.local_polynomial import kernel_weights

__all__ = ["Arm", "PointFit", "best_width", "gap_bandwidth", "monomials", "point_fit"]

# rule-of-thumb constants of a pilot bandwidth, by kernel
_PILOT = {"triangular": 2.576, "uniform": 1.843, "epanechnikov": 2.34}
# the curvature is looked at in a window wider by this factor
_WIDER = 2.0
_REGULARISATION = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """The rows of one arm around a point.

    Attributes
    ----------
    place : numpy.ndarray, shape (n, d)
        From the point: in the plane, kilometres east and north of it.
    outcome, weights : numpy.ndarray, shape (n,)
    codes : numpy.ndarray of int64, shape (n,)
        Of distinct places.
    rows : numpy.ndarray of int64, shape (n,)
        Where the rows stand in the sample.
    clusters : numpy.ndarray of int64, shape (n,), optional
    """

    place: Floats
    outcome: Floats
    weights: Floats
    codes: Codes
    rows: Codes
    clusters: Codes | None = None

    @property
    def distance(self) -> Floats:
        """From the point."""
        return np.asarray(np.sqrt((self.place**2).sum(axis=1)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointFit:
    """The level at the point and where its error comes from.

    Attributes
    ----------
    value : float
    variance : float
        From residuals, times n/(n-k), or by cluster G/(G-1) (n-1)/(n-k), n the rows with weight.
    inside : numpy.ndarray of int64, shape (m,)
        The arm's rows with weight.
    influence : numpy.ndarray, shape (m,)
    equivalent : numpy.ndarray, shape (m,)
        Weights of outcomes in the value.
    coefficients : numpy.ndarray
        Of the monomials of u.
    inverse, scores : numpy.ndarray
        Inverse Gram matrix (k, k) and score of each row (m, k).
    """

    value: float
    variance: float
    inside: Codes
    influence: Floats
    equivalent: Floats
    coefficients: Floats
    inverse: Floats
    scores: Floats


def monomials(scaled: Floats, order: int) -> Floats:
    """Return all products of powers of one or two columns up to an order, by total degree.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.point_polynomial import monomials
    >>> monomials(np.array([[2.0, 3.0]]), 2).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """
    if scaled.shape[1] == 1:
        return np.asarray(scaled ** np.arange(order + 1))
    columns = [
        scaled[:, 0] ** (degree - second) * scaled[:, 1] ** second
        for degree in range(order + 1)
        for second in range(degree + 1)
    ]
    return np.column_stack(columns)


def point_fit(arm: Arm, bandwidth: float, order: int, kernel: str) -> PointFit:
    """Fit one arm's local polynomial at the point.

    Parameters
    ----------
    arm : Arm
    bandwidth : float
    order : int
    kernel : str

    Returns
    -------
    PointFit

    Raises
    ------
    DesignError
        Where the window has fewer distinct places than coefficients, or they lie on a line.
    """
    scaled_distance = arm.distance / bandwidth
    reach = scaled_distance <= 1.0 if kernel == "uniform" else scaled_distance < 1.0
    inside = np.flatnonzero(reach)
    needed = _terms(order, arm)
    places = len(np.unique(arm.codes[inside]))
    design = monomials(arm.place[inside] / bandwidth, order)
    weights = kernel_weights(kernel, scaled_distance[inside]) * arm.weights[inside]
    root = np.sqrt(weights)[:, None] * design
    if places < needed or np.linalg.matrix_rank(root) < needed:
        raise DesignError(
            f"too few places for a local polynomial of order {order}",
            where=f"{len(inside)} rows in {places} distinct places within {bandwidth:.4g}, {needed} needed",
            remedy="widen the bandwidth or lower the order",
        )
    inverse = np.asarray(np.linalg.inv(root.T @ root), dtype=np.float64)
    coefficients = inverse @ (design.T @ (weights * arm.outcome[inside]))
    residual = arm.outcome[inside] - design @ coefficients
    equivalent = weights * (design @ inverse[0])
    scores = (weights * residual)[:, None] * design
    influence = equivalent * residual
    clusters = None if arm.clusters is None else arm.clusters[inside]
    return PointFit(
        value=float(coefficients[0]),
        variance=float(_variance(influence[:, None], needed, clusters)[0, 0]),
        inside=inside,
        influence=influence,
        equivalent=equivalent,
        coefficients=coefficients,
        inverse=inverse,
        scores=scores,
    )


def gap_bandwidth(arms: Sequence[Arm], order: int, kernel: str) -> tuple[float, float, float]:
    """Return the best bandwidth at a point, and its two constants.

    Parameters
    ----------
    arms : sequence of Arm
        One, for its level; or two, for the second's level less the first's.
    order : int
    kernel : str

    Returns
    -------
    tuple of float
        Bandwidth, the constant of the variance, that of the squared bias.
    """
    place = np.concatenate([arm.place for arm in arms])
    spread = float(np.sqrt(place.var(axis=0, ddof=1).mean()))
    dimensions = place.shape[1]
    pilot = _PILOT[kernel] * spread * len(place) ** (-1.0 / (4.0 + dimensions))
    pilot = max(pilot, *(_least(arm, order) for arm in arms))
    wide = max(_WIDER * pilot, *(_least(arm, order + 1) for arm in arms))
    variance, bias, error = 0.0, 0.0, 0.0
    for arm, sign in zip(arms, (-1.0, 1.0)[-len(arms) :], strict=True):
        near = point_fit(arm, pilot, order, kernel)
        variance += pilot**dimensions * near.variance
        steep = point_fit(arm, wide, order + 1, kernel)
        first = _terms(order, arm)
        # what each monomial of the next degree does to the level, per unit to the power p + 1
        constants = near.equivalent @ monomials(arm.place[near.inside] / pilot, order + 1)[:, first:]
        constants = constants * wide ** -(order + 1.0)
        bias += sign * float(constants @ steep.coefficients[first:])
        clusters = None if arm.clusters is None else arm.clusters[steep.inside]
        scores = steep.scores @ steep.inverse[:, first:]
        spread_of = _variance(scores, steep.inverse.shape[0], clusters)
        error += float(constants @ spread_of @ constants)
    loss = bias**2 + _REGULARISATION * error
    if not (variance > 0 and loss > 0):
        raise DesignError(
            "no bandwidth can be selected: near the point the outcome has no variance or no curvature",
            where=f"variance {variance:.3g}, squared bias {loss:.3g}",
            remedy="give the bandwidth itself",
        )
    width = best_width(variance, loss, order, dimensions)
    floor = max(_least(arm, order + 1) for arm in arms)
    return max(width, floor), variance, loss


def best_width(variance: float, loss: float, order: int, dimensions: int) -> float:
    """Return the bandwidth at which variance over its power and squared bias are smallest together."""
    power = 1.0 / (2 * order + 2 + dimensions)
    return float((dimensions * variance / ((2 * order + 2) * loss)) ** power)


def _terms(order: int, arm: Arm) -> int:
    return order + 1 if arm.place.shape[1] == 1 else (order + 1) * (order + 2) // 2


def _least(arm: Arm, order: int) -> float:
    """Return the bandwidth that holds twice as many distinct places as there are coefficients."""
    needed = 2 * _terms(order, arm)
    first = np.unique(arm.codes, return_index=True)[1]
    distance = np.sort(arm.distance[first])
    if len(distance) < needed:
        raise DesignError(
            "too few distinct places for a local polynomial",
            where=f"{len(distance)} distinct places, {needed} needed for order {order}",
            remedy="lower the order",
        )
    return float(distance[needed - 1]) * (1.0 + 1e-6)


def _variance(scores: Floats, parameters: int, clusters: Codes | None) -> Floats:
    n = len(scores)
    if clusters is None:
        return np.asarray(scores.T @ scores * (n / max(n - parameters, 1)))
    labels, codes = np.unique(clusters, return_inverse=True)
    groups = len(labels)
    totals = np.column_stack([np.bincount(codes, column, groups) for column in scores.T])
    factor = groups / max(groups - 1, 1) * (n - 1) / max(n - parameters, 1)
    return np.asarray(totals.T @ totals * factor)
