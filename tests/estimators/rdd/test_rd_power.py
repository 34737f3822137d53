"""Power of a discontinuity against the normal approximation, its own inverse, and a SIMULATED fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import DiscontinuityPower, RegressionDiscontinuity


def test_power_effect_and_rows_are_inverses() -> None:
    plan = DiscontinuityPower(std_error=0.2, rows=1000, right_share=0.3)
    assert plan.power(0.0) == pytest.approx(0.05)
    effect = plan.minimum_detectable(0.8)
    # the other tail is too small to be seen at this power
    assert effect == pytest.approx(0.2 * (norm.ppf(0.975) + norm.ppf(0.8)), rel=1e-4)
    assert plan.power(-effect) == pytest.approx(0.8)
    assert plan.rows_needed(effect / 2, 0.8) == (2800, 1200)
    assert DiscontinuityPower.from_moments((0.03, 0.01), (700, 300)) == plan


def test_moments_of_a_fit() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.uniform(-1, 1, 800), "y": rng.normal(size=800)})
    found = RegressionDiscontinuity(outcome="y", running="x").fit(frame)
    plan = DiscontinuityPower.of(found)
    assert plan.std_error == found.uncertainty.std_error[2]
    assert plan.rows == found.details["n_left"] + found.details["n_right"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda plan: plan.minimum_detectable(0.01),
        lambda plan: plan.minimum_detectable(1.0),
        lambda plan: plan.rows_needed(0.0),
        lambda _: DiscontinuityPower(std_error=0.0, rows=10),
        lambda _: DiscontinuityPower(std_error=1.0, rows=10, right_share=1.0),
        lambda _: DiscontinuityPower.from_moments((1.0, 1.0), (0, 5)),
    ],
    ids=["power below size", "power of one", "no effect", "no error", "one side", "no rows"],
)
def test_plans_that_make_no_sense(ask: Any) -> None:
    with pytest.raises(DesignError):
        ask(DiscontinuityPower(std_error=1.0, rows=100))
