"""Bins, means and curves are those of rdplot; promises and bad input of RD plots, on SIMULATED data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import BinChoices, rd_plot_bins

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "tests" / "golden" / "rdd"
SENATE = ROOT.parent / "shared" / "data" / "benchmarks" / "rdd" / "rdrobust_RDsenate.csv"
CASES = {
    case["id"]: case
    for case in json.loads((ROOT / "tests" / "golden" / "rdd_plot" / "cases.json").read_text("utf-8"))
}


@cache
def table(name: str) -> pd.DataFrame:
    if name == SENATE.name:
        if not SENATE.exists():
            pytest.skip(f"US Senate data absent: {SENATE}")
        return pd.read_csv(SENATE).rename(columns={"vote": "y", "margin": "x"})
    return pd.read_csv(DATA / name)


@pytest.mark.parametrize("name", CASES)
def test_equals_rdplot(name: str) -> None:
    case = CASES[name]
    given: dict[str, Any]
    columns: dict[str, Any]
    given, columns = (
        {key: tuple(v) if isinstance(v, list) else v for key, v in case[part].items()}
        for part in ("choices", "columns")
    )
    plot = rd_plot_bins(table(case["data"]), outcome="y", running="x", choices=BinChoices(**given), **columns)
    expected, bins = case["expected"], plot.table()
    assert list(plot.counts) == expected["J"]
    assert list(plot.least_error) == expected["J_IMSE"]
    assert list(plot.mimicking) == expected["J_MV"]
    assert bins["rows"].tolist() == expected["bin_n"]
    ours = {
        "rscale": np.divide(plot.counts, plot.least_error),
        "bin_avg": plot.lengths,
        "bin_med": plot.median_lengths,
        "h": plot.bandwidths,
        "bin_mean_y": bins["outcome"],
        "bin_mean_x": bins["running"],
    }
    for key, value in ours.items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-9, err_msg=key)
    for at, key in enumerate(("coef_left", "coef_right")):
        np.testing.assert_allclose(plot.coefficients[at], expected[key], rtol=1e-8, err_msg=key)


def simulated(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, n)
    y = np.sin(3 * x) + (x >= 0) + 0.5 * rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": y, "w": rng.uniform(0.5, 2, n), "z": rng.normal(size=n)})


def test_bins_by_hand() -> None:
    frame = pd.DataFrame({"x": [-4.0, -3, -2, -1, 0, 1, 2, 4], "y": [1.0, 3, 5, 7, 10, 12, 20, 40]})
    choices = BinChoices(count=(2, 2), order=1, level=0.9)
    plot = rd_plot_bins(frame, outcome="y", running="x", choices=choices)
    bins = plot.table()
    assert bins["low"].tolist() == [-4, -2, 0, 2]
    assert bins["outcome"].tolist() == [2, 6, 11, 30]
    np.testing.assert_allclose(bins["std_error"], [1, 1, 1, 10])
    # Student's t of one degree of freedom at 95 percent
    assert bins["conf_high"][0] == pytest.approx(2 + 6.313751514675043)
    curve = plot.curve(points=3)
    np.testing.assert_allclose(curve["fitted"][:3], [1, 5, 9], atol=1e-9)
    assert curve["running"].tolist() == [-4, -2, 0, 0, 2, 4]


def test_weights_move_means_and_a_lonely_row_has_no_error() -> None:
    frame = pd.DataFrame({"x": [-3.0, -2, -1, 0, 1, 2], "y": [1.0, 3, 9, 4, 5, 6], "w": [1.0, 3, 1, 1, 1, 1]})
    choices = BinChoices(count=(2, 1), order=1)
    bins = rd_plot_bins(frame, outcome="y", running="x", weights="w", choices=choices).table()
    assert bins["outcome"].tolist() == [2.5, 9.0, 5.0]
    assert np.isnan(bins["std_error"][1])
    assert rd_plot_bins(frame, outcome="y", running="x", choices=choices).table()["outcome"][0] == 2.0


def test_order_of_rows_does_not_matter_even_with_ties() -> None:
    frame = simulated().assign(x=lambda rows: np.where(rows.index % 7 == 0, rows["x"].round(1), rows["x"]))
    for rule in ("esmv", "qsmv"):
        choices = BinChoices(rule=rule)
        one = rd_plot_bins(frame, outcome="y", running="x", choices=choices)
        other = rd_plot_bins(frame.sample(frac=1, random_state=3), outcome="y", running="x", choices=choices)
        assert one.counts == other.counts
        np.testing.assert_allclose(one.table()["outcome"], other.table()["outcome"])
        assert one.spec["rule_used"] == rule


def test_curves_at_mean_covariates_and_scaled_counts() -> None:
    frame = simulated()
    shifted = frame.assign(y=frame["y"] + 3 * (frame["z"] - 10))
    plot = rd_plot_bins(shifted, outcome="y", running="x", covariates=("z",))
    plain = rd_plot_bins(frame, outcome="y", running="x", covariates=("z",))
    assert plot.shift - plain.shift == pytest.approx(3 * frame["z"].mean(), rel=1e-9)
    np.testing.assert_allclose(plot.curve()["fitted"], plain.curve()["fitted"] + 3 * (frame["z"].mean() - 10))
    twice = rd_plot_bins(frame, outcome="y", running="x", choices=BinChoices(scale=(2.0, 1.0)))
    assert twice.counts == (2 * plain.counts[0], plain.counts[1])


@pytest.mark.parametrize(
    "choices",
    [{"rule": "best"}, {"count": 0}, {"count": (3, 1.5)}, {"scale": 0}, {"order": -1}, {"level": 1},
     {"kernel": "cosine"}, {"bandwidth": -1}, {"means": "trimmed"}],
)  # fmt: skip
def test_senseless_choices_are_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(DesignError):
        BinChoices(**choices)


@pytest.mark.parametrize(
    ("change", "cutoff", "words"),
    [
        ({}, 5.0, "too few distinct values right"),
        ({"y": 1.0}, 0.0, "no number of bins"),
        ({"x": lambda rows: rows["x"].astype(str)}, 0.0, "does not hold numbers"),
        (
            {"x": lambda rows: np.where(rows["x"] < 0, rows["x"].round(0) - 1, rows["x"])},
            0.0,
            "too few points",
        ),
        ({"y": np.inf}, 0.0, "infinite"),
    ],
)
def test_bad_input_is_an_error_of_ours(change: dict[str, Any], cutoff: float, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        rd_plot_bins(simulated().assign(**change), outcome="y", running="x", cutoff=cutoff)
