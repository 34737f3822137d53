"""Coefficients, errors and tests of instrumented regressions are those of fixest and of the definitions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.iv import TwoStage, endogeneity, overidentification, weak_instruments
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid, Robust

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "iv"
MODELS: dict[str, dict[str, Any]] = {
    "iv1_just": {"endogenous": ("d1",), "instruments": ("z1",)},
    "iv1_over": {"endogenous": ("d1",), "instruments": ("z1", "z2", "z3")},
    "iv2": {"endogenous": ("d1", "d2"), "instruments": ("z1", "z2", "z3")},
    "iv1_fe2": {"endogenous": ("d1",), "instruments": ("z1", "z2"), "absorb": ("f1", "f2")},
    "iv2_fe2": {"endogenous": ("d1", "d2"), "instruments": ("z1", "z2", "z3"), "absorb": ("f1", "f2")},
}
BY: dict[str, Inference] = {"iid": Iid(), "hetero": Robust("HC1"), "cl": Cluster("cl", kind="CR1S")}


@cache
def cases() -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))}


@cache
def table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "reg_iv.csv")


TWO_STAGE = [name for name in cases() if name.startswith("feols")]
RANK = [name for name in cases() if name.startswith("kp")]


@cache
def fitted(name: str) -> Estimate:
    _, _, model, by, weights = name.split("-")
    spec = TwoStage(outcome="y", covariates=("x1",), weights="w" if weights == "w" else None, **MODELS[model])
    return spec.fit(table(), inference=BY[by])


def near(found: Any, expected: Any, *, has_effects: bool) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-7 if has_effects else 1e-9)


def test_every_case_is_there() -> None:
    assert (len(TWO_STAGE), len(RANK)) == (25, 9)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_coefficients_and_errors(name: str) -> None:
    estimate, expected = fitted(name), cases()[name]["expected"]
    has_effects = "fe2" in name
    terms = [
        "(Intercept)" if t == "constant" else f"fit_{t}" if t[0] == "d" else t for t in estimate.keys["term"]
    ]
    assert set(terms) == set(expected["coef"])
    np.testing.assert_allclose(estimate.values, [expected["coef"][term] for term in terms], rtol=1e-9)
    near(estimate.uncertainty.std_error, [expected["se"][term] for term in terms], has_effects=has_effects)
    order = [expected["vcov"]["names"].index(term) for term in terms]
    covariance = np.array(expected["vcov"]["values"])[np.ix_(order, order)]
    scale = np.sqrt(np.diag(covariance))
    gap = np.abs(estimate.uncertainty.covariance - covariance) / np.outer(scale, scale)
    assert gap.max() < (1e-7 if has_effects else 1e-9)
    assert estimate.uncertainty.df == expected["df_t"]
    assert estimate.sample.rows == expected["nobs"]
    linear = estimate.fit.linear  # type: ignore[union-attr]
    near(linear.weights @ linear.residuals**2, expected["ssr"], has_effects=has_effects)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", TWO_STAGE)
def test_first_stage_statistics(name: str) -> None:
    estimate, tests = fitted(name), cases()[name]["expected"]["fitstat"]
    has_effects = "fe2" in name
    plain, own = weak_instruments(estimate, inference=Iid()), weak_instruments(estimate)
    for found, kind in ((plain, "ivf1"), (own, "ivwald1")):
        for test, regressor in zip(found.first_stage, estimate.spec["endogenous"], strict=True):
            expected = tests[f"{kind}::{regressor}"]
            near(test.statistic, expected["stat"], has_effects=has_effects)
            assert test.df == expected["df1"]
    near(
        plain.first_stage[0].p_value, tests[f"ivf1::{estimate.spec['endogenous'][0]}"]["p"], has_effects=True
    )
    if "cd" in tests and not name.endswith("-w"):
        # fixest counts endogenous regressors, instruments and x1, and neither the constant nor effects
        d, m = len(estimate.spec["endogenous"]), len(estimate.spec["instruments"])
        counted = plain.first_stage[0].df_denominator / (estimate.sample.rows - d - m - 1)
        near(plain.cragg_donald, tests["cd"] * counted, has_effects=has_effects)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_endogeneity_and_agreement_of_instruments(name: str) -> None:
    estimate, tests = fitted(name), cases()[name]["expected"]["fitstat"]
    has_effects = "fe2" in name
    test = endogeneity(estimate, inference=Iid())
    near([test.statistic, test.p_value], [tests["wh"]["stat"], tests["wh"]["p"]], has_effects=True)
    assert (test.df, test.df_denominator) == (tests["wh"]["df1"], tests["wh"]["df2"])
    if "sargan" in tests and not name.endswith("-w"):
        sargan = overidentification(estimate, inference=Iid())
        near(sargan.statistic, tests["sargan"]["stat"], has_effects=has_effects)
        assert sargan.df == tests["sargan"]["df"]


@pytest.mark.parametrize("name", RANK)
def test_kleibergen_paap(name: str) -> None:
    *_, count, by = name.split("-")
    spec = TwoStage(
        outcome="y", endogenous="d1", instruments=("z1", "z2", "z3")[: int(count)], covariates=("x1",)
    )
    found = weak_instruments(spec.fit(table(), inference=BY[by]))
    expected = cases()[name]["expected"]
    near(found.kleibergen_paap_lm.statistic, expected["kp_lm"], has_effects=False)
    near(found.kleibergen_paap_lm.p_value, expected["kp_lm_p"], has_effects=False)
    assert found.kleibergen_paap_lm.df == expected["kp_lm_df"]
    near(found.kleibergen_paap_wald.statistic, expected["kp_wald_chi2"], has_effects=False)
    near(found.kleibergen_paap_f, expected["kp_wald_F"], has_effects=False)
