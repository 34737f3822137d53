"""Confidence intervals and p values from an uncertainty."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate.uncertainty import Uncertainty
from juntos_eval.numerics.distributions import t_quantile, t_tail

__all__ = ["confidence_intervals", "two_sided_p_values"]


def confidence_intervals(
    values: Floats, uncertainty: Uncertainty, level: float, *, simultaneous: bool = False
) -> Floats:
    r"""Return :math:`\hat\theta \pm c \cdot se` or the stored intervals, shape (k, 2).

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty
    level : float
        Strictly between 0 and 1.
    simultaneous : bool
        c is the quantile of the sup-t draws where there are any (Montiel Olea & Plagborg-Møller 2019),
        else Šidák's: that of level :math:`level^{1/k}` with k the values that are uncertain, which covers
        at least as often as it says whatever their correlation.

    Returns
    -------
    numpy.ndarray, shape (k, 2)
        NaN where the standard error is not known.

    Raises
    ------
    InferenceError
        For a level outside (0, 1), or one that the stored intervals do not have.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Uncertainty
    >>> from juntos_eval.estimate.intervals import confidence_intervals
    >>> known = Uncertainty(method="known", covariance=np.eye(1), df=np.inf)
    >>> confidence_intervals(np.array([0.0]), known, 0.95).round(2).tolist()
    [[-1.96, 1.96]]
    """
    if not 0.0 < level < 1.0:
        raise InferenceError(
            "the level of a confidence interval must lie strictly between 0 and 1",
            where=f"level {level}",
            remedy="give 0.95 for 95 percent",
        )
    if uncertainty.intervals is not None and not simultaneous:
        if uncertainty.intervals_level != level:
            raise InferenceError(
                f"{uncertainty.method} computed its intervals at another level",
                where=f"level {level} asked for, {uncertainty.intervals_level} stored",
                remedy="ask for that level, or compute the inference again at this one",
            )
        return uncertainty.intervals
    uncertain = int((uncertainty.std_error > 0).sum())
    half = _critical_value(uncertainty, level, uncertain, simultaneous) * uncertainty.std_error
    return np.column_stack([values - half, values + half])


def two_sided_p_values(values: Floats, uncertainty: Uncertainty) -> Floats:
    r"""Return p values of "the value is zero", shape (k,): stored, else :math:`2 P(T > |\hat\theta|/se)`.

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty

    Returns
    -------
    numpy.ndarray, shape (k,)
        NaN where the standard error is not known or zero.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Uncertainty
    >>> from juntos_eval.estimate.intervals import two_sided_p_values
    >>> known = Uncertainty(method="known", covariance=np.eye(1), df=np.inf)
    >>> two_sided_p_values(np.array([1.96]), known).round(3).tolist()
    [0.05]
    """
    if uncertainty.p_values is not None:
        return uncertainty.p_values
    statistic = np.abs(t_statistics(values, uncertainty))
    return 2.0 * t_tail(statistic, _degrees(uncertainty))


def t_statistics(values: Floats, uncertainty: Uncertainty) -> Floats:
    """Return values over standard errors; NaN where the standard error is zero or not known."""
    error = uncertainty.std_error
    usable = np.isfinite(error) & (error > 0)
    return np.asarray(np.divide(values, error, out=np.full(len(values), np.nan), where=usable))


def _degrees(uncertainty: Uncertainty) -> Floats | float:
    return uncertainty.df if uncertainty.df_each is None else uncertainty.df_each


def _critical_value(uncertainty: Uncertainty, level: float, count: int, simultaneous: bool) -> Floats | float:
    if simultaneous and uncertainty.band is not None:
        return float(np.quantile(uncertainty.band, level, method="higher"))
    if simultaneous and count > 1:
        level = level ** (1.0 / count)
    return t_quantile(0.5 + level / 2.0, _degrees(uncertainty))
