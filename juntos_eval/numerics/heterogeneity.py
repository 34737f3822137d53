r"""How much true effects differ between studies: nine estimators of one variance.

Study i reports :math:`y_i` with known variance :math:`v_i`, and

.. math:: y_i = x_i'\beta + u_i + e_i, \qquad u_i \sim (0, \tau^2), \quad e_i \sim (0, v_i).

With weights W the generalised residual sum of squares is :math:`Q = y'Py`,
:math:`P = W - WX(X'WX)^{-1}X'W`, and all the estimators below are statements about such a Q.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy import optimize, stats

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError

__all__ = ["HeterogeneityRule", "between_variance", "between_variance_interval", "residual_sum"]

HeterogeneityRule = Literal["fixed", "dl", "he", "hs", "sj", "pm", "eb", "ml", "reml"]


def residual_sum(effects: Floats, variances: Floats, design: Floats, between: float = 0.0) -> float:
    r"""Return :math:`Q(\tau^2) = \sum_i (y_i - x_i'\hat\beta)^2 / (v_i + \tau^2)` (Cochran 1954 at zero).

    Parameters
    ----------
    effects, variances : numpy.ndarray, shape (k,)
    design : numpy.ndarray, shape (k, p)
    between : float
        :math:`\tau^2`.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.heterogeneity import residual_sum
    >>> round(residual_sum(np.array([0.0, 2.0]), np.ones(2), np.ones((2, 1))), 12)
    2.0
    """
    weights = 1.0 / (variances + between)
    return float(effects @ _projection(weights, design) @ effects)


def between_variance(effects: Floats, variances: Floats, design: Floats, rule: HeterogeneityRule) -> float:
    r"""Estimate :math:`\tau^2`, not below zero.

    ========  =========================================================================================
    rule      :math:`\tau^2`
    ========  =========================================================================================
    fixed     0: one effect, common to all studies
    dl        moments with :math:`w = 1/v` (DerSimonian and Laird 1986)
    he        moments with :math:`w = 1` (Hedges 1983)
    hs        :math:`(Q - k)/\sum w` with :math:`w = 1/v` (Hunter and Schmidt 1990)
    sj        two steps from :math:`\sum (y - \bar y)^2/k` (Sidik and Jonkman 2005)
    pm, eb    solves :math:`Q(\tau^2) = k - p` (Paule and Mandel 1982; empirical Bayes, Morris 1983)
    ml        largest likelihood of normal effects
    reml      largest restricted likelihood of normal effects
    ========  =========================================================================================

    Parameters
    ----------
    effects, variances : numpy.ndarray, shape (k,)
        Variances are known and positive.
    design : numpy.ndarray, shape (k, p)
        Of rank p.
    rule : str

    Returns
    -------
    float

    Raises
    ------
    DesignError
        For a rule that is not among them.

    References
    ----------
    Veroniki, A. A. et al. (2016). Methods to estimate the between-study variance and its uncertainty in
    meta-analysis. *Research Synthesis Methods*, 7(1), 55-79, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.heterogeneity import between_variance
    >>> y, v = np.array([0.0, 0.5, 0.2, 0.9]), np.array([0.01, 0.02, 0.015, 0.03])
    >>> round(between_variance(y, v, np.ones((4, 1)), "dl"), 6)
    0.11525
    """
    if rule not in get_args(HeterogeneityRule):
        raise DesignError(
            f"there is no rule {rule!r} for the variance between studies",
            where="method",
            remedy=f"choose one of {', '.join(get_args(HeterogeneityRule))}",
        )
    studies, columns = design.shape
    if rule == "fixed" or studies <= columns:
        return 0.0
    if rule in ("dl", "he"):
        return _of_moments(effects, variances, design, 1.0 / variances if rule == "dl" else np.ones(studies))
    if rule == "hs":
        found = residual_sum(effects, variances, design)
        return float(max(0.0, (found - studies) / np.sum(1.0 / variances)))
    if rule == "sj":
        return _in_two_steps(effects, variances, design)
    if rule in ("pm", "eb"):
        return _where_residuals_are(effects, variances, design, float(studies - columns))
    return _of_likelihood(effects, variances, design, is_restricted=rule == "reml")


def between_variance_interval(
    effects: Floats, variances: Floats, design: Floats, level: float
) -> tuple[float, float]:
    r"""Return the values of :math:`\tau^2` that the residual sum of squares does not refuse (Q profile).

    .. math:: \{\tau^2: \chi^2_{k-p, (1-\gamma)/2} \le Q(\tau^2) \le \chi^2_{k-p, (1+\gamma)/2}\}

    Parameters
    ----------
    effects, variances : numpy.ndarray, shape (k,)
    design : numpy.ndarray, shape (k, p)
    level : float
        :math:`\gamma`.

    Returns
    -------
    tuple of float
        Both zero where even :math:`Q(0)` is below the lower quantile: the set is empty, the studies being
        closer together than their errors allow. NaN with no degree of freedom left.

    References
    ----------
    Viechtbauer, W. (2007). Confidence intervals for the amount of heterogeneity in meta-analysis.
    *Statistics in Medicine*, 26(1), 37-52, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.heterogeneity import between_variance_interval
    >>> y, v = np.array([0.0, 0.5, 0.2, 0.9]), np.array([0.01, 0.02, 0.015, 0.03])
    >>> low, high = between_variance_interval(y, v, np.ones((4, 1)), 0.95)
    >>> 0 < low < 0.12 < high
    True
    """
    df = design.shape[0] - design.shape[1]
    if df < 1:
        return np.nan, np.nan
    tails = np.atleast_1d(stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], df))
    low, high = (_where_residuals_are(effects, variances, design, float(tail)) for tail in tails)
    return low, high


def _projection(weights: Floats, design: Floats) -> Floats:
    scaled = design * weights[:, None]
    return np.asarray(np.diag(weights) - scaled @ np.linalg.solve(design.T @ scaled, scaled.T))


def _of_moments(effects: Floats, variances: Floats, design: Floats, weights: Floats) -> float:
    projection = _projection(weights, design)
    excess = effects @ projection @ effects - np.diag(projection) @ variances
    return max(0.0, float(excess / np.trace(projection)))


def _in_two_steps(effects: Floats, variances: Floats, design: Floats) -> float:
    first = float(np.mean((effects - effects.mean()) ** 2))
    if first == 0:
        return 0.0
    return float(first * residual_sum(effects, variances, design, first) / np.diff(design.shape[::-1])[0])


def _where_residuals_are(effects: Floats, variances: Floats, design: Floats, target: float) -> float:
    """Return where the residual sum, which falls with the variance between studies, meets a target."""

    def excess(between: float) -> float:
        return residual_sum(effects, variances, design, between) - target

    if excess(0.0) <= 0:
        return 0.0
    high = _scale(effects, variances)
    while excess(high) > 0:
        high *= 4.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-14))


def _of_likelihood(effects: Floats, variances: Floats, design: Floats, *, is_restricted: bool) -> float:
    """Return the highest point of a likelihood that may have several tops, one of them at zero."""

    def loss_and_slope(between: float) -> tuple[float, float]:
        weights = 1.0 / (variances + between)
        projection = _projection(weights, design)
        rest = projection @ effects
        loss = float(effects @ rest - np.sum(np.log(weights)))
        if not is_restricted:
            return loss, float(weights.sum() - rest @ rest)
        loss += float(np.linalg.slogdet(design.T @ (design * weights[:, None]))[1])
        return loss, float(np.trace(projection) - rest @ rest)

    grid = _scale(effects, variances) * np.linspace(0.0, 1.0, 200) ** 3
    slopes = np.array([loss_and_slope(float(point))[1] for point in grid])
    hollows = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    points = [0.0] + [
        float(optimize.brentq(lambda at: loss_and_slope(at)[1], grid[i], grid[i + 1], xtol=1e-16, rtol=1e-14))
        for i in hollows
    ]
    losses = [loss_and_slope(point)[0] for point in points]
    return points[int(np.argmin(losses))]


def _scale(effects: Floats, variances: Floats) -> float:
    """Return a variance that no estimate of it goes beyond: ten times the spread of all effects."""
    return 10.0 * float(np.ptp(effects)) ** 2 + float(variances.max())
