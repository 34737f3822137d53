r"""Sets of values that a test does not reject, where its statistic is a ratio of quadratics in the value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats

__all__ = ["QuadraticTest", "acceptance_set"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuadraticTest:
    r"""The statistic :math:`g(b)'V(b)^{-1}g(b)` with :math:`g(b) = g_0 - g_1 b`.

    :math:`V(b) = V_0 - b V_1 + b^2 V_2`.

    Attributes
    ----------
    level, slope : numpy.ndarray, shape (m,)
        :math:`g_0, g_1`.
    variances : tuple of numpy.ndarray, shape (m, m)
        :math:`V_0, V_1, V_2`, symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.eye(1)
    >>> QuadraticTest(level=np.ones(1), slope=np.ones(1), variances=(one, 0 * one, 0 * one)).statistic(3.0)
    4.0
    """

    level: Floats
    slope: Floats
    variances: tuple[Floats, Floats, Floats]

    def statistic(self, value: float) -> float:
        """Return the statistic at a value."""
        gap = self.level - value * self.slope
        first, second, third = self.variances
        spread = first - value * second + value**2 * third
        return float(gap @ np.linalg.solve(spread, gap))

    def limit(self) -> float:
        """Return the statistic at a value beyond all bounds."""
        return float(self.slope @ np.linalg.solve(self.variances[2], self.slope))


def acceptance_set(test: QuadraticTest, bound: float) -> tuple[tuple[float, float], ...]:
    r"""Return the intervals where the statistic is at most a bound, exactly.

    The statistic is at most c where the matrix :math:`cV(b) - g(b)g(b)'` has no negative eigenvalue; it has
    an eigenvalue of zero at the real roots of a quadratic eigenvalue problem, between which nothing changes.

    Parameters
    ----------
    test : QuadraticTest
    bound : float
        c.

    Returns
    -------
    tuple of (float, float)
        From left to right, infinite where they do not end; none if every value is rejected.

    References
    ----------
    Tisseur, F. & Meerbergen, K. (2001). The quadratic eigenvalue problem. SIAM Review 43(2), 235-286.
    (Section
    3.4: linearisation.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.acceptance_set import QuadraticTest, acceptance_set
    >>> one = np.eye(1)
    >>> known = QuadraticTest(level=np.ones(1), slope=np.ones(1), variances=(one, 0 * one, 0 * one))
    >>> [(round(low, 9), round(high, 9)) for low, high in acceptance_set(known, 4.0)]
    [(-1.0, 3.0)]
    """
    roots = _crossings(test, bound)
    if not len(roots):
        return ((-np.inf, np.inf),) if test.limit() <= bound else ()
    spread = max(1.0, float(roots[-1] - roots[0]))
    inner = (roots[1:] + roots[:-1]) / 2.0
    points = np.concatenate([[roots[0] - spread], inner, [roots[-1] + spread]])
    ends = np.concatenate([[-np.inf], roots, [np.inf]])
    accepted = [test.statistic(float(point)) <= bound for point in points]
    intervals: list[tuple[float, float]] = []
    for position, is_in in enumerate(accepted):
        low, high = float(ends[position]), float(ends[position + 1])
        if is_in and intervals and intervals[-1][1] == low:
            intervals[-1] = (intervals[-1][0], high)
        elif is_in:
            intervals.append((low, high))
    return tuple(intervals)


def _crossings(test: QuadraticTest, bound: float) -> Floats:
    """Return the sorted values at which the statistic is the bound."""
    centre, scale = _units(test)
    level, slope = test.level - centre * test.slope, scale * test.slope
    first, second, third = test.variances
    constant = bound * (first - centre * second + centre**2 * third) - np.outer(level, level)
    linear = bound * scale * (2 * centre * third - second) + np.outer(level, slope) + np.outer(slope, level)
    square = bound * scale**2 * third - np.outer(slope, slope)
    zero, one = np.zeros_like(constant), np.eye(len(constant))
    companion = np.block([[zero, one], [-constant, -linear]])
    pencil = np.block([[one, zero], [zero, square]])
    upper, lower = linalg.eig(companion, pencil, right=False, homogeneous_eigvals=True)
    finite = np.abs(lower) > 1e-12 * np.abs(upper)
    found = upper[finite] / lower[finite]
    real = found.real[np.abs(found.imag) <= 1e-7 * (1.0 + np.abs(found.real))]
    roots = np.unique(centre + scale * real)
    return np.asarray([root for root in roots if _is_crossing(test, float(root), bound)])


def _is_crossing(test: QuadraticTest, root: float, bound: float) -> bool:
    return abs(test.statistic(root) - bound) <= 1e-5 * max(bound, 1e-300)


def _units(test: QuadraticTest) -> tuple[float, float]:
    """Return a value near which the statistic is small, and a length of its own, for good conditioning."""
    strength = float(test.slope @ test.slope)
    centre = float(test.slope @ test.level) / strength if strength else 0.0
    first, second, third = (float(np.trace(part)) for part in test.variances)
    spread = max(first - centre * second + centre**2 * third, 0.0)
    return centre, float(np.sqrt(spread / strength)) if strength and spread else 1.0
