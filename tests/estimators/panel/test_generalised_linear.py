"""Logit, probit and Poisson are those of statsmodels and fixest; separation is found and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from juntos_eval.errors import DesignError
from juntos_eval.estimators.panel import FixedEffects, LinearProbability, Logit, Poisson, Probit
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from tests.estimators.panel.golden import cases, table

COVARIATES = ("x1", "x2", "b")


def frame(seed: int = 1, rows: int = 600) -> pd.DataFrame:
    """SIMULATED."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"x1": rng.normal(size=rows), "x2": rng.normal(5, 3, rows)})
    data["b"] = rng.integers(0, 2, rows)
    index = -0.4 + data["x1"] - 0.2 * (data["x2"] - 5) + 0.5 * data["b"]
    data["works"] = (index + rng.logistic(size=rows) > 0) * 1
    data["visits"] = rng.poisson(np.exp(0.3 * index))
    data["g"] = rng.integers(0, 40, rows)
    data["t"] = rng.integers(0, 6, rows)
    data["w"] = rng.uniform(0.5, 3.0, rows)
    return data


@pytest.mark.parametrize(("ours", "theirs"), [(Logit, sm.Logit), (Probit, sm.Probit)])
def test_coefficients_and_effects_are_those_of_statsmodels(ours: Any, theirs: Any) -> None:
    data = frame()
    design = sm.add_constant(data[list(COVARIATES)])
    expected = theirs(data["works"], design).fit(
        disp=0, method="newton", tol=1e-14, cov_type="HC0", maxiter=100
    )
    found = ours(outcome="works", covariates=COVARIATES, report="coefficients").fit(
        data, inference=Robust("HC0")
    )
    np.testing.assert_allclose(found.values, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty.std_error, expected.bse, rtol=1e-8)
    np.testing.assert_allclose(found.details["log_likelihood"], expected.llf, rtol=1e-12)
    np.testing.assert_allclose(found.details["pseudo_r2"], expected.prsquared, rtol=1e-8)
    margins = expected.get_margeff(dummy=True)
    effects = ours(outcome="works", covariates=COVARIATES, is_conditional=True).fit(
        data, inference=Robust("HC0")
    )
    np.testing.assert_allclose(effects.values, margins.margeff, rtol=1e-9)
    np.testing.assert_allclose(effects.uncertainty.std_error, margins.margeff_se, rtol=1e-7)


@pytest.mark.parametrize("model", [Logit, Probit])
def test_effects_move_as_their_influence_says(model: Any) -> None:
    data = frame(rows=400)
    estimator = model(outcome="works", covariates=COVARIATES, weights="w")
    whole = estimator.fit(data)
    moved = np.array([whole.values - estimator.fit(data.drop(index=row)).values for row in range(30)])
    influence = whole.fit.influence.dense()[:30]
    for found, expected in zip(moved.T, influence.T, strict=True):
        assert np.corrcoef(found, expected)[0, 1] > 0.99


