"""On SIMULATED unbalanced, weighted panels full of singletons, ours is linearmodels and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv.absorbing import AbsorbingLS
from linearmodels.panel import BetweenOLS, FirstDifferenceOLS, PanelOLS

from juntos_eval.estimators.panel import Between, FirstDifference, FixedEffects, Mundlak
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid, Robust
from juntos_eval.inference.small_sample import SmallSample

SEEDS = range(5)
PLAIN = SmallSample(coefficients=False, clusters=False)


def panel(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    units, periods = int(rng.integers(15, 60)), int(rng.integers(3, 9))
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), periods), "time": np.tile(np.arange(periods), units)}
    )
    effect = rng.normal(size=units)[frame["unit"]]
    frame["x1"] = rng.normal(size=len(frame)) + effect
    frame["x2"] = (rng.random(len(frame)) < 0.4) * 1.0
    frame["y"] = (
        frame["x1"] - 0.5 * frame["x2"] + 2 * effect + 0.1 * frame["time"] + rng.normal(size=len(frame))
    )
    frame["w"] = rng.uniform(0.2, 4.0, len(frame))
    frame["g"] = rng.integers(0, 7, len(frame))
    # many rows are missing, so that some units have one row or none
    return frame[rng.random(len(frame)) < rng.uniform(0.3, 0.8)].sample(frac=1, random_state=seed)


@pytest.mark.filterwarnings("ignore:.*singleton observations dropped")
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_way_effects_are_those_of_linearmodels(seed: int, weights: str | None) -> None:
    frame = panel(seed)
    indexed = frame.set_index(["unit", "time"])
    theirs = PanelOLS(
        indexed["y"],
        indexed[["x1", "x2"]],
        entity_effects=True,
        time_effects=True,
        weights=None if weights is None else indexed[weights],
        singletons=False,
    ).fit(cov_type="clustered", cluster_entity=True, debiased=False, group_debias=False, count_effects=False)
    ours = FixedEffects(
        outcome="y", covariates=("x1", "x2"), absorb=("unit", "time"), weights=weights, singletons="drop"
    ).fit(frame, inference=Cluster("unit", small_sample=PLAIN))
    assert ours.sample.rows == theirs.nobs
    np.testing.assert_allclose(ours.values, theirs.params, rtol=1e-8)
    # their factor is n / (n - effects), whatever they are told of effects and small samples
    ratio = ours.uncertainty.std_error**2 / theirs.std_errors**2
    np.testing.assert_allclose(ratio, (theirs.df_resid + 2) / theirs.nobs, rtol=1e-7)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("seed", SEEDS)
def test_three_ways_are_dummies_of_statsmodels(seed: int, weights: str | None) -> None:
    frame = panel(seed)
    dummies = pd.get_dummies(frame[["unit", "time", "g"]].astype(str), drop_first=True, dtype=float)
    design = sm.add_constant(pd.concat([frame[["x1", "x2"]], dummies], axis=1))
    weight = np.ones(len(frame)) if weights is None else frame[weights]
    theirs = sm.WLS(frame["y"], design, weights=weight).fit(cov_type="HC0", method="qr")
    model = FixedEffects(outcome="y", covariates=("x1", "x2"), absorb=("unit", "time", "g"), weights=weights)
    ours = model.fit(frame, inference=Robust("HC0"))
    np.testing.assert_allclose(ours.values, theirs.params[["x1", "x2"]], rtol=1e-7)
    np.testing.assert_allclose(ours.uncertainty.std_error, theirs.bse[["x1", "x2"]], rtol=1e-7)
    np.testing.assert_allclose(ours.details["r2"], theirs.rsquared, rtol=1e-9)
    assert ours.details["absorbed_rank"] + 2 == np.linalg.matrix_rank(design.to_numpy())
    if frame["unit"].value_counts().min() > 1:
        hc3 = sm.WLS(frame["y"], design, weights=weight).fit(cov_type="HC3")
        found = model.fit(frame, inference=Robust("HC3"))
        np.testing.assert_allclose(found.uncertainty.std_error, hc3.bse[["x1", "x2"]], rtol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_slopes_by_level_are_interactions_of_linearmodels(seed: int) -> None:
    frame = panel(seed)
    ours = FixedEffects(outcome="y", covariates=("x1", "x2"), absorb=("g[time]", "unit")).fit(
        frame, inference=Robust("HC0")
    )
    from linearmodels.iv.absorbing import Interaction

    trend = Interaction(cat=frame[["g"]].astype("category"), cont=frame[["time"]].astype(float))
    theirs = AbsorbingLS(
        frame["y"],
        frame[["x1", "x2"]],
        absorb=frame[["unit", "g"]].astype("category"),
        interactions=[trend],
        drop_absorbed=True,
    ).fit(cov_type="robust", debiased=False, absorb_options={"atol": 1e-14, "btol": 1e-14})
    np.testing.assert_allclose(ours.values, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.uncertainty.std_error, theirs.std_errors, rtol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_differences_and_means_are_those_of_linearmodels(seed: int) -> None:
    frame = panel(seed)
    indexed = frame.set_index(["unit", "time"]).sort_index()
    changes = FirstDifferenceOLS(indexed["y"], indexed[["x1", "x2"]]).fit()
    ours = FirstDifference(
        outcome="y", covariates=("x1", "x2"), unit="unit", time="time", constant=False
    ).fit(frame, inference=Iid())
    if ours.details["changes"] == changes.nobs:
        np.testing.assert_allclose(ours.values, changes.params, rtol=1e-9)
        np.testing.assert_allclose(ours.uncertainty.std_error, changes.std_errors, rtol=1e-9)
    means = BetweenOLS(indexed["y"], sm.add_constant(indexed[["x1", "x2"]])).fit()
    ours = Between(outcome="y", covariates=("x1", "x2"), unit="unit").fit(frame, inference=Iid())
    np.testing.assert_allclose(ours.values, means.params, rtol=1e-9)
    np.testing.assert_allclose(ours.uncertainty.std_error, means.std_errors, rtol=1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("seed", SEEDS)
def test_mundlak_has_the_coefficients_of_fixed_effects(seed: int, weights: str | None) -> None:
    frame = panel(seed)
    mundlak = Mundlak(outcome="y", covariates=("x1", "x2"), unit="unit", weights=weights).fit(frame)
    fixed = FixedEffects(outcome="y", covariates=("x1", "x2"), absorb=("unit",), weights=weights).fit(frame)
    np.testing.assert_allclose(mundlak.values[1:3], fixed.values, rtol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_dropping_singletons_leaves_coefficients(seed: int) -> None:
    frame = panel(seed)
    keep, drop = (
        FixedEffects(outcome="y", covariates=("x1", "x2"), absorb=("unit", "time"), singletons=how).fit(frame)
        for how in ("keep", "drop")
    )
    np.testing.assert_allclose(keep.values, drop.values, rtol=1e-9)
    assert keep.sample.rows - drop.sample.rows == sum(drop.sample.dropped.values())
