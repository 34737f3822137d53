"""Totals, ratios, shares and quantiles by hand, and what of the contract's promises they keep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimate import DenseInfluence, Estimate
from juntos_eval.estimators.means import Mean
from juntos_eval.estimators.survey_statistics import (
    Proportion,
    Quantile,
    Ratio,
    Total,
    design_effect,
    interval_of_proportion,
    proportion_intervals,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.inference.total_influence import TotalInfluence
from tests.contract import frames, test_promises
from tests.contract.registry import Case

CASES = {
    "Total": Case(estimator=Total(outcome="y", weights="w"), frame=frames.cross_section),
    "Total by area": Case(estimator=Total(outcome="y", by="area"), frame=frames.cross_section),
    "Ratio": Case(estimator=Ratio(outcome="y", denominator="w"), frame=frames.cross_section),
    "Ratio by area": Case(
        estimator=Ratio(outcome="y", denominator="district", by="area", weights="w"),
        frame=frames.cross_section,
    ),
    "Proportion": Case(estimator=Proportion(outcome="works", weights="w"), frame=frames.cross_section),
    "Proportion of categories": Case(
        estimator=Proportion(outcome="area", by="stratum"), frame=frames.cross_section
    ),
    "Quantile": Case(
        estimator=Quantile(outcome="y", probabilities=(0.2, 0.7), weights="w"), frame=frames.cross_section
    ),
    "Quantile by area": Case(estimator=Quantile(outcome="y", by="area"), frame=frames.cross_section),
}
PROMISES = (
    test_promises.test_data_are_not_touched,
    test_promises.test_the_same_question_has_the_same_answer,
    test_promises.test_later_changes_of_the_data_do_not_reach_the_estimate,
    test_promises.test_order_of_rows_does_not_matter,
    test_promises.test_labels_of_rows_and_order_of_columns_do_not_matter,
    test_promises.test_other_columns_do_not_matter,
    test_promises.test_weights_of_one_are_no_weights,
    test_promises.test_influence_sums_to_zero_and_has_a_row_for_each_unit,
    test_promises.test_record_goes_through_json_without_loss,
    test_promises.test_record_names_the_estimator_and_every_choice,
    test_promises.test_tidy_has_its_columns,
    test_promises.test_sample_counts,
    test_promises.test_combination_with_the_identity_changes_nothing,
    test_promises.test_estimators_and_estimates_can_be_copied_and_sent,
    test_promises.test_what_was_not_carried_cannot_be_used_later,
)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_promises_of_every_estimator(case: Case, promise: Any) -> None:
    promise(case)


@pytest.fixture
def frame() -> pd.DataFrame:
    return frames.cross_section()


def test_total_is_the_population_times_the_mean(frame: pd.DataFrame) -> None:
    total = Total(outcome="y", weights="w").fit(frame).values[0]
    assert total == pytest.approx(frame["w"].sum() * Mean(outcome="y", weights="w").fit(frame).values[0])


def test_error_of_a_total_of_independent_units_by_hand(frame: pd.DataFrame) -> None:
    total = Total(outcome="y", weights="w").fit(frame, carry=("cluster", "stratum"))
    z = frame["y"] * frame["w"]
    assert total.uncertainty.covariance.item() == pytest.approx(len(z) * z.var(ddof=1), rel=1e-12)
    sums = z.groupby(frame["cluster"]).sum()
    clustered = total.with_inference(Cluster("cluster")).uncertainty
    assert clustered.covariance.item() == pytest.approx(len(sums) * sums.var(ddof=1), rel=1e-12)
    strata = total.with_inference(SurveyDesign(strata="stratum")).uncertainty
    by_hand = sum(len(one) * one.var(ddof=1) for _, one in z.groupby(frame["stratum"]))
    assert strata.covariance.item() == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("by", [None, "cluster"])
def test_multipliers_find_the_error_of_a_total(frame: pd.DataFrame, by: str | None) -> None:
    total = Total(outcome="y", weights="w").fit(frame, carry=("cluster",))
    rule = Cluster("cluster", kind="CR0") if by else Robust("HC0")
    closed = total.with_inference(rule).uncertainty.std_error[0]
    drawn = total.with_inference(MultiplierBootstrap(draws=4000, seed=1, by=by, scale="sd"))
    assert drawn.uncertainty.std_error[0] == pytest.approx(closed, rel=0.04)


def test_influence_of_a_total_is_one_whatever_way_it_is_asked(frame: pd.DataFrame) -> None:
    total = Total(outcome="y", by="area", weights="w").fit(frame)
    assert total.fit is not None
    influence = total.fit.influence
    assert isinstance(influence, TotalInfluence)
    dense = influence.dense()
    np.testing.assert_allclose(influence.covariance(), dense.T @ dense, rtol=1e-10)
    draws = np.random.default_rng(1).normal(size=(5, len(frame)))
    np.testing.assert_allclose(influence.weighted_sums(draws), draws @ dense, rtol=1e-9)
    A = np.array([[1.0, -1.0, 0.5]])
    np.testing.assert_allclose(influence.combine(A).dense(), dense @ A.T, rtol=1e-12)
    empty = influence.totals(np.zeros(len(frame), np.int64), 2)
    np.testing.assert_allclose(empty, 0.0, atol=1e-9)


def test_ratio_by_hand(frame: pd.DataFrame) -> None:
    ratio = Ratio(outcome="y", denominator="district", weights="w").fit(frame, inference=Robust("HC0"))
    above, below = (frame[name] * frame["w"] for name in ("y", "district"))
    value = above.sum() / below.sum()
    assert ratio.values[0] == pytest.approx(value, rel=1e-12)
    error = np.sqrt(((above - value * below) ** 2).sum()) / below.sum()
    assert ratio.uncertainty.std_error[0] == pytest.approx(error, rel=1e-12)


def test_ratio_to_nothing(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match=r"denominator 'zero' is zero.*1 of 3 domains: 'coast'"):
        Ratio(outcome="y", denominator="zero", by="area").fit(
            frame.assign(zero=(frame["area"] != "coast") * 1)
        )


def test_shares_of_categories_sum_to_one_and_keep_their_order(frame: pd.DataFrame) -> None:
    order = ["jungle", "sea", "coast", "highland"]
    text = Proportion(outcome="area", weights="w").fit(frame)
    assert text.keys["outcome"] == ("area[coast]", "area[highland]", "area[jungle]")
    assert text.values.sum() == pytest.approx(1.0)
    ordered = frame.assign(area=pd.Categorical(frame["area"], categories=order))
    found = Proportion(outcome="area", weights="w", by="treated").fit(ordered)
    assert found.keys["outcome"] == ("area[jungle]", "area[coast]", "area[highland]") * 2
    assert found.keys["group"] == ("0",) * 3 + ("1",) * 3
    sums = np.kron(np.eye(2), np.ones((1, 3)))
    np.testing.assert_allclose(
        found.combine(sums, {"term": ("a", "b")}).uncertainty.covariance, 0, atol=1e-15
    )


def test_share_is_the_mean_and_missing_is_dropped(frame: pd.DataFrame) -> None:
    gaps = frame.assign(works=frame["works"].astype("boolean").mask(frame["x1"] > 1))
    share = Proportion(outcome="works", weights="w", interval="mean").fit(gaps)
    mean = Mean(outcome="works", weights="w").fit(gaps)
    np.testing.assert_allclose(share.interval(), mean.interval(), rtol=1e-12)
    assert share.sample.dropped == mean.sample.dropped
    missing = frame.assign(area=frame["area"].mask(frame["x1"] > 1))
    assert Proportion(outcome="area").fit(missing).sample.dropped == {"area missing": (frame["x1"] > 1).sum()}


def test_shares_of_other_numbers(frame: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match=r"0 or 1, or categories.*'district'"):
        Proportion(outcome="district").fit(frame)
    with pytest.raises(DesignError, match="'nonsense'"):
        Proportion(outcome="nonsense").fit(frame)
    with pytest.raises(InferenceError, match="no such interval"):
        Proportion(outcome="works", interval="exact").fit(frame)  # type: ignore[arg-type]
    with pytest.raises(InferenceError, match="between 0 and 1"):
        proportion_intervals(Mean(outcome="y").fit(frame))


def interval(hits: int, rows: int, method: Any) -> Any:
    """Of a simple random sample, whose variance is that of a binomial share."""
    p = np.array([hits / rows])
    return interval_of_proportion(
        p, np.sqrt(p * (1 - p) / rows), df=np.inf, rows=np.array([rows]), method=method
    )[0]


@pytest.mark.parametrize(("hits", "rows"), [(0, 20), (1, 20), (10, 20), (20, 20), (37, 500)])
def test_intervals_of_simple_random_samples_are_the_textbook_ones(hits: int, rows: int) -> None:
    exact = stats.binomtest(hits, rows)
    wilson = exact.proportion_ci(method="wilson")
    np.testing.assert_allclose(interval(hits, rows, "wilson"), [wilson.low, wilson.high], atol=1e-12)
    # Clopper and Pearson's, up to t of n - 1 for the normal quantile
    ratio = (stats.t.ppf(0.975, rows - 1) / stats.norm.ppf(0.975)) ** 2 if 0 < hits < rows else 1.0
    n = rows * ratio
    p = hits / rows
    low = stats.beta.ppf(0.025, n * p, n * (1 - p) + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, n * p + 1, n * (1 - p)) if hits < rows else 1.0
    np.testing.assert_allclose(interval(hits, rows, "beta"), [low, high], atol=1e-12)
    if hits in (0, rows):
        clopper = exact.proportion_ci(method="exact")
        np.testing.assert_allclose(interval(hits, rows, "beta"), [clopper.low, clopper.high], atol=1e-12)
        assert np.isnan(interval(hits, rows, "logit")).all()
        assert np.isnan(interval(hits, rows, "asin")).all()


def test_median_and_its_interval_by_hand() -> None:
    y = np.arange(1.0, 101.0)
    found = Quantile(outcome="y").fit(pd.DataFrame({"y": y}), inference=Robust("HC0"))
    # F at the median 50 is one half with standard error 0.05; 0.5 ± 0.098 is met at 41 and 60
    assert found.values[0] == 50.0
    assert found.interval().tolist() == [[41.0, 60.0]]
    assert found.uncertainty.std_error[0] == pytest.approx(19 / 2 / 1.959963984540054)


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_quantiles_without_weights_are_those_of_numpy(frame: pd.DataFrame, p: float) -> None:
    for rule, method in (("math", "inverted_cdf"), ("school", "averaged_inverted_cdf")):
        found = Quantile(outcome="y", probabilities=(p,), rule=rule).fit(frame)  # type: ignore[arg-type]
        assert found.values[0] == np.quantile(frame["y"], p, method=method)  # type: ignore[call-overload]


def test_a_weight_of_k_is_k_rows(frame: pd.DataFrame) -> None:
    counts = np.random.default_rng(1).integers(1, 5, len(frame))
    weighted = Quantile(outcome="y", probabilities=(0.3, 0.6), weights="k").fit(frame.assign(k=counts))
    repeated = Quantile(outcome="y", probabilities=(0.3, 0.6)).fit(
        frame.loc[frame.index.repeat(counts)].reset_index(drop=True)
    )
    assert weighted.values.tolist() == repeated.values.tolist()


def test_quantiles_by_group_are_those_of_the_rows_of_the_group_as_a_domain(frame: pd.DataFrame) -> None:
    rule = SurveyDesign(strata="stratum", psu="psu")
    by = Quantile(outcome="y", probabilities=(0.3, 0.5), by="area", weights="w").fit(frame, inference=rule)
    full = SurveyDesign.of(frame, strata="stratum", psu="psu")
    one = Quantile(outcome="y", probabilities=(0.3, 0.5), weights="w").fit(
        frame[frame["area"] == "jungle"], inference=full
    )
    at = [i for i, group in enumerate(by.keys["group"]) if group == "jungle"]
    np.testing.assert_allclose(by.values[at], one.values)
    np.testing.assert_allclose(by.interval()[at], one.interval())
    assert by.keys["term"][:2] == ("quantile 0.3", "quantile 0.5")


def test_influence_of_a_quantile_gives_nearly_its_woodruff_error() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"y": rng.normal(size=4000), "w": rng.uniform(1, 3, 4000)})
    found = Quantile(outcome="y", probabilities=(0.25, 0.5, 0.9), weights="w").fit(frame)
    linear = found.with_inference(Robust())
    np.testing.assert_allclose(linear.uncertainty.std_error, found.uncertainty.std_error, rtol=0.03)
    density = stats.norm.pdf(stats.norm.ppf([0.25, 0.5, 0.9]))
    np.testing.assert_allclose(found.details["densities"], density, rtol=0.15)
    correlation = found.uncertainty.covariance / np.outer(*[found.uncertainty.std_error] * 2)
    assert correlation[0, 1] == pytest.approx(np.sqrt(0.25 * 0.5 / (0.75 * 0.5)), abs=0.05)


def test_ends_that_the_sample_does_not_reach_are_unknown_and_said_so() -> None:
    found = Quantile(outcome="y", probabilities=(0.02, 0.5)).fit(pd.DataFrame({"y": np.arange(30.0)}))
    assert np.isnan(found.interval()[0, 0])
    assert np.isfinite(found.interval()[1]).all()
    assert [check.passed for check in found.checks] == [False]
    assert json.loads(json.dumps(found.to_record()))["uncertainty"]["intervals"][0][0] == "nan"


def test_heaped_values_have_a_quantile_and_no_density() -> None:
    found = Quantile(outcome="y").fit(pd.DataFrame({"y": np.repeat([1.0, 2.0], [30, 70])}))
    assert found.values[0] == 2.0
    assert found.interval().tolist() == [[2.0, 2.0]]
    assert np.isnan(found.with_inference(Robust()).uncertainty.std_error[0])


@pytest.mark.parametrize(
    "choices", [{"probabilities": ()}, {"probabilities": (0.0,)}, {"rule": "hf7"}, {"level": 1.0}]
)
def test_quantiles_that_there_are_not(choices: dict[str, Any]) -> None:
    with pytest.raises(DesignError, match="probabilities between 0 and 1"):
        Quantile(outcome="y", **choices)


def test_design_effect_needs_a_statistic_it_knows(frame: pd.DataFrame) -> None:
    with pytest.raises(InferenceError, match="design effect is known for"):
        design_effect(Quantile(outcome="y").fit(frame), frame)
    with pytest.raises(InferenceError, match="design effect is known for"):
        design_effect(Proportion(outcome="area").fit(frame), frame)


def test_design_effect_of_a_simple_random_sample_is_one(frame: pd.DataFrame) -> None:
    for one in (Mean(outcome="y"), Total(outcome="y"), Ratio(outcome="y", denominator="w")):
        found: Estimate = one.fit(frame, inference=SurveyDesign())
        assert design_effect(found, frame, replacement=True)[0] == pytest.approx(1.0, rel=1e-12)


def test_total_influence_keeps_empty_groups_empty() -> None:
    influence = TotalInfluence(DenseInfluence(np.array([[1.0], [3.0]])))
    assert influence.totals(np.array([0, 2]), 3).ravel().tolist() == [-1.0, 0.0, 1.0]
