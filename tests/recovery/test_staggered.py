"""Staggered estimators find planted effects where theory promises it, and miss them where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recovery import staggered as recovery
from tests.recovery.staggered import (
    CONDITIONAL,
    CROSS_SECTIONS,
    DESIGNS,
    ESTIMATORS,
    STATIC,
    estimators_of,
    run,
    simulate,
)

STORED = json.loads(recovery.RESULT.read_text(encoding="utf-8"))
PAIRS = [(design, name) for design in DESIGNS for name in estimators_of(design)]
# what weighs cohorts by the variance of treatment is off where cohorts differ, but by less than the rest
MISSES = {
    ("dynamic", STATIC),
    ("heterogeneous", STATIC),
    ("heterogeneous", "two-way event study"),
    ("heterogeneous", "stacked, unweighted"),
    ("heterogeneous", "projections, variance"),
    (CROSS_SECTIONS, "group-time, no weights"),
    *(("covariate trends", name) for name in ESTIMATORS),
}
# imputation takes residuals around means of cohorts and periods, within which people of districts differ
CONSERVATIVE = {"imputation"}
# odds of forty controls in samples of sixty to a hundred: first-order errors are too small (the next test)
FEW_CONTROLS = {"group-time given x, dr", "group-time given x, ipw"}


def stored(design: str, name: str) -> dict[str, Any]:
    (row,) = [row for row in STORED["rows"] if (row["design"], row["estimator"]) == (design, name)]
    return dict(row)


def lower_bound(replications: int) -> float:
    """Coverage that 95 percent intervals fall below by chance about once in 30,000 runs."""
    return 0.95 - 4.0 * float(np.sqrt(0.95 * 0.05 / replications))


def test_every_estimator_of_every_design_is_stored() -> None:
    assert [(row["design"], row["estimator"]) for row in STORED["rows"]] == PAIRS


@pytest.mark.parametrize(("design", "name"), PAIRS)
def test_the_stored_bias_is_what_theory_says(design: str, name: str) -> None:
    row, replications = stored(design, name), STORED["replications"]
    error = row["std_deviation"] / replications**0.5
    if (design, name) in MISSES:
        assert abs(row["bias"]) > 4 * error
    else:
        assert abs(row["bias"]) < 4 * error


@pytest.mark.parametrize(("design", "name"), [pair for pair in PAIRS if pair not in MISSES])
def test_the_stored_coverage_is_what_theory_says(design: str, name: str) -> None:
    """Few clusters are held to their own standard below; people alone forget the districts' shocks."""
    row, replications = stored(design, name), STORED["replications"]
    ratio, spread = row["mean_std_error"] / row["std_deviation"], 4.0 / (2.0 * replications) ** 0.5
    if name == "group-time, people alone":
        assert ratio < 0.9
    elif name in FEW_CONTROLS:
        assert 0.6 < ratio < 0.9
    elif design != "few clusters":
        assert row["coverage"] > lower_bound(replications)
        assert ratio > 1.0 - spread
        # shares of cohorts are fixed: errors that count theirs are conservative where effects differ
        if design != "heterogeneous" and name not in CONSERVATIVE:
            assert ratio < 1.0 + spread


def test_errors_of_odds_are_right_where_there_are_more_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "UNITS", 1600)
    for seen in simulate("covariate trends", tuple(sorted(FEW_CONTROLS)), 40).values():
        assert abs(seen.bias) < 4 * seen.bias_error
        assert seen.coverage >= lower_bound(40)
        assert seen.mean_std_error == pytest.approx(seen.std_deviation, rel=4.0 / 80.0**0.5)


def test_few_clusters_are_covered_too_seldom_by_normal_intervals() -> None:
    """With three units or so in a cohort, errors of influence are too small."""
    for name in ("group-time, never", "imputation"):
        row = stored("few clusters", name)
        assert row["coverage"] < 0.95
        assert row["mean_std_error"] < row["std_deviation"]


def test_effects_differ_between_cohorts() -> None:
    names = ("two-way event study", "group-time, never", "imputation", "extended two-way")
    seen = simulate("heterogeneous", names, 24)
    for name in names[1:]:
        assert abs(seen[name].bias) < 4 * seen[name].bias_error
        assert seen[name].coverage >= 0.75
    assert seen[names[0]].bias > 2 * seen[names[0]].bias_error


def test_trends_of_covariates() -> None:
    names = ("group-time, never", "group-time given x, dr", "imputation given x")
    seen = simulate("covariate trends", names, 24)
    assert seen[names[0]].bias > 8 * seen[names[0]].bias_error
    for name in names[1:]:
        assert abs(seen[name].bias) < 4 * seen[name].bias_error


def test_people_of_districts_with_weights() -> None:
    names = ("group-time, districts", "group-time, no weights")
    seen = simulate(CROSS_SECTIONS, names, 16)
    assert abs(seen[names[0]].bias) < 4 * seen[names[0]].bias_error
    assert seen[names[1]].bias < -8 * seen[names[1]].bias_error
    assert set(CONDITIONAL) <= set(estimators_of("covariate trends"))


def test_the_method_page_shows_the_stored_run(repository: Path) -> None:
    page = (repository / "docs" / "methods" / "staggered_did.md").read_text(encoding="utf-8")
    assert recovery.as_markdown(STORED) in page


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_the_stored_run_can_be_made_again(design: str) -> None:
    replications = STORED["replications"]
    for name, seen in run(design, replications).items():
        row = stored(design, name)
        assert seen.bias == pytest.approx(row["bias"], abs=2e-5)
        assert seen.std_deviation == pytest.approx(row["std_deviation"], abs=2e-5)
        assert seen.coverage == pytest.approx(row["coverage"], abs=1.5 / replications)
