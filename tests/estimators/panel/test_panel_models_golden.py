"""Panel models are those of R's plm: all 24 stored calls."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from juntos_eval.estimate import Estimate
from juntos_eval.estimators.panel import Between, FirstDifference, FixedEffects, RandomEffects, hausman
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid
from juntos_eval.inference.small_sample import SmallSample
from tests.estimators.panel.golden import cases, table

MODELS, VARIANCES, TESTS = cases("plm"), cases("vcovHC.plm"), cases("phtest")
RULES = {"swar": "swamy-arora", "amemiya": "amemiya", "walhus": "wallace-hussain", "nerlove": "nerlove"}
COLUMNS: dict[str, Any] = {"outcome": "y", "covariates": ("x1", "x2", "x3")}


def model(case: dict[str, Any]) -> Estimate:
    code, frame = case["call"]["code"], table(case["data"])
    kind = re.findall(r'model = "(\w+)"', code)[0]
    if kind == "random":
        rule: Any = RULES[re.findall(r'random.method = "(\w+)"', code)[0]]
        return RandomEffects(**COLUMNS, unit="id", time="year", components=rule).fit(frame, inference=Iid())
    if kind == "within":
        return FixedEffects(**COLUMNS, absorb=("id",)).fit(frame, inference=Iid())
    if kind == "pooling":
        return FixedEffects(**COLUMNS).fit(frame, inference=Iid())
    if kind == "between":
        return Between(**COLUMNS, unit="id").fit(frame, inference=Iid())
    return FirstDifference(**COLUMNS, unit="id", time="year").fit(frame, inference=Iid())


def test_every_stored_call_is_here() -> None:
    assert (len(MODELS), len(VARIANCES), len(TESTS)) == (16, 6, 2)


@pytest.mark.parametrize("name", MODELS)
def test_coefficients_and_errors(name: str) -> None:
    expected, found = MODELS[name]["expected"], model(MODELS[name])
    constant = "trend" if name.endswith("-fd") else "constant"
    terms = [constant if term == "(Intercept)" else term for term in expected["coef"]]
    assert list(found.keys["term"]) == terms
    np.testing.assert_allclose(found.values, list(expected["coef"].values()), rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty.std_error, list(expected["se"].values()), rtol=1e-9)
    assert found.uncertainty.df == expected["df_resid"]
    if "sigma2" in expected:
        np.testing.assert_allclose(
            [found.details["variance_idiosyncratic"], found.details["variance_unit"]],
            [expected["sigma2"]["idios"], expected["sigma2"]["id"]],
            rtol=1e-9,
        )


@pytest.mark.parametrize("name", VARIANCES)
def test_errors_clustered_by_unit(name: str) -> None:
    case = VARIANCES[name]
    found = FixedEffects(**COLUMNS, absorb=("id",)).fit(
        table(case["data"]), inference=Cluster("id", kind="CR0")
    )
    # plm's n and k are those of the demeaned regression, without the unit effects
    rows, coefficients = found.sample.rows, len(found.values)
    factor = rows / (rows - coefficients) if name.endswith("HC1") else 1.0
    if name.endswith("sss"):
        found = found.with_inference(Cluster("id", small_sample=SmallSample(effects="none")))
    expected = np.array(case["expected"]["vcov"]["values"])
    np.testing.assert_allclose(factor * found.uncertainty.covariance, expected, rtol=1e-9)


@pytest.mark.parametrize("name", TESTS)
def test_hausman(name: str) -> None:
    case = TESTS[name]
    frame, expected = table(case["data"]), case["expected"]
    fixed = FixedEffects(**COLUMNS, absorb=("id",)).fit(frame)
    random = RandomEffects(**COLUMNS, unit="id").fit(frame)
    test = hausman(fixed, random, variance="each")
    np.testing.assert_allclose(test.statistic * test.df, expected["chisq"], rtol=1e-9)
    assert test.df == expected["df"]
    np.testing.assert_allclose(test.p_value, expected["p"], rtol=1e-7)
