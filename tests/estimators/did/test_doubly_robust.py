"""What goes in wrong comes out as our error or is counted; what does not matter changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.estimate import Check, Estimate
from tests.estimators.did import golden

PANEL = je.DoublyRobust(outcome="outcome", unit="id", time="post", treatment="d", covariates=("x1", "x2"))
SECTIONS = je.DoublyRobust(outcome="y", time="post", treatment="d", covariates=("x1", "x2"), panel=False)


def long_rows(units: int = 120) -> pd.DataFrame:
    rows = golden.two_by_two_panel()
    return rows[rows["id"] <= units].drop(columns=["y0", "y1", "y"])


def wide_rows(rows: int = 300) -> pd.DataFrame:
    return golden.table("did_2x2.csv").head(rows)


def check_of(estimate: Estimate, name: str) -> Check:
    (found,) = [check for check in estimate.checks if check.name == name]
    return found


def same(one: Estimate, other: Estimate) -> None:
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9)
    np.testing.assert_allclose(one.uncertainty.covariance, other.uncertainty.covariance, rtol=1e-9)


# ------------------------------------------------------------------------------- what it says of itself
def test_estimate_names_its_choices_sample_and_means() -> None:
    rows = long_rows()
    estimate = PANEL.fit(rows)
    assert estimate.spec["estimator"] == "DoublyRobust"
    assert estimate.spec["method"] == "improved"
    assert estimate.keys["term"] == ("att",)
    assert (estimate.sample.rows, estimate.sample.units) == (240, 120)
    assert estimate.sample.treated == int(rows.loc[rows["post"] == 0, "d"].sum())
    change = rows.pivot_table(index="id", columns="post", values="outcome").pipe(lambda f: f[1] - f[0])
    treated = rows[rows["post"] == 0].set_index("id")["d"] == 1
    assert estimate.details["mean_change_treated"] == pytest.approx(change[treated].mean())
    assert estimate.details["unadjusted_effect"] == pytest.approx(
        change[treated].mean() - change[~treated].mean()
    )
    assert estimate.uncertainty.method.startswith("heteroskedasticity-robust HC0")
    assert Estimate.from_record(estimate.to_record()).values.tolist() == estimate.values.tolist()


def test_without_covariates_every_method_is_the_difference_of_mean_changes() -> None:
    rows = long_rows()
    for method in ("improved", "traditional", "ipw", "reg"):
        bare = replace(PANEL, covariates=(), method=method)
        estimate = bare.fit(rows)
        assert float(estimate.values[0]) == pytest.approx(float(estimate.details["unadjusted_effect"]))


def test_pre_trends_cannot_be_tested_and_that_is_said() -> None:
    check = check_of(PANEL.fit(long_rows()), "pre-trend")
    assert check.passed is None
    assert "cannot be tested" in check.detail


def test_improved_weights_balance_exactly_and_likelihood_weights_do_not() -> None:
    rows = long_rows()
    left = {}
    for method in ("improved", "traditional"):
        check = check_of(replace(PANEL, method=method).fit(rows), "balance")
        left[method] = float(check.detail.split("before weighting, ")[1].split(" ")[0])
        assert check.passed is (left[method] <= 0.1)
    assert left["improved"] < 1e-8 < left["traditional"]


def test_regression_alone_weights_nobody() -> None:
    estimate = replace(PANEL, method="reg").fit(long_rows())
    assert check_of(estimate, "balance").passed is None
    assert not [check for check in estimate.checks if check.name in ("overlap", "score trimming")]


# --------------------------------------------------------------------------------- what changes nothing
def test_order_of_rows_labels_and_scale_change_nothing() -> None:
    rows = long_rows()
    expected = PANEL.fit(rows)
    before = rows.copy(deep=True)
    same(PANEL.fit(rows.sample(frac=1.0, random_state=1)), expected)
    same(PANEL.fit(rows.set_index(rows.index[::-1] * 7)), expected)
    same(PANEL.fit(rows.assign(id="h" + rows["id"].astype(str))), expected)
    same(PANEL.fit(rows.assign(post=rows["post"] * 5 + 2019)), expected)
    same(PANEL.fit(rows.assign(x1=rows["x1"] * 1e6 + 3e7, x2=rows["x2"] / 1e5)), expected)
    same(replace(PANEL, weights="one").fit(rows.assign(one=3.0)), expected)
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    "periods",
    [
        pd.Series(["2019", "2020"]),
        pd.Series(["9", "10"]),
        pd.to_datetime(pd.Series(["2019-05-01", "2020-05-01"])),
        pd.Series(pd.PeriodIndex(["2019-01", "2019-02"], freq="M")),
        pd.Series(pd.Categorical(["pre", "post"], categories=["pre", "post"], ordered=True)),
        pd.Series([False, True]),
    ],
    ids=["years as text", "text that sorts wrongly", "dates", "months", "ordered category", "booleans"],
)
def test_periods_may_be_anything_that_has_an_order(periods: pd.Series[Any]) -> None:
    rows = long_rows()
    named = rows.assign(post=periods.iloc[rows["post"]].set_axis(rows.index))
    same(PANEL.fit(named), PANEL.fit(rows))


def test_treatment_as_group_and_as_state_are_the_same() -> None:
    rows = long_rows()
    state = rows.assign(d=rows["d"] * rows["post"])
    same(PANEL.fit(state), PANEL.fit(rows))
    assert "group: 1 in both periods" in check_of(PANEL.fit(rows), "treatment").detail
    assert "state: 0 before and 1 after" in check_of(PANEL.fit(state), "treatment").detail


def test_covariates_and_weights_of_the_second_period_are_not_read() -> None:
    rows = long_rows()
    weighted = replace(PANEL, weights="w")
    late = rows["post"] == 1
    spoiled = rows.assign(x1=rows["x1"].mask(late), w=rows["w"].mask(late))
    same(weighted.fit(spoiled), weighted.fit(rows))
    assert weighted.fit(spoiled).sample.dropped == {}


def test_collinear_and_constant_covariates_are_left_out_by_name() -> None:
    rows = long_rows()
    rows = rows.assign(one=1.0, twice=2 * rows["x1"] - 3 * rows["x2"] + 1)
    for method in ("improved", "traditional", "ipw", "reg"):
        plain = replace(PANEL, method=method)
        estimate = replace(plain, covariates=("one", "x1", "x2", "twice")).fit(rows)
        same(estimate, plain.fit(rows))
        assert check_of(estimate, "collinear covariates").detail.endswith(": one, twice")


def test_categories_are_expanded() -> None:
    rows = long_rows()
    rows = rows.assign(area=np.where(rows["x3"] == 1, "urban", "rural"))
    same(
        replace(PANEL, covariates=("x1", "area")).fit(rows), replace(PANEL, covariates=("x1", "x3")).fit(rows)
    )


# ------------------------------------------------------------------------------------ what is counted
def test_units_without_both_rows_are_dropped_and_counted() -> None:
    rows = long_rows()
    gone = (rows["id"] == 3) & (rows["post"] == 0) | (rows["id"] == 5) & (rows["post"] == 1)
    holes = rows.assign(
        outcome=rows["outcome"].mask((rows["id"] == 7) & (rows["post"] == 1)),
        x1=rows["x1"].mask((rows["id"] == 8) & (rows["post"] == 0)),
    )[~gone]
    estimate = PANEL.fit(holes)
    assert dict(estimate.sample.dropped) == {
        "outcome missing": 1,
        "x1 missing": 1,
        "unit without a complete row in the other period": 4,
    }
    same(estimate, PANEL.fit(rows[~rows["id"].isin([3, 5, 7, 8])]))


def test_rows_of_cross_sections_are_dropped_and_counted() -> None:
    rows = wide_rows()
    holes = rows.assign(y=rows["y"].mask(rows["id"] <= 4), w=rows["w"].where(rows["id"] != 9, 0.0))
    estimate = replace(SECTIONS, weights="w").fit(holes)
    assert dict(estimate.sample.dropped) == {"w is zero": 1, "y missing": 4}
    same(estimate, replace(SECTIONS, weights="w").fit(rows[(rows["id"] > 4) & (rows["id"] != 9)]))


def test_trimmed_controls_are_counted() -> None:
    rows = wide_rows(700)
    loose = replace(SECTIONS, method="traditional")
    tight = replace(loose, trim=0.7)
    score = tight.fit(rows)
    check = check_of(score, "score trimming")
    assert check.passed is False
    assert int(check.detail.split(" ")[0]) > 0
    assert check_of(loose.fit(rows), "score trimming").passed
    assert float(score.values[0]) != pytest.approx(float(loose.fit(rows).values[0]), rel=1e-6)


def test_composition_that_changes_between_cross_sections_is_told() -> None:
    rows = wide_rows()
    moved = rows.assign(x1=rows["x1"] + 2 * rows["post"])
    check = check_of(SECTIONS.fit(moved), "same composition in both periods")
    assert check.passed is False
    assert "(x1, " in check.detail


# ------------------------------------------------------------------------------------ what is refused
def refused(estimator: je.DoublyRobust, rows: pd.DataFrame, *words: str) -> None:
    with pytest.raises(je.DesignError) as caught:
        estimator.fit(rows)
    for word in words:
        assert word in str(caught.value)


def test_three_periods_are_refused() -> None:
    rows = long_rows()
    refused(PANEL, pd.concat([rows, rows.assign(post=2)]), "the data have 3", "0, 1, 2")
    refused(SECTIONS, wide_rows().assign(post=0), "the data have 1")


def test_periods_without_an_order_are_refused() -> None:
    rows = long_rows().assign(post=lambda f: np.where(f["post"] == 1, "post", "pre"))
    refused(PANEL, rows, "which period of 'post' comes first", "ordered category")


def test_several_rows_of_a_unit_in_a_period_are_refused() -> None:
    rows = long_rows()
    twice = pd.concat([rows, rows[(rows["id"] == 11) & (rows["post"] == 1)]])
    refused(PANEL, twice, "1 pairs of unit and period", "e.g. 11 in 1 (2 rows)")


def test_treatment_that_is_switched_off_is_refused() -> None:
    rows = long_rows()
    off = rows.assign(d=rows["d"].mask(rows["id"] <= 2, 1 - rows["post"]))
    refused(PANEL, off, "switched off", "2 units")


def test_mixed_codings_of_the_treatment_are_refused() -> None:
    rows = long_rows()
    treated = rows.loc[rows["d"] == 1, "id"].iloc[0]
    mixed = rows.assign(d=rows["d"].mask(rows["id"] == treated, rows["post"]))
    refused(PANEL, mixed, "treated in both periods", "1 units")


def test_no_controls_no_treated_and_other_values_are_refused() -> None:
    rows = long_rows()
    refused(PANEL, rows.assign(d=1), "no untreated row")
    refused(PANEL, rows.assign(d=0), "no treated row")
    refused(PANEL, rows.assign(d=rows["post"]), "no untreated row")
    refused(PANEL, rows.assign(d=rows["d"] + 1), "must be 0 or 1")
    refused(PANEL, rows.assign(d=rows["d"].where(rows["id"] > 1)), "'d' has missing values")


def test_cross_sections_with_the_treated_state_are_refused() -> None:
    rows = wide_rows()
    refused(SECTIONS, rows.assign(d=rows["d"] * rows["post"]), "no treated row in period 0", "both periods")


def test_missing_and_infinite_keys_are_refused() -> None:
    rows = long_rows()
    refused(PANEL, rows.assign(id=rows["id"].where(rows["id"] > 1)), "'id' has missing values", "2 of 240")
    refused(PANEL, rows.assign(post=rows["post"].where(rows["id"] > 1)), "'post' has missing values")
    refused(PANEL, rows.assign(outcome=rows["outcome"].where(rows["id"] > 1, np.inf)), "infinite values")
    refused(PANEL, rows.drop(columns="x2"), "no column 'x2'")
    refused(PANEL, rows.assign(outcome="5"), "does not hold numbers")
    refused(replace(PANEL, weights="w"), rows.assign(w=-1.0), "weights 'w' are negative")


def test_separation_is_named() -> None:
    rows = long_rows()
    rows = rows.assign(enrolled=rows["d"] + 0.0)
    for method in ("traditional", "ipw"):
        refused(replace(PANEL, method=method, covariates=("x1", "enrolled")), rows, "'enrolled'")
    refused(replace(PANEL, covariates=("x1", "enrolled")), rows, "no overlap", "enrolled")
    refused(
        replace(PANEL, method="reg", covariates=("x1", "enrolled")), rows, "do not vary among", "enrolled"
    )


def test_controls_that_surround_nobody_are_refused() -> None:
    rows = long_rows()
    refused(PANEL, rows.assign(x1=rows["x1"] + 20 * rows["d"]), "no overlap", "x1")


def test_controls_too_few_for_the_regression_are_refused() -> None:
    rows = long_rows()
    few = rows[(rows["d"] == 1) | rows["id"].isin(rows.loc[rows["d"] == 0, "id"].unique()[:2])]
    refused(replace(PANEL, method="reg"), few, "collinear among the untreated", "2 rows for 3 coefficients")


def test_a_cell_without_variation_is_named() -> None:
    rows = wide_rows()
    flat = rows.assign(x1=rows["x1"].mask((rows["d"] == 0) & (rows["post"] == 1), 1.0))
    refused(replace(SECTIONS, method="reg"), flat, "x1", "the untreated in 1")


def test_a_grouping_that_changes_within_units_is_refused() -> None:
    rows = long_rows().assign(village=lambda f: f["id"] // 10)
    moved = rows.assign(village=rows["village"].mask((rows["id"] == 4) & (rows["post"] == 1), 99))
    by_village = je.Cluster("village")
    assert PANEL.fit(rows, inference=by_village).fit is not None
    with pytest.raises(je.DesignError, match=r"'village' changes within units.*1 of 120 units"):
        PANEL.fit(moved, inference=by_village)
    with pytest.raises(je.DesignError, match="'village' changes within units"):
        replace(PANEL, panel=False).fit(moved, carry=("village",))


def test_what_has_no_known_error_is_refused() -> None:
    rows, sections = long_rows(), wide_rows()
    single = rows[(rows["d"] == 0) | (rows["id"] == rows.loc[rows["d"] == 1, "id"].iloc[0])]
    refused(PANEL, single, "a single treated unit has no known error")
    refused(
        PANEL, rows.assign(outcome=rows["post"] * 2.0), "the change of the outcome 'outcome' does not vary"
    )
    cell = (sections["d"] == 0) & (sections["post"] == 1)
    lonely = sections[~cell | (sections["id"] == sections.loc[cell, "id"].iloc[0])]
    refused(replace(SECTIONS, covariates=()), lonely, "a single untreated row in period 1")


def test_a_category_of_one_level_is_left_out_by_name() -> None:
    rows = long_rows().assign(area="rural")
    estimate = replace(PANEL, covariates=("x1", "area")).fit(rows)
    same(estimate, replace(PANEL, covariates=("x1",)).fit(rows))
    assert check_of(estimate, "collinear covariates").detail.endswith("left out: area")


def test_few_treated_outside_the_controls_fail_overlap() -> None:
    rows = long_rows()
    assert check_of(PANEL.fit(rows), "overlap").passed is False
    assert "of the treated outside the controls'" in check_of(PANEL.fit(rows), "overlap").detail
    assert check_of(replace(PANEL, covariates=()).fit(rows), "overlap").passed


def test_unknown_choices_are_refused() -> None:
    names: dict[str, Any] = {"outcome": "y", "time": "t", "treatment": "d"}
    for choices, words in (
        ({}, "needs its unit"),
        ({"unit": "i", "covariates": "x1"}, "tuple of columns"),
        ({"unit": "i", "method": "magic"}, "no method 'magic'"),
        ({"unit": "i", "variance": "other"}, "no variance 'other'"),
        ({"unit": "i", "normalised": False}, "method='ipw' only"),
        ({"unit": "i", "locally_efficient": False}, "cross-sections only"),
        ({"panel": False, "method": "reg", "locally_efficient": False}, "cross-sections only"),
        ({"unit": "i", "trim": 1.5}, "trim is a probability"),
    ):
        with pytest.raises(je.DesignError, match=words):
            je.DoublyRobust(**names, **choices)


# ------------------------------------------------------------------------------------------- inference
def test_clusters_are_of_units_and_can_be_asked_for_later() -> None:
    rows = long_rows().assign(village=lambda f: f["id"] // 10)
    at_once = PANEL.fit(rows, inference=je.Cluster("village", kind="CR0"))
    later = PANEL.fit(rows, carry=("village",)).with_inference(je.Cluster("village", kind="CR0"))
    same(at_once, later)
    assert later.fit is not None
    influence = later.fit.influence.dense()[:, 0]
    villages = np.arange(1, 121) // 10
    by_hand = np.sqrt(sum(influence[villages == v].sum() ** 2 for v in np.unique(villages)))
    np.testing.assert_allclose(later.uncertainty.std_error, [by_hand], rtol=1e-12)
    assert later.fit.grouping("village").count == 13


def test_clusters_of_dropped_units_are_not_counted() -> None:
    rows = long_rows().assign(village=lambda f: f["id"] // 10)
    hole = rows.assign(outcome=rows["outcome"].mask(rows["village"] == 12))
    fit = PANEL.fit(hole, carry=("village",)).fit
    assert fit is not None
    assert fit.grouping("village").count == 12
