"""How staggered designs are read, and what odd ones are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "year", "first_treated": "start"}
ALL = {
    "GroupTime": je.GroupTime(**COLUMNS, control="not_yet"),
    "EventStudy": je.EventStudy(**COLUMNS),
    "InteractionWeighted": je.InteractionWeighted(**COLUMNS),
    "Imputation": je.Imputation(**COLUMNS),
    "TwoStageImputation": je.TwoStageImputation(**COLUMNS),
    "ExtendedTwoWay": je.ExtendedTwoWay(**COLUMNS),
    "Stacked": je.Stacked(**COLUMNS, before=1, after=0),
    "LocalProjections": je.LocalProjections(**COLUMNS, horizons=(0,)),
}
each = pytest.mark.parametrize("estimator", ALL.values(), ids=ALL)


def panel(starts: tuple[float, ...] = (2012, 2013, 0), units: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = [
        {"id": f"{start}-{unit}", "year": year, "start": start, "treated": 0 < start <= year}
        for start in starts
        for unit in range(units)
        for year in range(2010, 2015)
    ]
    frame = pd.DataFrame(rows)
    noise = rng.normal(size=len(frame))
    return frame.assign(
        y=0.2 * (frame["year"] - 2010) + frame["treated"] + noise, x=rng.normal(size=len(frame))
    )


@each
@pytest.mark.parametrize("never", [np.nan, np.inf, 0, 2031])
def test_never_may_be_said_in_four_ways(estimator: Any, never: float) -> None:
    frame = panel()
    said = frame.assign(start=frame["start"].astype("float64").replace(0.0, never))
    np.testing.assert_array_equal(estimator.fit(said).values, estimator.fit(frame).values)


@each
def test_dates_and_periods_are_as_good_as_years(estimator: Any) -> None:
    frame = panel()
    expected = estimator.fit(frame).values
    as_date = {year: pd.Timestamp(year=year, month=7, day=1) for year in range(2010, 2015)}
    dates = frame.assign(year=frame["year"].map(as_date), start=frame["start"].map(as_date))
    np.testing.assert_allclose(estimator.fit(dates).values, expected)
    periods = frame.assign(
        year=pd.PeriodIndex(frame["year"].astype(str), freq="Y"),
        start=pd.PeriodIndex([str(int(one)) if one else "NaT" for one in frame["start"]], freq="Y"),
    )
    np.testing.assert_allclose(estimator.fit(periods).values, expected)
    text = frame.assign(year=frame["year"].astype(str), start=frame["start"].astype(int).astype(str))
    np.testing.assert_allclose(estimator.fit(text).values, expected)


@each
def test_what_cannot_be_a_staggered_design_is_refused(estimator: Any) -> None:
    frame = panel()
    moving = frame.assign(start=frame["start"].where(frame["year"] < 2014, 2014))
    with pytest.raises(DesignError, match="changes within units"):
        estimator.fit(moving)
    with pytest.raises(DesignError, match="several rows in one period"):
        estimator.fit(pd.concat([frame, frame.tail(1)]))
    with pytest.raises(DesignError, match="nobody is treated"):
        estimator.fit(frame.assign(start=0))
    with pytest.raises(DesignError, match="two periods or more"):
        estimator.fit(frame[frame["year"] == 2012])
    with pytest.raises(DesignError, match="may mean never or a period"):
        estimator.fit(frame.assign(year=frame["year"] - 2010, start=(frame["start"] - 2010).clip(lower=0)))
    with pytest.raises(DesignError, match="comes first"):
        estimator.fit(frame.assign(year=frame["year"].map({y: f"round {y}" for y in range(2010, 2015)})))
    with pytest.raises(DesignError, match="cannot be compared"):
        estimator.fit(frame.assign(start=frame["start"].map({2012.0: "soon", 2013.0: "later"})))


@each
def test_nobody_but_the_treated_from_the_start_on(estimator: Any) -> None:
    with pytest.raises(DesignError):
        estimator.fit(panel(starts=(2010, 2009)))


@each
def test_always_treated_units_do_not_change_effects(estimator: Any) -> None:
    if isinstance(estimator, je.EventStudy):
        pytest.skip("a two-way event study uses them, which is one of its faults")
    with_always = estimator.fit(panel(starts=(2012, 2013, 0, 2010)))
    np.testing.assert_allclose(with_always.values, estimator.fit(panel()).values, atol=1e-12)


def test_gaps_in_time_keep_their_length() -> None:
    frame = panel()
    gap = frame[frame["year"] != 2011]
    cells = je.GroupTime(**COLUMNS).fit(gap)
    assert sorted(set(cells.keys["event_time"])) == [-1, 0, 1, 2]
    at = list(zip(cells.keys["group"], cells.keys["time"], strict=True)).index((2012, 2012))
    means = gap.groupby(["start", "year"])["y"].mean()
    own, others = means[2012.0, 2012] - means[2012.0, 2010], means[0.0, 2012] - means[0.0, 2010]
    assert cells.values[at] == pytest.approx(own - others)


def test_a_cohort_of_one_has_an_effect_without_an_error() -> None:
    frame = panel()
    lone = frame[(frame["start"] != 2013) | (frame["id"] == "2013-0")]
    cells = je.GroupTime(**COLUMNS).fit(lone)
    of_lone = np.array(cells.keys["group"]) == 2013
    assert np.isfinite(cells.values).all()
    assert np.isnan(cells.uncertainty.std_error[of_lone]).all()
    assert np.isfinite(cells.uncertainty.std_error[~of_lone]).all()
    assert any("single unit" in check.detail for check in cells.checks)


def test_one_cell_without_overlap_stops_nothing() -> None:
    """Where a covariate separates one cohort from its controls, only that cohort has no number."""
    frame = panel(units=40)
    separated = frame.assign(x=frame["x"].where(frame["start"] != 2013, 50 + frame["x"].abs()))
    # covariates are of the unit
    first = separated.groupby("id")["x"].transform("first")
    cells = je.GroupTime(**COLUMNS, covariates=("x",), method="ipw").fit(separated.assign(x=first))
    of_bad = np.array(cells.keys["group"]) == 2013
    assert np.isnan(cells.values[of_bad]).all()
    assert np.isfinite(cells.values[~of_bad]).all()
    assert any(check.name == "cells without a number or an error" for check in cells.checks)
    average = je.aggregate(cells, "group")
    assert average.keys["group"] == (None, 2012)
    assert any(check.name == "cells left out of averages" for check in average.checks)


def test_no_never_treated() -> None:
    frame = panel(starts=(2012, 2013))
    with pytest.raises(DesignError, match="never treated"):
        je.GroupTime(**COLUMNS).fit(frame)
    cells = je.GroupTime(**COLUMNS, control="not_yet").fit(frame)
    assert {
        group for group, value in zip(cells.keys["group"], cells.values, strict=True) if np.isfinite(value)
    }
    last = je.InteractionWeighted(**COLUMNS).fit(frame)
    assert any("the last cohort" in check.detail for check in last.checks)


def test_choices_that_do_not_exist() -> None:
    for wrong in (
        {"control": "all"},
        {"method": "ols"},
        {"base": "first"},
        {"anticipation": -1},
        {"trim": 2},
    ):
        with pytest.raises(DesignError):
            je.GroupTime(**COLUMNS, **wrong)
    with pytest.raises(DesignError, match="unit"):
        je.GroupTime(outcome="y", time="year", first_treated="start")
    with pytest.raises(DesignError, match="outside the window"):
        je.EventStudy(**COLUMNS, window=(0, 3))
    with pytest.raises(DesignError, match="event time of reference"):
        je.EventStudy(**COLUMNS, reference=-9).fit(panel())
    with pytest.raises(DesignError, match="horizons"):
        je.LocalProjections(**COLUMNS, horizons=(-1,))
    with pytest.raises(DesignError, match="whole window"):
        je.Stacked(**COLUMNS, before=9, after=9).fit(panel())
    with pytest.raises(DesignError, match="no aggregation"):
        je.aggregate(je.GroupTime(**COLUMNS).fit(panel()), "median")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="dynamic"):
        je.aggregate(je.GroupTime(**COLUMNS).fit(panel()), "group", 1)
    with pytest.raises(DesignError, match="could be averaged"):
        je.aggregate(je.EventStudy(**COLUMNS).fit(panel()), "simple")


def test_influence_of_averages_is_the_derivative_with_the_shares() -> None:
    """A unit's weight moves the average by its influence, the error of cohort sizes included."""
    frame = panel(units=10).assign(w=1.0)
    estimator = je.GroupTime(**COLUMNS, weights="w")
    average = je.aggregate(estimator.fit(frame), "dynamic")
    assert average.fit is not None
    influence = average.fit.influence.dense()
    units = sorted(frame["id"].unique())
    step = 1e-5
    for unit in (units[0], units[12], units[-1]):
        moved = frame.assign(w=np.where(frame["id"] == unit, 1 + step, 1.0))
        change = (je.aggregate(estimator.fit(moved), "dynamic").values - average.values) / step
        np.testing.assert_allclose(influence[units.index(unit)], change, atol=2e-5)


