"""Bandwidths, estimates, errors, intervals and counts are those of rdrobust."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimators.rdd import DensityChoices, RegressionDiscontinuity, density_test

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "golden" / "rdd"
SENATE = ROOT.parent / "shared" / "data" / "benchmarks" / "rdd" / "rdrobust_RDsenate.csv"


@cache
def cases() -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))}


@cache
def table(name: str) -> pd.DataFrame:
    if name == SENATE.name:
        if not SENATE.exists():
            pytest.skip(f"US Senate data absent: {SENATE}")
        return pd.read_csv(SENATE).rename(columns={"vote": "y", "margin": "x"})
    return pd.read_csv(FOLDER / name)


def estimator(case: dict[str, Any]) -> RegressionDiscontinuity:
    choices: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in case["choices"].items()
    }
    return RegressionDiscontinuity(outcome="y", running="x", **choices)


def close(ours: Any, theirs: Any, tolerance: float) -> None:
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=tolerance)


@pytest.mark.parametrize("name", [name for name in cases() if name.startswith("rdrobust")])
def test_equals_rdrobust(name: str) -> None:
    case = cases()[name]
    frame = table(case["data"])
    if "subset" in case["code"]:
        frame = frame[frame["z2"] == 1]
    expected, details = case["expected"], None
    tolerance = 1e-6 if isinstance(case["choices"].get("bandwidth", "mserd"), str) else 1e-9
    estimate = estimator(case).fit(frame)
    details = estimate.details
    close([details["h_left"], details["h_right"]], expected["h"], tolerance)
    close([details["b_left"], details["b_right"]], expected["b"], tolerance)
    close(estimate.values, expected["coef"], tolerance)
    close(estimate.uncertainty.std_error, expected["se"], tolerance)
    low, high = estimate.interval(case["level"]).T
    close(low, expected["ci_lower"], tolerance)
    close(high, expected["ci_upper"], tolerance)
    assert [details["n_left"], details["n_right"]] == expected["N_h"]
    assert [details["n_bias_left"], details["n_bias_right"]] == expected["N_b"]


@pytest.mark.parametrize("selector", cases()["rdbwselect-all"]["expected"])
def test_every_selector(selector: str) -> None:
    case = cases()["rdbwselect-all"]
    chosen = RegressionDiscontinuity(outcome="y", running="x", bandwidth=selector)
    details = chosen.fit(table(case["data"])).details
    ours = [details[key] for key in ("h_left", "h_right", "b_left", "b_right")]
    close(ours, case["expected"][selector], 1e-6)


@pytest.mark.parametrize("name", [name for name in cases() if name.startswith("rddensity")])
def test_equals_rddensity(name: str) -> None:
    case = cases()[name]
    expected = case["expected"]
    frame = table(case["data"])
    estimate = density_test(frame, running="x", choices=DensityChoices(**case["choices"]))
    details = estimate.details
    close([details["h_left"], details["h_right"]], expected["h"], 1e-7)
    close(estimate.values, expected["hat"], 1e-7)
    close(estimate.uncertainty.std_error, expected["se"], 1e-7)
    assert [details["n_left"], details["n_right"]] == expected["N_h"]
