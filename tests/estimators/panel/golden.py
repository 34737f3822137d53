"""The stored cases of fixest and plm, and the tables they were computed on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley import Conley
from juntos_eval.inference.newey_west import DriscollKraay, NeweyWest
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.small_sample import SmallSample

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
FOLDERS = ("panel", "clusters", "inference")


@cache
def cases(function: str) -> dict[str, dict[str, Any]]:
    content = json.loads((GOLDEN / "panel" / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content if case["call"]["function"] == function}


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(
        next(GOLDEN / folder / name for folder in FOLDERS if (GOLDEN / folder / name).exists())
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the R code of a feols case asks for."""

    estimator: FixedEffects
    inference: Inference


def feols_call(code: str) -> Call:
    formula, vcov, options = re.findall(
        r"^feols\(y ~ (.*?), data = d, vcov = (.*), ssc = ssc\((.*?)\)", code
    )[0]
    right, *effects = (part.strip() for part in formula.split("|"))
    return Call(
        estimator=FixedEffects(
            outcome="y",
            covariates=tuple(right.split(" + ")),
            absorb=tuple(effects[0].split(" + ")) if effects else (),
            weights="w" if "weights = ~w" in code else None,
            singletons="drop" if 'fixef.rm = "singletons"' in code else "keep",
        ),
        inference=_inference(vcov, _rule(options)),
    )


def _rule(options: str) -> SmallSample:
    given: dict[str, Any] = dict(re.findall(r'([A-Za-z.]+) = "?([A-Za-z]+)', options))
    return SmallSample(
        coefficients=given["K.adj"] == "TRUE",
        effects=given["K.fixef"],
        rank="exact" if given["K.exact"] == "TRUE" else "levels",
        clusters=given["G.adj"] == "TRUE",
        cluster_count="min" if given["G.df"] == "min" else "each",
        df="min" if given["t.df"] == "min" else "residual",
    )


def _inference(vcov: str, rule: SmallSample) -> Inference:
    if vcov == '"iid"':
        return Iid(small_sample=rule)
    if vcov == '"hetero"':
        return Robust("HC1", small_sample=rule)
    if vcov.startswith("NW"):
        return NeweyWest(time="year", unit="id", lags=2, small_sample=rule)
    if vcov.startswith("DK"):
        return DriscollKraay(time="year", lags=2, small_sample=rule)
    if vcov.startswith("conley"):
        return Conley(
            lat="lat",
            lon="lon",
            cutoff_km=float(re.findall(r"\d+", vcov)[0]),
            distance="spherical" if "spherical" in vcov else "planar",
            small_sample=rule,
        )
    return Cluster(tuple(vcov.removeprefix("~").split(" + ")), small_sample=rule)


@cache
def feols(name: str) -> Estimate:
    case = cases("feols")[name]
    call = feols_call(case["call"]["code"])
    return call.estimator.fit(table(case["data"]), inference=call.inference)
