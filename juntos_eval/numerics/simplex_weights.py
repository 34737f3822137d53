"""Weights from zero that sum to one and come closest to a target."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from juntos_eval.arrays import Floats

__all__ = ["simplex_weights"]


def simplex_weights(columns: Floats, target: Floats, ridge: float, *, intercept: bool) -> Floats:
    r"""Return the minimiser over the simplex of a least-squares distance with a ridge.

    .. math:: \min_{w \ge 0, 1'w = 1} \frac{1}{n} \| a + Xw - b \|^2 + \zeta^2 \|w\|^2

    With :math:`1'w = 1` the distance is :math:`\|Bw\|^2` for :math:`B = X - b1'`: the shortest vector of the
    hull of B's columns. That is the solution y of non-negative least squares on
    :math:`\|By\|^2 + s^2 (1'y - 1)^2`, divided by its sum, for any s; its active-set algorithm is exact.

    Parameters
    ----------
    columns : numpy.ndarray, shape (n, k)
        X.
    target : numpy.ndarray, shape (n,)
        b.
    ridge : float
        :math:`\zeta`.
    intercept : bool
        Whether a may be anything; else it is zero.

    Returns
    -------
    numpy.ndarray, shape (k,)

    References
    ----------
    Arkhangelsky, D., Athey, S., Hirshberg, D. A., Imbens, G. W., & Wager, S. (2021). Synthetic
    difference-in-differences. *American Economic Review*, 111(12), 4088-4118. (Equations 4 and 6.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.simplex_weights import simplex_weights
    >>> simplex_weights(np.array([[0.0, 4.0]]), np.array([1.0]), 0.0, intercept=False).round(9).tolist()
    [0.75, 0.25]
    """
    distance = (columns - target[:, None]) / np.sqrt(len(target))
    if intercept:
        distance = distance - distance.mean(axis=0)
    size = columns.shape[1]
    scale = max(float(np.sqrt((distance**2).sum(axis=0).mean())), ridge)
    if scale == 0.0:
        return np.full(size, 1 / size)
    stacked = np.vstack([distance / scale, ridge / scale * np.eye(size), np.ones((1, size))])
    weights, _ = nnls(stacked, np.eye(len(stacked))[-1], maxiter=100 * size)
    return np.asarray(weights / weights.sum())
