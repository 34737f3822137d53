"""Fixed effects are those of fixest: all 122 stored calls, with every inference they use."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimators.panel.golden import cases, feols

CASES = cases("feols")


def test_every_stored_call_is_here() -> None:
    assert len(CASES) == 122


@pytest.mark.parametrize("name", CASES)
def test_coefficients_and_errors_are_those_of_fixest(name: str) -> None:
    expected, found = CASES[name]["expected"], feols(name)
    terms = ["constant" if term == "(Intercept)" else term for term in expected["coef"]]
    assert list(found.keys["term"]) == terms
    frame = found.tidy()
    np.testing.assert_allclose(found.values, list(expected["coef"].values()), rtol=1e-9)
    # fixest ends its demeaning before residuals are exact where there are two effects or more
    np.testing.assert_allclose(frame["std_error"], list(expected["se"].values()), rtol=1e-9)
    np.testing.assert_allclose(frame["statistic"], list(expected["t"].values()), rtol=1e-8)
    np.testing.assert_allclose(frame["p_value"], list(expected["p"].values()), rtol=1e-6)
    covariance = np.array(expected["vcov"]["values"])
    np.testing.assert_allclose(
        found.uncertainty.covariance, covariance, rtol=1e-8, atol=1e-9 * np.abs(covariance).max()
    )


@pytest.mark.parametrize("name", CASES)
def test_sample_fit_and_what_was_left_out_are_those_of_fixest(name: str) -> None:
    expected, found = CASES[name]["expected"], feols(name)
    assert found.sample.rows == expected["nobs"]
    assert found.uncertainty.df == expected["df_t"]
    assert found.details["dropped"] == expected["dropped_collinear"]
    levels = {label.split("[")[0]: count for label, count in found.details["absorbed"].items()}
    assert levels == (expected["fixef_sizes"] or {})
    np.testing.assert_allclose(found.details["ssr"], expected["ssr"], rtol=1e-9)
    np.testing.assert_allclose(found.details["r2"], expected["r2"], rtol=1e-9)
    if expected["within_r2"] is not None:
        np.testing.assert_allclose(found.details["r2_within"], expected["within_r2"], rtol=1e-9)
