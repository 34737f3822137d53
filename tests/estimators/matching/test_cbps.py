"""Covariate balancing scores against their definitions: balance, GMM criteria and a general minimiser."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

import juntos_eval as je
from juntos_eval.arrays import Floats
from juntos_eval.estimators.matching.weighted_design import WeightedDesign

COVARIATES = ("x1", "x2", "x3")


@cache
def simulated(seed: int = 5, rows: int = 300, *, is_logit: bool = True) -> pd.DataFrame:
    """SIMULATED: a treatment by a logit of covariates, or by one with a square that the score leaves out."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    index = -0.3 + 0.6 * x[:, 0] - 0.4 * x[:, 1] + (0 if is_logit else 1.2 * (x[:, 0] ** 2 - 1))
    treated = (rng.random(rows) < special.expit(index)) * 1
    y = x @ [1.0, 0.5, 0.2] + treated + rng.normal(size=rows)
    frame = pd.DataFrame(x, columns=list(COVARIATES))
    return frame.assign(y=y, d=treated, w=rng.uniform(0.5, 3, rows))


def design(frame: pd.DataFrame, **choices: Any) -> WeightedDesign:
    return je.Weighting(treatment="d", covariates=COVARIATES, method="cbps", **choices).design(frame)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("estimand", ["att", "ate", "atc"])
def test_just_identified_balances_exactly(estimand: Any, weights: str | None) -> None:
    found = design(simulated(), estimand=estimand, weights=weights)
    columns = np.column_stack([np.ones(300), found.covariates])
    one, other = (found.design_weights[arm] @ columns[arm] for arm in (found.treated, ~found.treated))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * found.base_weights.sum())


@pytest.mark.parametrize("estimand", ["att", "atc"])
def test_the_just_identified_att_is_entropy_balancing(estimand: Any) -> None:
    """Both are exponential in a linear index and balance the same means (Zhao & Percival 2017)."""
    frame = simulated()
    entropy = je.Weighting(
        treatment="d", covariates=COVARIATES, method="entropy", estimand=estimand, weights="w"
    )
    np.testing.assert_allclose(
        design(frame, estimand=estimand, weights="w").design_weights,
        entropy.design(frame).design_weights,
        rtol=1e-7,
    )


def criterion(coefficients: Floats, spread_at: Floats | None, frame: pd.DataFrame, estimand: str) -> float:
    """Equations 8 to 11 of Imai and Ratkovic, row by row: mean moments by the inverse of their covariance."""
    x = np.column_stack([np.ones(len(frame)), frame[list(COVARIATES)].to_numpy()])
    d, w = frame["d"].to_numpy(), frame["w"].to_numpy()
    share = d.mean()

    def parts(at: Floats) -> tuple[Floats, Floats, Floats]:
        p = special.expit(x @ at)
        if estimand == "ate":
            return p, d / p - (1 - d) / (1 - p), 1 / (p * (1 - p))
        if estimand == "att":
            return p, (d - p) / (1 - p) / share, p / (1 - p) / share**2
        return p, (d - p) / p / (1 - share), (1 - p) / p / (1 - share) ** 2

    p, balance, _ = parts(coefficients)
    moment = np.concatenate([(w * (d - p)) @ x, (w * balance) @ x]) / len(x)
    q, _, variance = parts(coefficients if spread_at is None else spread_at)
    sigma = np.zeros((8, 8))
    between = {"ate": np.ones(len(x)), "att": q / share, "atc": (1 - q) / (1 - share)}[estimand]
    for row, at, v, c, s in zip(x, q, variance, between, w, strict=True):
        sigma += s * np.kron([[at * (1 - at), c], [c, v]], np.outer(row, row)) / len(x)
    return float(moment @ np.linalg.solve(sigma, moment))


