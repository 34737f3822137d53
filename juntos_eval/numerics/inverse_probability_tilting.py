"""Inverse probability tilting: odds that make the reweighted controls equal the treated on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen
from juntos_eval.numerics.convex_newton import minimise_convex

__all__ = ["Tilting", "tilt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilting:
    r"""Odds :math:`\exp(x_i'\hat\gamma)` of treatment that balance the covariates.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (p,)
    odds : numpy.ndarray, shape (n,)
    imbalance : float
        Largest absolute difference between the treated's mean of a column of the design and the
        reweighted controls'.
    is_balanced : bool
        False where no odds of this form balance: the treated's means lie outside what the controls span.
    iterations : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.inverse_probability_tilting import tilt
    >>> tilt(np.ones((3, 1)), np.array([True, False, False]), np.ones(3)).is_balanced
    True
    """

    coefficients: Floats
    odds: Floats
    imbalance: float
    is_balanced: bool
    iterations: int

    def __post_init__(self) -> None:
        for name in ("coefficients", "odds"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def tilt(design: Floats, treated: Bools, weights: Floats) -> Tilting:
    r"""Fit a logit by balance rather than by likelihood.

    .. math:: \hat\gamma = \arg\max_\gamma \sum_i w_i \{D_i x_i'\gamma - (1 - D_i) \exp(x_i'\gamma)\}

    so that :math:`\sum_i w_i (1 - D_i) \exp(x_i'\hat\gamma) x_i = \sum_i w_i D_i x_i`: the controls,
    weighted by their odds :math:`\hat\pi / (1 - \hat\pi) = \exp(x'\hat\gamma)`, have the treated's means.

    Parameters
    ----------
    design : numpy.ndarray, shape (n, p)
        The first column is of ones; columns of like size (standardised) make the tolerance meaningful.
    treated : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)

    Returns
    -------
    Tilting

    References
    ----------
    Graham, B. S., Pinto, C. C. D. X., & Egel, D. (2012). Inverse probability tilting for moment condition
    models with missing data. *Review of Economic Studies*, 79(3), 1053-1079.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.inverse_probability_tilting import tilt
    >>> x = np.array([1.0, 0.0, 0.0, 1.0])
    >>> fit = tilt(np.column_stack([np.ones(4), x]), np.array([1, 1, 0, 0]) == 1, np.ones(4))
    >>> fit.odds.round(8).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    target = weights[treated] @ design[treated]
    mass = float(target[0])
    controls, control_weights = design[~treated], weights[~treated]

    def evaluate(coefficients: Floats) -> tuple[float, Floats, Floats]:
        # too long a step overflows to infinity, which the line search refuses
        with np.errstate(over="ignore", invalid="ignore"):
            odds = control_weights * np.exp(controls @ coefficients)
            value = (float(odds.sum()) - float(target @ coefficients)) / mass
            gradient = (odds @ controls - target) / mass
            hessian = (controls * odds[:, None]).T @ controls / mass
        return value, gradient, hessian

    start = np.zeros(design.shape[1])
    start[0] = np.log(mass / control_weights.sum())
    best = minimise_convex(evaluate, start, tolerance=1e-10)
    with np.errstate(over="ignore"):
        odds = np.exp(design @ best.argument)
    return Tilting(
        coefficients=best.argument,
        odds=odds,
        imbalance=float(np.abs(best.gradient).max()),
        is_balanced=best.is_reached,
        iterations=best.iterations,
    )
