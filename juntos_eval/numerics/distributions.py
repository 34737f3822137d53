"""Tails and quantiles of the laws that tests and intervals ask for, without `scipy.stats`.

The numbers are those of `scipy.stats` to the last bits: both call the same special functions. Importing
`scipy.stats` takes a third of a second, more than most first fits.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from juntos_eval.arrays import Floats

__all__ = [
    "chi_squared_quantile",
    "chi_squared_tail",
    "f_quantile",
    "f_tail",
    "normal_log_density",
    "normal_quantile",
    "normal_tail",
    "t_quantile",
    "t_tail",
]


def normal_tail(x: Floats | float) -> Floats:
    """Return :math:`P(Z > x)` of a standard normal variable."""
    return np.asarray(special.ndtr(-np.asarray(x, dtype=np.float64)))


def normal_log_density(x: Floats) -> Floats:
    """Return the logarithm of the standard normal density."""
    return np.asarray(-0.5 * x**2 - 0.5 * np.log(2.0 * np.pi))


def normal_quantile(chance: Floats | float) -> Floats:
    r"""Return the x with :math:`P(Z \le x)` = ``chance``."""
    return np.asarray(special.ndtri(chance))


def t_tail(x: Floats | float, df: Floats | float) -> Floats:
    """Return :math:`P(T > x)` of Student's t; infinite ``df`` is the normal, zero or less NaN."""
    x, df = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(df, dtype=np.float64))
    found = np.where(np.isposinf(df), special.ndtr(-x), special.stdtr(df, -x))
    return np.asarray(np.where(df > 0, found, np.nan))


def t_quantile(chance: Floats | float, df: Floats | float) -> Floats:
    r"""Return the x with :math:`P(T \le x)` = ``chance``; infinite ``df`` is the normal, zero or less NaN."""
    chance, df = np.broadcast_arrays(np.asarray(chance, dtype=np.float64), np.asarray(df, dtype=np.float64))
    found = np.where(np.isposinf(df), special.ndtri(chance), special.stdtrit(df, chance))
    found = np.where(chance == 0, -np.inf, found)  # stdtrit turns the sign there
    return np.asarray(np.where(df > 0, found, np.nan))


def chi_squared_tail(x: float, df: float) -> float:
    """Return :math:`P(X > x)` of a chi-squared variable; 1 below zero."""
    return 1.0 if x <= 0 else float(special.chdtrc(df, x))


def chi_squared_quantile(chance: float, df: float) -> float:
    r"""Return the x with :math:`P(X \le x)` = ``chance``."""
    return 2.0 * float(special.gammaincinv(df / 2.0, chance))


def f_tail(x: float, df: float, df_denominator: float) -> float:
    """Return :math:`P(F > x)`; with infinite ``df_denominator`` that of ``df`` x as chi-squared."""
    if np.isposinf(df_denominator):
        return chi_squared_tail(x * df, df)
    return 1.0 if x <= 0 else float(special.fdtrc(df, df_denominator, x))


def f_quantile(chance: float, df: float, df_denominator: float) -> float:
    r"""Return the x with :math:`P(F \le x)` = ``chance``."""
    if np.isposinf(df_denominator):
        return chi_squared_quantile(chance, df) / df
    return float(special.fdtri(df, df_denominator, chance))
