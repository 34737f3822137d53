"""Influence is the derivative of the estimate in the rows' sampling weights, for every choice of options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.arrays import Floats
from juntos_eval.estimate import Estimate, Estimator
from juntos_eval.estimators.matching.score import fit_score

COVARIATES = ("x1", "x2", "area")
ROWS = (0, 3, 17, 40, 71)


@cache
def simulated() -> pd.DataFrame:
    """SIMULATED: 120 rows with weights, a treatment by covariates and three outcomes."""
    rng = np.random.default_rng(20)
    n = 120
    x1, x2, area = rng.normal(size=n), (rng.random(n) < 0.4) * 1.0, rng.choice(["coast", "forest", "high"], n)
    treated = (rng.random(n) < 1 / (1 + np.exp(0.3 - 0.6 * x1 + 0.5 * x2))) * 1
    y = 1 + x1 + 0.5 * x1**2 + x2 + treated * (1 + 0.5 * x1) + rng.normal(size=n)
    return pd.DataFrame(
        {
            "y": y,
            "works": (y > 2) * 1,
            "share": 1 / (1 + np.exp(-y)),
            "d": treated,
            "x1": x1,
            "x2": x2,
            "area": area,
            "w": rng.uniform(0.5, 4, n),
            "village": np.arange(n) // 6,
        }
    )


def spec(kind: Callable[..., Estimator], **choices: Any) -> Estimator:
    columns: dict[str, Any] = {"outcome": "y", "treatment": "d", "covariates": COVARIATES, "weights": "w"}
    return kind(**{**columns, "means": True, **choices})


ESTIMATORS: dict[str, Estimator] = {
    **{
        f"ipw {estimand} {link} {'Hájek' if normalised else 'Horvitz-Thompson'}": spec(
            je.Weighting, estimand=estimand, link=link, normalised=normalised
        )
        for estimand in ("att", "ate", "atc", "ato")
        for link in ("logit", "probit")
        for normalised in (True, False)
    },
    **{
        f"entropy {estimand} {moments}": spec(
            je.Weighting, method="entropy", estimand=estimand, moments=moments
        )
        for estimand, moments in (("att", 1), ("ate", 1), ("atc", 1), ("att", 2), ("ate", 3))
    },
    **{
        f"cbps {estimand}": spec(je.Weighting, method="cbps", estimand=estimand)
        for estimand in ("att", "ate", "atc")
    },
    **{
        f"cbps {estimand}, over-identified, {gmm}": spec(
            je.Weighting, method="cbps", estimand=estimand, over_identified=True, gmm=gmm
        )
        for estimand in ("att", "ate", "atc")
        for gmm in ("two_step", "continuous")
    },
    "overlap": spec(je.Weighting, method="overlap"),
    "trimmed": spec(je.Weighting, trim=0.12),
    "regression att": spec(je.RegressionAdjustment, estimand="att"),
    "regression ate": spec(je.RegressionAdjustment, estimand="ate"),
    "regression atc, logit of a 0/1": spec(
        je.RegressionAdjustment,
        estimand="atc",
        outcome="works",
        outcome_model="logit",
        covariates=("x1", "x2"),
    ),
    "ipwra att": spec(je.IPWRA),
    "ipwra ate probit": spec(je.IPWRA, estimand="ate", link="probit"),
    "ipwra atc, logit of a share": spec(je.IPWRA, estimand="atc", outcome="share", outcome_model="logit"),
    "aipw att": spec(je.AIPW),
    "aipw ate probit": spec(je.AIPW, estimand="ate", link="probit", outcome_covariates=("x1",)),
    "aipw atc normalised": spec(je.AIPW, estimand="atc", normalised=True),
    "aipw ate, logit of a share, normalised": spec(
        je.AIPW, estimand="ate", outcome="share", outcome_model="logit", normalised=True
    ),
    "aipw att, outcome weighted": spec(je.AIPW, weighted_outcome=True),
    "aipw ate probit, outcome weighted, trimmed": spec(
        je.AIPW, estimand="ate", link="probit", weighted_outcome=True, trim=0.12
    ),
}


def by_finite_differences(estimator: Estimator, rows: tuple[int, ...]) -> Floats:
    r"""Return :math:`s_i \partial\hat\theta / \partial s_i` by fourth-order central differences."""
    frame = simulated()

    def values(row: int, factor: float) -> Floats:
        weights = frame["w"].to_numpy(copy=True)
        weights[row] *= factor
        return estimator.fit(frame.assign(w=weights)).values

    h = 1e-3
    return np.array(
        [
            8 * (values(row, 1 + h) - values(row, 1 - h)) - (values(row, 1 + 2 * h) - values(row, 1 - 2 * h))
            for row in rows
        ]
    ) / (12 * h)


def position(estimate: Estimate, estimator: Estimator, row: int) -> int | None:
    """Where a row of the frame stands in the influence, if it was not trimmed."""
    if estimate.fit is None or estimate.fit.n == len(simulated()):
        return row
    kept = estimator.design(simulated()).is_kept  # type: ignore[attr-defined]
    return int(kept[:row].sum()) if kept[row] else None


@pytest.mark.parametrize("name", ESTIMATORS)
def test_influence_is_the_derivative(name: str) -> None:
    estimator = ESTIMATORS[name]
    estimate = estimator.fit(simulated())
    assert estimate.fit is not None
    influence = estimate.fit.influence.dense()
    scale = np.sqrt((influence**2).mean())
    places = {row: place for row in ROWS if (place := position(estimate, estimator, row)) is not None}
    assert len(places) >= 3
    found = by_finite_differences(estimator, tuple(places))
    np.testing.assert_allclose(found, influence[list(places.values())], rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_influence_sums_to_zero(name: str) -> None:
    fit = ESTIMATORS[name].fit(simulated()).fit
    assert fit is not None
    influence = fit.influence.dense()
    np.testing.assert_allclose(influence.sum(axis=0), 0, atol=1e-9 * np.abs(influence).sum())


HEIGHTS: dict[str, Callable[[Floats], Floats]] = {
    "att": lambda p: p,
    "ate": np.ones_like,
    "atc": lambda p: 1 - p,
    "ato": lambda p: p * (1 - p),
}


def hajek(estimand: str, weights: Floats, score_weights: Floats) -> float:
    """The definition, with weights of the means and of the score's likelihood apart."""
    frame = simulated()
    treated = (frame["d"] == 1).to_numpy()
    x = frame[["x1", "x2"]].to_numpy()
    p = fit_score(treated, x, ("x1", "x2"), score_weights).probability
    h, y = HEIGHTS[estimand](p), frame["y"].to_numpy()
    one, other = weights * treated * h / p, weights * ~treated * h / (1 - p)
    return float(one @ y / one.sum() - other @ y / other.sum())


