r"""Local polynomials in the plane, evaluated at a point of the boundary between two areas.

With :math:`u = (x - b) / h` in kilometres east and north of the point b, the level at b is the first
coefficient of a weighted least-squares fit of all monomials :math:`u_1^i u_2^j`, :math:`i + j \le p`, with
weights :math:`w_i K(\lVert u_i \rVert)`. At the best bandwidth for the mean squared error of the gap at b,

.. math:: h = \Bigl[ \frac{2 (V_1 + V_0)}{(2p + 2) \{ (B_1 - B_0)^2 + 3 \widehat{var}(B_1 - B_0) \}}
          \Bigr]^{1/(2p+4)},

since the variance falls with :math:`h^2` and the bias grows with :math:`h^{p+1}` (Cattaneo, Titiunik & Yu
2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.local_polynomial import kernel_weights

__all__ = ["Arm", "PlaneFit", "gap_bandwidth", "monomials", "plane_fit"]

# rule-of-thumb constants of a pilot bandwidth, by kernel
_PILOT = {"triangular": 2.576, "uniform": 1.843, "epanechnikov": 2.34}
# the curvature is looked at in a window wider by this factor
_WIDER = 2.0
_REGULARISATION = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """The rows of one area around a point.

    Attributes
    ----------
    place : numpy.ndarray, shape (n, 2)
        Kilometres east and north of the point.
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
        """From the point, in kilometres."""
        return np.asarray(np.hypot(self.place[:, 0], self.place[:, 1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneFit:
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
    """Return all products of powers of two columns up to an order, by total degree, (n, (p+1)(p+2)/2).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.plane_polynomial import monomials
    >>> monomials(np.array([[2.0, 3.0]]), 2).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """
    columns = [
        scaled[:, 0] ** (degree - second) * scaled[:, 1] ** second
        for degree in range(order + 1)
        for second in range(degree + 1)
    ]
    return np.column_stack(columns)


def plane_fit(arm: Arm, bandwidth: float, order: int, kernel: str) -> PlaneFit:
    """Fit one area's local polynomial at the point.

    Parameters
    ----------
    arm : Arm
    bandwidth : float
        In kilometres.
    order : int
    kernel : str

    Returns
    -------
    PlaneFit

    Raises
    ------
    DesignError
        Where the window has fewer distinct places than coefficients, or they lie on a line.
    """
    scaled_distance = arm.distance / bandwidth
    reach = scaled_distance <= 1.0 if kernel == "uniform" else scaled_distance < 1.0
    inside = np.flatnonzero(reach)
    needed = (order + 1) * (order + 2) // 2
    places = len(np.unique(arm.codes[inside]))
    design = monomials(arm.place[inside] / bandwidth, order)
    weights = kernel_weights(kernel, scaled_distance[inside]) * arm.weights[inside]
    root = np.sqrt(weights)[:, None] * design
    if places < needed or np.linalg.matrix_rank(root) < needed:
        raise DesignError(
            f"too few places for a local polynomial of order {order} in the plane",
            where=f"{len(inside)} rows in {places} places within {bandwidth:.4g} km, {needed} needed",
            remedy="widen the bandwidth or lower the order",
        )
    inverse = np.asarray(np.linalg.inv(root.T @ root), dtype=np.float64)
    coefficients = inverse @ (design.T @ (weights * arm.outcome[inside]))
    residual = arm.outcome[inside] - design @ coefficients
    equivalent = weights * (design @ inverse[0])
    scores = (weights * residual)[:, None] * design
    influence = equivalent * residual
    clusters = None if arm.clusters is None else arm.clusters[inside]
    return PlaneFit(
        value=float(coefficients[0]),
        variance=float(_variance(influence[:, None], needed, clusters)[0, 0]),
        inside=inside,
        influence=influence,
        equivalent=equivalent,
        coefficients=coefficients,
        inverse=inverse,
        scores=scores,
    )


def gap_bandwidth(arms: tuple[Arm, Arm], order: int, kernel: str) -> tuple[float, float, float]:
    """Return the best bandwidth at a point, and its two constants.

    Parameters
    ----------
    arms : tuple of Arm
        Untreated and treated.
    order : int
    kernel : str

    Returns
    -------
    tuple of float
        Bandwidth in kilometres, the constant of the variance, that of the squared bias.
    """
    place = np.concatenate([arm.place for arm in arms])
    spread = float(np.sqrt(place.var(axis=0, ddof=1).mean()))
    pilot = _PILOT[kernel] * spread * len(place) ** (-1.0 / 6.0)
    pilot = max(pilot, *(_least(arm, order) for arm in arms))
    wide = max(_WIDER * pilot, *(_least(arm, order + 1) for arm in arms))
    variance, bias, error = 0.0, 0.0, 0.0
    for arm, sign in zip(arms, (-1.0, 1.0), strict=True):
        near = plane_fit(arm, pilot, order, kernel)
        variance += pilot**2 * near.variance
        steep = plane_fit(arm, wide, order + 1, kernel)
        first = (order + 1) * (order + 2) // 2
        # what each monomial of the next degree does to the level, per kilometre to the power p + 1
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
            "no bandwidth can be selected: near the boundary the outcome has no variance or no curvature",
            where=f"variance {variance:.3g}, squared bias {loss:.3g}",
            remedy="give the bandwidth itself",
        )
    width = (2.0 * variance / ((2 * order + 2) * loss)) ** (1.0 / (2 * order + 4))
    floor = max(_least(arm, order + 1) for arm in arms)
    return max(float(width), floor), variance, loss


def _least(arm: Arm, order: int) -> float:
    """Return the bandwidth that holds twice as many distinct places as there are coefficients."""
    needed = (order + 1) * (order + 2)
    first = np.unique(arm.codes, return_index=True)[1]
    distance = np.sort(arm.distance[first])
    if len(distance) < needed:
        raise DesignError(
            "too few places on one side of the boundary",
            where=f"{len(distance)} distinct places, {needed} needed for order {order}",
            remedy="lower the order, or use method='distance'",
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
