r"""Moments of an over-identified covariate balancing score, and where their GMM criterion is least.

A row's moments are :math:`a(\eta) \otimes x`, with a the score of the likelihood and the balance, and their
covariance under the model is :math:`B(\eta) \otimes x x'`. The criterion

.. math:: \bar g' \Sigma^{-1} \bar g = \max_\lambda \sum_i s_i (2 a_i'u_i - u_i' B_i u_i), \qquad
          u_i = (x_i'\lambda_1, x_i'\lambda_2)

is a sum over rows at its own multipliers, which gives derivatives and influence without approximation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["GmmMinimum", "Moments", "gmm_minimum", "moments"]

# gradient of the criterion per row, in standard deviations of covariates, that counts as zero
TOLERANCE = 1e-10
POLISHING = 20
# share of their own variance that other moments must leave a moment
COLLINEAR = 1e-10
# indices beyond this are probabilities of 0 and 1 to rounding, and overflow when squared
FARTHEST = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Moments of each row and their covariance under the model, with two derivatives in the index.

    Attributes
    ----------
    value : tuple of numpy.ndarray, each of shape (n, 2)
        a, its first and its second derivative.
    spread : tuple of numpy.ndarray, each of shape (n, 2, 2)
        B, its first and its second derivative.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.balancing_moments import moments
    >>> moments(np.array([True, False]), np.zeros(2), "ate").value[0].tolist()
    [[0.5, 2.0], [-0.5, -2.0]]
    """

    value: tuple[Floats, Floats, Floats]
    spread: tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class GmmMinimum:
    """Where the criterion is least.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (k,)
    multipliers : numpy.ndarray, shape (2 k,)
        Of the score of the likelihood, then of balance.
    value : float
    is_reached : bool

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.balancing_moments import GmmMinimum
    >>> GmmMinimum(coefficients=np.zeros(1), multipliers=np.zeros(2), value=0.0, is_reached=True).value
    0.0
    """

    coefficients: Floats
    multipliers: Floats
    value: float
    is_reached: bool

    def __post_init__(self) -> None:
        for name in ("coefficients", "multipliers"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def moments(treated: Bools, index: Floats, estimand: str) -> Moments:
    """Return the moments of each row at an index.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    index : numpy.ndarray, shape (n,)
    estimand : {"att", "ate", "atc"}

    Returns
    -------
    Moments

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.balancing_moments import moments
    >>> moments(np.array([True]), np.zeros(1), "att").spread[0].tolist()
    [[[0.25, 0.5], [0.5, 1.0]]]
    """
    index = np.clip(index, -FARTHEST, FARTHEST)
    p = special.expit(index)
    q = p * (1.0 - p)
    bend = q * (1.0 - 2.0 * p)
    up, down, zero = np.exp(index), np.exp(-index), np.zeros(len(p))
    if estimand == "ate":
        balance = (
            np.where(treated, 1.0 + down, -1.0 - up),
            np.where(treated, -down, -up),
            np.where(treated, down, -up),
        )
        across, variance = (zero + 1.0, zero, zero), (2.0 + up + down, up - down, up + down)
    elif estimand == "att":
        balance = (np.where(treated, 1.0, -up), np.where(treated, 0.0, -up), np.where(treated, 0.0, -up))
        across, variance = (p, q, bend), (up, up, up)
    else:
        balance = (np.where(treated, down, -1.0), np.where(treated, -down, 0.0), np.where(treated, down, 0.0))
        across, variance = (1.0 - p, -q, -bend), (down, -down, down)
    score = (treated - p, -q, -bend)
    likelihood = (q, bend, q * (1.0 - 6.0 * q))
    value = [np.column_stack(pair) for pair in zip(score, balance, strict=True)]
    spread = [
        np.stack([np.column_stack([one, both]), np.column_stack([both, other])], axis=1)
        for one, both, other in zip(likelihood, across, variance, strict=True)
    ]
    return Moments(value=(value[0], value[1], value[2]), spread=(spread[0], spread[1], spread[2]))


def gmm_minimum(
    treated: Bools, basis: Floats, share: Floats, estimand: str, start: Floats, fixed: Moments | None
) -> GmmMinimum:
    """Minimise the criterion from a start: trust regions, then Newton's steps down to rounding.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    basis : numpy.ndarray, shape (n, k)
    share : numpy.ndarray, shape (n,)
        Sampling weights.
    estimand : {"att", "ate", "atc"}
    start : numpy.ndarray, shape (k,)
    fixed : Moments or None
        Those of the first step, whose covariance weighs; None: that at the coefficients sought.

    Returns
    -------
    GmmMinimum

    Raises
    ------
    DesignError
        If the moments are collinear: where the score can take any value in each cell of the covariates, its
        likelihood balances already.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.balancing_moments import gmm_minimum, moments
    >>> treated, x = np.tile([1, 0, 0, 1, 1], 4) == 1, np.arange(20.0)[:, None] / 10 - 0.95
    >>> first = moments(treated, 0.1 * x[:, 0], "ate")
    >>> gmm_minimum(treated, x, np.ones(20), "ate", np.array([0.1]), first).is_reached
    True
    """
    from scipy import optimize  # slow to import, and only over-identified scores are to wait for it

    rows = float(share.sum())
    spread = (moments(treated, basis @ start, estimand) if fixed is None else fixed).spread[0]
    _refuse_collinear(_crossed(basis, share, spread), len(treated))

    def profile(coefficients: Floats) -> tuple[float, Floats, Floats, Floats]:
        value, gradient, hessian, multipliers = _profile(treated, basis, share, estimand, coefficients, fixed)
        return value / rows, gradient / rows, hessian / rows, multipliers

    options = {"gtol": 1e-8, "maxiter": 500, "initial_trust_radius": 0.1}
    found: Any = optimize.minimize(
        lambda at: profile(at)[0],
        np.array(start),
        jac=lambda at: profile(at)[1],
        hess=lambda at: profile(at)[2],
        method="trust-exact",
        options=options,  # type: ignore[call-overload]
    )
    coefficients = np.asarray(found.x)
    value, gradient, hessian, multipliers = profile(coefficients)
    for _ in range(POLISHING):
        moved = coefficients - np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        after = profile(moved)
        if not np.abs(after[1]).max() < np.abs(gradient).max():
            break
        coefficients, (value, gradient, hessian, multipliers) = moved, after
    is_minimum = bool(np.linalg.eigvalsh(hessian).min() > 0)
    return GmmMinimum(
        coefficients=coefficients,
        multipliers=multipliers,
        value=value * rows,
        is_reached=is_minimum and bool(np.abs(gradient).max() <= TOLERANCE),
    )


def _profile(
    treated: Bools, basis: Floats, share: Floats, estimand: str, coefficients: Floats, fixed: Moments | None
) -> tuple[float, Floats, Floats, Floats]:
    """Return the criterion, its gradient and Hessian in the coefficients, and its multipliers."""
    seen = moments(treated, basis @ coefficients, estimand)
    spread, spread_1, spread_2 = (seen if fixed is None else fixed).spread
    value, value_1, value_2 = (share[:, None] * each for each in seen.value)
    mean = (basis.T @ value).T.ravel()
    sigma = _crossed(basis, share, spread)
    try:
        multipliers = np.asarray(np.linalg.solve(sigma, mean))
    except np.linalg.LinAlgError:  # so far out that the search has to turn back
        return np.inf, np.zeros(len(coefficients)), np.eye(len(coefficients)), np.zeros(len(mean))
    parts = basis @ multipliers.reshape(2, -1).T
    slope = 2.0 * (value_1 * parts).sum(axis=1)
    curvature = 2.0 * (value_2 * parts).sum(axis=1)
    mixed = 2.0 * value_1
    if fixed is None:
        slope = slope - share * np.einsum("ia,iab,ib->i", parts, spread_1, parts)
        curvature = curvature - share * np.einsum("ia,iab,ib->i", parts, spread_2, parts)
        mixed = mixed - 2.0 * share[:, None] * np.einsum("iab,ib->ia", spread_1, parts)
    across = np.vstack([(basis * mixed[:, [a]]).T @ basis for a in (0, 1)])
    hessian = (basis * curvature[:, None]).T @ basis + across.T @ np.linalg.solve(2.0 * sigma, across)
    return float(mean @ multipliers), basis.T @ slope, hessian, multipliers


def _refuse_collinear(sigma: Floats, rows: int) -> None:
    size = np.sqrt(np.diag(sigma))
    if np.linalg.eigvalsh(sigma / np.outer(size, size)).min() < COLLINEAR:
        raise DesignError(
            "likelihood and balance of the score are the same moments: nothing is over-identified",
            where=f"{rows} rows, {len(sigma) // 2} coefficients",
            remedy="use over_identified=False: a score that is free in each cell of the covariates balances",
        )


def _crossed(basis: Floats, share: Floats, spread: Floats) -> Floats:
    blocks = [[(basis * (share * spread[:, a, b])[:, None]).T @ basis for b in (0, 1)] for a in (0, 1)]
    return np.block(blocks)
