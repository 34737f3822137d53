"""Confidence intervals of proportions that stay between 0 and 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy import special

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Uncertainty
from juntos_eval.numerics.distributions import t_quantile

__all__ = ["ProportionInterval", "interval_of_proportion", "proportion_intervals"]

ProportionInterval = Literal["logit", "wilson", "beta", "asin", "mean"]


def interval_of_proportion(
    share: Floats,
    error: Floats,
    *,
    df: float,
    rows: Floats,
    method: ProportionInterval = "logit",
    level: float = 0.95,
) -> Floats:
    r"""Return intervals of proportions from their standard errors.

    With t the quantile of Student's law with the design's degrees of freedom, v the variance and
    :math:`\tilde n = \hat p (1 - \hat p)/v` the effective sample size,

    - ``logit``: :math:`\Lambda(\Lambda^{-1}(\hat p) \pm t \sqrt v / (\hat p(1-\hat p)))` with the logistic
      function :math:`\Lambda`;
    - ``wilson``: all p with :math:`|\hat p - p| \le t \sqrt{p (1-p)/\tilde n}`;
    - ``beta``: Clopper and Pearson's, with :math:`\tilde n (t_{n-1}/t)^2` in place of n
      (Korn & Graubard 1998);
    - ``asin``: :math:`\sin^2(\arcsin \sqrt{\hat p} \pm t \sqrt{v / (4 \hat p(1-\hat p))})`;
    - ``mean``: :math:`\hat p \pm t \sqrt v`, which may leave [0, 1].

    At 0 and 1 the variance is zero: ``wilson`` and ``beta`` then take the number of rows for the effective
    one, the others have no interval (NaN).

    Parameters
    ----------
    share, error : numpy.ndarray, shape (k,)
        Proportions and their standard errors.
    df : float
    rows : numpy.ndarray, shape (k,)
        Rows behind each.
    method : {"logit", "wilson", "beta", "asin", "mean"}
    level : float

    Returns
    -------
    numpy.ndarray, shape (k, 2)

    Raises
    ------
    InferenceError
        For another method or a level outside (0, 1).

    References
    ----------
    Korn, E. L., & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data. *Survey Methodology*, 24(2), 193-201.
    Dean, N., & Pagano, M. (2015). Evaluating confidence interval methods for binomial proportions in
    clustered surveys. *Journal of Survey Statistics and Methodology*, 3(4), 484-503.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.survey_statistics.proportion_intervals import interval_of_proportion
    >>> half, error, rows = np.array([0.5]), np.array([0.05]), np.array([100])
    >>> interval_of_proportion(half, error, df=np.inf, rows=rows, method="wilson").round(3).tolist()
    [[0.404, 0.596]]
    """
    if method not in get_args(ProportionInterval) or not 0 < level < 1:
        raise InferenceError(
            "there is no such interval of a proportion",
            where=f"method {method!r}, level {level}",
            remedy=f"choose one of {', '.join(get_args(ProportionInterval))}, and a level such as 0.95",
        )
    p, rows = np.asarray(share, float), np.asarray(rows, float)
    t = float(t_quantile(0.5 + level / 2, df))
    inside = (p > 0) & (p < 1)
    spread = np.where(inside, p * (1 - p), np.nan)
    if method == "mean":
        return np.column_stack([p - t * error, p + t * error])
    if method == "logit":
        half, middle = (
            t * error / spread,
            np.log(p / np.where(inside, 1 - p, np.nan), where=inside, out=spread * 0),
        )
        return _within(inside, 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle)))
    if method == "asin":
        half, middle = t * error / 2 / np.sqrt(spread), np.arcsin(np.sqrt(p))
        low, high = np.maximum(middle - half, 0), np.minimum(middle + half, np.pi / 2)
        return _within(inside, np.sin(low) ** 2, np.sin(high) ** 2)
    effective = np.divide(spread, error**2, out=rows.copy(), where=inside & (error > 0))
    if method == "wilson":
        return _wilson(p, effective, t)
    ratio = t_quantile(0.5 + level / 2, np.maximum(rows - 1, 1)) / t
    return _clopper_pearson(p, np.where(inside, effective * ratio**2, effective), level)


def proportion_intervals(
    estimate: Estimate, *, method: ProportionInterval = "logit", level: float = 0.95
) -> Estimate:
    """Return an estimate of proportions whose intervals stay between 0 and 1.

    Parameters
    ----------
    estimate : Estimate
        Of proportions, with any inference: ``Mean`` of a 0/1 outcome, ``Proportion``.
    method, level
        As in :func:`interval_of_proportion`.

    Returns
    -------
    Estimate
        The same values and covariance, with the intervals of that level.

    Raises
    ------
    InferenceError
        If a value is no proportion, or for a method or level that there is not.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.means import Mean
    >>> from juntos_eval.estimators.survey_statistics import proportion_intervals
    >>> share = Mean(outcome="works").fit(pd.DataFrame({"works": [0, 1, 1, 1]}))
    >>> proportion_intervals(share, method="beta").interval().round(3).tolist()
    [[0.132, 0.998]]
    """
    if ((estimate.values < 0) | (estimate.values > 1)).any():
        raise InferenceError(
            "an interval of a proportion needs values between 0 and 1",
            where=f"{estimate.title}: values from {estimate.values.min():g} to {estimate.values.max():g}",
            remedy="use estimate.interval()",
        )
    rows = np.asarray(estimate.details.get("rows", estimate.sample.rows), dtype=np.float64)
    old = estimate.uncertainty
    intervals = interval_of_proportion(
        estimate.values,
        old.std_error,
        df=old.df,
        rows=np.broadcast_to(rows, estimate.values.shape).copy(),
        method=method,
        level=level,
    )
    drawn = Uncertainty(
        method=old.method if method == "mean" else f"{old.method}; {method} intervals",
        covariance=old.covariance,
        df=old.df,
        p_values=old.p_values,
        intervals=intervals,
        intervals_level=level,
        band=old.band,
    )
    return replace(estimate, uncertainty=drawn)


def _within(inside: Bools, low: Floats, high: Floats) -> Floats:
    return np.where(inside[:, None], np.column_stack([low, high]), np.nan)


def _wilson(p: Floats, n: Floats, t: float) -> Floats:
    middle = (p + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t / (1 + t**2 / n) * np.sqrt(p * (1 - p) / n + t**2 / (4 * n**2))
    return np.column_stack([np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)])


def _clopper_pearson(p: Floats, n: Floats, level: float) -> Floats:
    tail, hits, misses = (1 - level) / 2, n * p, n * (1 - p)
    low = np.where(hits > 0, special.betaincinv(np.maximum(hits, 1e-300), misses + 1, tail), 0.0)
    high = np.where(misses > 0, special.betaincinv(hits + 1, np.maximum(misses, 1e-300), 1 - tail), 1.0)
    return np.column_stack([low, high])
