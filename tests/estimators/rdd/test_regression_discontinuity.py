"""Hand calculations, promises and bad input of regression discontinuity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import RegressionDiscontinuity
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust

BASE: dict[str, Any] = {"outcome": "y", "running": "x"}


def simulated(n: int = 900, seed: int = 3) -> pd.DataFrame:
    """SIMULATED: a jump of one, a treatment that follows the rule in part, clusters on both sides."""
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-1, 1, n), rng.normal(size=n)
    takes = (rng.random(n) < 0.15 + 0.7 * (x >= 0)) * 1.0
    y = 0.5 * x + x**2 + 1.0 * (x >= 0) + 0.6 * z + rng.normal(size=n) * 0.5
    return pd.DataFrame(
        {"x": x, "y": y, "z": z, "t": takes, "cl": rng.integers(0, 40, n), "w": rng.uniform(0.5, 2, n)}
    )


def test_uniform_kernel_is_two_regressions() -> None:
    frame = simulated()
    near = frame[frame["x"].abs() <= 0.4]
    level = []
    for side in (near[near["x"] < 0], near[near["x"] >= 0]):
        design = np.column_stack([np.ones(len(side)), side["x"]])
        level.append(np.linalg.lstsq(design, side["y"], rcond=None)[0][0])
    estimate = RegressionDiscontinuity(**BASE, kernel="uniform", bandwidth=0.4).fit(frame)
    assert estimate.values[0] == pytest.approx(level[1] - level[0], rel=1e-11)


def test_equal_bandwidths_give_the_next_order() -> None:
    """With b = h the correction of order p is the fit of order p + 1 (Calonico et al. 2014, remark 7)."""
    frame = simulated()
    corrected = RegressionDiscontinuity(**BASE, bandwidth=0.5).fit(frame)
    higher = RegressionDiscontinuity(**BASE, bandwidth=0.5, order=2).fit(frame)
    assert corrected.values[1] == pytest.approx(higher.values[0], rel=1e-10)
    assert corrected.uncertainty.std_error[2] == pytest.approx(higher.uncertainty.std_error[0], rel=1e-10)


def test_fuzzy_is_the_ratio_of_jumps() -> None:
    frame = simulated()
    fuzzy = RegressionDiscontinuity(**BASE, treatment="t", bandwidth=0.5).fit(frame)
    reduced = RegressionDiscontinuity(**BASE, bandwidth=0.5).fit(frame)
    first = RegressionDiscontinuity(outcome="t", running="x", bandwidth=0.5).fit(frame)
    assert fuzzy.values[0] == pytest.approx(reduced.values[0] / first.values[0], rel=1e-10)
    assert fuzzy.details["first_stage"] == pytest.approx(first.values[0], rel=1e-10)
    assert fuzzy.details["first_stage_std_error"] == pytest.approx(first.uncertainty.std_error[0], rel=1e-9)


def test_kink_of_a_broken_line_is_exact() -> None:
    x = np.linspace(-1, 1, 401)
    frame = pd.DataFrame({"x": x, "y": np.where(x >= 0, 3.0 * x, x) + x**2})
    kink = RegressionDiscontinuity(**BASE, derivative=1, order=2, bandwidth=0.6).fit(frame)
    np.testing.assert_allclose(kink.values, 2.0, atol=1e-9)


@pytest.mark.parametrize("choices", [{}, {"covariates": ("z",)}, {"covariates": ("z",), "treatment": "t"}])
def test_influence_is_the_derivative_with_respect_to_weights(choices: dict[str, Any]) -> None:
    frame = simulated(200).assign(one=1.0)
    design = RegressionDiscontinuity(**BASE, weights="one", bandwidth=0.7, bias_bandwidth=0.9, **choices)
    fit = design.fit(frame).fit
    assert fit is not None
    influence = fit.influence.dense()
    np.testing.assert_allclose(influence.sum(axis=0), 0.0, atol=1e-12)
    for row in (3, 77, 150):
        step = 1e-5
        moved = []
        for sign in (-1, 1):
            weights = np.ones(len(frame))
            weights[row] += sign * step
            moved.append(design.fit(frame.assign(one=weights)).values)
        # a fuzzy ratio's correction is linearised where it is, so the plain estimate is the exact one
        columns = 1 if "treatment" in choices else 3
        derivative = (moved[1] - moved[0]) / (2 * step)
        np.testing.assert_allclose(influence[row, :columns], derivative[:columns], rtol=2e-5, atol=1e-9)


def test_singleton_clusters_are_hc1_up_to_the_factor() -> None:
    frame = simulated(500).assign(each=lambda rows: np.arange(len(rows)))
    plain = RegressionDiscontinuity(**BASE, bandwidth=0.5, variance="hc1").fit(frame)
    clustered = RegressionDiscontinuity(**BASE, bandwidth=0.5, cluster="each").fit(frame)
    np.testing.assert_allclose(clustered.uncertainty.std_error, plain.uncertainty.std_error, rtol=1e-10)
    neighbours = RegressionDiscontinuity(**BASE, bandwidth=0.5).fit(frame)
    summed = RegressionDiscontinuity(**BASE, bandwidth=0.5, cluster="each", variance="crnn").fit(frame)
    ratio = summed.uncertainty.std_error / neighbours.uncertainty.std_error
    assert (ratio > 1.0).all()
    assert (ratio < 1.03).all()


def test_other_inference_uses_influence() -> None:
    frame = simulated()
    design = RegressionDiscontinuity(**BASE, bandwidth=0.5)
    own = RegressionDiscontinuity(**BASE, bandwidth=0.5, variance="hc0").fit(frame)
    robust = design.fit(frame, inference=Robust("HC0"))
    np.testing.assert_allclose(
        robust.uncertainty.std_error[[0, 2]], own.uncertainty.std_error[[0, 2]], rtol=1e-9
    )
    assert np.isfinite(design.fit(frame, inference=Cluster("cl")).uncertainty.std_error).all()


def test_collinear_covariates_are_named() -> None:
    frame = simulated().assign(twice=lambda rows: 2.0 * rows["z"])
    both = RegressionDiscontinuity(**BASE, covariates=("z", "twice")).fit(frame)
    one = RegressionDiscontinuity(**BASE, covariates=("z",)).fit(frame)
    np.testing.assert_allclose(both.values, one.values, rtol=1e-12)
    assert "twice" in next(check for check in both.checks if check.name == "collinear covariates").detail


def test_mass_points_and_straddling_clusters_are_told() -> None:
    frame = simulated().assign(x=lambda rows: rows["x"].round(1))
    estimate = RegressionDiscontinuity(**BASE, cluster="cl").fit(frame)
    told = {check.name: check for check in estimate.checks}
    assert told["mass points"].passed is False
    assert "on both sides" in told["clusters across the cutoff"].detail


def test_a_treatment_that_follows_the_rule_is_sharp() -> None:
    frame = simulated().assign(t=lambda rows: (rows["x"] >= 0) * 1.0)
    fuzzy = RegressionDiscontinuity(**BASE, treatment="t").fit(frame)
    sharp = RegressionDiscontinuity(**BASE).fit(frame)
    np.testing.assert_allclose(fuzzy.values, sharp.values, rtol=1e-10)
    assert "sharp" in next(check for check in fuzzy.checks if check.name == "first stage").detail


@pytest.mark.parametrize(
    ("choices", "change", "words"),
    [
        ({"cutoff": 5.0}, {}, "too few distinct values right"),
        ({"cutoff": -5.0}, {}, "too few distinct values left"),
        ({}, {"x": lambda rows: np.where(rows["x"] < 0, -0.5, rows["x"])}, "1 distinct"),
        ({}, {"x": lambda rows: rows["x"].astype(str)}, "x"),
        ({}, {"x": lambda rows: pd.Timestamp("2020-01-01") + pd.to_timedelta(rows["x"], unit="D")}, "x"),
        ({}, {"x": lambda rows: rows["x"].where(rows["x"] < 0.9, np.inf)}, "x"),
        ({"treatment": "t"}, {"t": 1.0}, "no first stage"),
        ({"bandwidth": 0.001}, {}, "too few points"),
        ({}, {"y": 1.0}, "no bandwidth can be selected"),
        (
            {"covariates": ("z",), "bandwidth": 0.3},
            {"z": lambda rows: (rows["x"].abs() > 0.5) * 1.0},
            "not of full rank",
        ),
    ],
)
def test_bad_input_is_an_error_of_ours(choices: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        RegressionDiscontinuity(**BASE, **choices).fit(simulated().assign(**change))


@pytest.mark.parametrize(
    "choices",
    [
        {"kernel": "gaussian"},
        {"bandwidth": "best"},
        {"bandwidth": -1.0},
        {"bandwidth": (0.1, 0.2, 0.3)},
        {"order": 1, "bias_order": 1},
        {"derivative": 2},
        {"variance": "cr1"},
        {"mass_points": "maybe"},
        {"rho": 0.0},
        {"cutoff": float("nan")},
        {"neighbours": 0},
        {"regularisation": -1.0},
    ],
)
def test_senseless_choices_are_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(DesignError):
        RegressionDiscontinuity(**BASE, **choices)


def test_weight_zero_rows_do_not_count_and_order_does_not_matter() -> None:
    frame = simulated().assign(w=lambda rows: np.where(rows.index % 7 == 0, 0.0, rows["w"]))
    whole = RegressionDiscontinuity(**BASE, weights="w").fit(frame)
    kept = RegressionDiscontinuity(**BASE, weights="w").fit(frame[frame["w"] > 0].iloc[::-1])
    np.testing.assert_allclose(whole.values, kept.values, rtol=1e-10)
    assert whole.sample.dropped["w is zero"] == (frame["w"] == 0).sum()


def test_moves_with_the_units_of_both_axes() -> None:
    frame = simulated()
    design = RegressionDiscontinuity(**BASE)
    plain = design.fit(frame)
    moved = design.fit(frame.assign(x=1000 * frame["x"], y=5 + 2 * frame["y"]))
    np.testing.assert_allclose(moved.values, 2 * plain.values, rtol=1e-8)
    assert moved.details["h_left"] == pytest.approx(1000 * plain.details["h_left"], rel=1e-8)
