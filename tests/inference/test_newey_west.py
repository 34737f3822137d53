from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Fit
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.newey_west import DriscollKraay, NeweyWest
from juntos_eval.inference.small_sample import SmallSample
from tests.inference.panel import groups_of

PLAIN = SmallSample(coefficients=False, clusters=False)


@pytest.fixture
def panel() -> pd.DataFrame:
    """SIMULATED: 30 units in 12 years, a fifth of the rows missing, two rows a cell now and then."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(30), 12), "year": np.tile(np.arange(2001, 2013), 30)})
    kept = frame[rng.random(360) < 0.8]
    return pd.concat([kept, kept.iloc[::9]], ignore_index=True)


def fit_of(frame: pd.DataFrame) -> Fit:
    influence = np.random.default_rng(3).normal(size=(len(frame), 2))
    return Fit(
        values=np.zeros(2),
        influence=DenseInfluence(influence - influence.mean(axis=0)),
        parameters=2,
        groups=groups_of(frame, ["unit", "year"]),
    )


def pairs(frame: pd.DataFrame, psi: np.ndarray, lags: int, *, within: bool) -> np.ndarray:
    gap = np.abs(frame["year"].to_numpy()[:, None] - frame["year"].to_numpy())
    weights = np.maximum(0.0, 1.0 - gap / (lags + 1))
    if within:
        weights *= frame["unit"].to_numpy()[:, None] == frame["unit"].to_numpy()
    return np.asarray(psi.T @ weights @ psi)


@pytest.mark.parametrize("lags", [0, 1, 3, 11])
def test_sums_over_all_pairs_of_rows(panel: pd.DataFrame, lags: int) -> None:
    fit = fit_of(panel)
    psi = fit.influence.dense()
    found = NeweyWest(time="year", unit="unit", lags=lags, small_sample=PLAIN).infer(fit)
    np.testing.assert_allclose(found.covariance, pairs(panel, psi, lags, within=True), rtol=1e-10)
    found = DriscollKraay(time="year", lags=lags, small_sample=PLAIN).infer(fit)
    np.testing.assert_allclose(found.covariance, pairs(panel, psi, lags, within=False), rtol=1e-9)
    one = NeweyWest(time="year", lags=lags, small_sample=PLAIN).infer(fit)
    np.testing.assert_allclose(one.covariance, found.covariance, rtol=1e-10)


def test_no_lags_are_clusters_by_period(panel: pd.DataFrame) -> None:
    fit = fit_of(panel)
    found, clustered = DriscollKraay(time="year", lags=0).infer(fit), Cluster("year", kind="CR1S").infer(fit)
    np.testing.assert_allclose(found.covariance, clustered.covariance)
    assert found.df == clustered.df == 11


def test_the_rule_for_lags_and_the_method(panel: pd.DataFrame) -> None:
    found = DriscollKraay(time="year").infer(fit_of(panel))
    assert found.method == "Driscoll-Kraay over year, Bartlett, 2 lags (T/(T-1)·(n-1)/(n-k)), T = 12"
    assert "within unit" in NeweyWest(time="year", unit="unit").infer(fit_of(panel)).method


def test_lags_that_cannot_be(panel: pd.DataFrame) -> None:
    with pytest.raises(InferenceError, match="negative"):
        NeweyWest(time="year", lags=-1)
    with pytest.raises(InferenceError, match="12 periods, 12 lags"):
        DriscollKraay(time="year", lags=12).infer(fit_of(panel))
    with pytest.raises(InferenceError, match="one cluster"):
        DriscollKraay(time="year").infer(fit_of(panel.assign(year=2001)))
    with pytest.raises(InferenceError, match="did not carry"):
        NeweyWest(time="month").infer(fit_of(panel))
