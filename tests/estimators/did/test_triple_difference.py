"""Triple differences equal the saturated regression, three doubly robust comparisons, and inverse weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import DoublyRobust, GroupTime, TripleDifference, aggregate
from juntos_eval.inference.cluster import Cluster

COLUMNS: dict[str, Any] = {
    "outcome": "y",
    "unit": "id",
    "time": "time",
    "first_treated": "g",
    "eligible": "q",
}


def simulated(units: int = 400, seed: int = 2, periods: int = 4, effect: float = 1.0) -> pd.DataFrame:
    """SIMULATED: places enabled in 2, 3 or never; trends of places and of the eligible, driven by x too."""
    rng = np.random.default_rng(seed)
    x, eligible = rng.normal(size=units), rng.random(units) < 0.5
    start = np.where(rng.random(units) < 1 / (1 + np.exp(-0.5 * x)), rng.choice([2.0, 3.0], units), np.inf)
    time = np.arange(1, periods + 1)
    slope = 0.5 * (start == 2) + 0.8 * (start == 3) + 0.7 * eligible + 0.6 * x * (1 + eligible)
    treated = (time >= start[:, None]) & eligible[:, None]
    noise = rng.normal(size=(units, periods)) + rng.normal(size=(units, 1))
    outcome = slope[:, None] * time + effect * treated + noise
    frame = pd.DataFrame({"id": np.repeat(np.arange(units), periods), "time": np.tile(time, units)})
    for name, values in (("x", x), ("q", eligible * 1), ("g", start), ("w", rng.uniform(1, 3, units))):
        frame[name] = np.repeat(values, periods)
    return frame.assign(y=outcome.ravel(), place=frame["id"] % 40)


def cell(estimate: Any, group: int, time: int) -> int:
    return list(zip(estimate.keys["group"], estimate.keys["time"], strict=True)).index((group, time))


def test_two_periods_are_the_saturated_regression() -> None:
    frame = simulated()
    frame = frame[frame["time"].isin([1, 2]) & (frame["g"] != 3)]
    enabled, after = (frame["g"] == 2) * 1.0, (frame["time"] == 2) * 1.0
    parts = [np.ones(len(frame))]
    for column in (enabled, frame["q"], after):
        parts += [part * column.to_numpy() for part in parts]
    for weights in (None, "w"):
        root = np.sqrt(frame["w"].to_numpy()) if weights else np.ones(len(frame))
        design = np.column_stack(parts) * root[:, None]
        slope = np.linalg.lstsq(design, frame["y"].to_numpy() * root, rcond=None)[0][-1]
        for panel in (True, False):
            found = TripleDifference(**COLUMNS, weights=weights, panel=panel).fit(frame)
            assert found.values[0] == pytest.approx(slope, rel=1e-10)
    people = TripleDifference(**{**COLUMNS, "unit": None}, panel=False).fit(frame)
    in_panel = TripleDifference(**COLUMNS).fit(frame)
    # means of eight groups: the textbook variance of independent rows
    groups = frame.groupby(["g", "q", "time"])["y"]
    assert people.uncertainty.std_error[0] == pytest.approx((groups.var(ddof=0) / groups.size()).sum() ** 0.5)
    change = frame.pivot_table(index=["id", "g", "q"], columns="time", values="y")
    moved = (change[2] - change[1]).groupby(level=["g", "q"])
    assert in_panel.uncertainty.std_error[0] == pytest.approx((moved.var(ddof=0) / moved.size()).sum() ** 0.5)


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
@pytest.mark.parametrize("panel", [True, False])
def test_a_cell_is_three_comparisons(method: Any, panel: bool) -> None:
    frame = simulated()
    found = TripleDifference(**COLUMNS, covariates=("x",), method=method, panel=panel, weights="w").fit(frame)
    rows = frame[frame["time"].isin([2, 3])]
    treated = (rows["g"] == 3) & (rows["q"] == 1)
    never = np.isinf(rows["g"])
    controls = [(rows["g"] == 3) & (rows["q"] == 0), never & (rows["q"] == 1), never & (rows["q"] == 0)]
    values, influence = [], pd.DataFrame(index=np.arange(400))
    for at, control in enumerate(controls):
        here = rows[treated | control].assign(is_treated=treated * 1)
        kind: Any = {"dr": "traditional"}.get(method, method)
        one = DoublyRobust(
            outcome="y", unit="id", time="time", treatment="is_treated", covariates=("x",), method=kind,
            panel=panel, weights="w",
        ).fit(here)  # fmt: skip
        values.append(one.values[0])
        assert one.fit is not None
        influence[at] = pd.Series(one.fit.influence.dense()[:, 0], index=np.sort(here["id"].unique()))
    at = cell(found, 3, 3)
    signs = np.array([1, 1, -1])
    assert found.values[at] == pytest.approx(signs @ values, rel=1e-9)
    psi = influence.fillna(0.0).to_numpy() @ signs
    assert found.uncertainty.std_error[at] == pytest.approx(np.linalg.norm(psi), rel=1e-9)


def test_cohorts_enabled_later_are_weighted_and_not_pooled() -> None:
    frame = simulated()
    found = TripleDifference(**COLUMNS, control="not_yet").fit(frame)
    at = cell(found, 2, 2)
    means = frame[frame["time"].isin([1, 2])].pivot_table(index=["id", "g", "q"], columns="time", values="y")
    change = (means[2] - means[1]).rename("change").reset_index()

    def by(group: float, eligible: int) -> pd.Series:
        return change.loc[(change["g"] == group) & (change["q"] == eligible), "change"]

    def gap(group: float) -> float:
        return float(by(group, 1).mean() - by(group, 0).mean())

    def variance(group: float) -> float:
        return sum(float(by(group, q).var(ddof=0)) / len(by(group, q)) for q in (0, 1))

    apart = 1 / np.array([variance(3.0), variance(np.inf)])
    weights = apart / apart.sum()
    expected = gap(2.0) - weights @ [gap(3.0), gap(np.inf)]
    assert found.values[at] == pytest.approx(expected, rel=1e-9)
    assert found.uncertainty.std_error[at] == pytest.approx(
        (variance(2.0) + 1 / apart.sum()) ** 0.5, rel=1e-9
    )
    never = TripleDifference(**COLUMNS).fit(frame)
    assert found.uncertainty.std_error[at] < never.uncertainty.std_error[at]
    assert found.values[cell(found, 3, 4)] == pytest.approx(never.values[cell(never, 3, 4)])


def test_averages_by_shares_of_the_eligible() -> None:
    frame = simulated()
    found = TripleDifference(**COLUMNS, base="universal").fit(frame, carry=("place",))
    dynamic = aggregate(found, "dynamic")
    sizes = frame[(frame["q"] == 1) & (frame["time"] == 1)].groupby("g").size()
    both = np.array([found.values[cell(found, 2, 2)], found.values[cell(found, 3, 3)]])
    expected = (sizes[[2, 3]].to_numpy() @ both) / sizes[[2, 3]].sum()
    assert dynamic.values[dynamic.keys["event_time"].index(0)] == pytest.approx(expected)
    assert aggregate(found, "simple", inference=Cluster("place")).uncertainty.df == 39


def test_a_difference_of_two_comparisons_is_biased_where_covariates_differ() -> None:
    """People of the two kinds differ in x, which drives trends: each comparison holds for its own kind."""
    rng = np.random.default_rng(8)
    frame = simulated(units=6000, seed=8)
    x = frame.groupby("id")["x"].first().to_numpy() + 1.5 * frame.groupby("id")["q"].first().to_numpy()
    rows = frame.assign(x=np.repeat(x, 4))
    enabled = np.isfinite(rows["g"])
    rows["y"] = rows["time"] * (rows["x"] * enabled + 0.5 * rows["q"]) + rng.normal(size=len(rows))
    found = TripleDifference(**COLUMNS, covariates=("x",)).fit(rows)
    at = cell(found, 2, 2)
    assert abs(found.values[at]) < 4 * found.uncertainty.std_error[at]
    gaps = []
    for q in (1, 0):
        one = GroupTime(
            outcome="y", unit="id", time="time", first_treated="g", covariates=("x",), method="reg"
        ).fit(rows[rows["q"] == q])
        gaps.append(one.values[cell(one, 2, 2)])
    assert gaps[0] - gaps[1] > 1


def test_cells_that_cannot_be_estimated_are_named() -> None:
    frame = simulated()
    no_others = frame[~((frame["g"] == 3) & (frame["q"] == 0))]
    found = TripleDifference(**COLUMNS).fit(no_others)
    assert np.isnan(found.values[cell(found, 3, 3)])
    assert np.isfinite(found.values[cell(found, 2, 2)])
    (check,) = [check for check in found.checks if check.name == "cells without a number"]
    assert "(3, 3)" in check.detail


def test_bad_input_is_refused() -> None:
    frame = simulated(units=80)
    with pytest.raises(DesignError, match="'q' must be 0 or 1"):
        TripleDifference(**COLUMNS).fit(frame.assign(q=frame["q"] * 2))
    with pytest.raises(DesignError, match="'q' has missing values"):
        TripleDifference(**COLUMNS).fit(frame.assign(q=frame["q"].where(frame["id"] > 2)))
    with pytest.raises(DesignError, match="'q' changes within units"):
        TripleDifference(**COLUMNS).fit(frame.assign(q=(frame["time"] > 2) * 1))
    with pytest.raises(DesignError, match="never enabled"):
        TripleDifference(**COLUMNS).fit(frame[np.isfinite(frame["g"])])
    with pytest.raises(DesignError, match="from the first period on"):
        TripleDifference(**COLUMNS).fit(frame.assign(g=frame["g"].where(np.isinf(frame["g"]), 1)))
    with pytest.raises(DesignError, match="several rows in one period"):
        TripleDifference(**COLUMNS).fit(pd.concat([frame, frame.head(1)]))
    with pytest.raises(DesignError, match="no method 'ols'"):
        TripleDifference(**COLUMNS, method="ols")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="a panel needs its unit"):
        TripleDifference(**{**COLUMNS, "unit": None})
