"""Doses: overall effects of group-time cells, slopes of lines, levels by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import ContinuousDiD, GroupTime, aggregate
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap

COLUMNS: dict[str, Any] = {
    "outcome": "y",
    "unit": "id",
    "time": "time",
    "first_treated": "g",
    "dose": "soles",
}
CELLS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "first_treated": "g"}


def simulated(seed: int = 6, units: int = 300) -> pd.DataFrame:
    """SIMULATED: cohorts of 3 and 4, effects 1 + 2 d of the dose, a period's more for each period."""
    rng = np.random.default_rng(seed)
    start = rng.choice([3.0, 4.0, np.inf], units)
    dose = np.where(np.isfinite(start), rng.uniform(1, 3, units), 0.0)
    time = np.arange(1, 6)
    effect = (1 + 2 * dose)[:, None] * (time >= start[:, None])
    outcome = 0.3 * time + effect + rng.normal(size=(units, 5)) + rng.normal(size=(units, 1))
    frame = pd.DataFrame({"id": np.repeat(np.arange(units), 5), "time": np.tile(time, units)})
    for name, values in (("g", start), ("soles", dose), ("w", rng.uniform(1, 3, units))):
        frame[name] = np.repeat(values, 5)
    return frame.assign(y=outcome.ravel())


def value(estimate: Estimate, term: str) -> tuple[float, float]:
    at = estimate.keys["term"].index(term)
    return float(estimate.values[at]), float(estimate.uncertainty.std_error[at])


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("control", ["never", "not_yet"])
def test_the_overall_level_is_the_simple_average_of_group_time_effects(control: Any, weights: Any) -> None:
    frame = simulated()
    found = ContinuousDiD(**COLUMNS, control=control, weights=weights).fit(frame)
    cells = GroupTime(**CELLS, control=control, base="universal", weights=weights).fit(frame)
    expected = aggregate(cells, "simple")
    att, error = value(found, "att")
    assert att == pytest.approx(expected.values[0], rel=1e-9)
    assert error == pytest.approx(expected.uncertainty.std_error[0], rel=1e-9)
    dynamic = ContinuousDiD(**COLUMNS, control=control, weights=weights, aggregation="dynamic").fit(frame)
    averages = aggregate(cells, "dynamic")
    half = len(dynamic.values) // 2
    np.testing.assert_allclose(dynamic.values[:half], averages.values[1:], rtol=1e-9)
    np.testing.assert_allclose(
        dynamic.uncertainty.std_error[:half], averages.uncertainty.std_error[1:], rtol=1e-9
    )
    assert dynamic.keys["event_time"][:half] == averages.keys["event_time"][1:]


def test_a_line_has_the_slope_of_least_squares() -> None:
    frame = simulated()
    frame = frame[frame["time"].isin([2, 3]) & (frame["g"] != 4)]
    found = ContinuousDiD(**COLUMNS, degree=1, doses=(1.5, 2.5)).fit(frame)
    wide = frame.pivot_table(index=["id", "g", "soles"], columns="time", values="y").reset_index()
    treated = wide[wide["g"] == 3]
    change, dose = (treated[3] - treated[2]).to_numpy(), treated["soles"].to_numpy()
    slope = np.cov(dose, change)[0, 1] / dose.var(ddof=1)
    residual = change - change.mean() - slope * (dose - dose.mean())
    error = np.sqrt((((dose - dose.mean()) * residual) ** 2).sum()) / ((dose - dose.mean()) ** 2).sum()
    assert value(found, "acrt") == pytest.approx((slope, error), rel=1e-9)
    assert value(found, "acrt at 1.5") == pytest.approx((slope, error), rel=1e-9)
    control = (wide[3] - wide[2])[np.isinf(wide["g"])]
    level = change.mean() + slope * (2.5 - dose.mean()) - control.mean()
    assert value(found, "att at 2.5")[0] == pytest.approx(level, rel=1e-9)


def test_levels_are_differences_of_means() -> None:
    frame = simulated()
    frame["soles"] = np.ceil(frame["soles"])
    frame = frame[frame["time"].isin([2, 3]) & (frame["g"] != 4)]
    found = ContinuousDiD(**COLUMNS, basis="levels").fit(frame)
    wide = frame.pivot_table(index=["id", "g", "soles"], columns="time", values="y").reset_index()
    change = (wide[3] - wide[2]).groupby(wide["soles"])
    mean, variance = change.mean(), change.var(ddof=0) / change.size()
    assert value(found, "att at 3") == pytest.approx((mean[3] - mean[0], (variance[3] + variance[0]) ** 0.5))
    assert value(found, "acrt at 3") == pytest.approx((mean[3] - mean[2], (variance[3] + variance[2]) ** 0.5))
    assert "acrt at 2" not in found.keys["term"]


def test_splines_follow_a_curve_and_knots_are_chosen() -> None:
    frame = simulated()
    bent = np.where(frame["time"] >= frame["g"], np.sin(4 * frame["soles"]), 0.0)
    found = ContinuousDiD(**COLUMNS, knots="cv", doses=(1.5, 2.0)).fit(frame.assign(y=bent))
    assert value(found, "att at 2")[0] == pytest.approx(np.sin(8.0), abs=0.05)
    assert value(found, "acrt at 1.5")[0] == pytest.approx(4 * np.cos(6.0), abs=0.2)
    assert len(found.details["knots"]) > 8


def test_uniform_bands_are_wider() -> None:
    found = ContinuousDiD(**COLUMNS).fit(simulated(), inference=MultiplierBootstrap(draws=199, seed=2))
    assert (found.interval(simultaneous=True)[:, 1] > found.interval()[:, 1]).all()


def test_a_cohort_with_too_few_doses_is_left_out_and_named() -> None:
    frame = simulated()
    odd = frame.assign(soles=frame["soles"].mask(frame["g"] == 4, 2.0))
    found = ContinuousDiD(**COLUMNS).fit(odd)
    (check,) = found.checks
    assert "(4, 4): too few different doses" in check.detail
    alone = ContinuousDiD(**COLUMNS).fit(odd[(odd["g"] != 4) | (odd["time"] < 4)])
    assert np.isfinite(alone.values).all()


def test_bad_input_is_refused() -> None:
    frame = simulated(units=60)
    treated = np.isfinite(frame["g"])
    with pytest.raises(DesignError, match="no dose above zero"):
        ContinuousDiD(**COLUMNS).fit(frame.assign(soles=frame["soles"].mask(treated & (frame["id"] < 9), 0)))
    with pytest.raises(DesignError, match="no dose above zero"):
        ContinuousDiD(**COLUMNS).fit(frame.assign(soles=frame["soles"].mask(treated & (frame["id"] < 9))))
    with pytest.raises(DesignError, match="changes within units"):
        ContinuousDiD(**COLUMNS).fit(frame.assign(soles=frame["soles"] * frame["time"]))
    with pytest.raises(DesignError, match="too few different doses"):
        ContinuousDiD(**COLUMNS).fit(frame.assign(soles=1.0))
    with pytest.raises(DesignError, match="at a dose that nobody has"):
        ContinuousDiD(**COLUMNS, doses=(9.0,)).fit(frame)
    with pytest.raises(DesignError, match="several rows in one period"):
        ContinuousDiD(**COLUMNS).fit(pd.concat([frame, frame.head(1)]))
    for choice in ({"degree": 0}, {"knots": -1}, {"knots": "many"}, {"basis": "step"}, {"control": "all"}):
        with pytest.raises(DesignError):
            ContinuousDiD(**COLUMNS, **choice)
