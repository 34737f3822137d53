"""Local-linear matching: exact where the outcome is a line, ridged where rows are few, with its error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.errors import DesignError

CHOICES: dict[str, Any] = {
    "treatment": "d",
    "covariates": ("x",),
    "outcome": "y",
    "distance": "x",
    "method": "local_linear",
    "bandwidth": 0.8,
}


def line(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    x = rng.normal(size=rows)
    d = (rng.random(rows) < 1 / (1 + np.exp(-x))).astype(float)
    return pd.DataFrame({"d": d, "x": x, "y": 3.0 + 2.0 * x + 1.5 * d, "w": rng.uniform(1, 4, rows)})


def test_a_line_is_met_exactly_without_a_ridge() -> None:
    """The kernel's mean is not: treated rows lie where the line is high."""
    frame = line()
    choices: tuple[dict[str, Any], ...] = ({}, {"weights": "w"}, {"estimand": "ate"})
    for extra in choices:
        effect = je.Matching(**CHOICES, ridge=0.0, **extra).fit(frame)
        assert effect.values[0] == pytest.approx(1.5, abs=1e-9)
    kernel = je.Matching(**{**CHOICES, "method": "kernel"}).fit(frame)
    assert abs(kernel.values[0] - 1.5) > 0.02


def test_shares_are_a_design_without_outcome() -> None:
    frame = line()
    design = je.Matching(**{**CHOICES, "bandwidth": 6.0}).design(frame)
    treated = frame["d"].to_numpy() == 1
    assert design.use[~treated].sum() == pytest.approx(design.target.sum())
    assert design.use.min() < 0  # at the end of the distance rows count negatively
    assert any("below zero" in check.detail for check in design.checks)
    before, after = je.balance(design).standardised_differences()
    assert abs(after[0]) < 0.05 < abs(before[0])
    with pytest.raises(DesignError, match="no list of matches"):
        design.pairs()


def test_influence_is_the_bootstrap() -> None:
    """Error of a fixed bandwidth on a known line, against 200 resamples of SIMULATED rows."""
    rng = np.random.default_rng(8)
    frame = line(400)
    frame["y"] += frame["x"] ** 2 + rng.normal(size=400) * (1 + 0.5 * frame["d"])
    effect = je.Matching(**CHOICES).fit(frame)
    draws = [je.Matching(**CHOICES).fit(frame.iloc[rng.integers(0, 400, 400)]).values[0] for _ in range(200)]
    assert effect.uncertainty.std_error[0] == pytest.approx(np.std(draws), rel=0.15)
    assert effect.tidy()["inference"].iloc[0] != ""


def test_bandwidth_by_cross_validation_is_wide_on_a_line() -> None:
    """Where the line is true nothing is lost by looking far; the kernel's mean must stay near."""
    frame = line(400)
    frame["y"] += np.random.default_rng(9).normal(size=400)
    chosen = {
        method: je.Matching(**{**CHOICES, "method": method, "bandwidth": "cv"})
        .fit(frame)
        .details["bandwidth"]
        for method in ("kernel", "local_linear")
    }
    assert chosen["local_linear"] > 2 * chosen["kernel"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ridge": -1.0}, "ridge"),
        ({"bias_adjust": True}, "no bias adjustment"),
        ({"caliper": 0.1}, "bandwidth, not a caliper"),
        ({"distance": "mahalanobis"}, "distance on a line"),
        ({"bandwidth": 0.0}, "bandwidth is a positive number"),
    ],
)
def test_refuses(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        je.Matching(**{**CHOICES, **wrong})


def test_a_target_far_from_all_is_counted_out() -> None:
    rows = [line(), pd.DataFrame({"d": [1.0], "x": [40.0], "y": [0.0], "w": [1.0]})]
    effect = je.Matching(**CHOICES).fit(pd.concat(rows).reset_index(drop=True))
    check = next(check for check in effect.checks if check.name == "matched")
    assert check.passed is False
    assert effect.details["matched"] < effect.details["targets"]
    assert np.isfinite(effect.values).all()


def test_matched_differences_of_differences_take_it() -> None:
    frame = line()
    late = frame.assign(y=frame["y"] + 1.0 + 0.5 * frame["x"] + 2.0 * frame["d"])
    panel = pd.concat([frame.assign(t=0, i=range(300)), late.assign(t=1, i=range(300))])
    effect = je.MatchedDiD(
        outcome="y",
        time="t",
        treatment="d",
        unit="i",
        covariates=("x",),
        distance="linear_logit",
        method="local_linear",
        ridge=0.0,
        bandwidth=1.0,
    ).fit(panel)
    assert effect.values[0] == pytest.approx(2.0, abs=1e-9)