@pytest.mark.parametrize("estimand", HEIGHTS)
def test_an_unweighted_score_adds_its_own_derivative(estimand: str) -> None:
    frame = simulated()
    estimator = spec(je.Weighting, estimand=estimand, weight_score=False, covariates=("x1", "x2"))
    fit = estimator.fit(frame).fit
    assert fit is not None
    influence, weights, ones = fit.influence.dense()[:, 0], frame["w"].to_numpy(), np.ones(len(frame))
    h = 1e-4
    for row in ROWS:
        up, down = np.ones(len(frame)), np.ones(len(frame))
        up[row], down[row] = 1 + h, 1 - h
        of_means = hajek(estimand, weights * up, ones) - hajek(estimand, weights * down, ones)
        of_score = hajek(estimand, weights, up) - hajek(estimand, weights, down)
        assert influence[row] == pytest.approx((of_means + of_score) / (2 * h), abs=1e-6 * influence.std())
        assert abs(of_score) > 0


def test_weights_of_one_are_no_weights() -> None:
    frame = simulated().assign(one=7.0)
    for name, estimator in ESTIMATORS.items():
        seven = replace(estimator, weights="one").fit(frame)  # type: ignore[type-var]
        none = replace(estimator, weights=None).fit(frame)  # type: ignore[type-var]
        np.testing.assert_allclose(seven.values, none.values, rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(seven.uncertainty.std_error, none.uncertainty.std_error, rtol=1e-8)


def test_a_weight_of_two_is_a_row_twice() -> None:
    frame = simulated().assign(w=lambda table: np.where(np.arange(len(table)) % 3 == 0, 2.0, 1.0))
    twice = pd.concat([frame, frame[frame["w"] == 2]]).assign(w=1.0)
    for name, estimator in ESTIMATORS.items():
        np.testing.assert_allclose(
            estimator.fit(frame).values, estimator.fit(twice).values, rtol=1e-8, err_msg=name
        )


@pytest.mark.parametrize("name", ["ipw att logit Hájek", "entropy att 1", "aipw att", "regression ate"])
def test_other_inferences_take_the_same_influence(name: str) -> None:
    frame, estimator = simulated().assign(stratum=lambda table: table["village"] % 4), ESTIMATORS[name]
    clustered = estimator.fit(frame, inference=je.Cluster("village"), carry=("stratum",))
    assert clustered.fit is not None
    totals = clustered.fit.influence.totals(clustered.fit.groups["village"].codes, 20)
    assert clustered.uncertainty.covariance == pytest.approx(totals.T @ totals * 20 / 19, rel=1e-9)
    surveyed = clustered.with_inference(je.SurveyDesign(strata="stratum", psu="village"))
    assert np.isfinite(surveyed.uncertainty.std_error).all()
    drawn = estimator.fit(frame, inference=je.MultiplierBootstrap(draws=2000, seed=1))
    robust = estimator.fit(frame)
    assert drawn.uncertainty.std_error == pytest.approx(robust.uncertainty.std_error, rel=0.15)
    assert robust.uncertainty.method.startswith("heteroskedasticity-robust HC0")
