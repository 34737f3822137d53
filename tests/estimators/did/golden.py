"""The stored cases of two-period comparisons, and the estimators that answer them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from juntos_eval.estimators.did import DoublyRobust

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "did"
METHODS = {"dr": "traditional", "ipw": "ipw", "reg": "reg"}
COVARIATES = {
    "none": (),
    "lpop": ("lpop",),
    "x1x2": ("x1", "x2"),
    "x1I(x1^2)x2": ("x1", "x1_squared", "x2"),
}


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


@cache
def peers(kind: str) -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "peers.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content[kind]}


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name)


def two_by_two_panel() -> pd.DataFrame:
    wide = table("did_2x2.csv")
    periods = [wide.assign(outcome=wide["y0"], post=0), wide.assign(outcome=wide["y1"], post=1)]
    return pd.concat(periods, ignore_index=True)


def of_drdid(name: str, variance: str = "exact") -> tuple[DoublyRobust, pd.DataFrame]:
    """Return the estimator and the rows of a case of DRDID."""
    function, mark = name.rsplit("-", 1)
    in_panel = function.endswith("_panel")
    choices: dict[str, Any] = {"panel": in_panel, "variance": variance}
    choices["covariates"] = () if mark == "nocov" else ("x1", "x2", "x3")
    choices["weights"] = "w" if mark == "w" else None
    if function.startswith("drdid"):
        choices["method"] = "improved" if "_imp_" in function else "traditional"
        choices["locally_efficient"] = not function.endswith("rc1")
    elif function.startswith("reg"):
        choices["method"] = "reg"
    else:
        choices["method"], choices["normalised"] = "ipw", function.startswith("std")
    if in_panel:
        estimator = DoublyRobust(outcome="outcome", unit="id", time="post", treatment="d", **choices)
        return estimator, two_by_two_panel()
    return DoublyRobust(outcome="y", time="post", treatment="d", **choices), table("did_2x2.csv")


def of_did(name: str, frame: pd.DataFrame) -> Iterator[tuple[DoublyRobust, pd.DataFrame, float, float]]:
    """Yield estimator, rows, effect and standard error of the cells of an ``att_gt`` case.

    Cells whose period lies before their base (universal base) are left out: there the package takes
    covariates of the later row.
    """
    _, tag, formula, method, comparison, base_rule, ahead, weight, _ = name.split("-")
    outcome, unit, time, group = (
        ("lemp", "countyreal", "year", "first_treat") if tag == "mpdta" else ("y", "id", "time", "g")
    )
    estimator = DoublyRobust(
        outcome=outcome,
        unit=unit,
        time=time,
        treatment="is_treated",
        covariates=COVARIATES[formula],
        method=METHODS[method],  # type: ignore[arg-type]
        panel=tag != "rc",
        weights="w" if weight == "w" else None,
        variance="drdid",
    )
    anticipation, expected = int(ahead[1:]), cases()[name]["expected"]
    if "x1" in frame:
        frame = frame.assign(x1_squared=frame["x1"] ** 2)
    for g, t, att, se in zip(*(expected[key] for key in ("group", "time", "att", "se")), strict=True):
        base = g - 1 - anticipation if base_rule == "universal" or t >= g - anticipation else t - 1
        if se is None or t < base:
            continue
        control = frame[group] == 0
        if comparison == "notyettreated":
            control |= (frame[group] > max(t, base) + anticipation) & (frame[group] != g)
        rows = frame[((frame[group] == g) | control) & frame[time].isin([base, t])]
        yield estimator, rows.assign(is_treated=(rows[group] == g).astype(int)), att, se