def test_poisson_is_that_of_statsmodels() -> None:
    data = frame()
    design = sm.add_constant(data[list(COVARIATES)])
    expected = sm.GLM(data["visits"], design, sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    found = Poisson(outcome="visits", covariates=COVARIATES).fit(data, inference=Robust("HC0"))
    np.testing.assert_allclose(found.values, expected.params, rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty.std_error, expected.bse, rtol=1e-8)
    np.testing.assert_allclose(found.details["deviance"], expected.deviance, rtol=1e-10)


@pytest.mark.parametrize("weights", [None, "w"])
def test_absorbed_effects_are_dummies(weights: str | None) -> None:
    data = frame(3)
    found = Poisson(outcome="visits", covariates=COVARIATES, absorb=("g", "t"), weights=weights).fit(
        data, inference=Robust("HC0")
    )
    dummies = pd.get_dummies(data[["g", "t"]].astype(str), drop_first=True).to_numpy(float)
    design = np.column_stack([data[list(COVARIATES)], np.ones(len(data)), dummies])
    weight = np.ones(len(data)) if weights is None else data[weights].to_numpy()
    expected = sm.GLM(data["visits"], design, sm.families.Poisson(), var_weights=weight).fit(
        tol=1e-14, cov_type="HC0"
    )
    np.testing.assert_allclose(found.values, expected.params[:3], rtol=1e-8)
    np.testing.assert_allclose(found.uncertainty.std_error, expected.bse[:3], rtol=1e-7)


def test_poisson_with_two_effects_is_that_of_fixest() -> None:
    (case,) = cases("fepois").values()
    data = table(case["data"])
    data = data.assign(q=np.round(np.exp(0.3 * data["y"])))
    found = Poisson(outcome="q", covariates=("x1", "x2", "x3"), absorb=("id", "year")).fit(data)
    expected = case["expected"]
    np.testing.assert_allclose(found.values, list(expected["coef"].values()), rtol=1e-7)
    np.testing.assert_allclose(found.uncertainty.std_error, list(expected["se"].values()), rtol=1e-7)
    np.testing.assert_allclose(found.details["deviance"], expected["deviance"], rtol=1e-8)
    assert found.sample.rows == expected["nobs"]


def test_levels_of_zeros_and_separated_rows_are_left_out_and_counted() -> None:
    data = frame(4)
    data.loc[data["g"] == 3, "visits"] = 0
    # positive only where the outcome is zero: the likelihood sends its coefficient to minus infinity
    data["never"] = ((data["visits"] == 0) & (data["x1"] > 0)) * 1.0
    found = Poisson(outcome="visits", covariates=("x1", "x2", "never"), absorb=("g",)).fit(data)
    assert found.sample.dropped["visits always zero in a level"] == (data["g"] == 3).sum()
    assert found.sample.dropped["separated by covariates"] == ((data["g"] != 3) & (data["never"] == 1)).sum()
    assert found.keys["term"] == ("x1", "x2")
    kept = data[(data["g"] != 3) & (data["never"] == 0)]
    again = Poisson(outcome="visits", covariates=("x1", "x2"), absorb=("g",)).fit(kept)
    np.testing.assert_allclose(found.values, again.values, rtol=1e-10)


@pytest.mark.parametrize("model", [Logit, Probit])
def test_separation_is_refused_and_named(model: Any) -> None:
    data = frame(5).assign(tell=lambda d: d["works"] * (d["x1"] > 0))
    with pytest.raises(DesignError, match="tell"):
        model(outcome="works", covariates=("x2", "tell")).fit(data)
    data["both"] = data["works"] * 1.0
    with pytest.raises(DesignError, match="both"):
        model(outcome="works", covariates=("both", "x2")).fit(data)


def test_linear_probability_is_least_squares() -> None:
    data = frame(6)
    found = LinearProbability(outcome="works", covariates=("x1",), absorb=("g",)).fit(data)
    same = FixedEffects(outcome="works", covariates=("x1",), absorb=("g",)).fit(data)
    np.testing.assert_array_equal(found.values, same.values)
    assert any(check.name == "probabilities" for check in found.checks)
    with pytest.raises(DesignError, match="must be 0 or 1"):
        LinearProbability(outcome="visits", covariates=("x1",)).fit(data)


@pytest.mark.parametrize("model", [Logit, Probit, LinearProbability])
@pytest.mark.parametrize("value", [0, 1])
def test_outcomes_that_do_not_vary(model: Any, value: int) -> None:
    with pytest.raises(DesignError, match="does not vary"):
        model(outcome="works", covariates=("x1",)).fit(frame().assign(works=value))


def test_outcomes_that_are_negative() -> None:
    with pytest.raises(DesignError, match="negative"):
        Poisson(outcome="x1", covariates=("x2",)).fit(frame())


def test_collinear_columns_are_named() -> None:
    data = frame().assign(x3=lambda d: 2 * d["x1"] + 1)
    for model in (Logit, Probit):
        found = model(outcome="works", covariates=("x1", "x3")).fit(data, inference=Cluster("g"))
        assert "x3" in found.checks[0].detail
        assert found.keys["term"] == ("x1",)
