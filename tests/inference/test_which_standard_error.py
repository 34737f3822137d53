"""The table in docs/methods/clusters.md: each of its lines that a Python package can answer, asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimate import Inference
from juntos_eval.estimators.iv import TwoStage
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.newey_west import NeweyWest
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.small_sample import SmallSample


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    unit, year = np.repeat(np.arange(40), 7), np.tile(np.arange(7), 40)
    keep = rng.random(280) < 0.85
    x, z, hidden = rng.normal(size=(3, 280))
    d = z + hidden + rng.normal(size=280)
    y = x + d + hidden + rng.normal(size=40)[unit] * (1 + np.abs(x)) + rng.normal(size=280)
    made = pd.DataFrame({"unit": unit, "year": year, "town": unit // 4, "x": x, "z": z, "d": d, "y": y})
    return made[keep].reset_index(drop=True)


STATSMODELS: list[tuple[dict[str, Any], Inference, bool]] = [
    ({}, Iid(), True),
    ({"cov_type": "HC0"}, Robust("HC0"), False),
    ({"cov_type": "HC1", "use_t": True}, Robust("HC1"), True),
    ({"cov_type": "HC2", "use_t": True}, Robust("HC2"), True),
    ({"cov_type": "HC3", "use_t": True}, Robust("HC3"), True),
]


@pytest.mark.parametrize(("asked", "rule", "has_t"), STATSMODELS)
def test_statsmodels(frame: pd.DataFrame, asked: dict[str, Any], rule: Inference, has_t: bool) -> None:
    import statsmodels.api as sm

    theirs = sm.OLS(frame["y"], sm.add_constant(frame[["x", "d"]])).fit(**asked)
    ours = FixedEffects(outcome="y", covariates=("x", "d")).fit(frame, inference=rule)
    np.testing.assert_allclose(ours.uncertainty.std_error, theirs.bse, rtol=1e-10)
    np.testing.assert_allclose(ours.p_values(), theirs.pvalues, rtol=1e-6)
    assert np.isinf(ours.uncertainty.df) is np.bool_(not has_t)


def test_statsmodels_clusters_and_a_series(frame: pd.DataFrame) -> None:
    import statsmodels.api as sm

    model = sm.OLS(frame["y"], sm.add_constant(frame[["x", "d"]]))
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": frame["town"]}, use_t=True)
    ours = FixedEffects(outcome="y", covariates=("x", "d")).fit(frame, inference=Cluster("town", kind="CR1S"))
    np.testing.assert_allclose(ours.uncertainty.std_error, theirs.bse, rtol=1e-10)
    np.testing.assert_allclose(ours.p_values(), theirs.pvalues, rtol=1e-6)
    series = frame.assign(order=np.arange(len(frame)))
    lagged = sm.OLS(series["y"], sm.add_constant(series[["x"]])).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": False}
    )
    rule = NeweyWest(time="order", lags=3, small_sample=SmallSample(coefficients=False, clusters=False))
    ours = FixedEffects(outcome="y", covariates=("x",)).fit(series, inference=rule)
    np.testing.assert_allclose(ours.uncertainty.std_error, lagged.bse, rtol=1e-10)


LINEARMODELS: list[tuple[dict[str, Any], Inference]] = [
    ({"cov_type": "unadjusted"}, Iid()),
    ({"cov_type": "robust"}, Robust("HC1")),
    (
        {"cov_type": "clustered", "cluster_entity": True},
        Cluster("unit", small_sample=SmallSample(clusters=False)),
    ),
    (
        {"cov_type": "clustered", "cluster_entity": True, "group_debias": True},
        Cluster("unit", kind="CR1S"),
    ),
]


@pytest.mark.parametrize(("asked", "rule"), LINEARMODELS)
def test_linearmodels_panel(frame: pd.DataFrame, asked: dict[str, Any], rule: Inference) -> None:
    from linearmodels.panel import PanelOLS

    table = frame.set_index(["unit", "year"])
    theirs = PanelOLS(table["y"], table[["x", "d"]], entity_effects=True).fit(**asked)
    ours = FixedEffects(outcome="y", covariates=("x", "d"), absorb=("unit",)).fit(frame, inference=rule)
    ratio = ours.uncertainty.std_error / theirs.std_errors.to_numpy()
    n, k = len(frame), 2
    if "cluster_entity" in asked:  # fixest and reghdfe count one coefficient for effects nested in clusters
        ratio *= np.sqrt((n - k - 1) / (n - k))
    if "cluster_entity" in asked and "group_debias" not in asked:  # n/(n-k) in place of (n-1)/(n-k)
        ratio *= np.sqrt(n / (n - 1))
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({}, Robust("HC0")),
        ({"debiased": True}, Robust("HC1")),
        ({"cov_type": "unadjusted", "debiased": True}, Iid()),
    ],
)
def test_linearmodels_instruments(frame: pd.DataFrame, asked: dict[str, Any], rule: Inference) -> None:
    from linearmodels.iv import IV2SLS

    ones = frame.assign(constant=1.0)
    theirs = IV2SLS(ones["y"], ones[["constant", "x"]], ones[["d"]], ones[["z"]]).fit(**asked)
    ours = TwoStage(outcome="y", endogenous="d", instruments=("z",), covariates=("x",)).fit(
        frame, inference=rule
    )
    terms = list(ours.keys["term"])
    np.testing.assert_allclose(ours.uncertainty.std_error, theirs.std_errors[terms], rtol=1e-9)
