"""Published numbers on the benchmark data, which are not part of the repository."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.estimators.rdd import RegressionDiscontinuity, density_test

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "benchmarks" / "rdd"


def read(name: str) -> pd.DataFrame:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"benchmark data absent: {path}")
    if path.suffix == ".csv":
        return pd.read_csv(path)
    return pd.read_stata(path, convert_categoricals=False)


def test_us_senate() -> None:
    """Incumbency: 7.414, robust [4.094, 10.919], h 17.754 (shared data README)."""
    estimate = RegressionDiscontinuity(outcome="vote", running="margin").fit(read("rdrobust_RDsenate.csv"))
    assert round(float(estimate.values[0]), 3) == 7.414
    assert [round(float(end), 3) for end in estimate.interval()[2]] == [4.094, 10.919]
    assert round(estimate.details["h_left"], 3) == 17.754


def test_meyersson() -> None:
    """Islamic mayors and women's schooling: 3.020, robust [-0.309, 6.276], h 17.24 (shared data README)."""
    frame = read("CIT_2019_Cambridge_polecon.dta")
    estimate = RegressionDiscontinuity(outcome="Y", running="X").fit(frame)
    assert f"{estimate.values[0]:.3f}" == "3.020"
    assert [round(float(end), 3) for end in estimate.interval()[2]] == [-0.309, 6.276]
    assert round(estimate.details["h_left"], 2) == 17.24


def test_panes() -> None:
    """PANES: 11 to 13 points (shared data README) is the gap of means in the survey's window.

    Treatment lies to the left. Local polynomials around the cutoff do not find it, and the density of the
    census jumps: both are part of what this data says.
    """
    frame = read("Government_Transfers_RDD_Data.csv")
    window = RegressionDiscontinuity(
        outcome="Support", running="Income_Centered", order=0, kernel="uniform", bandwidth=0.02
    )
    assert 0.11 <= -window.fit(frame).values[0] <= 0.13
    local = RegressionDiscontinuity(outcome="Support", running="Income_Centered").fit(frame)
    low, high = local.interval()[2]
    assert low < 0 < high
    census = read("Government_Transfers_McCrary.csv")
    assert density_test(census, running="Income_Centered").checks[0].passed is False


def test_progresa() -> None:
    """Progresa: first stage 0.73, reduced form 0.031; the placebo in control villages fails.

    That is 0.174 [0.074, 0.323]. All from the shared data README; years after 1997, clustered by village,
    poverty to the right.
    """
    frame = read("progresa.dta").assign(poverty=lambda rows: -rows["z"])
    after = frame[frame["year"] > 1997]
    design = RegressionDiscontinuity(outcome="enroll_child", running="poverty", cluster="villid")
    reduced = design.fit(after[after["D_assig"] == 1])
    assert round(float(reduced.values[0]), 3) == 0.031
    asked = after[(after["D_assig"] == 1) & after["enroll_child"].notna()]
    first = RegressionDiscontinuity(outcome="D_HH", running="poverty", cluster="villid").fit(asked)
    assert round(float(first.values[0]), 2) == 0.73
    placebo = design.fit(after[after["D_assig"] == 0])
    assert round(float(placebo.values[0]), 3) == 0.174
    assert [round(float(end), 3) for end in placebo.interval()[2]] == [0.074, 0.323]
