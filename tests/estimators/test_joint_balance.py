"""Joint tests of balance and attrition by hand and by statsmodels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimators.joint_balance import attrition_test, joint_balance
from tests.contract import frames


@pytest.fixture
def frame() -> pd.DataFrame:
    return frames.cross_section()


def test_regression_is_that_of_statsmodels(frame: pd.DataFrame) -> None:
    found = joint_balance(frame, treatment="treated", covariates=("x1", "x2", "area"), seed=1, draws=99)
    theirs = smf.ols("treated ~ x1 + x2 + area", frame).fit(cov_type="HC1", use_t=True)
    test = theirs.f_test(np.eye(5)[1:])
    assert found.f_test.statistic == pytest.approx(float(test.fvalue), rel=1e-8)
    assert found.f_test.p_value == pytest.approx(float(test.pvalue), rel=1e-6)
    assert found.regression.keys["term"] == ("x1", "x2", "area[highland]", "area[jungle]")


def test_distance_by_all_assignments() -> None:
    """T has mean zero and covariance V over all assignments."""
    x = np.array([[1.0, 3.0], [2.0, 1.0], [4.0, 4.0], [3.0, 0.0], [5.0, 2.0], [6.0, 7.0]])
    small = pd.DataFrame({"x": x[:, 0], "z": x[:, 1], "d": [0, 0, 0, 1, 1, 1]})
    found = joint_balance(small, treatment="d", covariates=("x", "z"), seed=1)
    centred = x - x.mean(axis=0)
    totals = np.array([centred[list(places)].sum(axis=0) for places in combinations(range(6), 3)])
    V = totals.T @ totals / 20
    distances = np.einsum("ri,ij,rj->r", totals, np.linalg.inv(V), totals)
    seen = centred[3:].sum(axis=0)
    assert found.distance == pytest.approx(float(seen @ np.linalg.inv(V) @ seen))
    assert found.assignments == 20
    assert found.p_randomization == pytest.approx((distances >= found.distance - 1e-9).mean())
    assert found.p_chi_squared == pytest.approx(stats.chi2.sf(found.distance, 2))


def test_strata_and_clusters_by_hand(frame: pd.DataFrame) -> None:
    villages = frame.assign(d=(frame["cluster"] % 3 == 0) * 1)
    found = joint_balance(
        villages, treatment="d", covariates=("x1",), strata="stratum", cluster="cluster", seed=1, draws=499
    )
    means = villages.groupby("cluster").agg(x=("x1", "mean"), d=("d", "first"), h=("stratum", "first"))
    T, V = 0.0, 0.0
    for _, one in means.groupby("h"):
        T += (one["d"] * (one["x"] - one["x"].mean())).sum()
        V += one["d"].sum() * (1 - one["d"]).sum() / len(one) * one["x"].var(ddof=1)
    assert found.distance == pytest.approx(T**2 / V)
    assert found.p_randomization == pytest.approx(found.p_chi_squared, abs=0.08)
    assert "clustered by cluster" in found.regression.uncertainty.method
    with pytest.raises(InferenceError, match="differs within a cluster"):
        joint_balance(frame, treatment="treated", covariates=("x1",), cluster="cluster", seed=1)


def test_covariates_that_follow_from_others_do_not_count_twice(frame: pd.DataFrame) -> None:
    twice = frame.assign(x3=2 * frame["x1"] - 1, one=1.0)
    found = joint_balance(twice, treatment="treated", covariates=("x1", "x3", "one", "x2"), seed=1, draws=99)
    plain = joint_balance(frame, treatment="treated", covariates=("x1", "x2"), seed=1, draws=99)
    assert found.df == plain.df == found.f_test.df == 2
    assert found.distance == pytest.approx(plain.distance)
    assert found.f_test.statistic == pytest.approx(plain.f_test.statistic)
    with pytest.raises(DesignError, match="no covariate varies"):
        joint_balance(twice, treatment="treated", covariates=("one",), seed=1)


def test_randomization_p_values_are_uniform_under_randomization() -> None:
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.exponential(size=(30, 3)), columns=["a", "b", "c"])
    p = [
        joint_balance(
            x.assign(d=rng.permutation(np.arange(30) % 2)),
            treatment="d",
            covariates=("a", "b", "c"),
            seed=1,
            draws=99,
        ).p_randomization
        for _ in range(150)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_attrition_is_the_regression_of_statsmodels(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    lost = rng.random(320) < 0.1 + 0.15 * frame["treated"] * (frame["x2"] == 1)
    gaps = frame.assign(y=frame["y"].mask(lost), lost=lost * 1.0, c1=frame["x1"] - frame["x1"].mean())
    gaps["c2"] = frame["x2"] - frame["x2"].mean()
    found = attrition_test(
        gaps, outcome="y", treatment="treated", covariates=("x1", "x2"), strata="stratum", cluster="cluster"
    )
    theirs = smf.ols("lost ~ 0 + C(stratum) + treated * (c1 + c2)", gaps).fit()
    names = ["treated", "c1", "c2", "treated:c1", "treated:c2"]
    np.testing.assert_allclose(found.regression.values, theirs.params[names], rtol=1e-8)
    assert found.missing_treated == pytest.approx(lost[frame["treated"] == 1].mean())
    assert found.missing_untreated == pytest.approx(lost[frame["treated"] == 0].mean())
    assert found.difference.df == 1
    assert found.selective is not None
    assert found.selective.df == 2
    assert found.selective.p_value < 0.2


def test_attrition_without_covariates_is_a_difference_of_shares(frame: pd.DataFrame) -> None:
    gaps = frame.assign(y=frame["y"].mask(np.arange(320) % 5 == 0))
    found = attrition_test(gaps, outcome="y", treatment="treated")
    assert found.regression.values[0] == pytest.approx(found.missing_treated - found.missing_untreated)
    assert found.selective is None
    with pytest.raises(DesignError, match="never missing"):
        attrition_test(frame, outcome="y", treatment="treated")