def test_simultaneous_bands_are_wider_and_by_cluster() -> None:
    frame = panel(units=12).assign(village=lambda rows: rows["id"].str[-1])
    cells = je.GroupTime(**COLUMNS).fit(frame, inference=je.MultiplierBootstrap(seed=3, draws=999))
    study = je.aggregate(cells, "dynamic")
    narrow, wide = study.interval(), study.interval(simultaneous=True)
    assert (np.diff(wide) > np.diff(narrow)).all()
    again = je.aggregate(cells, "dynamic", inference=je.MultiplierBootstrap(seed=3, draws=999))
    np.testing.assert_array_equal(again.uncertainty.std_error, study.uncertainty.std_error)


def test_shares_that_are_estimated_leave_the_rule_of_small_samples_as_it_is() -> None:
    rng = np.random.default_rng(3)
    unit, year = np.repeat(np.arange(60), 5), np.tile(np.arange(2001, 2006), 60)
    start = np.repeat(rng.choice([2003.0, 2004.0, np.nan], 60), 5)
    frame = pd.DataFrame({"id": unit, "year": year, "start": start})
    frame["y"] = (
        rng.normal(size=60)[unit] + (year >= start) * (1 + 0.5 * (start == 2003)) + rng.normal(size=300)
    )
    names: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "year", "first_treated": "start"}
    fixed, estimated = (
        je.InteractionWeighted(**names, shares=shares).fit(frame) for shares in ("fixed", "estimated")
    )
    assert fixed.uncertainty.method == estimated.uncertainty.method
    plain = [one.with_inference(je.Cluster("id", kind="CR0")).uncertainty for one in (fixed, estimated)]
    ratios = [
        one.uncertainty.std_error / base.std_error
        for one, base in zip((fixed, estimated), plain, strict=True)
    ]
    assert ratios[1] == pytest.approx(ratios[0], rel=1e-12)
