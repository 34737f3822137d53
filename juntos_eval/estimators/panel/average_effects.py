"""Average marginal effects of generalised linear models, and their influence."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.numerics.generalised_linear import Family

__all__ = ["average_effects"]


def average_effects(
    design: Floats, coefficients: Floats, family: Family, weights: Floats, is_binary: Bools
) -> tuple[Floats, Floats, Floats]:
    r"""Return average effects on the mean, their derivatives by the coefficients, and each row's effect.

    .. math:: \text{continuous: } \frac{\sum_i w_i \mu'(\eta_i) \beta_j}{\sum_i w_i}, \qquad
              \text{0/1: } \frac{\sum_i w_i \{\mu(\eta_i^{1}) - \mu(\eta_i^{0})\}}{\sum_i w_i}

    Parameters
    ----------
    design : numpy.ndarray, shape (n, p)
        The constant first.
    coefficients : numpy.ndarray, shape (p,)
    family : Family
    weights : numpy.ndarray, shape (n,)
    is_binary : numpy.ndarray of bool, shape (p,)

    Returns
    -------
    effects : numpy.ndarray, shape (p - 1,)
    derivatives : numpy.ndarray, shape (p - 1, p)
    by_row : numpy.ndarray, shape (n, p - 1)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.panel.average_effects import average_effects
    >>> from juntos_eval.numerics.generalised_linear import FAMILIES
    >>> design = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> effects, _, _ = average_effects(design, np.array([0.0, 0.0]), FAMILIES["logit"], np.ones(2),
    ...                                 np.array([False, True]))
    >>> effects.tolist()
    [0.0]
    """
    share = weights / weights.sum()
    index = design @ coefficients
    slope, curvature = family.slope(index), family.curvature(index)
    size = len(coefficients)
    by_row, derivatives = np.empty((len(design), size - 1)), np.empty((size - 1, size))
    for place in range(1, size):
        if is_binary[place]:
            with_it, without = design.copy(), design.copy()
            with_it[:, place], without[:, place] = 1.0, 0.0
            high, low = with_it @ coefficients, without @ coefficients
            by_row[:, place - 1] = family.mean(high) - family.mean(low)
            derivatives[place - 1] = (share * family.slope(high)) @ with_it
            derivatives[place - 1] -= (share * family.slope(low)) @ without
        else:
            by_row[:, place - 1] = slope * coefficients[place]
            derivatives[place - 1] = (share * curvature * coefficients[place]) @ design
            derivatives[place - 1, place] += share @ slope
    return np.asarray(share @ by_row), derivatives, by_row
