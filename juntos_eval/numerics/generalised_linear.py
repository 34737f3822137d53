r"""Logit, probit and Poisson by iteratively reweighted least squares, with effects absorbed where asked.

Each step is a weighted least-squares fit of the working outcome :math:`\eta + (y - \mu)/\mu'(\eta)` (Nelder &
Wedderburn 1972), from which effects are taken out with that step's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb import Factor, absorber

__all__ = ["FAMILIES", "Family", "GeneralisedLinear", "fit_generalised_linear", "poisson_separated"]

_STEPS = 200
_CONVERGED = 1e-13
_HALVINGS = 40
_LARGEST = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    r"""A distribution with its link, as functions of the linear index.

    Attributes
    ----------
    mean : callable
        :math:`\mu(\eta)`.
    slope, curvature : callable
        :math:`\mu'(\eta)` and :math:`\mu''(\eta)`.
    variance : callable
        Variance of the outcome, of :math:`\mu`.
    deviance : callable
        Of outcome and :math:`\eta`, twice the log-likelihood's gap to the largest there could be, by row.
    start : callable
        First :math:`\eta`, of the outcome.
    """

    mean: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    curvature: Callable[[Floats], Floats]
    variance: Callable[[Floats], Floats]
    deviance: Callable[[Floats, Floats], Floats]
    start: Callable[[Floats], Floats]


def _normal_density(index: Floats) -> Floats:
    return np.asarray(np.exp(-(index**2) / 2.0) / np.sqrt(2.0 * np.pi))


def _poisson_deviance(outcome: Floats, index: Floats) -> Floats:
    return np.asarray(2.0 * (special.xlogy(outcome, outcome) - outcome * index - (outcome - np.exp(index))))


FAMILIES = {
    "logit": Family(
        mean=special.expit,
        slope=lambda index: special.expit(index) * special.expit(-index),
        curvature=lambda index: special.expit(index) * special.expit(-index) * -np.tanh(index / 2.0),
        variance=lambda mean: mean * (1.0 - mean),
        deviance=lambda y, index: 2.0 * np.logaddexp(0.0, np.where(y > 0.5, -index, index)),
        start=lambda y: np.where(y > 0.5, 0.5, -0.5),
    ),
    "probit": Family(
        mean=special.ndtr,
        slope=_normal_density,
        curvature=lambda index: -index * _normal_density(index),
        variance=lambda mean: mean * (1.0 - mean),
        deviance=lambda y, index: -2.0 * special.log_ndtr(np.where(y > 0.5, index, -index)),
        start=lambda y: np.where(y > 0.5, 0.3, -0.3),
    ),
    "poisson": Family(
        mean=np.exp,
        slope=np.exp,
        curvature=np.exp,
        variance=lambda mean: mean,
        deviance=_poisson_deviance,
        start=lambda y: np.log((y + y.mean()) / 2.0),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeneralisedLinear:
    r"""A fit by maximum likelihood.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (p,)
    index : numpy.ndarray, shape (n,)
        :math:`\eta`, absorbed effects included.
    design : numpy.ndarray, shape (n, p)
        Columns without the effects, as the last step took them out.
    working_weights, working_residuals : numpy.ndarray, shape (n,)
        Of the last step.
    bread : numpy.ndarray, shape (p, p)
        Inverse of the expected information.
    deviance : float
    absorbed_rank : int
    steps : int
    has_converged : bool
    """

    coefficients: Floats
    index: Floats
    design: Floats
    working_weights: Floats
    working_residuals: Floats
    bread: Floats
    deviance: float
    absorbed_rank: int
    steps: int
    has_converged: bool

    def __post_init__(self) -> None:
        for name in ("coefficients", "index", "design", "working_weights", "working_residuals", "bread"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def fit_generalised_linear(
    outcome: Floats,
    columns: Sequence[Floats],
    family: Family,
    *,
    factors: Sequence[Factor] = (),
    weights: Floats | None = None,
) -> GeneralisedLinear:
    """Maximise the (weighted) likelihood.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    columns : sequence of numpy.ndarray, shape (n,)
        Independent of each other and of the factors; with a constant where nothing is absorbed.
    family : Family
        One of ``FAMILIES``.
    factors : sequence of Factor
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    GeneralisedLinear
        ``has_converged`` is False where the deviance still fell after 200 steps, as without a maximum.

    References
    ----------
    McCullagh, P. & Nelder, J. A. (1989). *Generalized Linear Models* (2nd ed.), section 2.5. Chapman & Hall.
    Stammann, A. (2018). Fast and feasible estimation of generalized linear models with high-dimensional k-way
    fixed effects. arXiv:1707.01815.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.generalised_linear import FAMILIES, fit_generalised_linear
    >>> fit = fit_generalised_linear(np.array([1.0, 3.0]), (np.ones(2),), FAMILIES["poisson"])
    >>> round(float(np.exp(fit.coefficients[0])), 12)
    2.0
    """
    base = np.ones(len(outcome)) if weights is None else weights
    index = family.start(outcome)
    deviance, steps, has_converged = np.inf, 0, False
    while steps < _STEPS:
        step = _step(outcome, columns, family, factors, base, index)
        proposed, fallen = _shortened(outcome, family, base, index, step.index, deviance)
        steps += 1
        gap = deviance - fallen
        index, deviance = proposed, fallen
        if has_converged:
            break
        # one more step after the deviance stands still: the coefficients converge at half its pace
        has_converged = abs(gap) <= _CONVERGED * (abs(deviance) + 1.0)
    last = _step(outcome, columns, family, factors, base, index)
    return GeneralisedLinear(
        coefficients=last.coefficients,
        index=index,
        design=last.design,
        working_weights=last.weights,
        working_residuals=(outcome - family.mean(index)) / family.slope(index),
        bread=last.bread,
        deviance=float(deviance),
        absorbed_rank=last.rank,
        steps=steps,
        has_converged=has_converged,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    coefficients: Floats
    index: Floats
    design: Floats
    weights: Floats
    bread: Floats
    rank: int


def _step(
    outcome: Floats,
    columns: Sequence[Floats],
    family: Family,
    factors: Sequence[Factor],
    base: Floats,
    index: Floats,
) -> _Step:
    slope = np.maximum(family.slope(index), 1e-150)
    mean = family.mean(index)
    working = index + (outcome - mean) / slope
    weights = base * slope**2 / np.maximum(family.variance(mean), 1e-150)
    weights = np.maximum(weights, 1e-12 * weights.max())
    within = absorber(factors, weights)
    whole = np.empty((len(outcome), len(columns) + 1), order="F")
    for place, column in enumerate((working, *columns)):
        whole[:, place] = column
    within.take_out(whole)
    root = np.sqrt(weights)
    basis, triangle = np.linalg.qr(whole[:, 1:] * root[:, None])
    inverse = np.linalg.inv(triangle)
    coefficients = inverse @ (basis.T @ (whole[:, 0] * root))
    return _Step(
        coefficients=coefficients,
        index=working - (whole[:, 0] - whole[:, 1:] @ coefficients),
        design=whole[:, 1:],
        weights=weights,
        bread=inverse @ inverse.T,
        rank=within.rank,
    )


def _shortened(
    outcome: Floats, family: Family, base: Floats, index: Floats, goal: Floats, deviance: float
) -> tuple[Floats, float]:
    """Go towards the goal as far as the deviance falls."""
    share = 1.0
    for _ in range(_HALVINGS):
        proposed = np.clip(index + share * (goal - index), -_LARGEST, _LARGEST)
        fallen = float(base @ family.deviance(outcome, proposed))
        if np.isfinite(fallen) and fallen <= deviance * (1.0 + 1e-12) + 1e-12:
            return proposed, fallen
        share /= 2.0
    return index, deviance


def poisson_separated(
    outcome: Floats, columns: Sequence[Floats], factors: Sequence[Factor], weights: Floats | None = None
) -> Bools:
    r"""Say which rows with outcome zero the columns and effects tell from the rest without error.

    There some combination of columns is zero wherever the outcome is positive, not negative elsewhere and
    positive in these rows: their mean goes to zero, and the estimate of the others is the same without them.
    Found by the iterative rectifier, least squares that gives positive outcomes a very large weight.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    columns : sequence of numpy.ndarray, shape (n,)
    factors : sequence of Factor
    weights : numpy.ndarray, shape (n,), optional
        Positive; they do not matter.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    DesignError
        If it could not be decided.

    References
    ----------
    Correia, S., Guimarães, P. & Zylkin, T. (2021). Verifying the existence of maximum likelihood estimates
    for generalized linear models. arXiv:1903.01633, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.generalised_linear import poisson_separated
    >>> poisson_separated(np.array([0.0, 1.0, 2.0]), (np.ones(3), np.array([1.0, 0.0, 0.0])), ()).tolist()
    [True, False, False]
    """
    del weights
    zero = outcome == 0
    if not zero.any():
        return np.asarray(zero, dtype=np.bool_)
    heavy = np.where(zero, 1.0, 1e6)
    within = absorber(factors, heavy)
    design = within.residuals(np.column_stack(columns)) if columns else np.zeros((len(outcome), 0))
    root = np.sqrt(heavy)
    basis = np.linalg.svd(design * root[:, None], full_matrices=False)
    kept = 1e-10 * max(basis.S.max(initial=0.0), 1e-300) < basis.S
    target = zero.astype(np.float64)
    for _ in range(1000):
        left = within.residuals(target[:, None])[:, 0]
        left = left - (basis.U[:, kept] @ (basis.U[:, kept].T @ (left * root))) / root
        fitted = target - left
        fitted[~zero] = 0.0
        fitted[np.abs(fitted) < 1e-4] = 0.0
        if (fitted >= 0).all():
            return np.asarray(fitted > 0)
        target = np.maximum(fitted, 0.0)
    raise DesignError(
        "it could not be decided whether covariates tell rows with outcome zero from the others",
        where=f"{int(zero.sum()):,} of {len(outcome):,} rows have outcome zero",
        remedy="leave out covariates that are next to collinear",
    )
