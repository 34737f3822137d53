"""Attrition and balance regressions are least squares with the tests that they name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from juntos_eval.errors import DesignError
from juntos_eval.estimators.sensitivity import Attrition, BaselineBalance
from juntos_eval.inference.cluster import Cluster


def trial(seed: int = 1, n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    d, x = rng.integers(0, 2, n), rng.normal(size=(n, 2))
    lost = rng.random(n) < 0.15 + 0.1 * d + 0.1 * d * (x[:, 0] > 0)
    frame = pd.DataFrame({"d": d, "x1": x[:, 0], "x2": x[:, 1], "y": np.where(lost, np.nan, 1.0)})
    return frame.assign(village=rng.permutation(n) % 25)


def test_attrition_is_that_of_statsmodels() -> None:
    frame = trial()
    found = Attrition(outcome="y", treatment="d", covariates=("x1", "x2")).fit(frame)
    centred = frame.assign(lost=frame["y"].isna() * 1.0, a=frame["x1"] - frame["x1"].mean())
    centred["b"] = centred["x2"] - centred["x2"].mean()
    peer = smf.ols("lost ~ d + a + b + d:a + d:b", centred).fit(cov_type="HC1", use_t=True)
    np.testing.assert_allclose(found.values, peer.params.iloc[1:], rtol=1e-9)
    np.testing.assert_allclose(found.uncertainty.std_error, peer.bse.iloc[1:], rtol=1e-9)
    test = peer.f_test("d:a = 0, d:b = 0")
    assert found.details["interactions"]["statistic"] == pytest.approx(float(test.fvalue), rel=1e-8)
    assert found.details["interactions"]["p_value"] == pytest.approx(float(test.pvalue), rel=1e-7)
    assert {check.name for check in found.checks} == {"treatment", "baseline", "interactions"}


def test_balance_and_its_joint_test() -> None:
    frame = trial()
    found = BaselineBalance(treatment="d", covariates=("x1", "x2")).fit(frame, inference=Cluster("village"))
    peer = smf.ols("d ~ x1 + x2", frame).fit()
    np.testing.assert_allclose(found.values, peer.params.iloc[1:], rtol=1e-9)
    assert found.details["joint"]["df"] == 2
    assert found.details["joint"]["df_denominator"] == 24
    with pytest.raises(DesignError, match="collinear"):
        BaselineBalance(treatment="d", covariates=("x1", "x3")).fit(frame.assign(x3=2 * frame["x1"]))


def test_where_nobody_is_lost_nothing_is_tested() -> None:
    found = Attrition(outcome="y", treatment="d", covariates=("x1",)).fit(trial().assign(y=1.0))
    assert all(check.passed is None for check in found.checks)
    assert "no variance" in found.details["treatment"]["reason"]
    with pytest.raises(DesignError, match="'nope'"):
        Attrition(outcome="nope", treatment="d").fit(trial())
