"""Specification curves and simulated confounders against loops written out, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import juntos_eval as je


def simulated(seed: int = 2, effect: float = 1.0, n: int = 160) -> pd.DataFrame:
    """SIMULATED: two covariates, a treatment by one of them, villages of five that are treated apart."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    d = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x))) * 1
    y = x + effect * d + rng.normal(size=n)
    village = np.arange(n) // 5
    return pd.DataFrame({"y": y, "d": d, "x": x, "z": z, "rural": (z > 0) * 1, "village": village}).assign(
        program=rng.permutation(np.tile([0, 1], n // 10))[village]
    )


BASE = je.RegressionAdjustment(outcome="y", treatment="d", covariates=("x",))


def grid() -> dict[str, Any]:
    return je.specification_grid(BASE, covariates=(("x",), ("x", "z")), estimand=("att", "ate"))


def test_a_curve_is_every_specification_once() -> None:
    frame = simulated()
    curve = je.specification_curve(grid(), frame).frame
    assert curve["estimate"].is_monotonic_increasing
    assert set(curve["covariates"]) == {("x",), ("x", "z")}
    for _, row in curve.iterrows():
        spec = je.RegressionAdjustment(
            outcome="y", treatment="d", covariates=row["covariates"], estimand=row["estimand"]
        )
        assert row["estimate"] == pytest.approx(spec.fit(frame).values[0], rel=1e-12)


def test_combinations_that_do_not_go_together_are_left_out() -> None:
    base = je.Matching(outcome="y", treatment="d", covariates=("x", "z"), caliper=0.2)
    found = je.specification_grid(base, method=("nearest", "kernel", "radius"), caliper=(None, 0.2))
    assert "method='radius', caliper=None" not in found
    assert "method='radius', caliper=0.2" in found


def test_the_joint_test_is_the_permutation_written_out() -> None:
    frame, specs = simulated(effect=0.3), grid()
    found = je.specification_curve(specs, frame, draws=19, seed=5).tests.set_index("statistic")
    rng = np.random.default_rng(5)

    def three(table: pd.DataFrame) -> list[float]:
        fits = [spec.fit(table) for spec in specs.values()]
        values = np.array([fit.values[0] for fit in fits])
        z = values / np.array([fit.uncertainty.std_error[0] for fit in fits])
        up, down = (z > stats.norm.ppf(0.975)).mean(), (z < -stats.norm.ppf(0.975)).mean()
        return [float(np.median(values)), float(max(up, down)), float(z.mean())]

    observed = three(frame)
    null = np.array([three(frame.assign(d=rng.permutation(frame["d"]))) for _ in range(19)])
    p = (1 + (np.abs(null) >= np.abs(observed) - 1e-12).sum(axis=0)) / 20
    assert found["p_value"].to_numpy() == pytest.approx(p)
    assert found["observed"].abs().to_numpy() == pytest.approx(np.abs(observed))


def test_an_effect_is_found_and_none_is_not() -> None:
    strong = je.specification_curve(grid(), simulated(effect=1.0), draws=39, seed=1).tests
    assert (strong["p_value"] <= 0.05).all()
    weak = []
    for seed in range(10, 30):
        noise = simulated(seed, effect=0.0)
        noise = noise.assign(y=noise["y"].sample(frac=1, random_state=seed).to_numpy())
        tests = je.specification_curve(grid(), noise, draws=19, seed=seed).tests
        weak.append(float(tests["p_value"].iloc[0]))
    assert np.mean(np.array(weak) <= 0.05) <= 0.2


def test_clusters_and_strata_are_kept_whole() -> None:
    frame = simulated()
    spec = je.RegressionAdjustment(outcome="y", treatment="program", covariates=("x",))
    seen: list[pd.DataFrame] = []

    class Spy:
        treatment = "program"

        def fit(self, data: pd.DataFrame) -> Any:
            seen.append(data)
            return spec.fit(data)

    je.specification_curve({"one": Spy()}, frame, draws=3, by="village")
    for table in seen:
        assert (table.groupby("village")["program"].std() == 0).all()
        assert table["program"].sum() == frame["program"].sum()
    seen.clear()
    je.specification_curve({"one": Spy()}, frame, draws=3, within="rural")
    for table in seen:
        now, was = (each.groupby("rural")["program"].sum().tolist() for each in (table, frame))
        assert now == was
    with pytest.raises(je.DesignError, match="varies within clusters"):
        je.specification_curve(grid(), frame, draws=3, by="village")


def test_what_is_refused_has_its_reason() -> None:
    frame = simulated()
    specs = {
        "good": BASE,
        "bad": je.RegressionAdjustment(outcome="y", treatment="d", covariates=("nothing",)),
    }
    curve = je.specification_curve(specs, frame).frame.set_index("specification")
    assert curve["estimate"].isna().tolist() == [False, True]
    assert "no column 'nothing'" in str(curve.loc["bad", "refused"])
    with pytest.raises(je.DesignError, match="no specification can be estimated"):
        je.specification_curve({"bad": specs["bad"]}, frame)
    with pytest.raises(je.DesignError, match="one treatment"):
        je.specification_curve({"a": BASE, "b": je.Weighting(treatment="z", covariates=("x",))}, frame)
    with pytest.raises(je.DesignError, match="no choice"):
        je.specification_grid(BASE, link=("logit",))


def test_a_simulated_confounder_is_a_loop_over_draws() -> None:
    frame = simulated(n=400)
    chances = (0.7, 0.5, 0.4, 0.2)
    found = je.simulated_confounder(BASE, frame, probabilities=chances, draws=6, seed=3)
    high = frame["y"] > frame["y"].mean()
    each = np.where(
        frame["d"] == 1, np.where(high, chances[0], chances[1]), np.where(high, chances[2], chances[3])
    )
    rng, effects, variances = np.random.default_rng(3), [], []
    for _ in range(6):
        fit = je.RegressionAdjustment(outcome="y", treatment="d", covariates=("x", "u")).fit(
            frame.assign(u=(rng.random(400) < each) * 1.0)
        )
        effects.append(fit.values[0])
        variances.append(fit.uncertainty.covariance[0, 0])
    assert found.effects == pytest.approx(effects, rel=1e-9)
    assert found.effect == pytest.approx(np.mean(effects), rel=1e-9)
    error = np.sqrt(np.mean(variances) + (1 + 1 / 6) * np.var(effects, ddof=1))
    assert found.std_error == pytest.approx(error, rel=1e-9)
    assert found.effect < found.baseline
    assert found.outcome_odds > 1
    assert found.selection_odds > 1
    assert 0 < found.share_explained < 1


def test_a_neutral_confounder_changes_nothing_and_a_column_lends_its_shares() -> None:
    frame = simulated(n=400)
    neutral = je.simulated_confounder(BASE, frame, probabilities=(0.5,) * 4, draws=20)
    assert neutral.effect == pytest.approx(neutral.baseline, abs=0.02)
    like = je.simulated_confounder(BASE, frame, like="rural", draws=3)
    high = frame["y"] > frame["y"].mean()
    assert like.probabilities["p11"] == pytest.approx(frame.loc[(frame["d"] == 1) & high, "rural"].mean())
    matched = je.Matching(outcome="y", treatment="d", covariates=("x",), replace=True)
    assert je.simulated_confounder(matched, frame, like="rural", draws=3).failed == 0


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "either like or probabilities"),
        ({"like": "rural", "probabilities": (0.5,) * 4}, "either like or probabilities"),
        ({"probabilities": (0.5, 0.5)}, "p11, p10, p01 and p00"),
        ({"probabilities": (0.5, 0.5, 0.5, 1.5)}, "p11, p10, p01 and p00"),
        ({"like": "x"}, "column of 0 and 1"),
        ({"like": "rural", "draws": 0}, "draws is a whole"),
    ],
)
def test_confounders_that_cannot_be(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(je.DesignError, match=message):
        je.simulated_confounder(BASE, simulated(), **choices)
