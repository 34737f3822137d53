"""What a policy adds to a jump, and effects away from the cutoff: SIMULATED, by hand, and bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd import (
    CovariateExtrapolation,
    DifferenceInDiscontinuities,
    MultiCutoffExtrapolation,
    RegressionDiscontinuity,
)
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust

DESIGN = RegressionDiscontinuity(outcome="y", running="x", cutoff=0.2, cluster="id")


def panel(n: int = 800, seed: int = 4, earlier: float = 0.0) -> pd.DataFrame:
    """Something else jumps by 1 in all years; the policy of 2013 adds 2; ``earlier`` moves 2011 and 2012."""
    rng = np.random.default_rng(seed)
    one = pd.DataFrame({"id": np.arange(n), "x": rng.uniform(-1, 1.4, n), "own": rng.normal(size=n)})
    years = []
    for year in (2011, 2012, 2013, 2014):
        passed = one["x"] >= 0.2
        move = 2.0 * (year >= 2013) + earlier * (year == 2011)
        y = one["x"] + one["own"] + (1.0 + move) * passed + rng.normal(size=n) * 0.4
        years.append(one.assign(year=year, y=y))
    return pd.concat(years, ignore_index=True)


def test_two_discontinuities_are_subtracted_and_clusters_know_their_units() -> None:
    frame = panel()
    found = DifferenceInDiscontinuities(design=DESIGN, time="year", start=2013).fit(frame)
    after, before = (DESIGN.fit(frame[here]) for here in (frame["year"] >= 2013, frame["year"] < 2013))
    np.testing.assert_allclose(found.values[:3], after.values - before.values, rtol=1e-9)
    assert found.keys["group"][::3] == ("after less before", "2011", "2013", "2014")
    # what a unit keeps drops out of its difference
    apart = np.hypot(after.uncertainty.std_error[2], before.uncertainty.std_error[2])
    assert found.uncertainty.std_error[2] < 0.7 * apart
    low, high = found.interval()[2]
    assert low < 2 < high
    assert found.checks[0].passed is True
    assert (
        DifferenceInDiscontinuities(design=DESIGN, time="year", start=2013)
        .fit(panel(earlier=1.5))
        .checks[0]
        .passed
        is False
    )


def test_a_balanced_panel_at_one_bandwidth_is_both() -> None:
    frame = panel()
    design = replace(DESIGN, bandwidth=0.6, kernel="uniform")
    pooled = DifferenceInDiscontinuities(design=design, time="year", start=2013).fit(frame)
    change = DifferenceInDiscontinuities(design=design, time="year", start=2013, unit="id").fit(frame)
    np.testing.assert_allclose(change.values, pooled.values, rtol=1e-9)
    rows = frame.drop(index=[3, 900])
    short = DifferenceInDiscontinuities(design=design, time="year", start=2013, unit="id").fit(rows)
    assert short.sample.dropped["period missing"] == 2
    rule = Cluster("id", kind="CR0")
    by_rows = DifferenceInDiscontinuities(design=design, time="year", start=2013).fit(frame, inference=rule)
    by_units = DifferenceInDiscontinuities(design=design, time="year", start=2013, unit="id").fit(
        frame, inference=Robust("HC0")
    )
    np.testing.assert_allclose(by_rows.uncertainty.std_error, by_units.uncertainty.std_error, rtol=1e-8)


@pytest.mark.parametrize(
    ("choices", "change", "match"),
    [
        ({"design": replace(DESIGN, treatment="own")}, {}, "no fuzzy form"),
        ({"start": 2011}, {}, "no period before"),
        ({"start": 2020}, {}, "no period after"),
        ({"unit": "id"}, {"year": 2012.0}, "no period after"),
        ({"unit": "id"}, {"id": 1}, "seen twice"),
        ({"unit": "id"}, {"x": np.linspace(-1, 1, 3200)}, "moves between periods"),
        ({}, {"year": "2012"}, "does not hold numbers"),
    ],
)
def test_differences_that_make_no_sense(choices: dict[str, Any], change: dict[str, Any], match: str) -> None:
    made: dict[str, Any] = {"design": DESIGN, "time": "year", "start": 2013} | choices
    with pytest.raises(DesignError, match=match):
        DifferenceInDiscontinuities(**made).fit(panel().assign(**change))


def explained(seed: int = 1, left_over: float = 0.0) -> pd.DataFrame:
    """The score tells of the outcome by w alone (unless some is left over); the effect is 1 + w."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=3000)
    x = w + rng.normal(size=3000)
    y = w + left_over * x + (1 + w) * (x >= 0) + rng.normal(size=3000)
    return pd.DataFrame(
        {"x": x, "y": y, "w": w, "v": rng.integers(0, 70, 3000), "s": rng.uniform(1, 3, 3000)}
    )


