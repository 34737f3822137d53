"""Dose-response against three regressions of statsmodels, its derivative, and a planted curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import juntos_eval as je

SPEC: dict[str, Any] = {
    "outcome": "y",
    "dose": "months",
    "covariates": ("x1", "area"),
    "doses": (12.0, 24.0, 36.0),
}


def simulated(seed: int = 4, n: int = 400) -> pd.DataFrame:
    """SIMULATED: months of exposure by covariates; each month adds 0.1 to the outcome."""
    rng = np.random.default_rng(seed)
    x, area = rng.normal(size=n), rng.choice(["coast", "high"], n)
    months = 24 + 4 * x + 3 * (area == "high") + 6 * rng.normal(size=n)
    y = 1 + 0.1 * months + 0.5 * x + 0.3 * (area == "high") + rng.normal(size=n)
    return pd.DataFrame(
        {
            "y": y,
            "months": months,
            "x1": x,
            "area": area,
            "w": rng.uniform(1, 3, n),
            "village": np.arange(n) // 8,
        }
    )


@pytest.mark.parametrize("weights", [None, "w"])
def test_it_is_hirano_and_imbens_in_three_steps(weights: str | None) -> None:
    frame = simulated()
    w = frame["w"].to_numpy() if weights else np.ones(len(frame))
    x = sm.add_constant(np.column_stack([frame["x1"], frame["area"] == "high"]).astype(float))
    t = frame["months"].to_numpy()
    first = sm.WLS(t, x, w).fit()
    sd = np.sqrt(np.average(first.resid**2, weights=w))

    def columns(dose: Any) -> Any:
        r = stats.norm.pdf(dose, first.fittedvalues, sd)
        dose = np.broadcast_to(dose, r.shape)
        return np.column_stack([np.ones(len(r)), dose, dose**2, r, r**2, dose * r])

    second = sm.WLS(frame["y"].to_numpy(), columns(t), w).fit()
    by_hand = [np.average(second.predict(columns(dose)), weights=w) for dose in SPEC["doses"]]
    found = je.DoseResponse(**SPEC, weights=weights).fit(frame)
    assert found.values == pytest.approx(by_hand, rel=1e-7)
    assert found.keys["dose"] == SPEC["doses"]


def test_influence_is_the_derivative_in_weights() -> None:
    frame = simulated(n=150)
    spec = je.DoseResponse(**SPEC, weights="w")
    fit = spec.fit(frame).fit
    assert fit is not None
    influence = fit.influence.dense()
    assert np.abs(influence.sum(axis=0)).max() < 1e-9
    h = 1e-4
    for row in (0, 7, 40, 149):
        ends = []
        for factor in (1 + h, 1 - h):
            weights = frame["w"].to_numpy(copy=True)
            weights[row] *= factor
            ends.append(spec.fit(frame.assign(w=weights)).values)
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(influence[row], abs=1e-6 * influence.std())


def planted(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The outcome as the method has it: of the dose and of its density given covariates."""
    index = 24 + 4 * frame["x1"] + 3 * (frame["area"] == "high")
    density = stats.norm.pdf(frame["months"], index, 6)
    noise = np.random.default_rng([9, seed]).normal(size=len(frame))
    return frame.assign(y=1 + 0.1 * frame["months"] + 20 * density + noise)


def test_a_planted_curve_is_found_and_covered() -> None:
    x = np.tile(stats.norm.ppf((np.arange(4000) + 0.5) / 4000), 2)
    index = 24 + 4 * x + np.repeat([0.0, 3.0], 4000)
    truth = [1 + 0.1 * t + 20 * stats.norm.pdf(t, index, 6).mean() for t in SPEC["doses"]]
    errors, inside = [], []
    for seed in range(100):
        found = je.DoseResponse(**SPEC).fit(planted(simulated(seed), seed))
        limits = found.interval()
        errors.append(found.values - truth)
        inside.append((limits[:, 0] <= truth) & (truth <= limits[:, 1]))
    spread = np.std(errors, axis=0)
    assert (np.abs(np.mean(errors, axis=0)) < 3.5 * spread / 10 + 0.05 * spread).all()
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100)


def test_a_level_that_is_linear_in_covariates_is_not_quadratic_in_the_density() -> None:
    """The regression step is a model too: months from 12 to 36 add 2.4 here, and more is found."""
    gains = [
        float(found.values[2] - found.values[0])
        for found in (je.DoseResponse(**SPEC).fit(simulated(seed)) for seed in range(30))
    ]
    naive = [
        24 * float(sm.OLS(frame["y"], sm.add_constant(frame["months"])).fit().params["months"])
        for frame in (simulated(seed) for seed in range(30))
    ]
    assert np.mean(gains) > 2.4 + 3 * np.std(gains) / np.sqrt(30)
    assert np.mean(naive) > np.mean(gains)


def test_other_inference_and_units() -> None:
    frame = simulated()
    found = je.DoseResponse(**SPEC).fit(frame, inference=je.Cluster("village"))
    assert (found.uncertainty.std_error > 0).all()
    years = frame.assign(months=frame["months"] / 12, x1=frame["x1"] * 1e4)
    same = je.DoseResponse(**{**SPEC, "doses": (1.0, 2.0, 3.0)}).fit(years)
    assert same.values == pytest.approx(found.values, rel=1e-8)


def test_what_cannot_be_asked() -> None:
    frame = simulated()
    for choices, message in (
        ({"doses": ()}, "doses are numbers"),
        ({"doses": ("a",)}, "doses are numbers"),
        ({"covariates": ()}, "needs covariates"),
    ):
        with pytest.raises(je.DesignError, match=message):
            je.DoseResponse(**{**SPEC, **choices})
    with pytest.raises(je.DesignError, match="outside those received"):
        je.DoseResponse(**{**SPEC, "doses": (400.0,)}).fit(frame)
    with pytest.raises(je.DesignError, match="does not vary, or covariates determine"):
        je.DoseResponse(**{**SPEC, "doses": (0.0,)}).fit(frame.assign(months=frame["x1"]))
    with pytest.raises(je.DesignError, match="missing values"):
        je.DoseResponse(**SPEC).fit(frame.assign(months=frame["months"].where(frame["months"] > 15)))
    skewed = je.DoseResponse(**{**SPEC, "doses": (2.0,)}).fit(
        frame.assign(months=np.exp(frame["months"] / 6))
    )
    assert next(check for check in skewed.checks if check.name == "normal dose").passed is False
