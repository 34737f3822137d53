"""Regression adjustment, IPWRA and AIPW: what they are by definition, twice robust, and what they refuse."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import juntos_eval as je
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimator

COLUMNS: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x", "z")}


@cache
def simulated(rows: int = 3000) -> pd.DataFrame:
    """SIMULATED: effect 1; the score needs z, the untreated outcome needs exp(x)."""
    rng = np.random.default_rng(12)
    x, z = rng.normal(size=rows), rng.normal(size=rows)
    treated = (rng.random(rows) < 1 / (1 + np.exp(0.4 - 0.8 * x - 0.8 * z))) * 1
    y = np.exp(0.7 * x) + z + treated + rng.normal(size=rows)
    works = (rng.random(rows) < 1 / (1 + np.exp(-0.5 * x - 0.5 * treated))) * 1
    return pd.DataFrame({"y": y, "works": works, "d": treated, "x": x, "z": z, "exp_x": np.exp(0.7 * x)})


def regression(frame: pd.DataFrame, arm: int, columns: list[str], logit: bool = False) -> Any:
    """Predictions of all rows by statsmodels' regression of one arm."""
    rows, design = frame["d"] == arm, sm.add_constant(frame[columns])
    if logit:
        model = sm.GLM(frame.loc[rows, "works"], design[rows], family=sm.families.Binomial())
        return model.fit(tol=1e-12).predict(design).to_numpy()
    return sm.OLS(frame.loc[rows, "y"], design[rows]).fit().predict(design).to_numpy()


def test_regression_adjustment_is_a_mean_of_predictions() -> None:
    frame = simulated()
    one, other = (regression(frame, arm, ["x", "z"]) for arm in (1, 0))
    for estimand, target in (("ate", frame["d"] >= 0), ("att", frame["d"] == 1), ("atc", frame["d"] == 0)):
        asked = COLUMNS | {"estimand": estimand}
        estimate = je.RegressionAdjustment(**asked, means=True).fit(frame)
        means = [one[target].mean(), other[target].mean()]
        np.testing.assert_allclose(estimate.values, [means[0] - means[1], *means], rtol=1e-10)


def test_logit_regression_adjustment_is_a_mean_of_probabilities() -> None:
    frame = simulated()
    estimator = je.RegressionAdjustment(
        outcome="works", treatment="d", covariates=("x", "z"), outcome_model="logit", estimand="ate"
    )
    one, other = (regression(frame, arm, ["x", "z"], logit=True) for arm in (1, 0))
    assert estimator.fit(frame).values[0] == pytest.approx(one.mean() - other.mean(), rel=1e-8)


def test_aipw_is_predictions_and_weighted_residuals() -> None:
    frame = simulated()
    p = sm.Logit(frame["d"], sm.add_constant(frame[["x", "z"]])).fit(disp=0, tol=1e-12).predict()
    other, y, d = regression(frame, 0, ["x", "z"]), frame["y"].to_numpy(), frame["d"].to_numpy()
    odds = (1 - d) * p / (1 - p)
    plain = y[d == 1].mean() - (d @ other + odds @ (y - other)) / d.sum()
    normalised = y[d == 1].mean() - other[d == 1].mean() - np.average(y - other, weights=odds)
    assert je.AIPW(**COLUMNS).fit(frame).values[0] == pytest.approx(plain, rel=1e-9)
    assert je.AIPW(**COLUMNS, normalised=True).fit(frame).values[0] == pytest.approx(normalised, rel=1e-9)


RIGHT_SCORE: dict[str, Any] = {"covariates": ("x", "z"), "outcome_covariates": ("x",)}
RIGHT_OUTCOME: dict[str, Any] = {"covariates": ("x",), "outcome_covariates": ("exp_x", "z")}
BOTH_WRONG: dict[str, Any] = {"covariates": ("x",), "outcome_covariates": ("x",)}


def distance(estimator: Estimator) -> float:
    """How many standard errors the estimate lies from the planted effect."""
    estimate = estimator.fit(simulated())
    return float(abs(estimate.values[0] - 1) / estimate.uncertainty.std_error[0])


@pytest.mark.parametrize("estimand", ["att", "ate", "atc"])
@pytest.mark.parametrize("kind", [je.AIPW, je.IPWRA])
def test_one_right_model_is_enough_and_none_is_not(kind: Any, estimand: str) -> None:
    asked: dict[str, Any] = {"outcome": "y", "treatment": "d", "estimand": estimand}
    assert distance(kind(**asked, **RIGHT_SCORE)) < 3
    assert distance(kind(**asked, **RIGHT_OUTCOME)) < 3
    assert distance(kind(**asked, **BOTH_WRONG)) > 6


