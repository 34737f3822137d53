"""Abadie-Imbens inference against the paper's formulas, summed pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimators.matching.matching import Matching
from juntos_eval.inference.abadie_imbens import AbadieImbens


def simulated(n: int = 120, *, discrete: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(21)
    x = rng.normal(size=n)
    if discrete:
        x = np.round(x * 2) / 2
    d = rng.random(n) < 1 / (1 + np.exp(0.8 - 0.5 * x))
    y = x + d * (1 + x) + rng.normal(size=n) * (1 + 0.5 * d)
    return pd.DataFrame({"x": x, "d": d.astype(int), "y": y, "w": rng.uniform(0.5, 4, n)})


def by_hand(
    frame: pd.DataFrame, estimand: str, ratio: int, weights: Floats, inference: AbadieImbens
) -> tuple[float, float]:
    """Return effect and variance: loops over rows, ties included, as the formulas stand."""
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    d: Bools = frame["d"].to_numpy() == 1
    n = len(frame)
    share = np.zeros((n, n))
    is_target = {"att": d, "atc": ~d, "ate": np.ones(n, dtype=bool)}[estimand]
    for i in np.flatnonzero(is_target):
        others = np.flatnonzero(d != d[i])
        gap = np.abs(x[others] - x[i])
        near = others[gap <= np.sort(gap)[ratio - 1] + 1e-12]
        share[i, near] = 1 / len(near)
    target = np.where(is_target, weights, 0.0)
    effects = np.where(d, 1, -1) * (y - share @ y)
    effect = float(target @ effects / target.sum())
    if inference.variance == "homoskedastic":
        deviations = (np.where(d, 1, -1)[:, None] * (y[:, None] - y[None, :]) - effect) ** 2
        variance = np.full(n, (target[:, None] * share * deviations).sum() / (2 * target.sum()))
    else:
        variance = np.zeros(n)
        for i in np.arange(n):
            others = np.flatnonzero((d == d[i]) & (np.arange(n) != i))
            gap = np.abs(x[others] - x[i])
            near = others[gap <= np.sort(gap)[inference.neighbours - 1] + 1e-12]
            j = len(near)
            if inference.like == "Matching":
                variance[i] = np.var(np.append(y[near], y[i]), ddof=1)
            else:
                variance[i] = j / (j + 1) * (y[i] - y[near].mean()) ** 2
    use, use_squared = target @ share, target**2 @ share**2
    if not inference.population:
        return effect, float((target + use) ** 2 @ variance) / target.sum() ** 2
    own = float((target**2) @ np.where(is_target, (effects - effect) ** 2, 0.0))
    return effect, (own + float((use**2 + 2 * target * use - use_squared) @ variance)) / target.sum() ** 2


@pytest.mark.parametrize("estimand", ["att", "atc", "ate"])
@pytest.mark.parametrize("ratio", [1, 3])
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize(
    "inference",
    [
        AbadieImbens(),
        AbadieImbens(neighbours=1, population=False),
        AbadieImbens(neighbours=4, like="Matching"),
        AbadieImbens(variance="homoskedastic"),
        AbadieImbens(variance="homoskedastic", population=False),
    ],
    ids=str,
)
def test_variance_is_that_of_the_paper(
    estimand: Any, ratio: int, discrete: bool, inference: AbadieImbens
) -> None:
    frame = simulated(discrete=discrete)
    for column in (None, "w"):
        estimator = Matching(
            treatment="d",
            covariates=("x",),
            outcome="y",
            distance="x",
            estimand=estimand,
            ratio=ratio,
            replace=True,
            weights=column,
            weight_matches=None if column is None else "target",
        )
        found = estimator.fit(frame, inference=inference)
        weights = np.ones(len(frame)) if column is None else frame[column].to_numpy()
        effect, variance = by_hand(frame, estimand, ratio, weights, inference)
        np.testing.assert_allclose(found.values, effect, rtol=1e-10)
        np.testing.assert_allclose(found.uncertainty.covariance, variance, rtol=1e-10)


@pytest.mark.parametrize("ratio", [1, 2])
def test_without_replacement_it_is_the_variance_of_matched_differences(ratio: int) -> None:
    frame = simulated(300)
    estimator = Matching(treatment="d", covariates=("x",), outcome="y", ratio=ratio, caliper=0.1)
    found = estimator.fit(frame)
    pairs = estimator.design(frame).pairs()
    y = frame["y"].to_numpy()
    matched = pairs.assign(other=pairs["share"] * y[pairs["match"]]).groupby("target")["other"].sum()
    differences = y[matched.index.to_numpy()] - matched.to_numpy()
    np.testing.assert_allclose(found.values, differences.mean(), rtol=1e-10)
    expected = ((differences - differences.mean()) ** 2).sum() / len(differences) ** 2
    np.testing.assert_allclose(found.uncertainty.covariance, expected, rtol=1e-10)


def test_weights_of_matches_enter_by_linearisation() -> None:
    frame = simulated(200)
    estimator = Matching(
        treatment="d", covariates=("x",), outcome="y", distance="x", replace=True, weights="w"
    )
    found = estimator.fit(frame, inference=AbadieImbens(variance="homoskedastic"))
    unweighted = Matching(treatment="d", covariates=("x",), outcome="y", distance="x", replace=True)
    use = unweighted.design(frame).use
    d, y, w = (frame[name].to_numpy(dtype=float) for name in ("d", "y", "w"))
    own = np.where(d == 1, w, use * w)
    means = [np.average(y[d == arm], weights=own[d == arm]) for arm in (0, 1)]
    np.testing.assert_allclose(found.values, means[1] - means[0], rtol=1e-10)
    level, total = (
        np.where(d == 1, means[1], means[0]),
        np.where(d == 1, own[d == 1].sum(), own[d == 0].sum()),
    )
    linear = frame.assign(y=w * (y - level) / total * d.sum())
    same = unweighted.fit(linear, inference=AbadieImbens(variance="homoskedastic"))
    np.testing.assert_allclose(same.values, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.uncertainty.covariance, same.uncertainty.covariance, rtol=1e-9)


def test_another_conditional_variance_needs_another_fit() -> None:
    frame = simulated()
    estimator = Matching(treatment="d", covariates=("x",), outcome="y", replace=True)
    found = estimator.fit(frame)
    with pytest.raises(InferenceError, match=r"fit again with inference=AbadieImbens\(.*neighbours=4"):
        found.with_inference(AbadieImbens(neighbours=4))
    again = estimator.fit(frame, inference=AbadieImbens(neighbours=4))
    assert again.uncertainty.std_error[0] != found.uncertainty.std_error[0]
    sample = found.with_inference(AbadieImbens(population=False))
    assert sample.uncertainty.std_error[0] != found.uncertainty.std_error[0]


def test_fits_that_are_no_matching_are_refused() -> None:
    frame = simulated()
    kernel = Matching(treatment="d", covariates=("x",), outcome="y", method="kernel")
    with pytest.raises(InferenceError, match="fixed number of matches"):
        kernel.fit(frame, inference=AbadieImbens())


@pytest.mark.parametrize("choice", [{"variance": "hc1"}, {"like": "Stata"}, {"neighbours": 0}])
def test_choices_that_do_not_exist_are_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(InferenceError):
        AbadieImbens(**choice)


def test_the_rule_stands_in_the_method() -> None:
    frame = simulated()
    estimator = Matching(treatment="d", covariates=("x",), outcome="y", replace=True)
    method = estimator.fit(frame, inference=AbadieImbens(neighbours=3)).uncertainty.method
    assert "3 nearest of the same arm" in method
    assert "population effect" in method
