"""Effects of first changes of treatment: stored numbers, numbers by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import (
    GroupTime,
    InstantaneousDiD,
    Intertemporal,
    aggregate,
    equal_effects_test,
    honest,
)
from tests.estimators.did.staggered import cases, close, table

SWITCHING: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "time", "treatment": "D"}


def panel(doses: Any, outcomes: Any) -> pd.DataFrame:
    """A row for each unit and period, from a list of paths."""
    units, periods = np.shape(doses)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(units), periods),
            "time": np.tile(np.arange(periods), units),
            "D": np.ravel(doses),
            "y": np.ravel(outcomes),
        }
    )


def at(estimate: Estimate, event_time: int | None, term: str = "att") -> float:
    (row,) = [
        row
        for row, key in enumerate(zip(estimate.keys["term"], estimate.keys["event_time"], strict=True))
        if key == (term, event_time)
    ]
    return float(estimate.values[row])


def switching_case() -> pd.DataFrame:
    return table(cases()["dcdh-did_switch"])


@pytest.mark.parametrize(("name", "placebos"), [("dcdh-mpdta", 2), ("dcdh-did_switch", 1)])
def test_stored_numbers(name: str, placebos: int) -> None:
    case = cases()[name]
    frame, columns = table(case), dict(SWITCHING)
    if name == "dcdh-mpdta":
        is_on = (frame["first_treat"] > 0) & (frame["year"] >= frame["first_treat"])
        frame = frame.assign(D=is_on.astype(int))
        columns |= {"outcome": "lemp", "unit": "countyreal", "time": "year"}
    found, expected = Intertemporal(**columns, effects=3, placebos=placebos).fit(frame), case["expected"]
    values, errors = found.values, found.uncertainty.std_error
    before = slice(placebos, 0, -1)
    close(values[1 + placebos :], expected["effects"], 1e-9)
    close(errors[1 + placebos :], expected["effects_se"], 1e-9)
    close(values[before], expected["placebos"], 1e-9)
    close(errors[before], expected["placebos_se"], 1e-9)
    close(values[0], expected["average_total"], 1e-9)
    close(errors[0], expected["average_total_se"], 1e-9)


def staggered_panel(seed: int = 3, units: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = rng.choice([3, 5, 99], units)
    frame = pd.DataFrame({"id": np.repeat(np.arange(units), 6), "time": np.tile(np.arange(1, 7), units)})
    frame["start"] = start[frame["id"]]
    frame["D"] = (frame["time"] >= frame["start"]) * 1
    noise = rng.normal(size=len(frame)) + 0.5 * frame["time"] + rng.normal(size=units)[frame["id"]]
    return frame.assign(y=frame["D"] * (1 + 0.3 * (frame["time"] - frame["start"])) + noise)


def test_treatment_that_stays_has_the_averages_of_group_time_effects() -> None:
    frame = staggered_panel()
    found = Intertemporal(**SWITCHING, variance="unconditional").fit(frame)
    cells = GroupTime(
        outcome="y", unit="id", time="time", first_treated="start", control="not_yet", base="universal"
    ).fit(frame)
    dynamic, simple = aggregate(cells, "dynamic"), aggregate(cells, "simple")
    places = [row for row, time in enumerate(dynamic.keys["event_time"]) if time is not None and time >= 0]
    rows = [row for row, time in enumerate(found.keys["event_time"]) if time is not None and time >= 0]
    np.testing.assert_allclose(found.values[rows], dynamic.values[places], rtol=1e-10)
    np.testing.assert_allclose(
        found.uncertainty.std_error[rows], dynamic.uncertainty.std_error[places], rtol=1e-10
    )
    np.testing.assert_allclose(found.values[0], simple.values[0], rtol=1e-10)
    np.testing.assert_allclose(found.uncertainty.std_error[0], simple.uncertainty.std_error[0], rtol=1e-10)


def test_switches_in_and_out_of_any_size_by_hand() -> None:
    # two rise by 2 and then to 3; one falls from 1; each against a unit of the same first treatment
    doses = [[0, 2, 3], [0, 2, 3], [0, 0, 0], [1, 0, 0], [1, 1, 1]]
    outcomes = [[0.0, 5, 9], [1, 4, 8], [0, 1, 2], [4, 2, 1], [3, 3, 4]]
    frame = panel(doses, outcomes)
    found = Intertemporal(**SWITCHING).fit(frame)
    first, second = [4.0, 2.0, 2.0], [7.0, 5.0, 4.0]  # signed by the direction of the change
    assert at(found, 0) == pytest.approx(np.mean(first))
    assert at(found, 1) == pytest.approx(np.mean(second))
    received = 2 + 2 + 1 + 3 + 3 + 1
    assert at(found, None, "average_total") == pytest.approx((sum(first) + sum(second)) / received)
    normalised = Intertemporal(**SWITCHING, normalised=True).fit(frame)
    assert at(normalised, 0) == pytest.approx(sum(first) / (2 + 2 + 1))
    assert at(normalised, 1) == pytest.approx(sum(second) / (5 + 5 + 2))
    assert at(Intertemporal(**SWITCHING, switchers="in").fit(frame), 0) == pytest.approx(3.0)
    assert at(Intertemporal(**SWITCHING, switchers="out").fit(frame), 1) == pytest.approx(4.0)


def test_a_unit_is_weighed_and_people_of_a_unit_are_averaged() -> None:
    doses, outcomes = [[0, 1], [0, 1], [0, 0]], [[0.0, 5], [1, 4], [0, 1]]
    frame = panel(doses, outcomes).assign(w=[3.0, 3, 1, 1, 1, 1])
    assert at(Intertemporal(**SWITCHING, weights="w").fit(frame), 0) == pytest.approx((3 * 4 + 2) / 4)
    people = pd.concat([frame.assign(y=frame["y"] - 1, w=1.0), frame.assign(y=frame["y"] + 3, w=3.0)])
    found = Intertemporal(**SWITCHING, panel=False, weights="w").fit(people)
    assert at(found, 0) == pytest.approx(3.0)


def test_linear_trends_leave_a_straight_line_out() -> None:
    doses = [[0, 0, 0, 1, 1], [0] * 5, [0] * 5]
    line, bend = np.arange(5.0), np.array([0.0, 1, 0, 2, 1])
    own = [3 * line, 1 - line, 2 * line]
    effect = np.array([0, 0, 0, 7.0, 9.0])
    frame = panel(doses, [own[0] + bend + effect, own[1] + bend, own[2] + bend])
    found = Intertemporal(**SWITCHING, linear_trends=True).fit(frame)
    assert at(found, 0) == pytest.approx(7.0)
    assert at(found, 1) == pytest.approx(9.0)
    assert at(found, -3) == pytest.approx(0.0, abs=1e-12)


def test_covariates_and_absorbed_levels_take_their_share_out() -> None:
    rng = np.random.default_rng(5)
    frame = staggered_panel()
    frame["x"] = rng.normal(size=len(frame)) + frame["D"]
    frame["region"] = frame["id"] % 3
    trend = np.array([[0.0, 1, 3, 2, 5, 4], [1, 0, 2, 4, 1, 0], [2, 2, 0, 1, 1, 3]])
    frame["y"] = frame["D"] * 2.0 + 1.5 * frame["x"] + trend[frame["region"], frame["time"] - 1]
    found = Intertemporal(**SWITCHING, covariates=("x",), absorb=("region",)).fit(frame)
    np.testing.assert_allclose(
        found.values[1:], np.where(np.array(found.keys["event_time"][1:]) < 0, 0, 2), atol=1e-9
    )
    without = Intertemporal(**SWITCHING, absorb=("region",)).fit(frame)
    assert abs(without.values[0] - 2) > 0.2


def test_crossing_rows_are_left_out_unless_they_are_kept() -> None:
    doses = [[1, 2, 0], [1, 1, 1]]
    frame = panel(doses, [[0.0, 3, 8], [0, 1, 1]])
    dropped = Intertemporal(**SWITCHING).fit(frame)
    assert dropped.keys["event_time"] == (None, 0)
    assert any(check.name == "changes of both signs" for check in dropped.checks)
    kept = Intertemporal(**SWITCHING, crossing="keep", effects=1).fit(frame)
    assert at(kept, 0) == pytest.approx(2.0)
    with pytest.raises(DesignError, match="adds up to nothing"):
        Intertemporal(**SWITCHING, crossing="keep").fit(frame)


def test_a_change_in_a_gap_has_no_date_and_no_effect() -> None:
    doses = [[0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
    frame = panel(doses, [[0.0, 3, 4, 4], [0, 9, 9, 9], [0, 1, 5, 6], [0, 2, 2, 2]])
    gone = frame.drop(index=5)  # the second unit is not seen when it changes
    found = Intertemporal(**SWITCHING).fit(gone)
    assert found.details["switchers"]["0"] == 2
    assert any(check.name == "changes of unknown date" for check in found.checks)
    assert at(found, 0) == pytest.approx(((3 - 1.5) + (4 - 0)) / 2)


def test_same_switchers_and_controls_that_never_change() -> None:
    frame = staggered_panel()
    same = Intertemporal(**SWITCHING, effects=3, same_switchers=True).fit(frame)
    assert len({same.details["switchers"][str(time)] for time in range(3)}) == 1
    never = Intertemporal(**SWITCHING, control="never", placebos=0).fit(frame)
    cells = GroupTime(outcome="y", unit="id", time="time", first_treated="start").fit(frame)
    np.testing.assert_allclose(never.values[0], aggregate(cells, "simple").values[0], rtol=1e-10)


def test_tests_and_honest_bounds_take_it() -> None:
    found = Intertemporal(**SWITCHING, placebos=2).fit(staggered_panel(units=300))
    assert "effects alike" in equal_effects_test(found).detail
    intervals = honest(found, restriction="smoothness", m=0.0).tidy()
    assert np.isfinite(intervals["conf_low"]).all()


@pytest.mark.parametrize("period", ["numbers", "text", "dates", "periods"])
def test_periods_of_any_kind(period: str) -> None:
    frame = switching_case()
    years = 2000 + 2 * frame["time"]  # gaps of two years
    other = {
        "numbers": years,
        "text": years.astype(str),
        "dates": pd.to_datetime(years.astype(str)),
        "periods": pd.PeriodIndex(years.astype(str), freq="Y"),
    }[period]
    found = Intertemporal(**SWITCHING, effects=2, placebos=1).fit(frame.assign(time=np.asarray(other)))
    expected = Intertemporal(**SWITCHING, effects=2, placebos=1).fit(frame)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-12)


@pytest.mark.parametrize("estimator", [Intertemporal, InstantaneousDiD])
def test_what_cannot_be_answered_is_refused(estimator: Any) -> None:
    frame = switching_case()
    with pytest.raises(DesignError, match=r"'D' does not change|no change of treatment"):
        estimator(**SWITCHING).fit(frame.assign(D=0))
    with pytest.raises(DesignError, match="several rows in one period"):
        estimator(**SWITCHING).fit(pd.concat([frame, frame.head(1)]))
    with pytest.raises(DesignError, match="'D' has missing values"):
        estimator(**SWITCHING).fit(frame.assign(D=frame["D"].where(frame["id"] > 3)))
    differing = pd.concat([frame, frame.head(1).assign(D=5)])
    with pytest.raises(DesignError, match="differs between rows of one unit"):
        estimator(**SWITCHING, panel=False).fit(differing)
    alone = panel([[0, 1], [1, 1]], [[0.0, 1], [0, 1]])
    with pytest.raises(DesignError, match="no change of treatment has"):
        estimator(**SWITCHING).fit(alone)


def test_choices_that_are_none() -> None:
    with pytest.raises(DesignError, match="no switchers 'up'"):
        Intertemporal(**SWITCHING, switchers="up")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="count periods"):
        Intertemporal(**SWITCHING, effects=0)


def test_instantaneous_effects_by_hand() -> None:
    doses = [[0, 1, 0], [0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 2]]
    outcomes = [[0.0, 3, 1], [0, 1, 1], [5, 5, 4], [2, 4, 4], [1, 2, 8]]
    found = InstantaneousDiD(**SWITCHING).fit(panel(doses, outcomes))
    # second period: a joiner against the stable untreated; third: a joiner by 2, two leavers
    joined, left = [3 - 1.0, 6 - 0.0], [-(-2 - 0.0), -(-1 - 0.0)]
    assert at(found, 0) == pytest.approx(sum(joined + left) / (1 + 2 + 1 + 1))
    assert at(found, 0, "joiners") == pytest.approx(sum(joined) / 3)
    assert at(found, 0, "leavers") == pytest.approx(sum(left) / 2)
    # before the third period: who keeps the same treatment in the first two
    assert at(found, -2) == pytest.approx(((-1) - (-1.0) + (-(0 - (-2.0)))) / (2 + 1))
