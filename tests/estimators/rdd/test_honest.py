"""Hand calculations, promises and bad input of honest intervals, on SIMULATED data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, InferenceError
from juntos_eval.estimators.rdd import HonestRD, bias_aware_set
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust

BASE: dict[str, Any] = {"outcome": "y", "running": "x"}
NEAR: dict[str, Any] = BASE | {"bound": 1.5, "bandwidth": 0.5}
FUZZY: dict[str, Any] = BASE | {"treatment": "t", "bound": (1.5, 0.5), "bandwidth": 0.5}


def simulated(n: int = 700, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-1, 1, n), rng.normal(size=n)
    takes = (rng.random(n) < 0.2 + 0.6 * (x >= 0)) * 1.0
    y = 0.5 * x + 0.7 * x**2 + takes + 0.6 * z + 0.5 * rng.normal(size=n)
    return pd.DataFrame(
        {"x": x, "y": y, "z": z, "t": takes, "cl": rng.integers(0, 40, n), "w": rng.uniform(0.5, 2, n)}
    )


@pytest.mark.parametrize("kernel", ["triangular", "uniform", "epanechnikov"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_the_largest_bias_is_attained_and_not_passed(kernel: str, weights: str | None) -> None:
    design = HonestRD(**NEAR, kernel=kernel, weights=weights)
    frame = simulated()
    worst = design.fit(frame.assign(y=0.75 * frame["x"] ** 2 * np.where(frame["x"] < 0, -1, 1)))
    assert abs(worst.values[0]) == pytest.approx(worst.details["maximum_bias"], rel=1e-10)
    for wave in (3.0, 7.0, 15.0):
        bent = 1.5 / wave**2 * np.cos(wave * frame["x"])
        other = design.fit(frame.assign(y=bent))
        assert abs(other.values[0]) < other.details["maximum_bias"]


def test_bias_of_the_taylor_class_is_attained_where_weights_change_sign() -> None:
    frame, middle = simulated(), 0.5 / 3.0
    design = HonestRD(**NEAR, kernel="uniform", smoothness="taylor")
    found = design.fit(frame)
    x = frame["x"].to_numpy()
    sign = np.zeros(len(x))
    for side in (x < 0, x >= 0):
        near = side & (np.abs(x) <= 0.5)
        design_matrix = np.column_stack([np.ones(near.sum()), x[near]])
        sign[near] = np.sign(np.linalg.pinv(design_matrix)[0]) * np.where(x[near] < 0, -1, 1)
    worst = design.fit(frame.assign(y=0.75 * x**2 * sign))
    assert worst.values[0] == pytest.approx(found.details["maximum_bias"], rel=1e-10)
    assert (sign[(x > 0) & (x < middle)] > 0).all()


def test_units_order_of_rows_and_scale_of_weights() -> None:
    frame = simulated()
    plain = HonestRD(**BASE, bound=1.5, weights="w", covariates=("z",)).fit(frame)
    other = HonestRD(**BASE, bound=1.5 * 3 / 100, weights="w", covariates=("z",)).fit(
        frame.assign(x=10 * frame["x"], y=7 + 3 * frame["y"], w=20 * frame["w"]).sample(
            frac=1, random_state=1
        )
    )
    np.testing.assert_allclose(other.interval(), 3 * plain.interval(), rtol=1e-5)
    assert other.details["h"] == pytest.approx(10 * plain.details["h"], rel=1e-5)


def test_a_larger_bound_asks_for_a_smaller_bandwidth_and_a_longer_interval() -> None:
    frame = simulated()
    found = [HonestRD(**BASE, bound=bound).fit(frame) for bound in (0.5, 2.0, 8.0)]
    lengths = [float(np.diff(one.interval()[0])[0]) for one in found]
    assert sorted(lengths) == lengths
    assert sorted((one.details["h"] for one in found), reverse=True) == [one.details["h"] for one in found]


def test_another_inference_keeps_the_bias() -> None:
    frame = simulated()
    own = HonestRD(**NEAR, variance="ehw").fit(frame)
    robust = HonestRD(**NEAR).fit(frame, inference=Robust("HC0"))
    np.testing.assert_allclose(robust.interval(), own.interval(), rtol=1e-10)
    clustered = HonestRD(**NEAR).fit(frame, inference=Cluster("cl"))
    low, high = clustered.interval()[0]
    assert high - low > 2 * 1.96 * clustered.uncertainty.std_error[0] + 0.5 * own.details["maximum_bias"]
    with pytest.raises(InferenceError):
        clustered.with_inference(Robust("HC1"))


def test_misspecification_by_hand() -> None:
    """Two values a side and a constant: the misfit is half the gap of the two means."""
    cells = {-2.0: (1.0, 3.0), -1.0: (5.0, 7.0), 1.0: (10.0, 12.0), 2.0: (20.0, 22.0)}
    frame = pd.DataFrame([{"x": x, "y": y} for x, pair in cells.items() for y in pair])
    found = HonestRD(**BASE, smoothness="misspecification", kernel="uniform", bandwidth=2.0, order=0).fit(
        frame
    )
    # levels 4 and 16, misfits 2 and 5, each mean's variance is 2 / 2 = 1
    assert found.values[0] == pytest.approx(12.0)
    assert found.uncertainty.std_error[0] == pytest.approx(1.0)
    assert found.details["maximum_bias"] == pytest.approx(7.0)
    # level plus misfit is the mean of one cell: variance 1 a side
    low, high = found.interval()[0]
    assert low == pytest.approx(12 - 7 - 1.959963984540054 * np.sqrt(2))
    assert high == pytest.approx(12 + 7 + 1.959963984540054 * np.sqrt(2))


def test_a_bias_aware_set_ends_where_the_test_does() -> None:
    frame = simulated()
    design = HonestRD(**FUZZY)
    found = bias_aware_set(design, frame)
    assert found.shape == "bounded"
    assert design.fit(frame).values[0] in found
    sharp = HonestRD(**BASE, bandwidth=0.5)
    for end in found.intervals[0]:
        bound = 1.5 + abs(end) * 0.5
        jump = HonestRD(**(NEAR | {"bound": bound})).fit(frame.assign(y=frame["y"] - end * frame["t"]))
        assert jump.p_values()[0] == pytest.approx(0.05, abs=1e-6)
    with pytest.raises(DesignError, match="fuzzy"):
        bias_aware_set(sharp, frame)


def test_without_a_first_stage_the_set_has_no_end() -> None:
    frame = simulated().assign(t=lambda rows: np.random.default_rng(1).integers(0, 2, len(rows)))
    found = bias_aware_set(HonestRD(**FUZZY), frame)
    assert found.shape in {"two rays", "whole line"}
    chosen = bias_aware_set(HonestRD(**BASE, treatment="t", bound=(1.5, 0.5)), frame)
    assert chosen.shape in {"two rays", "whole line"}


def test_checks_tell_of_rules_and_weak_first_stages() -> None:
    frame = simulated()
    by_rule = HonestRD(**BASE).fit(frame)
    assert (
        "rule of thumb"
        in {check.name: check for check in by_rule.checks}["bound on the second derivative"].detail
    )
    weak = HonestRD(**FUZZY).fit(frame.assign(t=np.random.default_rng(1).integers(0, 2, len(frame))))
    assert {check.name: check.passed for check in weak.checks}["first stage"] is False
    few = HonestRD(**(NEAR | {"bandwidth": 0.02})).fit(frame)
    assert {check.name: check.passed for check in few.checks}["leverage"] is False


@pytest.mark.parametrize(
    "choices",
    [
        {"kernel": "gaussian"},
        {"smoothness": "lipschitz"},
        {"criterion": "best"},
        {"variance": "hc9"},
        {"bound": -1.0},
        {"bound": (1.0, 2.0)},
        {"treatment": "t", "bound": 1.0},
        {"bandwidth": 0.0},
        {"bandwidth": (0.1, 0.2)},
        {"level": 1.0},
        {"neighbours": 0},
        {"cutoff": float("inf")},
        {"order": 2},
        {"smoothness": "misspecification"},
        {"smoothness": "misspecification", "kernel": "uniform", "bandwidth": 1.0, "covariates": ("z",)},
    ],
)
def test_senseless_choices_are_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(DesignError):
        HonestRD(**BASE, **choices)


@pytest.mark.parametrize(
    ("choices", "change", "words"),
    [
        ({"cutoff": 5.0}, {}, "too few distinct values right"),
        ({}, {"x": lambda rows: rows["x"].astype(str)}, "x"),
        ({}, {"x": lambda rows: rows["x"].where(rows["x"] < 0.9, np.inf)}, "x"),
        ({}, {"x": lambda rows: np.where(rows["x"] < 0, rows["x"].round(0) - 1, rows["x"])}, "few distinct"),
        ({"bandwidth": 0.0001, "bound": 1.0}, {}, "too few points"),
        ({}, {"y": 1.0}, "no bandwidth can be selected"),
        ({"treatment": "t"}, {"t": 1.0}, "no first stage"),
        ({"smoothness": "misspecification", "kernel": "uniform", "bandwidth": 0.5}, {}, "two rows or more"),
        (
            {"covariates": ("z",), "bandwidth": 0.3, "bound": 1.0},
            {"z": lambda rows: (rows["x"].abs() > 0.5) * 1.0},
            "not of full rank",
        ),
    ],
)
def test_bad_input_is_an_error_of_ours(choices: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        HonestRD(**BASE, **choices).fit(simulated().assign(**change))


def test_missing_rows_are_counted_and_records_come_back() -> None:
    frame = simulated()
    frame.loc[:4, "y"] = np.nan
    estimate = HonestRD(**NEAR).fit(frame)
    assert estimate.sample.dropped == {"y missing": 5}
    assert (
        type(estimate).from_record(estimate.to_record()).interval().tolist() == estimate.interval().tolist()
    )
    with pytest.raises(InferenceError):
        estimate.interval(0.9)
