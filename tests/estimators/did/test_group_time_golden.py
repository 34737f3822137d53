"""Our group-time effects, their averages and errors are those of R's did."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import juntos_eval as je
from juntos_eval.estimate import Estimate
from tests.estimators.did import staggered
from tests.estimators.did.staggered import close

CASES = staggered.names(r"att_gt-(?!cl-clustered).*")
CLUSTERED = staggered.names("att_gt-cl-clustered.*")
CONTROLS = {"nevertreated": "never", "notyettreated": "not_yet"}


def choices(case: dict[str, Any]) -> dict[str, Any]:
    """Read the choices of a case from the call that made it."""
    code = case["call"]["code"]

    def of(name: str, default: str | None = None) -> Any:
        found = re.search(rf'{name} = "?([^",)]+)', code)
        return found[1] if found else default

    formula = re.search(r"xformla = ~([^,]+),", code)
    terms = [] if formula is None or formula[1] == "1" else formula[1].split(" + ")
    return {
        "outcome": of("yname"),
        "time": of("tname"),
        "first_treated": of("gname"),
        "unit": of("idname"),
        "covariates": tuple("x1_squared" if term == "I(x1^2)" else term for term in terms),
        "control": CONTROLS[of("control_group")],
        "method": of("est_method"),
        "base": of("base_period"),
        "anticipation": int(of("anticipation").rstrip("L")),
        "panel": of("panel", "TRUE") == "TRUE",
        "balanced": of("allow_unbalanced_panel", "FALSE") == "FALSE",
        "weights": of("weightsname"),
        "variance": "drdid",
    }


def fit(name: str, **carry: Any) -> tuple[Estimate, dict[str, Any], float]:
    case = staggered.cases()[name]
    frame = staggered.table(case)
    if "x1" in frame:
        frame = frame.assign(x1_squared=frame["x1"] ** 2)
    chosen = choices(case)
    has_score = chosen["method"] != "reg" and bool(chosen["covariates"])
    expected = without_reference(case["expected"])
    return je.GroupTime(**chosen).fit(frame, **carry), expected, 1e-7 if has_score else 1e-9


def rows_of(estimate: Estimate, expected: dict[str, Any]) -> list[int]:
    place = {
        pair: at for at, pair in enumerate(zip(estimate.keys["group"], estimate.keys["time"], strict=True))
    }
    assert len(place) == len(estimate.values)
    return [place[pair] for pair in zip(expected["group"], expected["time"], strict=True)]


def without_reference(stored: dict[str, Any]) -> dict[str, Any]:
    """Leave out the cells that are zero by construction: did keeps them without an error, ours has none."""
    errors = stored["se"] if "se" in stored else stored["se_cluster"]
    kept = [at for at, se in enumerate(errors) if se is not None]
    assert all(stored["att"][at] == 0 for at in range(len(errors)) if at not in kept)
    return {
        name: [values[at] for at in kept] if isinstance(values, list) else values
        for name, values in stored.items()
    }


def test_every_case_is_there() -> None:
    assert (len(CASES), len(CLUSTERED)) == (62, 2)


@pytest.mark.parametrize("name", CASES)
def test_cells_and_averages(name: str) -> None:
    estimate, expected, tolerance = fit(name)
    rows = rows_of(estimate, expected)
    scale = float(np.nanmax(staggered.numbers(expected["se"])))
    close(estimate.values[rows], expected["att"], tolerance, scale)
    close(estimate.uncertainty.std_error[rows], expected["se"], tolerance)
    assert estimate.sample.units == expected["n"]
    for kind in ("simple", "group", "calendar", "dynamic"):
        stored = expected[f"agg_{kind}"]
        compare_average(je.aggregate(estimate, kind), stored, kind, tolerance, scale)
    if stored := expected.get("agg_dynamic_balance_e1"):
        compare_average(je.aggregate(estimate, "dynamic", 1), stored, "dynamic", tolerance, scale)
    if stored := expected.get("agg_dynamic_min_m1_max_1"):
        near = je.aggregate(estimate, "dynamic", min_event_time=-1, max_event_time=1)
        close(near.values[0], stored["overall_att"], tolerance, scale)
        close(near.uncertainty.std_error[0], stored["overall_se"], tolerance)


def compare_average(
    found: Estimate, stored: dict[str, Any], kind: str, tolerance: float, scale: float
) -> None:
    error = found.uncertainty.std_error
    assert found.keys["term"][0] == "overall"
    close(found.values[0], stored["overall_att"], tolerance, scale)
    close(error[0], stored["overall_se"], tolerance)
    if kind == "simple":
        return
    stored = without_reference(stored)
    key = {"group": "group", "calendar": "time", "dynamic": "event_time"}[kind]
    assert list(found.keys[key][1:]) == stored["egt"]
    close(found.values[1:], stored["att"], tolerance, scale)
    close(error[1:], stored["se"], tolerance)


@pytest.mark.parametrize("name", [name for name in CASES if "-a0-" in name])
def test_effects_before_treatment_jointly(name: str) -> None:
    estimate, expected, _ = fit(name)
    if expected["wald_pretest"] is None:
        pytest.skip("did gives no joint test here")
    check = je.pretrend_test(estimate)
    before = np.array(estimate.keys["event_time"]) < 0
    known = before & np.isfinite(estimate.uncertainty.std_error)
    test = estimate.test(np.eye(len(known))[known])
    assert test.statistic * test.df == pytest.approx(expected["wald_pretest"], rel=1e-6)
    # did rounds its p value to five places
    assert test.p_value == pytest.approx(expected["wald_pretest_p"], abs=6e-6)
    assert check.passed is (test.p_value >= 0.05)
    assert f"{stats.chi2.sf(expected['wald_pretest'], test.df):.3g}" in check.detail


@pytest.mark.parametrize("name", CLUSTERED)
def test_clusters(name: str) -> None:
    estimate, expected, tolerance = fit(name, carry=("cl",))
    rows = rows_of(estimate, expected)
    close(estimate.uncertainty.std_error[rows], expected["se_unclustered"], tolerance)
    clustered = estimate.with_inference(je.Cluster("cl", kind="CR0"))
    close(clustered.uncertainty.std_error[rows], expected["se_cluster"], tolerance)
    for kind in ("simple", "dynamic"):
        average = je.aggregate(clustered, kind)
        close(average.values[0], expected[kind]["overall_att"], tolerance)
        close(average.uncertainty.std_error[0], expected[kind]["overall_se_cluster"], tolerance)


def test_public_names_take_what_a_notebook_shows() -> None:
    """A cohort's effect is that of two groups in two periods."""
    frame = pd.read_csv(staggered.FOLDER / "did_cl.csv")
    kept = frame[frame["g"].isin([0, 5]) & frame["time"].isin([4, 6])]
    pair = je.DoublyRobust(
        outcome="y", unit="id", time="time", treatment="D", covariates=("x1", "x2"), method="traditional"
    )
    whole = je.GroupTime(outcome="y", unit="id", time="time", first_treated="g", covariates=("x1", "x2"))
    cells = whole.fit(frame)
    at = list(zip(cells.keys["group"], cells.keys["time"], strict=True)).index((5, 6))
    two = pair.fit(kept)
    assert cells.values[at] == pytest.approx(float(two.values[0]), rel=1e-10)
    assert cells.uncertainty.std_error[at] == pytest.approx(float(two.uncertainty.std_error[0]), rel=1e-10)
