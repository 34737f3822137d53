"""Tails and quantiles are scipy.stats's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from juntos_eval.numerics import distributions as laws

X = np.array([-40.0, -6.0, -1.96, 0.0, 0.3, 1.96, 8.0, 35.0, np.nan, np.inf, -np.inf])
CHANCES = np.array([0.0, 1e-12, 0.025, 0.5, 0.975, 1 - 1e-9, 1.0])
DF = np.array([0.7, 1.0, 3.5, 49.0, 1e6, np.inf])


def test_normal() -> None:
    np.testing.assert_allclose(laws.normal_tail(X), stats.norm.sf(X), rtol=1e-13)
    np.testing.assert_allclose(laws.normal_log_density(X), stats.norm.logpdf(X), rtol=1e-13)
    np.testing.assert_allclose(laws.normal_quantile(CHANCES), stats.norm.ppf(CHANCES), rtol=1e-13)


@pytest.mark.parametrize("df", DF)
def test_student(df: float) -> None:
    np.testing.assert_allclose(laws.t_tail(X, df), stats.t.sf(X, df), rtol=1e-12)
    np.testing.assert_allclose(laws.t_quantile(CHANCES, df), stats.t.ppf(CHANCES, df), rtol=1e-12)


def test_student_with_degrees_of_its_own_for_each_value() -> None:
    found = laws.t_quantile(0.975, DF)
    np.testing.assert_allclose(found, [stats.t.ppf(0.975, df) for df in DF], rtol=1e-12)
    assert np.isnan(laws.t_tail(1.0, np.array([0.0, -1.0, np.nan]))).all()
    assert np.isnan(laws.t_quantile(0.9, np.array([0.0, -1.0, np.nan]))).all()


@pytest.mark.parametrize("df", [1.0, 2.0, 7.5, 120.0])
@pytest.mark.parametrize("x", [-1.0, 0.0, 1e-9, 0.7, 3.84, 60.0, 900.0])
def test_chi_squared_and_f(x: float, df: float) -> None:
    assert laws.chi_squared_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-12)
    for below in (2.0, 11.3, 1e5):
        assert laws.f_tail(x, df, below) == pytest.approx(stats.f.sf(x, df, below), rel=1e-12)
    assert laws.f_tail(x, df, np.inf) == pytest.approx(stats.chi2.sf(x * df, df), rel=1e-12)


@pytest.mark.parametrize("chance", [0.01, 0.5, 0.95, 0.999])
@pytest.mark.parametrize("df", [1.0, 2.0, 7.5, 120.0])
def test_quantiles_of_chi_squared_and_f(chance: float, df: float) -> None:
    assert laws.chi_squared_quantile(chance, df) == pytest.approx(stats.chi2.ppf(chance, df), rel=1e-11)
    for below in (2.0, 11.3, 1e5):
        assert laws.f_quantile(chance, df, below) == pytest.approx(stats.f.ppf(chance, df, below), rel=1e-10)
    assert laws.f_quantile(chance, df, np.inf) == pytest.approx(stats.chi2.ppf(chance, df) / df, rel=1e-11)


def test_what_is_not_known_stays_so() -> None:
    assert np.isnan(laws.chi_squared_tail(np.nan, 2.0))
    assert np.isnan(laws.f_tail(np.nan, 2.0, 9.0))
