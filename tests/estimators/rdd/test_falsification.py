"""Placebo cutoffs, donuts, bandwidths, covariates and densities on SIMULATED data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import (
    DensityChoices,
    RegressionDiscontinuity,
    bandwidth_sensitivity,
    covariate_continuity,
    density_test,
    donut_sensitivity,
    placebo_cutoffs,
    polynomial_sensitivity,
)
from juntos_eval.inference.cluster import Cluster

DESIGN = RegressionDiscontinuity(outcome="y", running="x")


def simulated(jump_of_z: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    x = rng.uniform(-1, 1, 2000)
    z = x + jump_of_z * (x >= 0) + rng.normal(size=2000)
    frame = pd.DataFrame({"x": x, "z": z, "v": rng.normal(size=2000), "cl": rng.integers(0, 50, 2000)})
    return frame.assign(y=x + 2.0 * (x >= 0) + rng.normal(size=2000))


def test_placebo_cutoffs_use_one_side_only() -> None:
    frame = simulated()
    rows = placebo_cutoffs(DESIGN, frame, cutoffs=(-0.5, 0.5, 0.9999))
    alone = RegressionDiscontinuity(outcome="y", running="x", cutoff=0.5).fit(frame[frame["x"] >= 0])
    assert rows["estimate"][2] == alone.values[2]
    assert rows["p_value"][0] < 1e-6
    assert rows["reason"][3]
    assert np.isnan(rows["estimate"][3])
    with pytest.raises(DesignError):
        placebo_cutoffs(DESIGN, frame, cutoffs=(0.0,))


def test_donuts_leave_rows_out() -> None:
    frame = simulated()
    rows = donut_sensitivity(DESIGN, frame, radii=(0.0, 0.1))
    assert rows["rows_left_out"].tolist() == [0, int((frame["x"].abs() < 0.1).sum())]
    assert rows["estimate"][0] == DESIGN.fit(frame).values[2]
    with pytest.raises(DesignError):
        donut_sensitivity(DESIGN, frame, radii=(-1.0,))


def test_bandwidths_are_multiples() -> None:
    frame = simulated()
    rows = bandwidth_sensitivity(DESIGN, frame, factors=(0.5, 1.0))
    estimate = DESIGN.fit(frame)
    assert rows["estimate"][1] == pytest.approx(estimate.values[2], rel=1e-12)
    assert rows["h_left"][0] == pytest.approx(estimate.details["h_left"] / 2)


def test_covariates_are_tested_together() -> None:
    smooth = covariate_continuity(DESIGN, simulated(), covariates=("z", "v"))
    broken = covariate_continuity(DESIGN, simulated(1.0), covariates=("z", "v"), inference=Cluster("cl"))
    assert smooth.checks[0].passed is True
    assert broken.checks[0].passed is False
    assert smooth.keys["term"] == ("z", "v")


def test_sorting_shows_in_the_density() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=4000)
    moved = np.where((x < 0) & (x > -0.1) & (rng.random(4000) < 0.5), -x, x)
    assert density_test(pd.DataFrame({"x": x}), running="x").checks[0].passed is True
    found = density_test(pd.DataFrame({"x": moved}), running="x")
    assert found.checks[0].passed is False
    assert found.details["binomial"][0]["left"] + found.details["binomial"][0]["right"] == 20


@pytest.mark.parametrize(
    "choices", [{"fit": "free"}, {"kernel": "cosine"}, {"bandwidth": "best"}, {"bandwidth": 0}, {"order": 0}]
)
def test_density_choices(choices: dict[str, object]) -> None:
    with pytest.raises(DesignError):
        DensityChoices(**choices)  # type: ignore[arg-type]


def test_density_needs_both_sides() -> None:
    with pytest.raises(DesignError, match="left"):
        density_test(pd.DataFrame({"x": np.linspace(0, 1, 100)}), running="x")


def test_each_order_is_the_design_with_the_next_order_for_the_bias() -> None:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": rng.uniform(-1, 1, 800)})
    frame["y"] = frame["x"] ** 3 + (frame["x"] >= 0) + 0.3 * rng.normal(size=800)
    orders = (0, 2)
    table = polynomial_sensitivity(RegressionDiscontinuity(outcome="y", running="x"), frame, orders=orders)
    for place, order in enumerate(orders):
        found = RegressionDiscontinuity(outcome="y", running="x", order=order, bias_order=order + 1).fit(
            frame
        )
        assert table["estimate"].to_numpy()[place] == pytest.approx(found.values[2])
        assert table["std_error"].to_numpy()[place] == pytest.approx(found.uncertainty.std_error[2])
