"""Jackknife, balanced replication and bootstraps by hand, against each other, and where they must refuse."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import DoublyRobust
from juntos_eval.estimators.matching import AIPW, Matching
from juntos_eval.estimators.means import Mean, MeanDifference
from juntos_eval.estimators.survey_statistics import Quantile, Ratio, Total
from juntos_eval.inference.balanced_replication import BalancedReplication
from juntos_eval.inference.bootstrap import Bootstrap, SurveyBootstrap
from juntos_eval.inference.bootstrap_intervals import bootstrap_interval, bootstrap_p_value
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.jackknife import Jackknife
from juntos_eval.inference.replicate_weights import ReplicateWeights
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.numerics.hadamard import hadamard_matrix
from tests.contract import frames

MATCHING: dict[str, Any] = {"outcome": "y", "treatment": "treated", "covariates": ("x1",), "replace": True}


@pytest.fixture
def frame() -> pd.DataFrame:
    return frames.cross_section()


@pytest.fixture
def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(pair=frame["cluster"] // 2)


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 11, 12, 19, 20, 23, 27, 35, 43, 59, 83, 130])
def test_columns_are_orthogonal_and_the_matrix_is_not_larger_than_need_be(columns: int) -> None:
    signs = hadamard_matrix(columns)
    order = len(signs)
    np.testing.assert_array_equal(signs.T @ signs, order * np.eye(order))
    assert columns < order < 1.35 * columns + 6
    assert (signs[:, 0] == 1).all()
    assert set(np.unique(signs)) <= {-1.0, 1.0}


@pytest.mark.parametrize("columns", [0, 5000])
def test_no_such_matrix(columns: int) -> None:
    with pytest.raises(InferenceError, match="no such Hadamard matrix"):
        hadamard_matrix(columns)


def test_delete_one_jackknife_of_a_mean_is_the_textbook_variance(frame: pd.DataFrame) -> None:
    found = Jackknife(Mean(outcome="y")).fit(frame)
    assert found.uncertainty.covariance.item() == pytest.approx(frame["y"].var(ddof=1) / 320, rel=1e-10)
    assert found.uncertainty.df == 319
    assert "jackknife of rows, 320 replicates" in found.uncertainty.method


def test_replicates_of_totals_are_linearisation(pairs: pd.DataFrame) -> None:
    total = Total(outcome="y", weights="w")
    linear = total.fit(pairs, inference=SurveyDesign(strata="pair", psu="cluster")).uncertainty
    halves = BalancedReplication(total, "pair", "cluster").fit(pairs)
    fay = BalancedReplication(total, "pair", "cluster", fay=0.5).fit(pairs)
    left_out = Jackknife(total, "pair", "cluster").fit(pairs)
    for found in (halves, fay, left_out):
        np.testing.assert_allclose(found.uncertainty.covariance, linear.covariance, rtol=1e-9)
        assert found.uncertainty.df == linear.df == 16


@pytest.mark.parametrize(
    "estimator",
    [
        Ratio(outcome="y", denominator="district", weights="w"),
        AIPW(outcome="y", treatment="treated", covariates=("x1",), weights="w"),
        MeanDifference(outcome="y", treatment="treated", weights="w"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_replicates_of_smooth_statistics_are_nearly_linearisation(
    frame: pd.DataFrame, estimator: Any
) -> None:
    design: dict[str, Any] = {"strata": "stratum", "psu": "psu"}
    linear = estimator.fit(frame, inference=SurveyDesign(**design)).uncertainty.std_error
    np.testing.assert_allclose(
        Jackknife(estimator, **design).fit(frame).uncertainty.std_error, linear, rtol=0.06
    )
    drawn = SurveyBootstrap(estimator, seed=1, draws=200, **design).fit(frame)
    np.testing.assert_allclose(drawn.uncertainty.std_error, linear, rtol=0.2)
    assert drawn.uncertainty.df == 28


def test_rescaling_is_right_in_mean_and_variance_with_a_finite_population(frame: pd.DataFrame) -> None:
    total = Total(outcome="y", weights="w")
    sized = frame.assign(size=12)
    columns: dict[str, Any] = {"strata": "stratum", "psu": "psu", "fpc": "size"}
    linear = total.fit(sized, inference=SurveyDesign(**columns))
    drawn = SurveyBootstrap(total, seed=4, draws=3000, interval="normal", **columns).fit(sized)
    error = linear.uncertainty.std_error[0]
    assert drawn.uncertainty.std_error[0] == pytest.approx(error, rel=0.04)
    assert drawn.interval().mean() == pytest.approx(linear.values[0], abs=4 * error / np.sqrt(3000))


def test_jackknife_with_a_finite_population_is_linearisation(frame: pd.DataFrame) -> None:
    total, sized = Total(outcome="y", weights="w"), frame.assign(size=12)
    columns: dict[str, Any] = {"strata": "stratum", "psu": "psu", "fpc": "size"}
    expected = total.fit(sized, inference=SurveyDesign(**columns)).uncertainty.covariance
    found = Jackknife(total, **columns).fit(sized).uncertainty.covariance
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_pairs_and_clusters_find_their_errors(frame: pd.DataFrame) -> None:
    gap = MeanDifference(outcome="y", treatment="treated", weights="w")
    rows = Bootstrap(gap, seed=1, draws=500).fit(frame)
    clusters = Bootstrap(gap, seed=1, draws=500, by="cluster").fit(frame)
    closed = gap.fit(frame, carry=("cluster",))
    assert rows.uncertainty.std_error[0] == pytest.approx(
        closed.with_inference(Robust("HC0")).uncertainty.std_error[0], rel=0.1
    )
    assert clusters.uncertainty.std_error[0] == pytest.approx(
        closed.with_inference(Cluster("cluster")).uncertainty.std_error[0], rel=0.12
    )
    assert "clusters (cluster, G = 32)" in clusters.uncertainty.method
    # the fit is kept: any other inference can be had later
    assert clusters.with_inference(Cluster("cluster")).uncertainty.df == 31


def test_strata_are_drawn_within() -> None:
    frame = pd.DataFrame(
        {"y": np.repeat([0.0, 10.0], 50) + np.tile([0.0, 1.0], 50), "area": np.repeat([0, 1], 50)}
    )
    within = Bootstrap(Mean(outcome="y"), seed=1, draws=300, strata="area").fit(frame)
    assert within.uncertainty.std_error[0] == pytest.approx(np.sqrt(0.25 / 100), rel=0.12)
    across = Bootstrap(Mean(outcome="y"), seed=1, draws=300).fit(frame)
    assert across.uncertainty.std_error[0] > 5 * within.uncertainty.std_error[0]


def test_copies_of_a_unit_are_units_of_their_own() -> None:
    panel = frames.two_periods()
    effect = DoublyRobust(outcome="y", unit="unit", time="year", treatment="treated", covariates=("x1",))
    drawn = Bootstrap(effect, seed=1, draws=60, by="unit").fit(panel)
    assert drawn.checks[-1].passed
    assert drawn.uncertainty.std_error[0] == pytest.approx(
        effect.fit(panel).uncertainty.std_error[0], rel=0.25
    )
    by_village = Bootstrap(effect, seed=1, draws=40, by="cluster").fit(panel)
    assert by_village.checks[-1].passed


def test_blocks_find_the_error_of_a_mean_over_time() -> None:
    rng = np.random.default_rng(3)
    y = np.zeros(600)
    for t in range(1, 600):
        y[t] = 0.5 * y[t - 1] + rng.normal()
    frame = pd.DataFrame({"y": y, "month": np.arange(600)})
    blocks = Bootstrap(Mean(outcome="y"), seed=1, draws=300, time="month", block_length=20).fit(frame)
    rows = Bootstrap(Mean(outcome="y"), seed=1, draws=300).fit(frame)
    long_run = 2 / np.sqrt(600)
    assert blocks.uncertainty.std_error[0] == pytest.approx(long_run, rel=0.25)
    assert rows.uncertainty.std_error[0] < 0.7 * long_run
    with pytest.raises(InferenceError, match="longer than the sample"):
        Bootstrap(Mean(outcome="y"), seed=1, time="month", block_length=601).fit(frame)


DRAWS = np.arange(1.0, 100.0)  # 99 draws: the 5th and the 95th for 90 percent


def test_intervals_by_hand() -> None:
    assert bootstrap_interval(DRAWS, 40.0, kind="percentile", level=0.9) == (5.0, 95.0)
    assert bootstrap_interval(DRAWS, 40.0, kind="basic", level=0.9) == (-15.0, 75.0)
    t = bootstrap_interval(DRAWS, 40.0, kind="studentised", level=0.9, errors=np.full(99, 2.0), error=1.0)
    assert t == (40 - 55 / 2, 40 + 35 / 2)
    low, high = bootstrap_interval(DRAWS, 50.0, kind="normal", level=0.9)
    half = stats.norm.ppf(0.95) * DRAWS.std(ddof=1)
    assert (low, high) == pytest.approx((50 - half, 50 + half))


def test_bca_by_hand() -> None:
    influence = np.array([3.0, -1.0, -1.0, -1.0])
    low, high = bootstrap_interval(DRAWS, 40.0, kind="bca", level=0.9, influence=influence)
    z0 = stats.norm.ppf(39.5 / 99)
    a = 24 / (6 * 12**1.5)
    ends = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in map(stats.norm.ppf, (0.05, 0.95))]
    assert (low, high) == pytest.approx((100 * ends[0], 100 * ends[1]))
    # without bias and acceleration it is the percentile interval
    same = bootstrap_interval(DRAWS, 50.0, kind="bca", level=0.9, influence=np.array([1.0, -1.0]))
    assert same == pytest.approx((5.0, 95.0))


def test_bca_is_that_of_scipy() -> None:
    y = np.random.default_rng(8).exponential(size=60)
    frame = pd.DataFrame({"y": y})
    rules = [Bootstrap(Mean(outcome="y"), seed=seed, draws=999, interval="bca") for seed in range(6)]
    ours = np.mean([rule.fit(frame).interval()[0] for rule in rules], axis=0)
    theirs = stats.bootstrap((y,), np.mean, n_resamples=19_999, rng=np.random.default_rng(1), method="BCa")
    np.testing.assert_allclose(ours, theirs.confidence_interval, rtol=0.02)


@pytest.mark.parametrize("kind", ["percentile", "basic", "studentised"])
def test_p_value_belongs_to_the_interval(kind: Any) -> None:
    rng = np.random.default_rng(1)
    draws, errors = rng.normal(1.9, 1.0, 1999), rng.uniform(0.8, 1.2, 1999)
    p = bootstrap_p_value(draws, 1.9, kind=kind, errors=errors, error=1.0)
    for level, covers in ((1 - p - 0.01, False), (1 - p + 0.01, True)):
        low, high = bootstrap_interval(draws, 1.9, kind=kind, level=level, errors=errors, error=1.0)
        assert (low <= 0 <= high) == covers


def test_too_few_draws_for_the_level() -> None:
    assert np.isnan(bootstrap_interval(DRAWS, 50.0, kind="percentile", level=0.999)).all()


def test_studentised_intervals_are_wider_with_few_clusters() -> None:
    rng = np.random.default_rng(12)
    cluster = np.repeat(np.arange(8), 6)
    frame = pd.DataFrame({"y": rng.normal(size=8)[cluster] + rng.normal(size=48), "cluster": cluster})
    rule = Cluster("cluster")
    asked: dict[str, Any] = {"seed": 1, "draws": 399, "by": "cluster"}
    t = Bootstrap(Mean(outcome="y"), interval="studentised", **asked).fit(frame, inference=rule)
    plain = Bootstrap(Mean(outcome="y"), **asked).fit(frame)
    assert np.diff(t.interval()) > 1.2 * np.diff(plain.interval())


def same(first: Estimate, second: Estimate) -> bool:
    parts = ("values", "uncertainty", "checks")
    records = [{part: one.to_record()[part] for part in parts} for one in (first, second)]
    return records[0] == records[1]


def test_draws_hang_on_the_seed_and_not_on_the_number_of_processes(frame: pd.DataFrame) -> None:
    mean = Mean(outcome="y", by="area", weights="w")
    one, again = (Bootstrap(mean, seed=3, draws=40).fit(frame) for _ in range(2))
    assert same(one, again)
    assert same(one, Bootstrap(mean, seed=3, draws=40, jobs=2).fit(frame))
    assert not same(one, Bootstrap(mean, seed=4, draws=40).fit(frame))


def test_draws_without_a_group_are_counted(frame: pd.DataFrame) -> None:
    rare = frame.assign(rare=(np.arange(320) < 3) * 1)
    found = Bootstrap(Mean(outcome="y", by="rare"), seed=3, draws=200).fit(rare)
    assert not found.checks[-1].passed
    assert "of 200 replicates gave every value" in found.checks[-1].detail
    assert np.isfinite(found.interval()).all()
    with pytest.raises(InferenceError, match="does not give every value"):
        Jackknife(Mean(outcome="y", by="cluster"), psu="cluster").fit(frame)


@pytest.mark.parametrize(
    "resampling",
    [
        Bootstrap(Matching(**MATCHING), seed=1, draws=40),
        SurveyBootstrap(Matching(**MATCHING), seed=1, draws=40),
        Jackknife(Matching(**MATCHING)),
        ReplicateWeights(Matching(**MATCHING), ("w", "one"), "brr"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_matching_is_refused(frame: pd.DataFrame, resampling: Any) -> None:
    with pytest.raises(InferenceError, match="Abadie & Imbens 2008"):
        resampling.fit(frame)


def test_bootstrap_of_a_quantile(frame: pd.DataFrame) -> None:
    median = Quantile(outcome="y", weights="w")
    woodruff = median.fit(frame, inference=SurveyDesign(strata="stratum", psu="psu"))
    drawn = SurveyBootstrap(median, seed=1, draws=300, strata="stratum", psu="psu").fit(frame)
    np.testing.assert_allclose(drawn.uncertainty.std_error, woodruff.uncertainty.std_error, rtol=0.3)


def test_choices_that_there_are_not(frame: pd.DataFrame) -> None:
    mean = Mean(outcome="y")
    with pytest.raises(InferenceError, match="at least 39 draws"):
        Bootstrap(mean, seed=1, draws=10)
    with pytest.raises(InferenceError, match="known interval"):
        Bootstrap(mean, seed=1, interval="exact")  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="blocks of time"):
        Bootstrap(mean, seed=1, time="month")
    with pytest.raises(InferenceError, match="no bca interval"):
        SurveyBootstrap(mean, seed=1, interval="bca")
    with pytest.raises(InferenceError, match="Fay's factor"):
        BalancedReplication(mean, "stratum", "psu", fay=1.0)
    with pytest.raises(InferenceError, match=r"two PSUs in each stratum.*0 has 8"):
        BalancedReplication(mean, "stratum", "psu").fit(frame)
    with pytest.raises(InferenceError, match="one PSU only"):
        Jackknife(mean, "cluster", "cluster").fit(frame)
    with pytest.raises(InferenceError, match="for 'jkn' and 'other' their scales"):
        ReplicateWeights(mean, ("w", "one"), "jkn")
    with pytest.raises(InferenceError, match="each replicate weight once"):
        ReplicateWeights(mean, ("w", "nonsense"), "brr").fit(frame)
    with pytest.raises(InferenceError, match="missing, negative or infinite"):
        ReplicateWeights(mean, ("w", "x1"), "brr").fit(frame)
    with pytest.raises(InferenceError, match="not a pandas DataFrame"):
        ReplicateWeights(mean, ("w", "one"), "brr").fit({"y": [1.0]})  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="'nonsense'"):
        Jackknife(Mean(outcome="y", weights="nonsense")).fit(frame)
    with pytest.raises(DesignError, match="'nonsense'"):
        ReplicateWeights(Mean(outcome="y", weights="nonsense"), ("w", "one"), "brr").fit(frame)
    with pytest.raises(InferenceError, match="not numbers"):
        ReplicateWeights(mean, ("w", "area"), "brr").fit(frame)


@pytest.mark.parametrize(
    ("kind", "factor"),
    [("jk1", 0.5), ("brr", 0.5), ("bootstrap", 1.0), ("successive_difference", 2.0), ("fay", 0.5 / 0.49)],
)
def test_scales_of_the_kinds(kind: Any, factor: float) -> None:
    frame = pd.DataFrame({"y": [0.0, 1.0], "a": [1.0, 3.0], "b": [3.0, 1.0]})
    found = ReplicateWeights(Mean(outcome="y"), ("a", "b"), kind, fay=0.3 if kind == "fay" else 0.0).fit(
        frame
    )
    assert found.uncertainty.covariance.item() == pytest.approx(factor * 2 * 0.25**2)


def test_records_hold_the_choices_and_the_data_are_not_touched(frame: pd.DataFrame) -> None:
    before = frame.copy()
    found = Bootstrap(Mean(outcome="y", weights="w"), seed=3, draws=40, by="cluster").fit(frame)
    pd.testing.assert_frame_equal(frame, before)
    written = json.loads(json.dumps(found.to_record(), allow_nan=False))
    assert written["spec"]["resampling"]["kind"] == "Bootstrap"
    assert written["spec"]["resampling"]["estimator"]["outcome"] == "y"
    read = Estimate.from_record(written)
    np.testing.assert_array_equal(read.interval(), found.interval())
