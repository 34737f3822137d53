from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import BlockInfluence
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.inference.robust import Iid, Robust


@pytest.fixture
def frame() -> pd.DataFrame:
    """SIMULATED."""
    rng = np.random.default_rng(12)
    n = 90
    return pd.DataFrame(
        {
            "y": rng.exponential(size=n) + 1e6,
            "treated": rng.integers(0, 2, n),
            "area": rng.choice(["b", "a", "c"], n),
            "code": rng.choice([10, 9, 2], n),
            "w": rng.uniform(1, 9, n),
        }
    )


def test_unweighted_mean_has_the_textbook_interval(frame: pd.DataFrame) -> None:
    estimate = Mean(outcome="y").fit(frame)
    y = frame["y"]
    assert estimate.values[0] == pytest.approx(y.mean(), rel=1e-12)
    assert estimate.uncertainty.std_error[0] == pytest.approx(y.sem(), rel=1e-9)
    expected = stats.t.interval(0.95, len(y) - 1, y.to_numpy().mean(), stats.sem(y))
    np.testing.assert_allclose(estimate.interval()[0], expected, rtol=1e-12)


def test_weighted_mean(frame: pd.DataFrame) -> None:
    estimate = Mean(outcome="y", weights="w").fit(frame)
    y, w = frame["y"], frame["w"]
    assert estimate.values[0] == pytest.approx(np.average(y, weights=w), rel=1e-12)
    assert estimate.sample.effective == pytest.approx(w.sum() ** 2 / (w**2).sum())


@pytest.mark.parametrize("by", ["area", "code"])
def test_means_by_group_are_the_means_of_each_alone(frame: pd.DataFrame, by: str) -> None:
    estimate = Mean(outcome="y", by=by, weights="w").fit(frame, inference=Robust("HC0"))
    assert estimate.keys["group"] == tuple(str(level) for level in sorted(frame[by].unique()))
    assert estimate.keys["term"] == ("mean",) * 3
    for position, (_, own) in enumerate(frame.groupby(by)):
        alone = Mean(outcome="y", weights="w").fit(own, inference=Robust("HC0"))
        assert estimate.values[position] == pytest.approx(alone.values[0], rel=1e-14)
        assert estimate.uncertainty.std_error[position] == pytest.approx(
            alone.uncertainty.std_error[0], rel=1e-9
        )
        assert estimate.details["rows"][position] == len(own)
    covariance = estimate.uncertainty.covariance
    assert (covariance[~np.eye(3, dtype=bool)] == 0).all()
    assert estimate.fit is not None
    assert isinstance(estimate.fit.influence, BlockInfluence)


def test_difference_of_groups_is_the_raw_gap(frame: pd.DataFrame) -> None:
    means = Mean(outcome="y", by="treated", weights="w").fit(frame, inference=Robust("HC0"))
    combined = means.combine([[-1.0, 1.0]], {"term": ("difference",)})
    gap = MeanDifference(outcome="y", treatment="treated", weights="w").fit(frame, inference=Robust("HC0"))
    np.testing.assert_allclose(combined.values, gap.values, rtol=1e-7)
    np.testing.assert_allclose(combined.uncertainty.std_error, gap.uncertainty.std_error, rtol=1e-9)
    assert gap.details["mean_untreated"] == pytest.approx(means.values[0])
    assert gap.details["mean_treated"] == pytest.approx(means.values[1])
    assert gap.sample.treated == int(frame["treated"].sum())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "nonrobust"])
def test_raw_gap_is_a_regression_on_the_treatment(frame: pd.DataFrame, weighted: bool, kind: str) -> None:
    weights = frame["w"] if weighted else np.ones(len(frame))
    model = sm.WLS(frame["y"], sm.add_constant(frame["treated"].astype(float)), weights=weights)
    expected = model.fit(cov_type=kind, use_t=kind != "HC0")
    inference = Iid() if kind == "nonrobust" else Robust(kind)  # type: ignore[arg-type]
    found = MeanDifference(outcome="y", treatment="treated", weights="w" if weighted else None).fit(
        frame, inference=inference
    )
    assert found.values[0] == pytest.approx(expected.params["treated"], rel=1e-7)
    assert found.uncertainty.std_error[0] == pytest.approx(expected.bse["treated"], rel=1e-7)
    np.testing.assert_allclose(found.interval()[0], expected.conf_int().loc["treated"], rtol=1e-6)


def test_equal_variances_give_students_test() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"y": rng.normal(size=40), "treated": np.arange(40) % 2})
    gap = MeanDifference(outcome="y", treatment="treated").fit(frame, inference=Iid())
    groups = [own["y"] for _, own in frame.groupby("treated")]
    assert gap.p_values()[0] == pytest.approx(stats.ttest_ind(groups[1], groups[0]).pvalue, rel=1e-10)
    # and HC2, Welch's standard error
    welch = gap.with_inference(Robust("HC2")).uncertainty.std_error[0]
    assert welch == pytest.approx(np.sqrt(sum(own.var(ddof=1) / len(own) for own in groups)))


def test_share_of_booleans_and_missing_ones() -> None:
    answers = pd.array([True, False, None, True], dtype="boolean")
    estimate = Mean(outcome="works").fit(pd.DataFrame({"works": answers}))
    assert estimate.values[0] == pytest.approx(2 / 3)
    assert dict(estimate.sample.dropped) == {"works missing": 1}


def test_missing_groups_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="'area' has missing values"):
        Mean(outcome="y", by="area").fit(frame.assign(area=frame["area"].where(frame["area"] != "a")))


def test_a_single_row_has_no_error() -> None:
    single = pd.DataFrame({"y": [3.0]})
    assert Mean(outcome="y").fit(single, inference=Robust("HC0")).values.tolist() == [3.0]
    with pytest.raises(InferenceError, match="1 rows, 1 coefficients"):
        Mean(outcome="y").fit(single)


def test_thousands_of_groups_are_no_dense_matrix() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.normal(size=6000), "district": np.arange(6000) % 1800})
    estimate = Mean(outcome="y", by="district").fit(frame)
    assert estimate.fit is not None
    assert isinstance(estimate.fit.influence, BlockInfluence)
    stored = sum(block.values.size for block in estimate.fit.influence.blocks)
    assert stored == 6000