def test_weighted_outcome_models_help_where_they_are_wrong() -> None:
    asked: dict[str, Any] = {"outcome": "y", "treatment": "d", "estimand": "ate", **RIGHT_SCORE}
    plain, weighted = (je.AIPW(**asked, weighted_outcome=choice).fit(simulated()) for choice in (False, True))
    assert weighted.values[0] != plain.values[0]
    assert weighted.uncertainty.std_error[0] < plain.uncertainty.std_error[0]


def test_the_design_is_that_of_weighting() -> None:
    weighting = je.Weighting(treatment="d", covariates=("x", "z"), estimand="ate").design(simulated())
    for kind in (je.AIPW, je.IPWRA):
        design = kind(**COLUMNS, estimand="ate").design(simulated())
        np.testing.assert_array_equal(design.design_weights, weighting.design_weights)
        assert je.balance(design).checks[0].passed


def test_outcome_covariates_may_be_others_or_none() -> None:
    frame = simulated().copy()
    frame.loc[:4, "exp_x"] = np.nan
    estimate = je.AIPW(**COLUMNS, outcome_covariates=("exp_x",)).fit(frame)
    assert estimate.sample.dropped["exp_x missing"] == 5
    means_alone = je.IPWRA(**COLUMNS, outcome_covariates=()).fit(simulated())
    weighted = je.Weighting(**COLUMNS).fit(simulated())
    assert means_alone.values[0] == pytest.approx(weighted.values[0], rel=1e-10)
    assert means_alone.uncertainty.std_error[0] == pytest.approx(weighted.uncertainty.std_error[0], rel=1e-9)


def test_a_regression_without_covariates_is_the_raw_gap() -> None:
    frame = simulated()
    adjusted = je.RegressionAdjustment(outcome="y", treatment="d", covariates=()).fit(frame)
    raw = je.MeanDifference(outcome="y", treatment="d").fit(frame, inference=je.Robust("HC0"))
    assert adjusted.values[0] == pytest.approx(raw.values[0], rel=1e-12)
    assert adjusted.uncertainty.std_error[0] == pytest.approx(raw.uncertainty.std_error[0], rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "choices", "words"),
    [
        (je.AIPW, {"estimand": "ato"}, "no estimand 'ato'"),
        (je.IPWRA, {"estimand": "ato"}, "no estimand 'ato'"),
        (je.RegressionAdjustment, {"estimand": "late"}, "no estimand"),
        (je.AIPW, {"outcome_model": "poisson"}, "no outcome_model 'poisson'"),
        (je.RegressionAdjustment, {"outcome_model": "probit"}, "no outcome_model"),
        (je.AIPW, {"link": "cauchit"}, "no link"),
        (je.IPWRA, {"trim": 0.7}, "trim is a score"),
        (je.AIPW, {"covariates": ()}, "at least one covariate"),
        (je.AIPW, {"outcome_covariates": "x"}, "not a tuple of names"),
        (je.RegressionAdjustment, {"covariates": "x"}, "not a tuple of names"),
    ],
)
def test_choices_that_do_not_exist_are_refused(kind: Any, choices: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        kind(**{**COLUMNS, **choices})


REGRESSIONS: tuple[Any, ...] = (je.RegressionAdjustment, je.IPWRA, je.AIPW)


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_a_category_that_one_arm_lacks_is_named(kind: Any) -> None:
    frame = simulated().assign(forest=lambda table: ((table["d"] == 1) & (table.index % 50 == 0)) * 1.0)
    choices = {"outcome_covariates": ("x", "forest")} if kind is not je.RegressionAdjustment else {}
    covariates = ("x", "z") if choices else ("x", "forest")
    with pytest.raises(DesignError, match="forest: constant or collinear in these"):
        kind(outcome="y", treatment="d", covariates=covariates, **choices).fit(frame)


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_a_logit_needs_an_outcome_between_zero_and_one(kind: Any) -> None:
    with pytest.raises(DesignError, match="between 0 and 1"):
        kind(**COLUMNS, outcome_model="logit").fit(simulated())


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_a_logit_that_predicts_without_error_is_refused(kind: Any) -> None:
    frame = simulated().assign(works=lambda table: (table["x"] > 0.3) * 1)
    with pytest.raises(DesignError, match=r"without error, .*[\[ ]x[;,\]]"):
        kind(outcome="works", treatment="d", covariates=("x", "z"), outcome_model="logit").fit(frame)


def test_a_logit_of_an_outcome_that_one_arm_never_has_is_refused() -> None:
    frame = simulated().assign(works=lambda table: table["works"] * table["d"])
    with pytest.raises(DesignError, match="the outcome is the same in all"):
        je.RegressionAdjustment(outcome="works", treatment="d", covariates=("x",), outcome_model="logit").fit(
            frame
        )


def test_fewer_rows_than_coefficients_are_refused() -> None:
    frame = pd.concat(
        [simulated()[simulated()["d"] == 1].head(40), simulated()[simulated()["d"] == 0].head(3)]
    )
    with pytest.raises(DesignError, match="no more rows than coefficients"):
        je.RegressionAdjustment(**COLUMNS).fit(frame)
