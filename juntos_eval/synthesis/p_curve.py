"""The curve of significant p values: steep where there is something, flat where there is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import select

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["PCurve", "p_curve"]

CRITICAL = float(stats.norm.isf(0.025))
HALF = float(stats.norm.isf(0.0125))


@dataclass(frozen=True, slots=True, kw_only=True)
class PCurve:
    """What significant results say of the power behind them.

    Attributes
    ----------
    significant : int
        Results with p < .05, which alone enter.
    studies : int
    shares : numpy.ndarray, shape (5,)
        Of the significant p values, in steps of .01.
    right_skew_z, right_skew_p : float
        Stouffer's test of a flat curve against a falling one, of p < .05.
    half_z, half_p : float
        The same of p < .025; NaN where there is none.
    flat_z, flat_p : float
        Test of a curve flatter than that of a power of 33 percent.
    power : float
        The power whose curve fits best, bounded by 5 and 99 percent.
    has_evidence : bool
        Half curve below .05, or both below .1 (Simonsohn, Simmons and Nelson 2015).

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import p_curve
    >>> studies = pd.DataFrame({"effect": [0.9, 0.8, 0.2], "se": [0.2, 0.2, 0.2]})
    >>> found = p_curve(studies, outcome="effect", std_error="se")
    >>> found.significant, found.has_evidence
    (2, True)
    """

    significant: int
    studies: int
    shares: Floats
    right_skew_z: float
    right_skew_p: float
    half_z: float
    half_p: float
    flat_z: float
    flat_p: float
    power: float
    has_evidence: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", frozen(self.shares))


def p_curve(data: DataFrame, *, outcome: str, std_error: str) -> PCurve:
    r"""Return the p-curve of estimates that are taken as normal.

    Under no effect the probability of a p value at most as large, given that it is significant, is uniform:
    :math:`pp_i = p_i/.05`; under a power of 33 percent it is
    :math:`pp_i = (F(|z_i|) - F(z_{.025}))/(1 - F(z_{.025}))` with F of the statistic's size at that
    power. Each is tested by :math:`\sum_i \Phi^{-1}(pp_i)/\sqrt m`.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an independent result; its main one.
    outcome, std_error : str

    Returns
    -------
    PCurve

    Raises
    ------
    DesignError
        Where no result is significant, or errors are not positive.

    References
    ----------
    Simonsohn, U., Nelson, L. D., & Simmons, J. P. (2014). P-curve: a key to the file-drawer. *Journal of
    Experimental Psychology: General*, 143(2), 534-547.
    Simonsohn, U., Simmons, J. P., & Nelson, L. D. (2015). Better p-curves. *Journal of Experimental
    Psychology: General*, 144(6), 1146-1152.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import p_curve
    >>> studies = pd.DataFrame({"effect": [0.4, 0.41, 0.42], "se": [0.2, 0.2, 0.2]})
    >>> p_curve(studies, outcome="effect", std_error="se").has_evidence
    False
    """
    chosen = select(data, numeric=(outcome, std_error))
    errors = chosen.columns[std_error]
    sizes = np.abs(chosen.columns[outcome]) / np.where(errors > 0, errors, np.nan)
    significant = sizes[sizes > CRITICAL]
    if np.isnan(sizes).any() or not len(significant):
        raise DesignError(
            "a p-curve needs significant results with positive standard errors",
            where=f"{chosen.n} rows, {len(significant)} with p < .05, {int((errors <= 0).sum())} errors not "
            "positive",
            remedy="with none, say that there is no p-curve",
        )
    p_values = 2 * stats.norm.sf(significant)
    skew = _stouffer(p_values / 0.05)
    half = _stouffer(p_values[significant > HALF] / 0.025)
    flat = _stouffer(_given_power(significant, 0.33))
    p_of = [float(stats.norm.cdf(z)) for z in (skew, half)]
    return PCurve(
        significant=len(significant),
        studies=chosen.n,
        shares=np.histogram(p_values, bins=np.linspace(0, 0.05, 6))[0] / len(p_values),
        right_skew_z=skew,
        right_skew_p=p_of[0],
        half_z=half,
        half_p=p_of[1],
        flat_z=flat,
        flat_p=float(stats.norm.cdf(flat)),
        power=_best_power(significant),
        has_evidence=bool(p_of[1] < 0.05 or (p_of[0] < 0.1 and p_of[1] < 0.1)),
    )


def _stouffer(shares: Floats) -> float:
    if not len(shares):
        return float("nan")
    inside = np.clip(shares, 1e-300, 1 - 1e-16)
    return float(stats.norm.ppf(inside).sum() / np.sqrt(len(shares)))


def _mean_of_power(power: float) -> float:
    """Return the mean of a statistic that is beyond the two-sided critical value with this probability."""
    if power <= 0.05:
        return 0.0
    return float(
        optimize.brentq(
            lambda m: stats.norm.sf(CRITICAL - m) + stats.norm.cdf(-CRITICAL - m) - power, 0.0, 40.0
        )
    )


def _given_power(sizes: Floats, power: float) -> Floats:
    """Return the chance of a smaller statistic, given that it is significant: flat at the right power."""
    mean = _mean_of_power(power)

    def below(size: Floats | float) -> Floats:
        return np.asarray(stats.norm.cdf(size, mean) - stats.norm.cdf(-np.asarray(size), mean))

    start = below(CRITICAL)
    return np.asarray((below(sizes) - start) / (1 - start))


def _best_power(sizes: Floats) -> float:
    """Return the power at which the given chances look uniform: Stouffer's sum is zero."""

    def excess(power: float) -> float:
        return _stouffer(_given_power(sizes, power))

    if excess(0.05) <= 0:
        return 0.05
    if excess(0.99) >= 0:
        return 0.99
    return float(optimize.brentq(excess, 0.05, 0.99, xtol=1e-10))
