"""Hausman's test: whether two estimates, one of which needs an assumption more, say the same."""

from __future__ import annotations

from typing import Literal

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Fit, Linear
from juntos_eval.numerics.distributions import chi_squared_tail
from juntos_eval.numerics.wald import WaldTest, wald_test

__all__ = ["hausman"]

ErrorVariance = Literal["same", "each"]


def hausman(
    consistent: Estimate, efficient: Estimate, *, by: str | None = None, variance: ErrorVariance = "same"
) -> WaldTest:
    r"""Test whether two estimates of the same coefficients differ by more than chance.

    .. math:: H = (\hat\beta_c - \hat\beta_e)' \hat V^{-1} (\hat\beta_c - \hat\beta_e) \sim \chi^2_q

    on the terms that both have, but the constant. Classically :math:`\hat V = \hat V_c - \hat V_e` with
    homoskedastic variances, right only if the second estimate is fully efficient. With ``by`` it is the
    clustered variance of the difference of both influences, which needs no such thing.

    With the error variance of each fit (plm's ``phtest``, Stata's default) the difference need not be
    positive definite, and then H is no sum of squares; with the ``same`` one in both, that of the efficient
    fit (Stata's ``sigmamore``), it is.

    Parameters
    ----------
    consistent : Estimate
        Fixed effects, say.
    efficient : Estimate
        Random effects, say, of the same rows.
    by : str, optional
        Grouping, carried by both, that contains all dependence: the unit. None is the classical test.
    variance : {"same", "each"}
        Error variances of the classical test.

    Returns
    -------
    WaldTest
        ``statistic`` is H divided by ``df``.

    Raises
    ------
    InferenceError
        If the estimates have no term in common or no fit behind them, are of different rows, or if the
        difference of variances gives no positive statistic (use ``by``).

    References
    ----------
    Hausman, J. A. (1978). Specification tests in econometrics. *Econometrica*, 46(6), 1251-1271. Wooldridge,
    J. M. (2010). *Econometric Analysis of Cross Section and Panel Data* (2nd ed.), section 10.7.3. MIT Press.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.panel import FixedEffects, RandomEffects, hausman
    >>> rng = np.random.default_rng(1)
    >>> unit = np.repeat(np.arange(200), 4)
    >>> effect = rng.normal(size=200)[unit]
    >>> frame = pd.DataFrame({"unit": unit, "x": rng.normal(size=800) + effect})
    >>> frame["y"] = frame["x"] + 2 * effect + rng.normal(size=800)
    >>> fixed = FixedEffects(outcome="y", covariates=("x",), absorb=("unit",)).fit(frame)
    >>> random = RandomEffects(outcome="y", covariates=("x",), unit="unit").fit(frame)
    >>> hausman(fixed, random, by="unit").p_value < 0.001
    True
    """
    one, other = _fits(consistent, efficient)
    common = [
        term for term in consistent.keys["term"] if term in efficient.keys["term"] and term != "constant"
    ]
    if not common:
        raise InferenceError(
            "two estimates without a common term cannot be compared",
            where=f"{consistent.keys['term']} against {efficient.keys['term']}",
            remedy="give both the same covariates",
        )
    first = [consistent.keys["term"].index(term) for term in common]
    second = [efficient.keys["term"].index(term) for term in common]
    gap = consistent.values[first] - efficient.values[second]
    if by is None:
        return _classical(gap, (one, first), (other, second), variance)
    way, same = one.grouping(by), other.grouping(by)
    sums = one.influence.totals(way.codes, way.count)[:, first]
    sums = sums - other.influence.totals(same.codes, way.count)[:, second]
    seen = int((way.sizes > 0).sum())
    covariance = sums.T @ sums * seen / (seen - 1)
    return wald_test(gap, covariance, np.inf, np.eye(len(gap)), np.zeros(len(gap)))


def _fits(consistent: Estimate, efficient: Estimate) -> tuple[Fit, Fit]:
    one, other = consistent.fit, efficient.fit
    if one is None or other is None or one.n != other.n:
        raise InferenceError(
            "Hausman's test needs two fits of the same rows",
            where=f"{'no fit' if one is None else one.n} and {'no fit' if other is None else other.n} rows",
            remedy="fit both on the same frame, in this session",
        )
    return one, other


def _classical(
    gap: Floats, one: tuple[Fit, list[int]], other: tuple[Fit, list[int]], variance: ErrorVariance
) -> WaldTest:
    breads = [_bread(fit)[np.ix_(places, places)] for fit, places in (one, other)]
    errors = [_error_variance(fit) for fit, _ in (one, other)]
    if variance == "same":
        errors[0] = errors[1]
    difference = errors[0] * breads[0] - errors[1] * breads[1]
    if variance == "same":
        return wald_test(gap, difference, np.inf, np.eye(len(gap)), np.zeros(len(gap)))
    statistic = float(gap @ np.linalg.solve(difference, gap))
    if statistic <= 0:
        raise InferenceError(
            "the difference of variances is not positive definite and gives a negative statistic",
            where=f"{len(gap)} coefficients, statistic {statistic:.3g}",
            remedy="use variance='same', or by=<unit>, which needs no efficient estimate",
        )
    tail = chi_squared_tail(statistic, len(gap))
    return WaldTest(statistic / len(gap), len(gap), float("inf"), tail)


def _bread(fit: Fit) -> Floats:
    return _linear(fit).selection @ _linear(fit).bread @ _linear(fit).selection.T


def _error_variance(fit: Fit) -> float:
    linear = _linear(fit)
    return float(linear.weights @ linear.residuals**2) / (fit.n - fit.parameters)


def _linear(fit: Fit) -> Linear:
    if fit.linear is None:
        raise InferenceError(
            "the classical test of Hausman needs least squares behind both estimates",
            where=f"{fit.n:,} rows",
            remedy="use by=<unit>",
        )
    return fit.linear
