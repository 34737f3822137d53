"""Linear combinations in which what is not known spoils only what it enters."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Floats

__all__ = ["combined", "combined_covariance"]


def combined(values: Floats, weights: Floats) -> Floats:
    r"""Return :math:`x A'` for the last axis of x, where a weight of zero leaves a NaN out.

    Parameters
    ----------
    values : numpy.ndarray, shape (..., k)
        NaN where not known.
    weights : numpy.ndarray, shape (m, k)

    Returns
    -------
    numpy.ndarray, shape (..., m)
        NaN where a value that is not known has a weight.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.combination import combined
    >>> combined(np.array([1.0, np.nan]), np.array([[2.0, 0.0], [1.0, 1.0]])).tolist()
    [2.0, nan]
    """
    unknown = np.isnan(values)
    if not unknown.any():
        return np.asarray(values @ weights.T)
    sums = np.where(unknown, 0.0, values) @ weights.T
    spoiled = unknown.astype(np.float64) @ (weights != 0).T.astype(np.float64) > 0
    return np.where(spoiled, np.nan, sums)


def combined_covariance(covariance: Floats, weights: Floats) -> Floats:
    r"""Return :math:`A V A'`, where a weight of zero leaves a NaN out.

    Parameters
    ----------
    covariance : numpy.ndarray, shape (k, k)
    weights : numpy.ndarray, shape (m, k)

    Returns
    -------
    numpy.ndarray, shape (m, m)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.combination import combined_covariance
    >>> combined_covariance(np.diag([4.0, np.nan]), np.array([[0.5, 0.0]])).tolist()
    [[1.0]]
    """
    return combined(combined(covariance, weights).T, weights)
