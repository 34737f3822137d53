"""Power of tests before treatment: closed forms, and draws of another generator (SIMULATED)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import pretrend_power

COVARIANCE = 0.04 * (0.4 * np.ones((5, 5)) + 0.6 * np.eye(5))
EFFECTS = np.zeros(5), COVARIANCE, (-4, -3, -2, 0, 1)


def test_one_period_has_the_power_of_a_normal_test() -> None:
    found = pretrend_power((np.zeros(2), np.eye(2), (-2, 0)), power=0.8, test="joint")
    reached = norm.sf(1.959964 - found.slope) + norm.cdf(-1.959964 - found.slope)
    assert reached == pytest.approx(0.8, abs=1e-5)


def test_power_of_any_significant_effect_is_a_normal_probability() -> None:
    found = pretrend_power(EFFECTS, power=0.5)
    limit = 1.959964 * np.sqrt(np.diag(COVARIANCE)[:3])
    law = multivariate_normal(found.trend[:3], COVARIANCE[:3, :3], seed=1)
    assert 1 - law.cdf(limit, lower_limit=-limit) == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(found.trend, found.slope * np.array([-3, -2, -1, 1, 2]), rtol=1e-12)


@pytest.mark.parametrize("test", ["individual", "joint"])
def test_what_passes_is_biased_as_draws_say(test: str) -> None:
    found = pretrend_power(EFFECTS, power=0.6, test=test)  # type: ignore[arg-type]
    drawn = np.random.default_rng(77).multivariate_normal(found.trend, COVARIANCE, 100_000)
    early = drawn[:, :3]
    if test == "individual":
        passes = (np.abs(early) <= 1.959964 * 0.2).all(axis=1)
    else:
        passes = np.einsum("ij,ji->i", early, np.linalg.solve(COVARIANCE[:3, :3], early.T)) <= 7.814728
    assert 1 - passes.mean() == pytest.approx(0.6, abs=0.01)
    np.testing.assert_allclose(found.after_passing, drawn[passes].mean(axis=0), atol=0.01)


def test_more_power_needs_a_steeper_line_and_a_power_below_the_size_is_refused() -> None:
    slopes = [pretrend_power(EFFECTS, power=one).slope for one in (0.3, 0.5, 0.9)]
    assert slopes == sorted(slopes)
    with pytest.raises(DesignError, match="as often where trends are parallel"):
        pretrend_power(EFFECTS, power=0.05)
    with pytest.raises(DesignError, match="were expected"):
        pretrend_power(EFFECTS, power=1.2)
