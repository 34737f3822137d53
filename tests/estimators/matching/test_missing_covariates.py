"""Missing covariates: left out, refused or marked, and counted each time, by every estimator of the room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError

ONE: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": ("x", "area")}
ESTIMATORS: dict[str, Any] = {
    "Matching": je.Matching(**ONE, replace=True),
    "Matching, adjusted": je.Matching(**ONE, replace=True, distance="mahalanobis", bias_adjust=True),
    "Weighting": je.Weighting(**ONE),
    "Weighting, entropy": je.Weighting(**ONE, method="entropy"),
    "AIPW": je.AIPW(**ONE, outcome_covariates=("x",)),
    "IPWRA": je.IPWRA(**ONE),
    "RegressionAdjustment": je.RegressionAdjustment(**ONE),
    "CrossFittedAIPW": je.CrossFittedAIPW(**ONE, score="logit", outcome_model="linear", folds=2, seed=1),
    "PartiallyLinear": je.PartiallyLinear(
        **ONE, treatment_model="linear", outcome_model="linear", folds=2, seed=1
    ),
    "EffectsBy": je.EffectsBy(estimator=je.RegressionAdjustment(**ONE), by="g"),
}


def gaps(rows: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    x = rng.normal(size=rows)
    d = (rng.random(rows) < 1 / (1 + np.exp(-0.5 * x))).astype(float)
    area = pd.Series(np.where(rng.random(rows) < 0.5, "rural", "urban"), dtype=object)
    frame = pd.DataFrame({"y": x + d + rng.normal(size=rows), "d": d, "x": x, "area": area})
    frame["g"] = np.where(np.arange(rows) % 2, "odd", "even")
    frame.loc[[3, 40, 77, 100, 150, 201, 210, 222], "x"] = np.nan
    frame.loc[[5, 41, 80, 100, 161, 202, 230], "area"] = None
    return frame


def asked(estimator: Any, missing: str) -> Any:
    choices = {name: getattr(estimator, name) for name in type(estimator).__dataclass_fields__}
    if "estimator" in choices:
        return type(estimator)(**{**choices, "estimator": asked(choices["estimator"], missing)})
    return type(estimator)(**{**choices, "missing": missing})


@pytest.mark.parametrize("name", ESTIMATORS)
def test_each_choice_is_what_it_says(name: str) -> None:
    frame, estimator = gaps(), ESTIMATORS[name]
    dropped = estimator.fit(frame)
    assert dropped.sample.rows == 240 - 14
    assert dict(dropped.sample.dropped) == {"x missing": 8, "area missing": 6}
    with pytest.raises(DesignError, match=r"column 'x', 8 of 240 rows, column 'area', 7 of 240 rows"):
        asked(estimator, "refuse").fit(frame)
    kept = asked(estimator, "indicator").fit(frame)
    assert kept.sample.rows == 240
    assert dict(kept.details["missing"]) == {"x": 8, "area": 7}
    assert any("x in 8 rows, area in 7 rows" in check.detail for check in kept.checks)
    with pytest.raises(DesignError, match="'impute'"):
        asked(estimator, "impute")


def test_indicators_stand_for_whatever_is_filled_in() -> None:
    """With the indicator the constant does not matter, as by hand."""
    frame = gaps()
    kept = je.RegressionAdjustment(**ONE, missing="indicator").fit(frame)
    by_hand = frame.assign(
        x=frame["x"].fillna(99.0),
        no_x=frame["x"].isna() * 1.0,
        area=(frame["area"] == "urban") * 1.0,
        no_area=frame["area"].isna() * 1.0,
    )
    columns = ("x", "no_x", "area", "no_area")
    expected = je.RegressionAdjustment(outcome="y", treatment="d", covariates=columns).fit(by_hand)
    assert kept.values == pytest.approx(expected.values, rel=1e-9)
    assert kept.uncertainty.std_error == pytest.approx(expected.uncertainty.std_error, rel=1e-9)
    assert kept.spec["covariates"] == ("x", "area")


def test_designs_show_the_balance_of_what_is_missing() -> None:
    design = je.Weighting(treatment="d", covariates=("x", "area"), missing="indicator").design(gaps())
    assert "x[missing]" in design.covariate_names
    assert len(design.rows) == 240
    raw = je.raw_design(gaps(), treatment="d", covariates=("x",), missing="indicator")
    assert raw.covariate_names == ("x", "x[missing]")
    score = je.learned_score(gaps(), treatment="d", covariates=("x",), score="logit", missing="indicator")
    assert score.notna().all()


def test_what_cannot_be_marked_is_refused() -> None:
    frame = gaps().assign(empty=np.nan)
    with pytest.raises(DesignError, match="cannot be marked"):
        je.Weighting(treatment="d", covariates=("empty",), missing="indicator").design(frame)
    with pytest.raises(DesignError, match="a column of that name"):
        je.Weighting(treatment="d", covariates=("x",), missing="indicator").design(
            frame.assign(**{"x[missing]": 0.0})
        )


def test_a_panel_is_asked_about_its_first_period_only() -> None:
    first = gaps()
    panel = pd.concat([first.assign(t=0, i=range(240)), first.assign(t=1, i=range(240), x=np.nan)])
    panel["y"] += panel["t"] * (1.0 + 2.0 * panel["d"])
    choices: dict[str, Any] = {**ONE, "covariates": ("x",), "time": "t", "unit": "i", "method": "nearest"}
    kept = je.MatchedDiD(**choices, missing="indicator").fit(panel)
    assert dict(kept.details["missing"]) == {"x": 8}
    assert kept.values[0] == pytest.approx(2.0, abs=1e-12)
    full = panel[(panel["t"] == 1) | panel["x"].notna()]
    whole = full.groupby("i").filter(lambda unit: len(unit) == 2)
    assert je.MatchedDiD(**choices, missing="refuse").fit(whole).sample.units == 232
    with pytest.raises(DesignError, match="column 'x', 8 of 480 rows"):
        je.MatchedDiD(**choices, missing="refuse").fit(panel)
