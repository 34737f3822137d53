"""Influence is what the rows' weights do to the estimate, found by moving each weight a little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did import DoublyRobust
from tests.estimators.did import golden

STEP = 1e-4
CHOICES: dict[str, dict[str, Any]] = {
    "traditional": {"method": "traditional"},
    "traditional, not locally efficient": {"method": "traditional", "locally_efficient": False},
    "Hájek": {"method": "ipw"},
    "Horvitz-Thompson": {"method": "ipw", "normalised": False},
    "regression": {"method": "reg"},
    "improved": {"method": "improved"},
    "improved, not locally efficient": {"method": "improved", "locally_efficient": False},
}
PANEL = [name for name in CHOICES if "efficient" not in name]
# to first order their coefficients move nothing in cross-sections, but in a finite sample they do
EXACT_IN_CROSS_SECTIONS = [name for name in CHOICES if "improved" not in name]


def rows(count: int) -> pd.DataFrame:
    return golden.table("did_2x2.csv").head(count)


def panel_rows(wide: pd.DataFrame) -> pd.DataFrame:
    periods = [wide.assign(outcome=wide["y0"], post=0), wide.assign(outcome=wide["y1"], post=1)]
    return pd.concat(periods, ignore_index=True)


def estimator_of(name: str, *, panel: bool, weights: str | None = "w") -> DoublyRobust:
    return DoublyRobust(
        outcome="outcome" if panel else "y",
        unit="id" if panel else None,
        time="post",
        treatment="d",
        covariates=("x1", "x2", "x3"),
        panel=panel,
        weights=weights,
        **CHOICES[name],
    )


def derivatives(estimator: DoublyRobust, wide: pd.DataFrame, units: list[int]) -> Floats:
    """w times the derivative of the effect with respect to w, by central differences."""
    found = []
    for unit in units:
        effects = []
        for factor in (1.0 + STEP, 1.0 - STEP):
            moved = wide.assign(w=wide["w"].where(wide["id"] != unit, wide["w"] * factor))
            effects.append(estimator.fit(panel_rows(moved) if estimator.panel else moved).values[0])
        found.append((effects[0] - effects[1]) / (2.0 * STEP))
    return np.array(found)


def influence_of(estimator: DoublyRobust, wide: pd.DataFrame, units: list[int]) -> Floats:
    fit = estimator.fit(panel_rows(wide) if estimator.panel else wide).fit
    assert fit is not None
    return np.asarray(fit.influence.dense()[np.array(units) - 1, 0])


@pytest.mark.parametrize("name", PANEL)
def test_panel_influence_is_the_derivative(name: str) -> None:
    wide, units = rows(300), list(range(1, 13))
    estimator = estimator_of(name, panel=True)
    expected = derivatives(estimator, wide, units)
    np.testing.assert_allclose(influence_of(estimator, wide, units), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", EXACT_IN_CROSS_SECTIONS)
def test_cross_section_influence_is_the_derivative(name: str) -> None:
    wide, units = rows(300), list(range(1, 13))
    estimator = estimator_of(name, panel=False)
    expected = derivatives(estimator, wide, units)
    np.testing.assert_allclose(influence_of(estimator, wide, units), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["traditional", "traditional, not locally efficient", "Horvitz-Thompson"])
def test_the_variance_of_drdid_is_not(name: str) -> None:
    wide, units = rows(300), list(range(1, 13))
    estimator = replace(estimator_of(name, panel=False), variance="drdid")
    expected = derivatives(estimator, wide, units)
    assert np.abs(influence_of(estimator, wide, units) - expected).max() > 1e-5


@pytest.mark.parametrize(
    ("name", "panel"), [*((name, True) for name in PANEL), *((name, False) for name in CHOICES)]
)
def test_influence_sums_to_zero(name: str, panel: bool) -> None:
    estimate = estimator_of(name, panel=panel).fit(panel_rows(rows(700)) if panel else rows(700))
    assert estimate.fit is not None
    assert abs(estimate.fit.influence.dense().sum()) < 1e-12
    error = np.sqrt((estimate.fit.influence.dense() ** 2).sum())
    np.testing.assert_allclose(estimate.uncertainty.std_error, [error], rtol=1e-12)


def test_influence_of_a_unit_seen_twice_is_the_sum_of_its_rows() -> None:
    stacked = panel_rows(rows(300))
    as_rows = replace(estimator_of("traditional", panel=False), outcome="outcome")
    by_row, by_unit = as_rows.fit(stacked), replace(as_rows, unit="id").fit(stacked)
    assert by_row.fit is not None
    assert by_unit.fit is not None
    np.testing.assert_allclose(by_unit.values, by_row.values, rtol=1e-12)
    halves = by_row.fit.influence.dense()[:, 0].reshape(2, 300)
    np.testing.assert_allclose(by_unit.fit.influence.dense()[:, 0], halves.sum(axis=0), atol=1e-14)
    assert (by_row.sample.units, by_unit.sample.units) == (600, 300)
    assert by_unit.sample.treated == int(rows(300)["d"].sum())
