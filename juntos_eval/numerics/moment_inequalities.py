"""Tests that linear moment inequalities with nuisance parameters can hold, given which of them bind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from juntos_eval.arrays import Bools, Floats
from juntos_eval.numerics.linear_programmes import SharedProgrammes

__all__ = ["Inequalities", "Truncation", "conditional_test", "least_favourable_value"]

_FAR = 100.0


@dataclass(frozen=True, slots=True)
class Inequalities:
    r"""Inequalities :math:`E[y] - X\tau \le 0` for some nuisance parameters, y normal.

    Attributes
    ----------
    programmes : SharedProgrammes
        Over :math:`\gamma \ge 0, X'\gamma = 0, \gamma'\sigma = 1`.
    covariance : numpy.ndarray, shape (m, m)
        Of y.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.moment_inequalities import Inequalities
    >>> Inequalities.of(np.eye(2), np.zeros((2, 0))).statistic(np.array([[1.0, 3.0]]))[0].tolist()
    [3.0]
    """

    programmes: SharedProgrammes
    covariance: Floats

    @staticmethod
    def of(covariance: Floats, nuisance: Floats) -> Inequalities:
        """Return the inequalities of a covariance (m, m) and the nuisance matrix X (m, q)."""
        scale = np.sqrt(np.diag(covariance))
        equalities = np.vstack([nuisance.T, scale[None, :]])
        return Inequalities(SharedProgrammes(equalities, np.eye(len(equalities))[-1]), covariance)

    def statistic(self, moments: Floats) -> tuple[Floats, Floats]:
        r"""Return :math:`\hat\eta = \max_\gamma \gamma'y` (r,) and its weights (r, m), for each row."""
        return self.programmes.solve(moments)


@dataclass(frozen=True, slots=True)
class Truncation:
    r"""What a first stage has already said, as limits on the statistic.

    Attributes
    ----------
    size : float
        Size that is left for the second stage.
    upper : float
        The statistic was not above this.
    direction : numpy.ndarray, shape (r, m), optional
        ``slope`` of a normal estimate on y: its covariance with the moments.
    centred : numpy.ndarray, shape (r,), optional
        The estimate less the hypothesis, which was not beyond ``half_length``.
    half_length : float

    Examples
    --------
    >>> from juntos_eval.numerics.moment_inequalities import Truncation
    >>> Truncation(0.05).upper
    inf
    """

    size: float
    upper: float = np.inf
    direction: Floats | None = None
    centred: Floats | None = None
    half_length: float = np.inf


def least_favourable_value(inequalities: Inequalities, size: float, draws: int, seed: int) -> float:
    r"""Return the 1 - size quantile of the statistic where every inequality binds, from normal draws.

    Parameters
    ----------
    inequalities : Inequalities
    size : float
    draws, seed : int

    Returns
    -------
    float

    References
    ----------
    Andrews, I., Roth, J., & Pakes, A. (2023). Inference for linear conditional moment inequalities.
    *Review of Economic Studies*, 90(6), 2763-2791. (Section 3.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.moment_inequalities import Inequalities, least_favourable_value
    >>> one = Inequalities.of(np.eye(1), np.zeros((1, 0)))
    >>> round(least_favourable_value(one, 0.05, 20_000, 1), 1)
    1.6
    """
    values, vectors = np.linalg.eigh(inequalities.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(seed).standard_normal((draws, len(values)))
    return float(np.quantile(inequalities.statistic(normal @ root.T)[0], 1 - size))


def conditional_test(inequalities: Inequalities, moments: Floats, after: Truncation) -> Bools:
    r"""Return whether the inequalities are rejected, for each row of moments.

    Given the weights :math:`\gamma` that are best, and what of y is independent of
    :math:`\hat\eta = \gamma'y`, the statistic is a normal cut to :math:`[v_{lo}, v_{up}]`, where the same
    weights stay best; rejected where it is above zero and beyond the quantile of that law at mean zero.

    Parameters
    ----------
    inequalities : Inequalities
    moments : numpy.ndarray, shape (r, m)
    after : Truncation

    Returns
    -------
    numpy.ndarray of bool, shape (r,)

    References
    ----------
    Andrews, I., Roth, J., & Pakes, A. (2023). Inference for linear conditional moment inequalities.
    *Review of Economic Studies*, 90(6), 2763-2791. (Sections 4 and 5.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.moment_inequalities import Inequalities, Truncation, conditional_test
    >>> one = Inequalities.of(np.eye(1), np.zeros((1, 0)))
    >>> conditional_test(one, np.array([[1.6], [1.7]]), Truncation(0.05)).tolist()
    [False, True]
    """
    statistic, weights = inequalities.statistic(moments)
    slopes = weights @ inequalities.covariance
    variance = np.einsum("ij,ij->i", slopes, weights)
    spread = np.sqrt(np.maximum(variance, 0.0))
    rejected = statistic > max(0.0, after.upper)
    # a statistic without error is compared with zero
    certain = spread <= 1e-9 * np.sqrt(np.diag(inequalities.covariance).max())
    rejected |= certain & (statistic > 1e-10)
    open_cases = np.flatnonzero((statistic > 0) & ~rejected & ~certain)
    if not len(open_cases):
        return np.asarray(rejected)
    own = statistic[open_cases]
    along = slopes[open_cases] / variance[open_cases, None]
    rest = moments[open_cases] - along * own[:, None]
    far = _FAR * spread[open_cases]
    low = _end(inequalities.programmes, rest, along, (own - far, -np.inf))
    high = np.minimum(_end(inequalities.programmes, rest, along, (own + far, np.inf)), after.upper)
    if after.direction is not None and after.centred is not None:
        rate = np.einsum("ij,ij->i", weights, after.direction)[open_cases] / variance[open_cases]
        first = _first_stage(own, rate, after.centred[open_cases], after.half_length)
        low, high = np.maximum(low, first[0]), np.minimum(high, first[1])
    scale = spread[open_cases]
    p_value = _survival(own / scale, np.minimum(low, own) / scale, np.maximum(high, own) / scale)
    rejected[open_cases] = p_value < after.size
    return np.asarray(rejected)


def _end(programmes: SharedProgrammes, rest: Floats, along: Floats, outside: tuple[Floats, float]) -> Floats:
    """Return where other weights become best: the zero, nearest the statistic, of a convex function.

    The function is what the best weights gain over the present ones; Newton steps from outside end there.
    """
    start, without_end = outside
    at = start.copy()
    moving = np.arange(len(at))
    for step in range(200):
        value, weights = programmes.solve(rest[moving] + along[moving] * at[moving, None])
        gain = value - at[moving]
        is_there = gain <= 1e-10 * (1 + np.abs(at[moving]))
        if step == 0:
            at[moving[is_there]] = without_end
        moving, weights = moving[~is_there], weights[~is_there]
        if not len(moving):
            break
        intercept = np.einsum("ij,ij->i", weights, rest[moving])
        at[moving] = intercept / (1 - np.einsum("ij,ij->i", weights, along[moving]))
    return at


def _first_stage(own: Floats, rate: Floats, centred: Floats, half_length: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(-half_length - centred) / rate, (half_length - centred) / rate])
    ends = np.where(rate == 0, np.array([[-np.inf], [np.inf]]), ends)
    return own + ends.min(axis=0), own + ends.max(axis=0)


def _survival(at: Floats, low: Floats, high: Floats) -> Floats:
    """Return the chance that a standard normal between low and high is above at, far in the tail too."""
    beyond, whole = _log_between(at, high), _log_between(low, high)
    return np.where(np.isneginf(beyond), 0.0, np.exp(np.minimum(beyond - whole, 0.0)))


def _log_between(low: Floats, high: Floats) -> Floats:
    # on the side where both tails are small
    flip = low > 0
    first, second = np.where(flip, -high, low), np.where(flip, -low, high)
    larger, smaller = log_ndtr(second), log_ndtr(first)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(second > first, larger + np.log1p(-np.exp(smaller - larger)), -np.inf))
