r"""Effects in units that studies share, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from juntos_eval.errors import DesignError

__all__ = [
    "EffectSize",
    "log_odds_ratio",
    "log_risk_ratio",
    "odds_to_standardised",
    "risk_difference",
    "standardised_difference",
    "std_error_from_interval",
    "std_error_from_p_value",
    "std_error_from_t",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """An effect, its standard error, and the unit of both.

    Attributes
    ----------
    value, std_error : float
    unit : str

    Examples
    --------
    >>> from juntos_eval.synthesis import EffectSize
    >>> EffectSize(value=0.2, std_error=0.1, unit="standard deviations").unit
    'standard deviations'
    """

    value: float
    std_error: float
    unit: str


def standardised_difference(
    means: tuple[float, float], deviations: tuple[float, float], sizes: tuple[int, int]
) -> EffectSize:
    r"""Return Hedges's g: the difference of two means in standard deviations, less its small-sample bias.

    .. math:: g = J(m)\frac{\bar y_1 - \bar y_0}{s}, \quad
              s^2 = \frac{(n_1 - 1)s_1^2 + (n_0 - 1)s_0^2}{m},\ m = n_1 + n_0 - 2, \quad
              J(m) = \frac{\Gamma(m/2)}{\sqrt{m/2}\,\Gamma((m - 1)/2)}, \quad
              se^2 = \frac{n_1 + n_0}{n_1 n_0} + \frac{g^2}{2(n_1 + n_0)}

    Parameters
    ----------
    means, deviations : tuple of float
        Treated first.
    sizes : tuple of int

    Returns
    -------
    EffectSize

    Raises
    ------
    DesignError
        With fewer than two rows in an arm, or no spread.

    References
    ----------
    Hedges, L. V. (1981). Distribution theory for Glass's estimator of effect size and related estimators.
    *Journal of Educational Statistics*, 6(2), 107-128. (J; the error is the large-sample one, at g. Textbooks
    that multiply the error of the uncorrected difference by J have a slightly smaller one.)

    Examples
    --------
    >>> from juntos_eval.synthesis import standardised_difference
    >>> found = standardised_difference((103.0, 100.0), (5.5, 4.5), (50, 50))
    >>> round(found.value, 4), round(found.std_error, 4)
    (0.5924, 0.2043)
    """
    if min(sizes) < 2 or not min(deviations) >= 0 or max(deviations) == 0:
        raise DesignError(
            "a standardised difference needs two rows in each arm and some spread",
            where=f"sizes {sizes}, standard deviations {deviations}",
            remedy="check the table that these were read from",
        )
    treated, untreated = sizes
    df = treated + untreated - 2
    pooled = np.sqrt(((treated - 1) * deviations[0] ** 2 + (untreated - 1) * deviations[1] ** 2) / df)
    correction = np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    value = float(correction * (means[0] - means[1]) / pooled)
    total = treated + untreated
    variance = total / (treated * untreated) + value**2 / (2 * total)
    return EffectSize(
        value=value, std_error=float(np.sqrt(variance)), unit="standard deviations (Hedges's g)"
    )


def log_odds_ratio(events: tuple[float, float], sizes: tuple[float, float]) -> EffectSize:
    r"""Return the log odds ratio of a 2 by 2 table.

    .. math:: \ln\frac{a/b}{c/d}, \qquad se^2 = \frac1a + \frac1b + \frac1c + \frac1d

    with a events and b others among the treated, c and d among the untreated. Where a cell is empty, a half
    is added to each (Haldane 1956; Anscombe 1956).

    Parameters
    ----------
    events, sizes : tuple of float
        Treated first.

    Returns
    -------
    EffectSize

    Raises
    ------
    DesignError
        For counts that no table can have.

    References
    ----------
    Borenstein, M. et al. (2009). *Introduction to Meta-Analysis*, ch. 5. Wiley.

    Examples
    --------
    >>> from juntos_eval.synthesis import log_odds_ratio
    >>> found = log_odds_ratio((5, 10), (100, 100))
    >>> round(found.value, 4), round(found.std_error, 4)
    (-0.7472, 0.5671)
    """
    a, b, c, d = _cells(events, sizes)
    return EffectSize(
        value=float(np.log(a * d / (b * c))),
        std_error=float(np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)),
        unit="log odds ratio",
    )


def log_risk_ratio(events: tuple[float, float], sizes: tuple[float, float]) -> EffectSize:
    r"""Return the log risk ratio of a 2 by 2 table.

    .. math:: \ln\frac{a/n_1}{c/n_0}, \qquad se^2 = \frac1a - \frac1{n_1} + \frac1c - \frac1{n_0}

    A half is added to each cell where one is empty.

    Parameters
    ----------
    events, sizes : tuple of float
        Treated first.

    Returns
    -------
    EffectSize

    Raises
    ------
    DesignError
        For counts that no table can have.

    References
    ----------
    Borenstein, M. et al. (2009). *Introduction to Meta-Analysis*, ch. 5. Wiley.

    Examples
    --------
    >>> from juntos_eval.synthesis import log_risk_ratio
    >>> found = log_risk_ratio((5, 10), (100, 100))
    >>> round(found.value, 4), round(found.std_error, 4)
    (-0.6931, 0.5292)
    """
    a, b, c, d = _cells(events, sizes)
    return EffectSize(
        value=float(np.log(a / (a + b)) - np.log(c / (c + d))),
        std_error=float(np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))),
        unit="log risk ratio",
    )


def risk_difference(events: tuple[float, float], sizes: tuple[float, float]) -> EffectSize:
    r"""Return the difference of two shares, in shares.

    .. math:: p_1 - p_0, \qquad se^2 = \frac{p_1(1 - p_1)}{n_1} + \frac{p_0(1 - p_0)}{n_0}

    Parameters
    ----------
    events, sizes : tuple of float
        Treated first.

    Returns
    -------
    EffectSize
        With a standard error of zero where both shares are 0 or 1: not one to weigh a study by.

    Raises
    ------
    DesignError
        For counts that no table can have.

    References
    ----------
    Borenstein, M. et al. (2009). *Introduction to Meta-Analysis*, ch. 5. Wiley.

    Examples
    --------
    >>> from juntos_eval.synthesis import risk_difference
    >>> found = risk_difference((5, 10), (100, 100))
    >>> round(found.value, 4), round(found.std_error, 4)
    (-0.05, 0.0371)
    """
    _refuse_counts(events, sizes)
    shares = np.asarray(events, float) / np.asarray(sizes, float)
    variance = float((shares * (1 - shares) / np.asarray(sizes, float)).sum())
    return EffectSize(value=float(shares[0] - shares[1]), std_error=float(np.sqrt(variance)), unit="share")


def odds_to_standardised(effect: EffectSize) -> EffectSize:
    r"""Return a log odds ratio in standard deviations of a logistic variable (Hasselblad and Hedges 1995).

    .. math:: d = \frac{\sqrt 3}{\pi} \ln OR

    Parameters
    ----------
    effect : EffectSize
        In log odds ratios.

    Returns
    -------
    EffectSize

    Raises
    ------
    DesignError
        For an effect in another unit.

    References
    ----------
    Hasselblad, V., & Hedges, L. V. (1995). Meta-analysis of screening and diagnostic tests. *Psychological
    Bulletin*, 117(1), 167-178.

    Examples
    --------
    >>> from juntos_eval.synthesis import EffectSize, odds_to_standardised
    >>> found = odds_to_standardised(EffectSize(value=0.9069, std_error=0.1, unit="log odds ratio"))
    >>> round(found.value, 3)
    0.5
    """
    if effect.unit != "log odds ratio":
        raise DesignError(
            "only a log odds ratio can be turned into standard deviations this way",
            where=f"unit '{effect.unit}'",
            remedy="give an effect of log_odds_ratio",
        )
    factor = np.sqrt(3) / np.pi
    return EffectSize(
        value=float(factor * effect.value),
        std_error=float(factor * effect.std_error),
        unit="standard deviations (logistic)",
    )


def std_error_from_interval(low: float, high: float, *, level: float = 0.95, is_ratio: bool = False) -> float:
    r"""Return the error behind a published normal interval, :math:`(u - l)/(2 z)`; of logs for a ratio.

    Parameters
    ----------
    low, high : float
        As printed.
    level : float
    is_ratio : bool
        An interval of an odds or risk ratio: the error is that of its log.

    Returns
    -------
    float

    Raises
    ------
    DesignError
        For limits in the wrong order, a ratio that is not positive, or an impossible level.

    Examples
    --------
    >>> from juntos_eval.synthesis import std_error_from_interval
    >>> round(std_error_from_interval(1.27, 1.56, is_ratio=True), 4)
    0.0525
    """
    if not low < high or (is_ratio and low <= 0) or not 0 < level < 1:
        raise DesignError(
            "an interval has limits or a level that cannot be",
            where=f"[{low}, {high}], level {level}",
            remedy="give the lower limit first; limits of a ratio are positive",
        )
    width = np.log(high / low) if is_ratio else high - low
    return float(width / (2 * stats.norm.ppf((1 + level) / 2)))


def std_error_from_t(effect: float, statistic: float) -> float:
    """Return the error behind a published t statistic, the absolute ratio of effect and statistic.

    Parameters
    ----------
    effect, statistic : float

    Returns
    -------
    float
        NaN where the statistic is zero: it says nothing of the error.

    Raises
    ------
    DesignError
        Where effect and statistic have different signs.

    Examples
    --------
    >>> from juntos_eval.synthesis import std_error_from_t
    >>> std_error_from_t(-0.5, -2.0)
    0.25
    """
    if effect * statistic < 0:
        raise DesignError(
            "an effect and its t statistic have different signs",
            where=f"effect {effect}, t {statistic}",
            remedy="check the table that these were read from",
        )
    return abs(effect / statistic) if statistic else float("nan")


def std_error_from_p_value(effect: float, p_value: float, *, df: float = np.inf) -> float:
    r"""Return the error behind a published two-sided p value, :math:`|y| / t_{1-p/2}`.

    Parameters
    ----------
    effect, p_value : float
    df : float
        Degrees of freedom of the test; infinite for the normal.

    Returns
    -------
    float
        NaN where p is 1 (nothing can be said). A p value printed as "< .05" bounds the error from above only.

    Raises
    ------
    DesignError
        For a p value outside (0, 1].

    Examples
    --------
    >>> from juntos_eval.synthesis import std_error_from_p_value
    >>> round(std_error_from_p_value(1.959964, 0.05), 6)
    1.0
    """
    if not 0 < p_value <= 1:
        raise DesignError(
            "a p value lies above 0 and not above 1",
            where=f"p = {p_value}",
            remedy="give the value as printed; one printed as 0.000 does not tell the error",
        )
    statistic = float(stats.t.isf(p_value / 2, df))
    return abs(effect) / statistic if statistic > 0 else float("nan")


def _refuse_counts(events: tuple[float, float], sizes: tuple[float, float]) -> None:
    if any(not 0 <= count <= size or size <= 0 for count, size in zip(events, sizes, strict=True)):
        raise DesignError(
            "events lie between zero and the size of their arm",
            where=f"events {events}, sizes {sizes}",
            remedy="check the table that these were read from",
        )


def _cells(events: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float, float, float]:
    _refuse_counts(events, sizes)
    cells = (events[0], sizes[0] - events[0], events[1], sizes[1] - events[1])
    added = 0.0 if min(cells) > 0 else 0.5
    a, b, c, d = (cell + added for cell in cells)
    return a, b, c, d
