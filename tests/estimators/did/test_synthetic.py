"""Synthetic comparisons: Proposition 99 as in R's synthdid, and what must hold on SIMULATED panels."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import SyntheticControl, SyntheticDiD
from juntos_eval.estimators.did.synthetic_block import Block, block_effect, block_weights, noise_level
from juntos_eval.inference.cluster import Cluster
from juntos_eval.numerics.simplex_weights import simplex_weights
from tests.estimators.did.staggered import cases, table

COLUMNS: dict[str, Any] = {"outcome": "y", "unit": "id", "time": "year", "treatment": "d"}


def proposition_99() -> pd.DataFrame:
    wide = table(cases()["prop99-sc_estimate"])
    long = wide.melt(id_vars="Year", var_name="id", value_name="y").rename(columns={"Year": "year"})
    return long.assign(d=((long["id"] == "California") & (long["year"] >= 1989)).astype(int))


def stored(name: str, of: str) -> np.ndarray:
    return np.array(list(cases()[name]["expected"][of].values()))


def test_proposition_99_by_synthetic_did() -> None:
    found = SyntheticDiD(**COLUMNS, draws=50).fit(proposition_99())
    exact = cases()["prop99-synthdid_exact"]["expected"]
    # their steps leave 3e-5 on controls that have none
    assert float(found.values[0]) == pytest.approx(exact["estimate"], abs=1e-3)
    names = [name.replace(" ", ".") for name in found.details["unit_weights"]["1989"]]
    assert names == list(exact["omega"])
    units = np.array(list(found.details["unit_weights"]["1989"].values()))
    np.testing.assert_allclose(units, stored("prop99-synthdid_exact", "omega"), atol=1e-4)
    periods = np.array(list(found.details["time_weights"]["1989"].values()))
    np.testing.assert_allclose(periods, stored("prop99-synthdid_exact", "lambda"), atol=1e-4)
    stopped = cases()["prop99-synthdid_estimate"]["expected"]
    assert float(found.values[0]) == pytest.approx(stopped["estimate"], abs=1e-2)
    assert 6 < float(found.uncertainty.std_error[0]) < 13


def test_proposition_99_by_synthetic_control() -> None:
    """R's steps stop early: ours are closer to California before treatment, 0.005 from its weights."""
    data = proposition_99()
    found = SyntheticControl(**COLUMNS, draws=2).fit(data)
    theirs = stored("prop99-sc_estimate", "omega")
    ours = np.array(list(found.details["unit_weights"]["1989"].values()))
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
    wide = data.pivot_table(index="id", columns="year", values="y", sort=False)
    early = wide.loc[:, np.asarray(wide.columns, dtype=np.int64) < 1989]
    controls, target = early.drop("California").to_numpy(), early.loc["California"].to_numpy()

    def distance(weights: np.ndarray) -> float:
        return float(np.sum((target - weights @ controls) ** 2))

    assert distance(ours) < distance(theirs)
    assert float(found.values[0]) == pytest.approx(
        cases()["prop99-sc_estimate"]["expected"]["estimate"], abs=0.2
    )
    # one of 39 states has the largest ratio at best
    assert 1 / 39 <= found.p_values()[0] < 0.1


