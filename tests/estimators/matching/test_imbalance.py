"""Joint imbalance, second-order and prognostic balance against pandas and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import juntos_eval as je


def simulated() -> pd.DataFrame:
    """SIMULATED: 240 rows, a category, weights."""
    rng = np.random.default_rng(12)
    n = 240
    age, area = rng.normal(40, 10, n), rng.choice(["coast", "forest", "high"], n)
    d = (rng.random(n) < 1 / (1 + np.exp(-0.05 * (age - 42) - 0.5 * (area == "high")))) * 1
    return pd.DataFrame(
        {"d": d, "age": age, "area": area, "w": rng.uniform(1, 3, n), "y": age + rng.normal(size=n)}
    )


def test_l1_is_half_the_sum_of_differences_over_cells() -> None:
    frame = simulated()
    design = je.Weighting(treatment="d", covariates=("age", "area"), weights="w").design(frame)
    found = je.multivariate_imbalance(design, cutpoints={"age": (30.0, 40.0, 50.0)})
    cells = pd.cut(frame["age"], [-np.inf, 30, 40, 50, np.inf]).astype(str) + frame["area"]
    for weight, value in ((frame["w"], found.l1_before), (design.design_weights, found.l1_after)):
        table = pd.crosstab(cells, frame["d"], values=weight, aggfunc="sum").fillna(0)
        shares = table / table.sum()
        assert value == pytest.approx(0.5 * (shares[1] - shares[0]).abs().sum(), rel=1e-12)
    assert found.cells == cells.nunique()
    assert 0 < found.l1_after < found.l1_before < 1


def test_coarsened_exact_matching_leaves_none() -> None:
    frame = simulated()
    cuts = {"age": (30.0, 40.0, 50.0)}
    design = je.Matching(treatment="d", covariates=("age", "area"), method="cem", cutpoints=cuts).design(
        frame
    )
    found = je.multivariate_imbalance(design, cutpoints=cuts)
    assert found.l1_after == pytest.approx(0, abs=1e-12)
    assert found.common_after == 1


def test_second_order_terms_are_compared() -> None:
    frame = simulated()
    raw = je.raw_design(frame, treatment="d", covariates=("age", "area"))
    found = je.second_order(raw).set_index("term")
    assert list(found.index) == ["age²", "age × area[forest]", "age × area[high]"]
    square = frame["age"] ** 2
    one, other = square[frame["d"] == 1], square[frame["d"] == 0]
    by_hand = (one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2)
    assert found.loc["age²", "smd_before"] == pytest.approx(by_hand, rel=1e-9)
    two = je.Weighting(treatment="d", covariates=("age", "area"), method="entropy", moments=2).design(frame)
    after = je.second_order(two).set_index("term")["smd_after"]
    assert abs(after["age²"]) < 1e-9
    assert abs(after["age × area[high]"]) > 1e-6


def test_prognostic_score_is_that_of_the_untreated() -> None:
    frame = simulated()
    raw = je.raw_design(frame, treatment="d", covariates=("age",), weights="w")
    y = frame["y"].where(frame["d"] == 0).to_numpy()
    found = je.prognostic_balance(raw, y)
    rows = frame[frame["d"] == 0]
    told = (
        sm.WLS(rows["y"], sm.add_constant(rows[["age"]]), rows["w"])
        .fit()
        .predict(sm.add_constant(frame[["age"]]))
    )
    seen = je.balance(
        je.raw_design(
            frame.assign(told=told), treatment="d", covariates=("told",), weights="w", estimand="ate"
        )
    )
    assert found["smd_before"][0] == pytest.approx(seen.standardised_differences()[0][0], rel=1e-9)
    with pytest.raises(je.DesignError, match="every untreated row"):
        je.prognostic_balance(raw, np.full(240, np.nan))
