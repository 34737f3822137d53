"""Our errors with clusters, effects, space and time are those of fixest, sandwich and clubSandwich."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats

from juntos_eval.estimate import Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimate.intervals import two_sided_p_values
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_wald import cluster_wald
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.newey_west import DriscollKraay, NeweyWest
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.small_sample import SmallSample
from tests.inference import golden
from tests.inference.panel import absorbed_fit

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "clusters"


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name) if (FOLDER / name).exists() else golden.table(name)


RULES = {
    "default": SmallSample(),
    "full": SmallSample(effects="full"),
    "none_fe": SmallSample(effects="none"),
    "exact": SmallSample(effects="full", rank="exact"),
    "conv": SmallSample(cluster_count="each", df="residual"),
    "noadj": SmallSample(coefficients=False, clusters=False),
}
EFFECTS = {
    "fe0": (),
    "fe1": ("id",),
    "fe2": ("id", "year"),
    "fe2n": ("id", "region", "year"),
    "fe3": ("id", "year", "grp"),
}
CLUSTERED = sorted(n for n in cases() if re.search(r"feols-\w+-\w+-(iid|hetero|cl_id|tw)-", n))


def fixest_fit(name: str, carry: tuple[str, ...]) -> Fit:
    _, data, effects, *_, weights, singletons = name.split("-")
    frame = table(f"{data}.csv")
    absorb = EFFECTS[effects]
    while singletons == "singletons":
        counts = np.array([frame.groupby(column)["y"].transform("size") for column in absorb])
        if (counts > 1).all():
            break
        frame = frame.iloc[np.flatnonzero((counts > 1).min(axis=0))]
    weight = frame["w"].to_numpy() if weights == "w" else None
    return absorbed_fit(frame, ("x1", "x2", "x3"), absorb, weight, carry)


def clustered(name: str) -> Inference:
    _, _, _, kind, rule, *_ = name.split("-")
    if kind in ("iid", "hetero"):
        return Iid(RULES[rule]) if kind == "iid" else Robust("HC1", RULES[rule])
    by = {"cl_id": "id", "tw": ("id", "year")}[kind]
    return Cluster(by, small_sample=RULES[rule])  # type: ignore[arg-type]


def agrees(fit: Fit, found: Uncertainty, expected: dict[str, Any], tolerance: float) -> None:
    np.testing.assert_allclose(fit.values, golden.numbers(expected["coef"]), rtol=1e-9)
    np.testing.assert_allclose(found.std_error, golden.numbers(expected["se"]), rtol=tolerance)
    values = np.array(expected["vcov"]["values"])
    scale = np.sqrt(np.outer(np.diag(values), np.diag(values)))
    np.testing.assert_allclose(found.covariance / scale, values / scale, atol=2 * tolerance)
    assert found.df == expected["df_t"]
    p_values = 2 * stats.t.sf(np.abs(fit.values / found.std_error), found.df)
    np.testing.assert_allclose(p_values, golden.numbers(expected["p"]), rtol=1e-5, atol=1e-200)


@pytest.mark.parametrize("name", CLUSTERED)
def test_small_sample_rules_of_fixest(name: str) -> None:
    inference = clustered(name)
    fit = fixest_fit(name, inference.columns)
    agrees(fit, inference.infer(fit), cases()[name]["expected"], 1e-7)


SPACE_AND_TIME = sorted(n for n in cases() if re.search("-(NW2|DK2|conley|conley_tri)-", n))
KINDS: dict[str, Any] = {
    "NW2": lambda rule: NeweyWest(unit="id", time="year", lags=2, small_sample=rule),
    "DK2": lambda rule: DriscollKraay(time="year", lags=2, small_sample=rule),
    "conley": lambda rule: Conley(lat="lat", lon="lon", cutoff_km=300, small_sample=rule),
    "conley_tri": lambda rule: Conley(
        lat="lat", lon="lon", cutoff_km=200, distance="planar", small_sample=rule
    ),
}


@pytest.mark.parametrize("name", SPACE_AND_TIME)
def test_space_and_time(name: str) -> None:
    _, _, _, kind, rule, *_ = name.split("-")
    inference: Inference = KINDS[kind](RULES[rule])
    fit = fixest_fit(name, inference.columns)
    agrees(fit, inference.infer(fit), cases()[name]["expected"], 1e-7)


CORRECTED = sorted(
    name
    for name in {**cases(), **golden.cases()}
    if re.match("coef_test|vcovCL|vcovHC|lm_robust", name)
    if name != "vcovHC-const-w" and not re.search("vcovCL.*(HC2|HC3).*-w", name)
)


def corrected(name: str) -> Inference:
    """The inference that a case of clubSandwich, sandwich or estimatr asks for."""
    kind = re.sub(r"^(coef_test|vcovCL)-reg_cross(_few)?-|^(vcovHC|lm_robust)-|-[uw]$", "", name)
    if name.startswith("vcovHC") or (kind.startswith("HC") and "cadj" not in kind):
        return Iid() if kind == "const" else Robust(kind)  # type: ignore[arg-type]
    plain = SmallSample(coefficients=False, clusters=False, df="satterthwaite")
    if name.startswith("vcovCL"):
        rule = SmallSample(coefficients="HC1" in kind, clusters="nocadj" not in kind)
        if kind[:3] in ("HC2", "HC3"):
            # sandwich takes them times (G-1)/G, which cadjust takes back
            kind = {"HC2-cadj": "CR2", "HC3-cadj": "CR3", "HC3-nocadj": "CR3J"}.get(kind, "CR2")
            return Cluster("cl", kind=kind)  # type: ignore[arg-type]
        return Cluster("cl", small_sample=rule)
    if name.startswith("lm_robust"):
        kind = {"stata": "CR1S"}.get(kind, kind)
        return Cluster("cl", kind=kind)  # type: ignore[arg-type]
    if kind == "CR2-naive-t":
        return Cluster("cl", kind="CR2", small_sample=SmallSample(coefficients=False, clusters=False))
    kind = kind.removesuffix("-Satterthwaite")
    rules = {
        "CR0": plain,
        "CR1": SmallSample(coefficients=False, df="satterthwaite"),
        "CR1S": SmallSample(df="satterthwaite"),
    }
    return Cluster("cl", kind=kind, small_sample=rules.get(kind, plain))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CORRECTED)
def test_corrected_clusters(name: str) -> None:
    case = {**golden.cases(), **cases()}[name]
    frame = table(case["data"])
    weights = frame["w"].to_numpy() if "weights = w" in case["call"]["code"] else None
    fit = absorbed_fit(frame, ("tr", "x1", "x2", "x3"), (), weights, ("cl",))
    inference = corrected(name)
    found, expected = inference.infer(fit), case["expected"]
    if name == "vcovCL-reg_cross_few-HC2-nocadj-u":
        expected = {**expected, "se": {"all": golden.numbers(expected["se"]) * np.sqrt(8 / 7)}}
        expected["se"] = dict(enumerate(expected["se"]["all"]))
    np.testing.assert_allclose(fit.values, golden.numbers(expected["coef"]), rtol=1e-9)
    np.testing.assert_allclose(found.std_error, golden.numbers(expected["se"]), rtol=1e-9)
    if "df" in expected:
        degrees = found.df if found.df_each is None else found.df_each
        np.testing.assert_allclose(degrees + 0 * fit.values, golden.numbers(expected["df"]), rtol=1e-9)
    if "p" in expected:
        np.testing.assert_allclose(
            two_sided_p_values(fit.values, found), golden.numbers(expected["p"]), rtol=1e-7
        )


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
@pytest.mark.parametrize("adjusted", ["cadj", "nocadj"])
def test_what_sandwich_does_with_weights_is_another_question(kind: str, adjusted: str) -> None:
    """It corrects scores, w e, by a matrix that is meant for residuals, e: a formula, but no jackknife."""
    expected = golden.numbers(cases()[f"vcovCL-reg_cross_few-{kind}-{adjusted}-w"]["expected"]["se"])
    frame = table("reg_cross_few.csv")
    weight = frame["w"].to_numpy()
    fit = absorbed_fit(frame, ("tr", "x1", "x2", "x3"), (), weight, ("cl",))
    assert fit.linear is not None
    x, e, M = fit.linear.design, fit.linear.residuals, fit.linear.bread
    meat = np.zeros((5, 5))
    clusters = np.unique(frame["cl"])
    for cluster in clusters:
        rows = (frame["cl"] == cluster).to_numpy()
        left = np.eye(rows.sum()) - x[rows] @ M @ (x[rows] * weight[rows, None]).T
        power = linalg.inv(left) if kind == "HC3" else np.real(linalg.sqrtm(linalg.inv(left)))
        score = x[rows].T @ power @ (weight[rows] * e[rows])
        meat += np.outer(score, score)
    factor = 1.0 if adjusted == "cadj" else 1 - 1 / len(clusters)
    np.testing.assert_allclose(np.sqrt(np.diag(M @ meat @ M) * factor), expected, rtol=1e-9)
    ours = Cluster("cl", kind="CR2" if kind == "HC2" else "CR3").infer(fit).std_error
    assert (np.abs(ours / expected - 1) > 1e-3).any()


def test_fixed_effects_in_the_clusters() -> None:
    """Dummies entered or absorbed: one answer, that of clubSandwich with dummies."""
    expected = cases()["CR2-fe-absorbed"]["expected"]
    frame = table("reg_cross_few.csv")
    absorbed = absorbed_fit(frame, ("x1", "x2", "x3"), ("cl",), carry=("cl",))
    found = Cluster("cl", kind="CR2").infer(absorbed)
    assert found.df_each is not None
    np.testing.assert_allclose(absorbed.values, golden.numbers(expected["coef"]), rtol=1e-9)
    np.testing.assert_allclose(found.std_error, golden.numbers(expected["se"]), rtol=1e-9)
    np.testing.assert_allclose(found.df_each, golden.numbers(expected["df"]), rtol=1e-9)


@pytest.mark.parametrize("name", sorted(name for name in cases() if name.startswith("Wald_test")))
def test_several_restrictions(name: str) -> None:
    expected = cases()[name]["expected"]
    frame = table("reg_cross.csv")
    weights = frame["w"].to_numpy() if name.endswith("-w") else None
    fit = absorbed_fit(frame, ("tr", "x1", "x2", "x3"), (), weights, ("cl",))
    inference = Cluster("cl", kind="CR2")
    estimate = Estimate(
        spec={"estimator": "by hand"},
        keys={"term": ("one", "tr", "x1", "x2", "x3")},
        values=fit.values,
        uncertainty=inference.infer(fit),
        sample=Sample(rows=fit.n, units=fit.n),
        fit=fit,
    )
    restrictions = np.eye(5)[[1, 3]]
    kind = name.removeprefix("Wald_test-")[:-2]
    found = cluster_wald(estimate, inference, restrictions, test=kind)  # type: ignore[arg-type]
    assert found.df == expected["df_num"]
    np.testing.assert_allclose(found.statistic, expected["Fstat"], rtol=1e-9)
    np.testing.assert_allclose(found.df_denominator, expected["df_denom"] or np.inf, rtol=1e-9)
    np.testing.assert_allclose(found.p_value, expected["p"], rtol=1e-9)