def test_covariates_carry_the_effect_away_from_the_cutoff() -> None:
    frame = explained()
    design = CovariateExtrapolation(
        outcome="y", running="x", covariates=("w",), window=(1.5, 2), regions=((-1.5, -0.5), (0.5, 2))
    )
    found = design.fit(frame)
    truth = [1 + frame.loc[frame["x"].between(low, high), "w"].mean() for low, high in design.regions]
    low, high = found.interval().T
    assert ((low < truth) & (truth < high)).all()
    assert found.checks[0].passed is True
    assert design.fit(explained(left_over=0.5)).checks[0].passed is False
    assert found.sample.dropped["outside the window"] == int((~frame["x"].between(-1.5, 2)).sum())


def test_covariate_extrapolation_has_the_influence_of_its_weights() -> None:
    frame = explained().head(300)
    design = CovariateExtrapolation(outcome="y", running="x", covariates=("w",), window=5, weights="s")
    found = design.fit(frame, inference=Cluster("v"))
    assert found.fit is not None
    for row in (0, 120):
        up, down = (
            design.fit(frame.assign(s=frame["s"] + sign * 1e-5 * (np.arange(300) == row))).values
            for sign in (1, -1)
        )
        slope = (up - down) / 2e-5 * frame["s"].iloc[row]
        np.testing.assert_allclose(found.fit.influence.dense()[row], slope, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"covariates": ()}, "nothing explains"),
        ({"regions": ((-0.5, 0.5),)}, "one side"),
        ({"window": -1}, "window"),
        ({"cutoff": 50.0}, "has no row"),
        ({"covariates": ("w", "w2")}, "collinear"),
        ({"regions": ((0.99999, 1.0),), "window": 1}, "a region has no row"),
    ],
)
def test_covariate_extrapolations_that_make_no_sense(choices: dict[str, Any], match: str) -> None:
    made: dict[str, Any] = {"outcome": "y", "running": "x", "covariates": ("w",), "window": 2} | choices
    with pytest.raises(DesignError, match=match):
        CovariateExtrapolation(**made).fit(explained().head(200).assign(w2=lambda rows: 2 * rows["w"]))


TWO: dict[str, Any] = {"outcome": "y", "running": "x", "cutoff": "c", "low": -0.4, "high": 0.4}


def two_cutoffs(seed: int = 2, n: int = 3000, drift: float = 0.0) -> pd.DataFrame:
    """Groups differ by 0.5 (and ``drift`` times the score); the effect is 2 + x."""
    rng = np.random.default_rng(seed)
    x, c = rng.uniform(-1, 1, n), rng.choice([-0.4, 0.4, 0.9], n)
    level = np.sin(x) + (0.5 + drift * x) * (c > 0)
    y = level + (2 + x) * (x >= c) + rng.normal(size=n) * 0.3
    return pd.DataFrame({"x": x, "c": c, "y": y, "v": rng.integers(0, 80, n)})


def test_another_cutoff_carries_the_effect_between_the_two() -> None:
    design = MultiCutoffExtrapolation(**TWO, points=(-0.2, 0.0, 0.2), earlier=(-0.7,))
    covered = []
    for seed in range(8):
        found = design.fit(two_cutoffs(seed))
        low, high = found.interval()[2::3].T
        truth = np.array([1.8, 2.0, 2.2, 0.0])
        covered.append((low <= truth) & (truth <= high))
    assert np.mean(covered) > 0.85
    assert found.sample.dropped["other cutoff"] > 500
    assert found.checks[0].name == "parallel below the cutoffs"
    assert design.fit(two_cutoffs(drift=3.0)).checks[0].passed is False
    clustered = replace(design, cluster="v").fit(two_cutoffs())
    assert "clustered by v" in clustered.uncertainty.method
    # at the low cutoff it is a discontinuity: what the other group shows cancels
    at = MultiCutoffExtrapolation(**TWO, points=(-0.4,), bandwidth=0.3, kernel="uniform").fit(two_cutoffs())
    frame = two_cutoffs()
    alone = RegressionDiscontinuity(outcome="y", running="x", cutoff=-0.4, bandwidth=0.3, kernel="uniform")
    jump = alone.fit(frame[frame["c"] == -0.4])
    np.testing.assert_allclose(at.values, jump.values, rtol=1e-8)
    again = design.fit(two_cutoffs(), inference=Robust("HC0")).uncertainty.std_error[2::3]
    np.testing.assert_allclose(again, design.fit(two_cutoffs()).uncertainty.std_error[2::3], rtol=0.03)


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"points": (0.5,)}, "below the high one"),
        ({"earlier": (0.0,)}, "below the low cutoff"),
        ({"low": 0.5}, "below high"),
        ({"low": -0.3}, "no row faces"),
        ({"kernel": "cosine"}, "kernel"),
        ({"earlier": (-5.0,), "bandwidth": 0.1}, "low untreated at -5"),
    ],
)
def test_extrapolations_from_cutoffs_that_make_no_sense(choices: dict[str, Any], match: str) -> None:
    with pytest.raises(DesignError, match=match):
        MultiCutoffExtrapolation(**(TWO | {"points": (0.0,)} | choices)).fit(two_cutoffs(n=400))
