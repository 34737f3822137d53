r"""An effect with its influence, and the weighted means that effects are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did.nuisances import CoefficientError

__all__ = ["Effect", "WeightedMean", "carried", "mean_row", "weighted_mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    r"""An average effect on the treated.

    Attributes
    ----------
    value : float
    influence : numpy.ndarray, shape (n,)
        :math:`\psi_i`, divided by n: it sums to zero.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.effect import Effect
    >>> Effect(value=1.0, influence=np.array([0.5, -0.5])).value
    1.0
    """

    value: float
    influence: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedMean:
    r"""A mean :math:`\hat\eta = \sum_i w_i v_i / \sum_i w_i` and :math:`\varphi_i`, n times its influence.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.effect import weighted_mean
    >>> weighted_mean(np.array([1.0, 3.0]), np.ones(2)).value
    2.0
    """

    value: float
    influence: Floats


def weighted_mean(values: Floats, weights: Floats) -> WeightedMean:
    r"""Return the mean and :math:`\varphi_i = w_i (v_i - \hat\eta) / \bar w`.

    Parameters
    ----------
    values, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    WeightedMean

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.effect import weighted_mean
    >>> weighted_mean(np.array([1.0, 3.0]), np.array([1.0, 1.0])).influence.tolist()
    [-1.0, 1.0]
    """
    total = weights.sum()
    # summed, not a product of vectors: that would wake threads for what one does in no time
    value = float((weights * values).sum() / total)
    return WeightedMean(value=value, influence=weights * (values - value) * (len(weights) / total))


def mean_row(design: Floats, weights: Floats) -> Floats:
    r"""Return :math:`\sum_i w_i x_i / \sum_i w_i`, shape (p,).

    Parameters
    ----------
    design : numpy.ndarray, shape (n, p)
    weights : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (p,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.effect import mean_row
    >>> mean_row(np.array([[1.0], [3.0]]), np.array([3.0, 1.0])).tolist()
    [1.5]
    """
    return np.asarray(weights @ design / weights.sum())


def carried(error: CoefficientError | None, moment: Floats) -> Floats | float:
    """Return what the error of coefficients adds along a moment; nothing where they have none.

    Parameters
    ----------
    error : CoefficientError or None
    moment : numpy.ndarray, shape (p,)

    Returns
    -------
    numpy.ndarray, shape (n,), or float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.effect import carried
    >>> carried(None, np.ones(1))
    0.0
    """
    return 0.0 if error is None else error.along(moment)
