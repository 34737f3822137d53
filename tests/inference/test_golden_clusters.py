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
from scipy import stats

from juntos_eval.estimate import Fit, Inference, Uncertainty
from juntos_eval.inference.cluster import Cluster
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
