"""Shortest intervals of fixed length around a linear estimate whose bias is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr, ndtri

from juntos_eval.arrays import Floats

__all__ = ["BiasedEstimate", "folded_normal_quantile", "shortest_interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasedEstimate:
    r"""An estimate with free weights w: variance and largest bias as functions of them.

    .. math:: \sigma^2(w) = w'Qw + 2 g'w + c, \qquad b(w) = M (\|w\|_1 + b_0).

    Attributes
    ----------
    quadratic : numpy.ndarray, shape (k, k)
        Q, positive definite.
    linear : numpy.ndarray, shape (k,)
        g.
    constant : float
        c.
    fixed_bias : float
        b0.
    bound : float
        M.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.fixed_length import BiasedEstimate
    >>> BiasedEstimate(quadratic=np.eye(1), linear=np.zeros(1), constant=1.0, fixed_bias=1.0,
    ...                bound=2.0).bias(np.array([3.0]))
    8.0
    """

    quadratic: Floats
    linear: Floats
    constant: float
    fixed_bias: float
    bound: float

    def bias(self, weights: Floats) -> float:
        """Return the largest bias of weights (k,)."""
        return float(self.bound * (np.abs(weights).sum() + self.fixed_bias))

    def spread(self, weights: Floats) -> float:
        """Return the standard error of weights (k,)."""
        variance = weights @ self.quadratic @ weights + 2 * self.linear @ weights + self.constant
        return float(np.sqrt(max(float(variance), 0.0)))

    def half_length(self, weights: Floats, level: float) -> float:
        """Return half the length of the interval that covers with probability level."""
        bias, spread = self.bias(weights), self.spread(weights)
        return spread * folded_normal_quantile(bias / spread, level) if spread > 0 else bias


def folded_normal_quantile(mean: float, level: float) -> float:
    r"""Return the quantile of :math:`|N(\mu, 1)|`.

    Parameters
    ----------
    mean : float
    level : float

    Returns
    -------
    float

    Examples
    --------
    >>> from juntos_eval.numerics.fixed_length import folded_normal_quantile
    >>> round(folded_normal_quantile(0.0, 0.95), 6)
    1.959964
    """
    distance, one_sided = abs(mean), float(ndtri(level))
    if distance > 8:  # the other tail is below 1e-60
        return distance + one_sided

    def excess(value: float) -> float:
        return float(ndtr(value - distance) - ndtr(-value - distance)) - level

    return float(brentq(excess, 0.0, distance + 40.0, xtol=1e-13))


def shortest_interval(problem: BiasedEstimate, level: float) -> tuple[Floats, float]:
    r"""Return the weights of the shortest interval, and half its length.

    Whatever the length weighs of bias and variance, weights that are best for it minimise
    :math:`\sigma^2(w)/2 + \lambda \|w\|_1` for some :math:`\lambda`: the path of these is piecewise linear
    and walked exactly, and the length minimised on each piece.

    Parameters
    ----------
    problem : BiasedEstimate
    level : float

    Returns
    -------
    tuple
        Weights (k,), half-length.

    References
    ----------
    Armstrong, T. B., & Kolesár, M. (2018). Optimal inference in a class of regression models.
    *Econometrica*, 86(2), 655-683. (Section 2 and equation 24.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.fixed_length import BiasedEstimate, shortest_interval
    >>> problem = BiasedEstimate(quadratic=np.eye(1), linear=np.array([-1.0]), constant=2.0,
    ...                          fixed_bias=0.0, bound=0.0)
    >>> weights, half = shortest_interval(problem, 0.95)
    >>> weights.tolist(), round(half, 4)
    ([1.0], 1.96)
    """
    knots = _path(problem.quadratic, problem.linear)
    best = min(knots, key=lambda knot: problem.half_length(knot, level))
    length = problem.half_length(best, level)
    for start, end in pairwise(knots):
        step = end - start

        def along(share: float, start: Floats = start, step: Floats = step) -> float:
            return problem.half_length(start + share * step, level)

        found = minimize_scalar(along, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
        if found.fun < length:
            best, length = start + float(found.x) * step, float(found.fun)
    return best, length


def _path(quadratic: Floats, linear: Floats) -> list[Floats]:
    """Return the knots of the minimisers of w'Qw/2 + g'w + λ|w| as λ falls to zero."""
    size = len(linear)
    weights = np.zeros(size)
    knots = [weights]
    if not size:
        return knots
    signs = np.zeros(size)
    penalty = float(np.abs(linear).max())
    entering = int(np.argmax(np.abs(linear)))
    signs[entering] = -np.sign(linear[entering])
    barred = (-1, 0.0)
    for _ in range(50 * size):
        if penalty <= 0:
            break
        active = np.flatnonzero(signs)
        # d w / d(-λ) on the active weights
        direction = np.zeros(size)
        direction[active] = np.linalg.solve(quadratic[np.ix_(active, active)], signs[active])
        gradient = quadratic @ weights + linear
        slope = quadratic @ direction
        step, event, sign = penalty, -1, 0.0
        for index in range(size):
            for moved, to in _events(index, signs, weights, direction, (gradient, slope, penalty)):
                # a weight that has just come to zero does not leave it on the side that it came from
                if (index, to) != barred and 0 <= moved < step:
                    step, event, sign = moved, index, to
        weights = weights + step * direction
        if event >= 0 and sign == 0.0:
            weights[event] = 0.0
        penalty -= step
        knots.append(weights)
        if event < 0:
            break
        barred = (event, float(signs[event]) if sign == 0.0 else 0.0)
        signs[event] = sign
    return knots


def _events(
    index: int, signs: Floats, weights: Floats, direction: Floats, state: tuple[Floats, Floats, float]
) -> list[tuple[float, float]]:
    """Return how far the path goes until this weight leaves zero or comes to it, and its sign then."""
    gradient, slope, penalty = state
    if signs[index] != 0:
        falls = direction[index] * signs[index] < 0
        return [(float(-weights[index] / direction[index]), 0.0)] if falls else []
    found = []
    for sign in (1.0, -1.0):
        # sign * gradient reaches -λ
        rate = 1.0 - sign * float(slope[index])
        distance = penalty + sign * float(gradient[index])
        if rate > 0:
            found.append((distance / rate, sign))
    return found
