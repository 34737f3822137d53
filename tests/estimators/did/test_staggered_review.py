"""Designs that are easily got wrong: recurring districts, fractions of a year, gaps, no period before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import juntos_eval as je
from juntos_eval.arrays import grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimators.did.cell_effects import CellInfluence
from juntos_eval.numerics.cell_regression import Deviations

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "start"}
PEOPLE: dict[str, Any] = {
    "outcome": "y",
    "time": "time",
    "first_treated": "start",
    "weights": "w",
    "panel": False,
}


def panel(times: Any, starts: Any, units: int = 10, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    count = units * len(starts)
    start = np.repeat(np.array(starts, dtype=float), units)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(count), len(times)),
            "time": np.tile(times, count),
            "start": np.repeat(start, len(times)),
            "x": np.repeat(rng.normal(size=count), len(times)),
            "w": np.repeat(rng.uniform(0.5, 2.0, size=count), len(times)),
            "y": rng.normal(size=count * len(times)),
        }
    )


def people(rows: int = 900, seed: int = 4) -> pd.DataFrame:
    """People of districts that are seen again, with weights; districts differ in size."""
    rng = np.random.default_rng(seed)
    district = (24 * rng.random(rows) ** 1.5).astype(int)
    start = np.array([3, 4, 0, 0])[district % 4]
    time = rng.integers(1, 6, rows)
    x = rng.normal(size=rows) + 0.3 * (start > 0)
    y = 0.2 * start * time + 0.1 * x * time + rng.normal(size=rows)
    w = rng.uniform(0.5, 3.0, rows)
    return pd.DataFrame({"district": district, "start": start, "time": time, "x": x, "w": w, "y": y})


@pytest.mark.parametrize("kind", ["simple", "group", "calendar", "dynamic"])
def test_a_recurring_district_adds_influence_up_and_moves_no_estimate(kind: Any) -> None:
    frame = people()
    by_district = je.aggregate(je.GroupTime(**PEOPLE, unit="district").fit(frame), kind)
    clustered = je.GroupTime(**PEOPLE).fit(frame, inference=je.Cluster("district", kind="CR0"))
    by_people = je.aggregate(clustered, kind)
    np.testing.assert_allclose(by_district.values, by_people.values, rtol=1e-12)
    np.testing.assert_allclose(by_district.uncertainty.std_error, by_people.uncertainty.std_error, rtol=1e-10)
    shares = frame.groupby("start")["w"].sum() / frame["w"].sum()
    assert by_district.details["cohort_shares"]["3"] == pytest.approx(shares[3])


def test_units_of_an_unbalanced_panel_count_once() -> None:
    frame = panel(np.arange(1, 6), (3, 4, 0)).drop(index=[0, 1, 47, 103])
    cells = je.GroupTime(**COLUMNS, balanced=False).fit(frame)
    assert cells.details["cohort_shares"] == pytest.approx({"3": 1 / 3, "4": 1 / 3})


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
@pytest.mark.parametrize("kind", ["panel", "unbalanced", "cross-sections", "districts"])
@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_influence_is_the_derivative_of_cells_and_averages(method: Any, kind: str, control: Any) -> None:
    """Weighted by sampling, with a covariate: w times the derivative with respect to w, by unit."""
    if kind in ("panel", "unbalanced"):
        frame, unit = panel(np.arange(1, 6), (3, 4, 0, 0)), "id"
        if kind == "unbalanced":
            frame = frame.drop(index=[2, 55, 130])
        estimator = je.GroupTime(
            **COLUMNS,
            weights="w",
            covariates=("x",),
            method=method,
            control=control,
            balanced=kind == "panel",
        )
    else:
        frame, unit = people(500), "district"
        of_rows = kind == "cross-sections"
        estimator = je.GroupTime(
            **PEOPLE,
            unit=None if of_rows else "district",
            covariates=("x",),
            method=method,
            control=control,
        )
        if of_rows:
            frame = frame.assign(district=np.arange(len(frame)))
    cells = estimator.fit(frame)
    for of in (lambda fitted: fitted, lambda fitted: je.aggregate(fitted, "dynamic")):
        found = of(cells)
        assert found.fit is not None
        influence = found.fit.influence.dense()
        labels = np.unique(frame[unit])
        for at in (0, len(labels) // 2, len(labels) - 1):
            ends = [
                of(
                    estimator.fit(
                        frame.assign(w=frame["w"].where(frame[unit] != labels[at], frame["w"] * factor))
                    )
                ).values
                for factor in (1 + 1e-5, 1 - 1e-5)
            ]
            np.testing.assert_allclose(influence[at], (ends[0] - ends[1]) / 2e-5, rtol=1e-4, atol=2e-8)


@pytest.mark.parametrize("digits", [15, 6])
def test_months_as_fractions_of_a_year(digits: int) -> None:
    """What is lost in 2010 + 1/12 does not split an event time or a period."""
    months = np.arange(1, 9)
    years = np.round(2010 + months / 12, digits)
    counted, fractions = (panel(one, (one[3], one[5], 0)) for one in (months, years))
    for kind in ("dynamic", "calendar", "group"):
        found, expected = (
            je.aggregate(je.GroupTime(**COLUMNS).fit(frame), kind) for frame in (fractions, counted)
        )
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-10)
    for estimator in (je.EventStudy, je.InteractionWeighted):
        found = estimator(**COLUMNS, reference=-1 / 12).fit(fractions)
        np.testing.assert_allclose(found.values, estimator(**COLUMNS).fit(counted).values, atol=1e-9)
    stacked = je.Stacked(**COLUMNS, before=2 / 12, after=1 / 12, reference=-1 / 12).fit(fractions)
    expected = je.Stacked(**COLUMNS, before=2, after=1).fit(counted)
    np.testing.assert_allclose(stacked.values, expected.values, atol=1e-9)
    full = je.ExtendedTwoWay(**COLUMNS, by="event_time").fit(fractions)
    np.testing.assert_allclose(
        full.values, je.ExtendedTwoWay(**COLUMNS, by="event_time").fit(counted).values, atol=1e-9
    )


def test_cohorts_as_dates_in_one_number_do_not_run_together() -> None:
    """20050901 and 20050903 are the same in six digits."""
    plain = panel(np.arange(1, 6), (3, 4, 0))
    codes = {1: 20050821, 2: 20050825, 3: 20050901, 4: 20050903, 5: 20050904, 0: 0}
    coded = plain.assign(time=plain["time"].map(codes), start=plain["start"].map(codes))
    expected = je.ExtendedTwoWay(**COLUMNS, by="cell").fit(plain)
    found = je.ExtendedTwoWay(**COLUMNS, by="cell").fit(coded)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-9)


def test_a_cohort_without_the_reference_is_left_out_by_name() -> None:
    """Rounds of 2009, 2013, 2014 and 2016: the cohort of 2013 has no row a year before."""
    frame = panel(np.array([2009, 2013, 2014, 2016]), (2013, 2014, 0))
    found = je.InteractionWeighted(**COLUMNS, by="cell").fit(frame)
    assert set(found.keys["group"]) == {2014}
    assert any(check.name == "cohorts left out" and "2013" in check.detail for check in found.checks)
    alone = je.InteractionWeighted(**COLUMNS, by="cell").fit(frame[frame["start"] != 2013])
    np.testing.assert_allclose(found.values, alone.values, atol=1e-10)
    with pytest.raises(DesignError, match="event time of reference"):
        je.InteractionWeighted(**COLUMNS, reference=-2).fit(frame)


@pytest.mark.parametrize(
    "estimator", [je.ExtendedTwoWay(**COLUMNS), je.InteractionWeighted(**COLUMNS, reference=-1)], ids=type
)
def test_a_cohort_seen_only_after_its_treatment_has_no_effect(estimator: Any) -> None:
    frame = panel(np.arange(1, 6), (3, 4, 0))
    late = frame[(frame["start"] != 3) | (frame["time"] >= 3)]
    expected = estimator.fit(frame[frame["start"] != 3])
    np.testing.assert_allclose(estimator.fit(late).values, expected.values, atol=1e-10)


@pytest.mark.parametrize("anticipation", [0, 1, 3])
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_anticipation_where_periods_are_not_a_year_apart(anticipation: float, base: Any) -> None:
    """The base is the last period before treatment less the anticipated years, and controls are untreated."""
    times = np.array([2006, 2009, 2010, 2013, 2014])
    frame = panel(times, (2010, 2013, 2014, 0))
    cells = je.GroupTime(**COLUMNS, base=base, anticipation=anticipation, control="not_yet").fit(frame)
    means = frame.groupby(["start", "time"])["y"].mean()
    for group, time, value in zip(cells.keys["group"], cells.keys["time"], cells.values, strict=True):
        before = times[times + anticipation < group]
        start = times[list(times).index(time) - 1] if base == "varying" and time < group else before[-1]
        bound = max(time, start) if base == "universal" else time
        clean = [one for one in (2010, 2013, 2014, 0) if one == 0 or one > bound + anticipation]
        clean = [one for one in clean if one != group]
        change = np.mean([means[one, time] - means[one, start] for one in clean])
        assert value == pytest.approx(means[group, time] - means[group, start] - change)


def test_covariates_and_weights_that_vary_are_those_of_the_earlier_and_the_first_period() -> None:
    rng = np.random.default_rng(8)
    frame = panel(np.arange(1, 5), (3, 0), units=60)
    frame = frame.assign(x=frame["x"] + rng.normal(size=len(frame)), w=rng.uniform(1, 3, len(frame)))
    cells = je.GroupTime(**COLUMNS, covariates=("x",), weights="w", method="reg").fit(frame)
    wide = frame.pivot_table(index="id", columns="time")
    treated = wide["start", 1].to_numpy() == 3
    weight = wide["w", 1].to_numpy()
    for time, value in zip(cells.keys["time"], cells.values, strict=True):
        base = time - 1 if time < 3 else 2
        change = (wide["y", time] - wide["y", base]).to_numpy()
        design = np.column_stack([np.ones(len(wide)), wide["x", min(base, time)]])
        root = np.sqrt(weight * ~treated)[:, None]
        slope = np.linalg.lstsq(design * root, change * root[:, 0], rcond=None)[0]
        expected = np.average((change - design @ slope)[treated], weights=weight[treated])
        assert value == pytest.approx(expected)


def test_influence_of_cells_is_its_dense_matrix_whatever_is_asked() -> None:
    rng = np.random.default_rng(6)
    atoms, levels = rng.integers(0, 4, 50), rng.integers(0, 6, 50)
    shares = sparse.csr_array(rng.dirichlet(np.ones(4), 6))
    influence = CellInfluence(
        deviations=Deviations(atoms=atoms, levels=levels, shares=shares),
        scale=rng.normal(size=50),
        table=rng.normal(size=(4, 3)),
        weights=rng.uniform(1, 2, 50),
        own=rng.normal(size=(4, 3)),
    )
    means = shares.toarray() @ influence.table
    dense = influence.scale[:, None] * (influence.table[atoms] - means[levels])
    dense += influence.weights[:, None] * influence.own[atoms]
    np.testing.assert_allclose(influence.dense(), dense, atol=1e-13)
    codes = rng.integers(0, 7, 50)
    np.testing.assert_allclose(influence.totals(codes, 7), grouped_sums(dense, codes, 7), atol=1e-13)
    np.testing.assert_allclose(influence.covariance(), dense.T @ dense, atol=1e-12)
    draws = rng.normal(size=(5, 50))
    np.testing.assert_allclose(influence.weighted_sums(draws), draws @ dense, atol=1e-12)
    weights = rng.normal(size=(2, 3))
    np.testing.assert_allclose(influence.combine(weights).dense(), dense @ weights.T, atol=1e-12)
