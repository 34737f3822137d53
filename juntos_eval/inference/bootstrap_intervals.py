"""Intervals from the draws of a bootstrap."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy import special

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError

__all__ = ["BootstrapInterval", "bootstrap_interval", "bootstrap_p_value"]

BootstrapInterval = Literal["percentile", "basic", "bca", "studentised", "normal"]


def bootstrap_interval(
    draws: Floats,
    value: float,
    *,
    kind: BootstrapInterval,
    level: float = 0.95,
    errors: Floats | None = None,
    error: float = np.nan,
    influence: Floats | None = None,
) -> tuple[float, float]:
    r"""Return the interval of one value from B draws of it.

    With :math:`q_a` the ((B + 1) a)-th smallest draw, :math:`\hat\theta` the value and
    :math:`\alpha = 1 -` level,

    - ``percentile``: :math:`[q_{\alpha/2}, q_{1-\alpha/2}]`;
    - ``basic``: :math:`[2\hat\theta - q_{1-\alpha/2}, 2\hat\theta - q_{\alpha/2}]`;
    - ``studentised``: the same with :math:`t_b = (\theta_b - \hat\theta)/se_b` and the standard error of the
      value;
    - ``bca``: percentiles at :math:`\Phi(z_0 + (z_0 + z_a)/(1 - \hat a (z_0 + z_a)))`, with :math:`z_0` from
      the share of draws below the value and :math:`\hat a = \sum u^3 / 6 (\sum u^2)^{3/2}` from the influence
      u of the units that are drawn (Efron 1987);
    - ``normal``: the value less the mean of the draws' deviation, plus and minus z times their spread.

    Parameters
    ----------
    draws : numpy.ndarray, shape (B,)
        NaN draws are left out.
    value : float
    kind : {"percentile", "basic", "bca", "studentised", "normal"}
    level : float
    errors : numpy.ndarray, shape (B,), optional
        Standard errors of the draws, and ``error`` that of the value, for ``studentised``.
    error : float
    influence : numpy.ndarray, shape (G,), optional
        For ``bca``.

    Returns
    -------
    tuple of float
        NaN where there are too few draws for the level.

    Raises
    ------
    InferenceError
        For an interval that there is not, or one whose ingredient is missing.

    References
    ----------
    Davison, A. C., & Hinkley, D. V. (1997). *Bootstrap Methods and their Application*, ch. 5. Cambridge
    University Press.
    Efron, B. (1987). Better bootstrap confidence intervals. *Journal of the American Statistical
    Association*, 82(397), 171-185.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.bootstrap_intervals import bootstrap_interval
    >>> bootstrap_interval(np.arange(1.0, 20.0), 12.0, kind="percentile", level=0.9)
    (1.0, 19.0)
    >>> bootstrap_interval(np.arange(1.0, 20.0), 12.0, kind="basic", level=0.9)
    (5.0, 23.0)
    """
    tail = (1 - level) / 2
    if kind == "studentised":
        return _studentised(draws, value, errors, error, tail)
    kept = draws[np.isfinite(draws)]
    if kind == "percentile":
        return _order_statistics(kept, (tail, 1 - tail))
    if kind == "basic":
        low, high = _order_statistics(kept, (1 - tail, tail))
        return 2 * value - low, 2 * value - high
    if kind == "normal":
        half = float(special.ndtri(1 - tail)) * kept.std(ddof=1)
        middle = 2 * value - kept.mean()
        return float(middle - half), float(middle + half)
    if kind != "bca":
        raise InferenceError(
            f"there is no bootstrap interval {kind!r}",
            where=f"kind={kind!r}",
            remedy=f"choose one of {', '.join(get_args(BootstrapInterval))}",
        )
    if influence is None:
        raise _missing("influence of the units that are drawn")
    return _order_statistics(kept, _accelerated(kept, value, influence, tail))


def _studentised(
    draws: Floats, value: float, errors: Floats | None, error: float, tail: float
) -> tuple[float, float]:
    if errors is None:
        raise _missing("standard errors of the draws")
    known = np.isfinite(draws) & np.isfinite(errors) & (errors > 0)
    low, high = _order_statistics((draws[known] - value) / errors[known], (1 - tail, tail))
    return value - low * error, value - high * error


def bootstrap_p_value(
    draws: Floats,
    value: float,
    *,
    kind: BootstrapInterval,
    errors: Floats | None = None,
    error: float = np.nan,
) -> float:
    r"""Return the two-sided p value of "the value is zero" that belongs to an interval: equal tails.

    .. math:: p = 2 \min(\tfrac{1 + \#\{d_b \le 0\}}{B + 1}, \tfrac{1 + \#\{d_b \ge 0\}}{B + 1})

    with :math:`d_b` the draws for ``percentile`` and ``bca`` (not corrected), :math:`2\hat\theta - \theta_b`
    for ``basic``, :math:`\hat\theta/se - t_b` for ``studentised``; from the normal law for ``normal``.

    Parameters
    ----------
    draws, value, kind, errors, error
        As in :func:`bootstrap_interval`.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.bootstrap_intervals import bootstrap_p_value
    >>> bootstrap_p_value(np.arange(1.0, 20.0), 12.0, kind="percentile")
    0.1
    """
    kept = np.isfinite(draws)
    if kind == "normal":
        return float(2 * special.ndtr(-abs(value) / draws[kept].std(ddof=1)))
    against = draws[kept]
    if kind == "basic":
        against = 2 * value - against
    if kind == "studentised":
        if errors is None:
            raise _missing("standard errors of the draws")
        kept &= np.isfinite(errors) & (errors > 0)
        against = value / error - (draws[kept] - value) / errors[kept]
    smaller = min((against <= 0).sum(), (against >= 0).sum())
    return float(min(1.0, 2 * (1 + smaller) / (len(against) + 1)))


def _accelerated(draws: Floats, value: float, influence: Floats, tail: float) -> tuple[float, float]:
    below = ((draws < value).sum() + 0.5 * (draws == value).sum()) / len(draws)
    bias = special.ndtri(below)
    acceleration = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    shifted = bias + special.ndtri(np.array([tail, 1 - tail]))
    low, high = special.ndtr(bias + shifted / (1 - acceleration * shifted))
    return float(low), float(high)


def _order_statistics(draws: Floats, shares: tuple[float, float]) -> tuple[float, float]:
    """Return the ((B + 1) a)-th smallest draws; NaN where the sample of draws does not reach so far."""
    ordered, B = np.sort(draws), len(draws)
    found = []
    for share in shares:
        # a rounding of (B + 1) a must not ask for the draw before the first
        position = round((B + 1) * share, 9)
        within = 1 <= position <= B
        found.append(float(np.interp(position, np.arange(1, B + 1), ordered)) if within else np.nan)
    return found[0], found[1]


def _missing(what: str) -> InferenceError:
    return InferenceError(
        f"this bootstrap interval needs the {what}",
        where="bootstrap interval",
        remedy="use 'percentile' or 'basic'",
    )