def test_proposition_99_with_equal_weights_is_difference_in_differences() -> None:
    wide = table(cases()["prop99-did_estimate"]).set_index("Year").T
    block = Block(
        controls=wide.drop("California").to_numpy(),
        treated=wide.loc[["California"]].to_numpy(),
        before=int((np.asarray(wide.columns, dtype=np.int64) < 1989).sum()),
    )
    effect = block_effect(block, block_weights(block, "did", noise_level(block)))
    assert effect == pytest.approx(cases()["prop99-did_estimate"]["expected"]["estimate"], rel=1e-9)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_weights_are_the_minimum_over_the_simplex(intercept: bool, ridge: float) -> None:
    rng = np.random.default_rng(4)
    columns, target = rng.normal(size=(12, 5)), rng.normal(size=12)

    def objective(weights: np.ndarray) -> float:
        gap = columns @ weights - target
        gap = gap - gap.mean() if intercept else gap
        return float(np.mean(gap**2) + ridge**2 * weights @ weights)

    weights = simplex_weights(columns, target, ridge, intercept=intercept)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    found = minimize(  # type: ignore[call-overload]
        objective,
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda one: one.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert objective(weights) <= found.fun + 1e-10


@cache
def simulated(seed: int, effect: float = 2.0, starts: tuple[int, ...] = (6, 6, 6, 8, 8, 8)) -> pd.DataFrame:
    """SIMULATED: two factors, loadings that differ between treated and controls."""
    rng = np.random.default_rng(seed)
    units, periods = 30, 10
    start = np.array([*starts, *[99] * (units - len(starts))])
    load = rng.normal(size=(units, 2)) + 0.5 * (start < 99)[:, None]
    factors = np.cumsum(rng.normal(size=(2, periods)), axis=1)
    treated = np.arange(periods)[None, :] >= start[:, None]
    outcome = load @ factors * 0.5 + effect * treated + 0.5 * rng.normal(size=(units, periods))
    unit, period = np.divmod(np.arange(units * periods), periods)
    return pd.DataFrame(
        {"id": unit, "year": period + 2000, "d": treated.ravel().astype(int), "y": outcome.ravel()}
    ).assign(area=lambda frame: frame["id"] % 10)


def test_effects_are_found_where_factors_move_the_treated() -> None:
    found = [SyntheticDiD(**COLUMNS, variance="jackknife").fit(simulated(seed)) for seed in range(60)]
    values = np.array([float(one.values[0]) for one in found])
    errors = np.array([float(one.uncertainty.std_error[0]) for one in found])
    assert abs(values.mean() - 2.0) < 0.25
    assert np.mean(np.abs(values - 2) < 1.96 * errors) > 0.8
    assert errors.mean() == pytest.approx(values.std(), rel=0.5)


def test_the_three_variances_speak_of_the_same_error() -> None:
    data = simulated(3)
    errors = [
        float(SyntheticDiD(**COLUMNS, variance=one, draws=60, seed=1).fit(data).uncertainty.std_error[0])
        for one in ("placebo", "bootstrap", "jackknife")
    ]
    assert max(errors) < 3 * min(errors)
    again = SyntheticDiD(**COLUMNS, draws=60, seed=1).fit(data.sample(frac=1, random_state=1))
    assert float(again.uncertainty.std_error[0]) == pytest.approx(errors[0], rel=1e-9)


def test_jackknife_is_estimates_less_one_unit() -> None:
    data = simulated(5)
    found = SyntheticDiD(**COLUMNS, variance="jackknife").fit(data)
    assert found.fit is not None
    influence = found.fit.influence.dense()[:, 0]
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    by_area = SyntheticDiD(**COLUMNS).fit(data, inference=Cluster("area", kind="CR0"))
    summed = np.bincount(np.arange(30) % 10, weights=influence)
    assert float(by_area.uncertainty.std_error[0]) == pytest.approx(np.sqrt((summed**2).sum()), rel=1e-9)


def test_cohorts_are_averaged_by_their_treated_cells() -> None:
    data = simulated(7)
    both = float(SyntheticDiD(**COLUMNS, draws=2).fit(data).values[0])
    early = float(SyntheticDiD(**COLUMNS, draws=2).fit(data[~data["id"].isin([3, 4, 5])]).values[0])
    late = float(SyntheticDiD(**COLUMNS, draws=2).fit(data[~data["id"].isin([0, 1, 2])]).values[0])
    assert both == pytest.approx((12 * early + 6 * late) / 18, rel=1e-9)


def test_one_treated_unit_has_no_jackknife() -> None:
    found = SyntheticControl(**COLUMNS, variance="jackknife").fit(simulated(1, starts=(6,)))
    assert np.isnan(found.uncertainty.std_error[0])


def test_what_cannot_be_compared_is_named() -> None:
    data = simulated(2)
    off = data.assign(d=np.where(data["year"] == 2009, 0, data["d"]))
    with pytest.raises(DesignError, match="switches off"):
        SyntheticDiD(**COLUMNS).fit(off)
    with pytest.raises(DesignError, match="never treated"):
        SyntheticDiD(**COLUMNS).fit(data[data["id"] < 7])
    with pytest.raises(DesignError, match="two or more periods"):
        SyntheticDiD(**COLUMNS).fit(data[data["year"] >= 2005])
    with pytest.raises(DesignError, match="several rows"):
        SyntheticDiD(**COLUMNS).fit(pd.concat([data, data.head(1)]))
    with pytest.raises(DesignError, match="variance"):
        SyntheticDiD(**COLUMNS, variance="robust")  # type: ignore[arg-type]
    gap = SyntheticDiD(**COLUMNS, draws=2).fit(data.drop(index=299))
    assert gap.sample.dropped["units not seen in every period"] == 1
