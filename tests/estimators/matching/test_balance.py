"""Balance of small tables worked out by hand, and of every kind of design."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.adjusted import Design, RawDesign
from juntos_eval.estimators.matching.arm_comparison import distribution_distances
from juntos_eval.estimators.matching.balance import balance_check


@dataclass(frozen=True)
class ByHand:
    """A design of eight rows; the last untreated row is left out."""

    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    base_weights: Floats
    design_weights: Floats
    estimand: str = "att"
    score: None = None


AGE = [2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 6.0, 20.0]
RURAL = [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]


def by_hand(**changes: Any) -> ByHand:
    choices: dict[str, Any] = {
        "treated": np.array([1, 1, 1, 0, 0, 0, 0, 0]) == 1,
        "covariates": np.column_stack([AGE, RURAL]),
        "covariate_names": ("age", "is_rural"),
        "base_weights": np.ones(8),
        "design_weights": np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]),
    }
    return ByHand(**{**choices, **changes})


def test_by_hand_before() -> None:
    found = je.balance(by_hand())
    before = found.before
    # treated 2 4 6: mean 4, variance 4; untreated 1 3 5 6 20: mean 7, squares 36 + 16 + 4 + 1 + 169 over 4
    assert before.mean_treated.tolist() == pytest.approx([4.0, 2 / 3])
    assert before.mean_untreated.tolist() == pytest.approx([7.0, 0.4])
    assert before.variance_treated.tolist() == pytest.approx([4.0, 2 / 9])
    assert before.variance_untreated.tolist() == pytest.approx([56.5, 0.24])
    smd = found.standardised_differences()[0]
    assert smd.tolist() == pytest.approx([-3 / 2, (2 / 3 - 0.4) / np.sqrt(2 / 9)])
    assert before.variance_ratio[0] == pytest.approx(4 / 56.5)
    # distances at 1 2 3 4 5 6 20: 1/5 2/15 1/15 4/15 1/15 1/5 0; the share: 4/15
    assert before.ks.tolist() == pytest.approx([4 / 15, 4 / 15])
    gaps = [1 / 5, 2 / 15, 1 / 15, 4 / 15, 1 / 15, 1 / 5, 0]
    assert before.ecdf_mean.tolist() == pytest.approx([np.mean(gaps), 4 / 15])
    assert (before.effective_treated, before.effective_untreated) == (3.0, 5.0)


def test_by_hand_after() -> None:
    found = je.balance(by_hand())
    after = found.after
    # untreated with weight 3 5 6: mean 14/3, squares (25 + 1 + 16) / 9 over 1 - 1/3
    assert after.mean_untreated.tolist() == pytest.approx([14 / 3, 1 / 3])
    assert after.variance_untreated[0] == pytest.approx(42 / 9 / 2)
    # denominators stay those of the treated before
    assert found.standardised_differences()[1].tolist() == pytest.approx(
        [(4 - 14 / 3) / 2, (1 / 3) / np.sqrt(2 / 9)]
    )
    # rows of no weight still lend the values at which the functions are compared
    gaps = [0, 1 / 3, 0, 1 / 3, 0, 0, 0]
    assert after.ecdf_mean[0] == pytest.approx(np.mean(gaps))
    assert after.ks[0] == pytest.approx(1 / 3)
    check = found.checks[0]
    assert check.passed is False
    assert "2 of 2 standardised differences" in check.detail
    assert "age" in check.detail
    assert "is_rural" in check.detail


def test_weighted_by_hand() -> None:
    design = by_hand(design_weights=np.array([1.0, 1.0, 2.0, 0.0, 2.0, 1.0, 1.0, 0.0]))
    after = je.balance(design).after
    # treated 2 4 6 6: mean 4.5; shares 1/4 1/4 1/2: sum of squares 3/8
    assert after.mean_treated[0] == pytest.approx(4.5)
    spread = (2.5**2 + 0.5**2 + 2 * 1.5**2) / 4
    assert after.variance_treated[0] == pytest.approx(spread / (1 - 3 / 8))
    assert after.effective_treated == pytest.approx(16 / 6)


@pytest.mark.parametrize(
    ("estimand", "variance"),
    [("att", 4.0), ("atc", 56.5), ("ate", (4 + 56.5) / 2), ("ato", (4 + 56.5) / 2)],
)
def test_the_denominator_follows_the_estimand_and_is_said(estimand: str, variance: float) -> None:
    found = je.balance(by_hand(estimand=estimand))
    assert found.denominators[0] == pytest.approx(np.sqrt(variance))
    assert found.denominator_rule in repr(found)
    assert estimand.upper() in repr(found)


def test_no_spread_is_no_number_and_said() -> None:
    flat = by_hand(covariates=np.column_stack([[3.0] * 3 + [1.0, 2.0, 4.0, 4.0, 5.0], RURAL]))
    found = je.balance(flat)
    assert np.isnan(found.standardised_differences()[1][0])
    assert found.checks[0].passed is False
    assert "without spread to measure by: age" in found.checks[0].detail
    equal = by_hand(covariates=np.column_stack([[3.0] * 8, RURAL]), design_weights=np.ones(8))
    assert "without spread" not in je.balance(equal).checks[0].detail


def frame(rows: int = 600) -> pd.DataFrame:
    """SIMULATED."""
    rng = np.random.default_rng(6)
    age, area = rng.normal(40, 10, rows), rng.choice(["coast", "forest", "highland"], rows)
    index = -0.5 + 0.05 * (age - 40) + 0.6 * (area == "forest")
    treated = (rng.random(rows) < 1 / (1 + np.exp(-index))) * 1
    return pd.DataFrame({"d": treated, "age": age, "area": area, "w": rng.uniform(0.5, 4, rows)})


def test_categories_show_every_level() -> None:
    table = frame()
    raw = je.raw_design(table, treatment="d", covariates=("age", "area"), weights="w")
    shown = je.balance(raw).tidy().set_index("covariate")
    assert list(shown.index) == ["age", "area[forest]", "area[highland]", "area[reference level]"]
    assert list(shown["kind"]) == ["numeric", "share", "share", "share"]
    coast, treated = table["area"] == "coast", table["d"] == 1
    assert shown.loc["area[reference level]", "mean_treated_before"] == pytest.approx(
        np.average(coast[treated], weights=table["w"][treated])
    )
    pd.testing.assert_series_equal(shown["smd_before"], shown["smd_after"], check_names=False)


@pytest.mark.parametrize("method", ["ipw", "entropy", "overlap"])
def test_weighted_designs_come_into_balance(method: Any) -> None:
    weighting = je.Weighting(treatment="d", covariates=("age", "area"), method=method, weights="w")
    found = je.balance(weighting.design(frame()))
    assert found.checks[0].passed
    before, after = found.standardised_differences()
    assert np.abs(before).max() > 0.3
    assert np.nanmax(np.abs(after)) < 0.1
    assert (found.names[0] == "propensity score") is (method != "entropy")
    assert found.rubin_b[0] > 0.25 > found.rubin_b[1]
    assert found.after.effective_untreated < found.before.effective_untreated


def test_the_score_is_shown_and_not_counted() -> None:
    design = je.Weighting(treatment="d", covariates=("age", "area")).design(frame())
    found = je.balance(design)
    assert found.kinds[0] == "score"
    assert "of 4 standardised differences" in found.checks[0].detail
    assert balance_check(design) == found.checks[0]


def test_rubin_is_not_known_where_arms_are_told_apart() -> None:
    table = frame().assign(apart=lambda table: table["d"] * 1.0)
    found = je.balance(je.raw_design(table, treatment="d", covariates=("apart",)))
    assert np.isnan(found.rubin_b).all()
    assert found.checks[2].passed is None
    assert "not known" in found.checks[2].detail


def test_rubin_by_definition() -> None:
    raw = je.raw_design(frame(), treatment="d", covariates=("age",))
    index = 0.123 * raw.covariates[:, 0]  # B and R do not depend on the scale of a single covariate
    one, other = index[raw.treated], index[~raw.treated]
    found = je.balance(raw)
    b = abs(one.mean() - other.mean()) / np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    assert found.rubin_b == pytest.approx((b, b), rel=1e-9)
    assert found.rubin_r == pytest.approx((one.var(ddof=1) / other.var(ddof=1),) * 2, rel=1e-9)


def test_an_arm_without_weight_is_refused() -> None:
    with pytest.raises(DesignError, match="leaves no untreated rows"):
        je.balance(by_hand(design_weights=np.array([1.0, 1.0, 1.0, 0, 0, 0, 0, 0])))


def test_results_are_frozen_escaped_and_readable() -> None:
    nasty = by_hand(covariate_names=("<b>age</b>", "is_rural"))
    assert isinstance(nasty, Design)
    found = je.balance(nasty)
    with pytest.raises(FrozenInstanceError):
        found.names = ()  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        found.before.ks[0] = 1
    html = found._repr_html_()
    assert "<b>age</b>" not in html
    assert "&lt;b&gt;age&lt;/b&gt;" in html
    assert "[FAILED] balance" in repr(found)


def test_raw_design_keeps_rows_and_refuses() -> None:
    table = frame().copy()
    table.loc[3, "age"] = np.nan
    raw = je.raw_design(table, treatment="d", covariates=("age",), weights="w")
    assert isinstance(raw, RawDesign)
    assert 3 not in raw.rows
    assert raw.design_weights is raw.base_weights
    with pytest.raises(DesignError, match="no estimand"):
        je.raw_design(table, treatment="d", covariates=("age",), estimand="late")  # type: ignore[arg-type]


def test_distances_meet_scipy() -> None:
    from scipy import stats

    rng = np.random.default_rng(1)
    one, other = rng.normal(size=40).round(1), rng.normal(0.3, 1, 60).round(1)
    signed = np.concatenate([np.full(40, 1 / 40), np.full(60, -1 / 60)])
    largest, mean = distribution_distances(np.concatenate([one, other]), signed)
    assert largest == pytest.approx(stats.ks_2samp(one, other).statistic)
    assert 0 < mean < largest
