from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Uncertainty
from juntos_eval.estimate.intervals import confidence_intervals, t_statistics, two_sided_p_values


def known(variances: list[float], df: float = np.inf, **rest: Any) -> Uncertainty:
    return Uncertainty(method="known", covariance=np.diag(variances), df=df, **rest)


VALUES = np.array([1.0, -2.0])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("df", [1.0, 7.0, np.inf])
def test_intervals_are_quantiles_of_t(level: float, df: float) -> None:
    found = confidence_intervals(VALUES, known([4.0, 0.25], df), level)
    expected = [stats.t.interval(level, df, loc=1.0, scale=2.0), stats.t.interval(level, df, -2.0, 0.5)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.1, np.nan])
def test_levels_that_are_none(level: float) -> None:
    with pytest.raises(InferenceError, match="strictly between 0 and 1"):
        confidence_intervals(VALUES, known([1.0, 1.0]), level)


def test_simultaneous_intervals_without_draws_are_sidak_s() -> None:
    found = confidence_intervals(VALUES, known([1.0, 1.0], 9.0), 0.95, simultaneous=True)
    critical = stats.t.ppf(0.5 + np.sqrt(0.95) / 2, 9)
    np.testing.assert_allclose(found[:, 1] - VALUES, critical)
    # two independent normal values are then both covered just as often as asked
    normal = confidence_intervals(np.zeros(2), known([1.0, 1.0]), 0.95, simultaneous=True)[0, 1]
    assert (2 * stats.norm.cdf(normal) - 1) ** 2 == pytest.approx(0.95, rel=1e-12)


@pytest.mark.parametrize("variance", [np.nan, 0.0])
def test_values_without_an_error_are_not_counted(variance: float) -> None:
    found = confidence_intervals(np.zeros(2), known([1.0, variance]), 0.95, simultaneous=True)
    np.testing.assert_allclose(found[0], [-1.959963984540054, 1.959963984540054])


def test_simultaneous_intervals_with_draws_take_their_quantile() -> None:
    uncertainty = known([1.0, 4.0], band=np.arange(1.0, 101.0))
    found = confidence_intervals(np.zeros(2), uncertainty, 0.9, simultaneous=True)
    critical = np.quantile(np.arange(1.0, 101.0), 0.9, method="higher")
    np.testing.assert_allclose(found[:, 1], [critical, 2 * critical])
    assert (np.arange(1.0, 101.0) <= critical).mean() >= 0.9
    pointwise = confidence_intervals(np.zeros(2), uncertainty, 0.9)
    np.testing.assert_allclose(pointwise[:, 1], stats.norm.ppf(0.95) * np.array([1, 2]))


def test_stored_intervals_are_valid_at_their_level_only() -> None:
    stored = np.array([[0.0, 2.0], [-3.0, -1.0]])
    uncertainty = known([1.0, 1.0], intervals=stored, intervals_level=0.9)
    np.testing.assert_array_equal(confidence_intervals(VALUES, uncertainty, 0.9), stored)
    with pytest.raises(InferenceError, match=r"level 0.95 asked for, 0.9 stored"):
        confidence_intervals(VALUES, uncertainty, 0.95)
    # all values at once is another question, which the covariance answers
    wide = confidence_intervals(VALUES, uncertainty, 0.95, simultaneous=True)
    assert np.isfinite(wide).all()


def test_p_values_are_two_sided_tails_of_t() -> None:
    found = two_sided_p_values(VALUES, known([4.0, 0.25], 6.0))
    np.testing.assert_allclose(found, 2 * stats.t.cdf([-0.5, -4.0], 6), rtol=1e-12)


def test_stored_p_values_are_returned() -> None:
    uncertainty = known([1.0, 1.0], p_values=np.array([0.3, 0.01]))
    assert two_sided_p_values(VALUES, uncertainty).tolist() == [0.3, 0.01]


def test_where_the_error_is_not_known_nothing_is() -> None:
    for variance in (np.nan, 0.0, -1.0):
        uncertainty = known([variance, 1.0])
        assert np.isnan(t_statistics(VALUES, uncertainty)).tolist() == [True, False]
        assert np.isnan(two_sided_p_values(VALUES, uncertainty)).tolist() == [True, False]
    assert np.isnan(known([-1.0]).std_error).all()
    assert np.isnan(confidence_intervals(VALUES, known([np.nan, 1.0]), 0.95)[0]).all()


def test_a_value_that_is_not_known_has_no_interval() -> None:
    assert np.isnan(confidence_intervals(np.array([np.nan]), known([1.0]), 0.95)).all()