@pytest.mark.parametrize("is_logit", [True, False])
@pytest.mark.parametrize("gmm", ["two_step", "continuous"])
@pytest.mark.parametrize("estimand", ["att", "ate", "atc"])
def test_over_identified_is_least_in_the_papers_criterion(estimand: Any, gmm: Any, is_logit: bool) -> None:
    frame = simulated(rows=80, is_logit=is_logit)
    found = design(frame, estimand=estimand, over_identified=True, gmm=gmm, weights="w")
    assert found.score is not None
    likeliest = je.Weighting(treatment="d", covariates=COVARIATES, weights="w").design(frame).score
    assert likeliest is not None
    first = likeliest.coefficients if gmm == "two_step" else None
    by_hand: Any = optimize.minimize(
        lambda at: 1e3 * criterion(at, first, frame, estimand),
        likeliest.coefficients,
        method="BFGS",
        options={"gtol": 1e-7},  # type: ignore[call-overload]
    )
    ours = 1e3 * criterion(found.score.coefficients, first, frame, estimand)
    assert ours <= by_hand.fun * (1 + 1e-9)
    np.testing.assert_allclose(found.score.coefficients, by_hand.x, rtol=0, atol=2e-4)


def test_j_is_the_criterion_at_the_continuous_minimum() -> None:
    frame = simulated(rows=80).assign(w=1.0)
    found = design(frame, estimand="ate", over_identified=True, gmm="continuous")
    assert found.score is not None
    j = 80 * criterion(found.score.coefficients, None, frame, "ate")
    check = next(c for c in found.checks if c.name == "over-identification of the score")
    assert f"J = {j:.3f} on 4 degrees of freedom" in check.detail


def test_j_tells_a_wrong_score() -> None:
    for is_logit, passed in ((True, True), (False, False)):
        found = design(simulated(7, 4000, is_logit=is_logit), estimand="ate", over_identified=True)
        check = next(c for c in found.checks if c.name == "over-identification of the score")
        assert check.passed is passed, check.detail


def test_j_does_not_reject_a_right_score_too_often() -> None:
    """150 SIMULATED samples; in small ones it rejects less than 5%, for balance has long tails."""
    statistics = []
    for seed in range(1000, 1150):
        found = design(simulated(seed, 1000), estimand="ate", over_identified=True, gmm="continuous")
        detail = next(c for c in found.checks if c.name.startswith("over-id")).detail
        statistics.append(float(detail.split()[2]))
    simulated.cache_clear()
    assert np.mean(np.array(statistics) > stats.chi2.ppf(0.95, 4)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert 2.5 < np.mean(statistics) < 4 + 3 * np.sqrt(8 / 150)


def test_a_saturated_score_has_nothing_to_test() -> None:
    frame = simulated().assign(rural=lambda table: (table["x1"] > 0) * 1)
    weighting = je.Weighting(treatment="d", covariates=("rural",), method="cbps", over_identified=True)
    with pytest.raises(je.DesignError, match="the same moments"):
        weighting.design(frame)


def test_units_do_not_matter() -> None:
    frame = simulated()
    scaled = frame.assign(x1=frame["x1"] * 1e4 + 7e5, x2=frame["x2"] * 1e-3)
    for choices in ({}, {"over_identified": True}, {"over_identified": True, "gmm": "continuous"}):
        one, other = design(frame, **choices), design(scaled, **choices)
        np.testing.assert_allclose(one.design_weights, other.design_weights, rtol=1e-6)


def test_no_score_balances_what_cannot_be_balanced() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(3, 1, 30), rng.uniform(-1, 2.4, 60)])
    frame = pd.DataFrame({"d": np.repeat([1, 0], [30, 60]), "x1": x, "x2": rng.normal(size=90)})
    weighting = je.Weighting(treatment="d", covariates=("x1", "x2"), method="cbps")
    with pytest.raises(je.DesignError, match="no covariate balancing score exists"):
        weighting.design(frame)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"method": "cbps", "estimand": "ato"}, "not for the ATO"),
        ({"method": "cbps", "link": "probit"}, "is a logit"),
        ({"method": "cbps", "weight_score": False}, "balances with the sampling weights"),
        ({"over_identified": True}, "over_identified is for"),
        ({"method": "cbps", "gmm": "continuous"}, "gmm is for"),
        ({"method": "cbps", "gmm": "iterated"}, "no gmm"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(je.DesignError, match=message):
        je.Weighting(treatment="d", covariates=COVARIATES, **choices)
