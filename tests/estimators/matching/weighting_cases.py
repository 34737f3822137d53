"""The stored cases of weighting and regression adjustment, and the estimators that answer them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import juntos_eval as je
from juntos_eval.estimate import Estimate

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "weighting"
COVARIATES = ("x1", "x2", "x3", "x4", "b1")
LALONDE = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
SQUARES = ("age", "re74", "re75")
COLUMNS: dict[str, dict[str, Any]] = {
    "mt_cont": {"outcome": "y", "treatment": "d", "score": COVARIATES, "regression": COVARIATES},
    "cattaneo": {
        "outcome": "bweight",
        "treatment": "mbsmoke_",
        "score": ("mmarried_", "mage", "mage2", "fbaby_", "medu"),
        "regression": ("prenatal1_", "mmarried_", "mage", "fbaby_"),
    },
}


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


def expected(name: str) -> dict[str, Any]:
    return dict(cases()[name]["expected"])


@cache
def simulated(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


@cache
def birth_weights(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "benchmarks" / "matching" / "cataneo2.csv")


@cache
def lalonde(shared_data: Path, controls: str) -> pd.DataFrame:
    """Treated of the NSW experiment with its own controls, or those of the PSID or the CPS."""
    folder = shared_data / "benchmarks" / "matching"
    columns = ["treat", *LALONDE, "re78"]
    experiment = pd.read_stata(folder / "nsw_mixtape.dta")[columns].astype(float)
    if controls == "nsw":
        frame = experiment
    else:
        if controls == "cps":
            others = pd.read_stata(folder / "cps_mixtape.dta")[columns].astype(float)
        else:
            others = pd.read_csv(folder / "psid_controls.csv").iloc[:, 1:].set_axis(columns, axis=1)
        frame = pd.concat([experiment[experiment["treat"] == 1], others], ignore_index=True)
    return frame.assign(**{f"{name}_squared": frame[name] ** 2 for name in SQUARES})


def treatment_effect(name: str, frame: pd.DataFrame) -> Estimate:
    """Answer a case ``te-[exact-]<table>-<method>-<effect>-<link>``."""
    table, method, effect, link = name.removeprefix("te-").removeprefix("exact-").split("-")
    columns = COLUMNS[table]
    asked: dict[str, Any] = {
        "outcome": columns["outcome"],
        "treatment": columns["treatment"],
        "estimand": {"atu": "atc"}.get(effect, effect),
        "means": True,
    }
    if method == "ra":
        return je.RegressionAdjustment(covariates=columns["regression"], **asked).fit(frame)
    asked |= {"covariates": columns["score"], "link": link}
    if method == "ipw":
        return je.Weighting(**asked).fit(frame)
    asked["outcome_covariates"] = columns["regression"]
    if method in ("ipwra", "ipw_ra"):
        return je.IPWRA(**asked).fit(frame)
    return je.AIPW(weighted_outcome=method == "aipw_wls", **asked).fit(frame)
