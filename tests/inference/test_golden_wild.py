"""Our wild bootstrap is fwildclusterboot's, and the one that every sign vector makes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimate import Fit
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.wild_bootstrap import WildBootstrap
from tests.inference.panel import absorbed_fit

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "wild"
COLUMNS = ("tr", "x1", "x2")


@cache
def cases() -> dict[str, dict[str, Any]]:
    content = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in content}


@cache
def fit_of(name: str, weighted: bool, value: str) -> Fit:
    frame = pd.read_csv(FOLDER / name)
    weights = frame["w"].to_numpy() if weighted else None
    fit = absorbed_fit(frame, COLUMNS, (), weights, ("cl",))
    row = np.eye(4)[[1 + COLUMNS.index(value)]]
    assert fit.linear is not None
    return replace(
        fit,
        values=row @ fit.values,
        influence=fit.influence.combine(row),
        linear=replace(fit.linear, selection=row),
    )


@pytest.mark.parametrize("name", sorted(name for name in cases() if name.startswith("wild-")))
def test_every_sign_vector(name: str) -> None:
    _, data, scheme, value, weights = name.split("-")
    expected = cases()[name]["expected"]
    fit = fit_of(f"{data}.csv", weights == "w", value)
    choices: dict[str, Any] = {"by": "cl", "seed": 1, "impose_null": scheme == "WCR", "draws": 5000}
    error = Cluster("cl", kind="CR1S").infer(fit).std_error[0]
    np.testing.assert_allclose(fit.values[0], expected["beta"], rtol=1e-9)
    np.testing.assert_allclose(error, expected["se_crv1"], rtol=1e-9)
    marks: dict[Any, str] = {"above": "gt", "at_least": "ge"}
    for ties, mark in marks.items():
        found = WildBootstrap(**choices, ties=ties).infer(fit)
        assert found.p_values is not None
        assert found.p_values[0] == expected[f"p_{mark}"]
        assert f"all {expected['draws']:,} draws" in found.method
        equal = WildBootstrap(**choices, ties=ties, tail="equal-tailed", level=None).infer(fit)
        assert equal.p_values is not None
        assert equal.p_values[0] == expected[f"p_equal_tail_{mark}"]
        if f"ci_{mark}_lower" in expected:
            sets = WildBootstrap(**choices, ties=ties).confidence_sets(fit)[0]
            piece = next(piece for piece in sets if piece[0] < fit.values[0] < piece[1])
            ends = [float(expected[f"ci_{mark}_{end}"]) for end in ("lower", "upper")]
            within = [abs(end - fit.values[0]) < 12 * error for end in piece]
            np.testing.assert_allclose(np.where(within, piece, np.sign(piece) * np.inf), ends, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(name for name in cases() if name.startswith("boottest-")))
def test_fwildclusterboot(name: str) -> None:
    expected = cases()[name]["expected"]
    data = f"{name.split('-')[1]}.csv"
    variant: Any = found[1] if (found := re.search(r"mnw-(\d\d)", name)) else "11"
    tails: dict[str, Any] = {"two": "two-sided", "equal": "equal-tailed", "gt": "greater", "lt": "less"}
    fit = fit_of(data, False, "tr")
    inference = WildBootstrap(
        by="cl",
        seed=1,
        draws=5000,
        impose_null="WCR" in name,
        variant=variant,
        tail=tails.get(name.rsplit("-", 1)[1], "two-sided"),
    )
    found_ = inference.infer(fit)
    assert found_.p_values is not None
    if variant[1] == "3":
        # its t has the factor (n-1)/(n-k) and its t* the factor (G-1)/G: not one statistic, and not ours
        uneven = np.sqrt((fit.n - 1) / (fit.n - fit.parameters) * 8 / 7)
        np.testing.assert_allclose(fit.values[0] / found_.std_error[0] / uneven, expected["t"], rtol=1e-9)
        clusters = inference._clusters(fit)
        curve: Any = inference._curves(fit, clusters, inference._draws(clusters))[0]
        theirs = replace(curve, std_error=curve.std_error * uneven)
        assert theirs.p_of(fit.values)[0] == expected["p"]
        assert curve.p_of(fit.values)[0] == found_.p_values[0] < expected["p"]
        return
    assert found_.p_values[0] == expected["p"]
    np.testing.assert_allclose(fit.values[0] / found_.std_error[0], expected["t"], rtol=1e-9)
    if expected.get("ci", [None]) != [None]:
        assert found_.intervals is not None
        np.testing.assert_allclose(found_.intervals[0], expected["ci"], atol=1e-4)
