from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.conley_taber import ConleyTaber
from tests.inference.panel import absorbed_fit

RULE = ConleyTaber(by="district", time="year", treatment="treated", draws=2000)


def panel(rng: np.random.Generator, treated: int, districts: int = 41) -> pd.DataFrame:
    """SIMULATED: districts over 6 years, skewed and persistent shocks; some treated late; no effect."""
    district, year = np.repeat(np.arange(districts), 6), np.tile(np.arange(6), districts)
    steps = rng.exponential(size=(districts, 6)).cumsum(axis=1).ravel()
    frame = pd.DataFrame({"district": district, "year": year, "y": steps + rng.normal(size=6)[year]})
    return frame.assign(treated=((district < treated) & (year > 2)) * 1.0)


def fit_of(frame: pd.DataFrame) -> Fit:
    return absorbed_fit(frame, ("treated",), ("district", "year"), None, ("district", "year", "treated"))


def test_one_treated_district_is_a_rank_among_the_others() -> None:
    frame = panel(np.random.default_rng(1), 1)
    fit = fit_of(frame)
    found = RULE.infer(fit)
    table = frame["y"].to_numpy().reshape(41, 6)
    change = table[:, 3:].mean(axis=1) - table[:, :3].mean(axis=1)
    others = change[1:] - change[1:].mean()
    assert fit.values[0] == pytest.approx(change[0] - change[1:].mean())
    beyond = (np.abs(others) >= abs(fit.values[0])).sum()
    assert found.p_values is not None
    assert found.p_values[0] == pytest.approx((1 + beyond) / 41)
    assert found.intervals is not None
    half = (found.intervals[0, 1] - found.intervals[0, 0]) / 2
    assert half == pytest.approx(np.sort(np.abs(others))[-2])
    inside = replace(RULE, null=float(found.intervals[0, 1]) - 1e-6).infer(fit).p_values
    outside = replace(RULE, null=float(found.intervals[0, 1]) + 1e-6).infer(fit).p_values
    assert inside is not None
    assert outside is not None
    assert inside[0] > 0.05 >= outside[0]


def test_size_with_few_treated_districts_where_clusters_fail() -> None:
    """Of 400 samples without an effect 5 % should be significant; of clustered t tests a third is."""
    p_values, clustered = [], []
    for seed in range(400):
        fit = fit_of(panel(np.random.default_rng([5, seed]), 1, districts=25))
        rules = (
            ConleyTaber(by="district", time="year", treatment="treated"),
            Cluster("district", kind="CR1S"),
        )
        first, second = (rule.infer(fit) for rule in rules)
        assert first.p_values is not None
        p_values.append(first.p_values[0])
        clustered.append(abs(fit.values[0]) / second.std_error[0] > 2.06)
    assert 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.085
    assert np.mean(clustered) > 0.3


def test_several_treated_districts_are_drawn() -> None:
    fit = fit_of(panel(np.random.default_rng(2), 3))
    found, again = RULE.infer(fit), RULE.infer(fit)
    assert found.p_values is not None
    np.testing.assert_array_equal(found.p_values, again.p_values)
    assert "3 treated of 41 groups" in found.method
    assert 0 < found.p_values[0] <= 1


def test_districts_without_the_periods_stand_in_for_nobody() -> None:
    frame = panel(np.random.default_rng(3), 1)
    gaps = (frame["district"] > 30) & (frame["year"] == 5)
    assert "1 treated of 31 groups" in RULE.infer(fit_of(frame[~gaps])).method
    with pytest.raises(InferenceError, match="1 treated, 0 untreated"):
        RULE.infer(fit_of(frame[(frame["district"] == 0) | (frame["year"] != 5)]))


def test_what_cannot_be_asked() -> None:
    frame = panel(np.random.default_rng(4), 1)
    with pytest.raises(InferenceError, match="draws=10"):
        ConleyTaber(by="a", time="b", treatment="c", draws=10)
    two = absorbed_fit(
        frame.assign(x=np.arange(len(frame)) % 5), ("treated", "x"), ("district",), None, RULE.columns
    )
    with pytest.raises(InferenceError, match="2 values"):
        RULE.infer(two)
    few = fit_of(panel(np.random.default_rng(4), 1, districts=12))
    found = RULE.infer(few)
    assert found.intervals is not None
    assert np.isinf(found.intervals).all()
    assert "too few for an interval" in found.method
