"""The propensity score: first-order conditions, what is left out, and separation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.score import fit_score

N = 400


def simulated(seed: int = 7) -> tuple[Bools, Floats]:
    rng = np.random.default_rng(seed)
    covariates = np.column_stack([rng.normal(size=N), 1e5 + 300 * rng.normal(size=N), rng.integers(0, 2, N)])
    index = 0.7 * covariates[:, 0] + 0.5 * covariates[:, 2] - 1
    return rng.random(N) < 1 / (1 + np.exp(-index)), covariates


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_score_solves_its_weighted_first_order_conditions(link: str) -> None:
    treated, covariates = simulated()
    weights = np.random.default_rng(1).uniform(0.5, 20, N)
    score = fit_score(treated, covariates, ("a", "b", "c"), weights, link=link)
    slope = score.probability * (1 - score.probability) if link == "logit" else stats.norm.pdf(score.linear)
    variance = score.probability * (1 - score.probability)
    gradient = ((weights * slope / variance * (treated - score.probability))[:, None] * score.design).sum(0)
    information = (score.design * (weights * slope**2 / variance)[:, None]).T @ score.design
    assert np.abs(gradient / np.sqrt(np.diag(information))).max() < 1e-8
    np.testing.assert_allclose(score.information_inverse, np.linalg.inv(information), rtol=1e-4)
    np.testing.assert_allclose(score.design @ score.coefficients, score.linear, rtol=1e-9)
    assert score.converged
    assert score.names == ("constant", "a", "b", "c")


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_score_is_that_of_statsmodels(link: str) -> None:
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.families.links import Logit, Probit
    from statsmodels.genmod.generalized_linear_model import GLM

    treated, covariates = simulated()
    covariates[:, 1] -= 1e5
    weights = np.random.default_rng(3).uniform(0.5, 20, N)
    score = fit_score(treated, covariates, ("a", "b", "c"), weights, link=link)
    family = Binomial(link=Logit() if link == "logit" else Probit())
    design = np.column_stack([np.ones(N), covariates])
    theirs = GLM(treated.astype(float), design, family=family, var_weights=weights).fit(tol=1e-14)
    np.testing.assert_allclose(score.coefficients, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(score.information_inverse, theirs.cov_params(), rtol=1e-7)


def test_weights_act_as_repeated_rows() -> None:
    treated, covariates = simulated()
    times = np.random.default_rng(2).integers(1, 4, N)
    weighted = fit_score(treated, covariates, ("a", "b", "c"), times.astype(float))
    repeated = fit_score(
        np.repeat(treated, times), np.repeat(covariates, times, axis=0), ("a", "b", "c"), np.ones(times.sum())
    )
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-8)
    np.testing.assert_allclose(weighted.information_inverse, repeated.information_inverse, rtol=1e-7)


def test_constant_and_spanned_covariates_are_left_out_and_named() -> None:
    treated, covariates = simulated()
    wide = np.column_stack([np.full(N, 3.0), covariates, 2 * covariates[:, 0] - covariates[:, 2] + 5])
    score = fit_score(treated, wide, ("one", "a", "b", "c", "sum"), np.ones(N))
    np.testing.assert_allclose(
        score.probability, fit_score(treated, covariates, ("a", "b", "c"), np.ones(N)).probability, rtol=1e-10
    )
    assert score.names == ("constant", "a", "b", "c")
    details = {check.name: check.detail for check in score.checks}
    assert "one" in details["constant covariates"]
    assert details["collinear covariates"].endswith("sum")


def test_perfect_separation_is_refused() -> None:
    treated, covariates = simulated()
    telling = np.where(treated, 1.0, -1.0) + 0.1 * covariates[:, 0]
    with pytest.raises(DesignError, match=r"perfectly.*'telling'"):
        fit_score(treated, np.column_stack([covariates[:, 2], telling]), ("c", "telling"), np.ones(N))


def test_a_level_seen_in_one_arm_only_is_named() -> None:
    treated, covariates = simulated()
    level = np.zeros(N)
    level[np.flatnonzero(~treated)[:9]] = 1.0
    with pytest.raises(
        DesignError, match=r"'area\[urban\]': all 9 rows of its higher value are untreated; 9 of 400"
    ):
        fit_score(treated, np.column_stack([covariates, level]), ("a", "b", "c", "area[urban]"), np.ones(N))


def test_joint_quasi_separation_names_both_covariates() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 3, N).astype(float), rng.integers(0, 3, N).astype(float)
    treated = np.where(x + y == 2, rng.random(N) < 0.4, x + y > 2)
    with pytest.raises(DesignError, match=r"for some rows.*'x'.*'y'") as caught:
        fit_score(treated, np.column_stack([x, y, rng.normal(size=N)]), ("x", "y", "z"), np.ones(N))
    assert "'z'" not in str(caught.value)


def test_extreme_but_overlapping_probabilities_are_no_separation() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=4000)
    treated = rng.random(4000) < 1 / (1 + np.exp(-9 * x))
    score = fit_score(treated, x[:, None], ("x",), np.ones(4000))
    assert score.converged
    assert score.probability.min() < 1e-8


def test_no_varying_covariate_is_refused() -> None:
    with pytest.raises(DesignError, match="no covariate varies"):
        fit_score(np.array([True, False]), np.ones((2, 1)), ("a",), np.ones(2))


def test_unknown_link_is_refused() -> None:
    treated, covariates = simulated()
    with pytest.raises(DesignError, match="cauchit"):
        fit_score(treated, covariates, ("a", "b", "c"), np.ones(N), link="cauchit")
