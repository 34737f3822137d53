"""The Rasch model against a planted truth, brute force over all answer patterns, and its own definitions."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import optimize, special

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.rasch import elementary_symmetric, fit_rasch

SEVERITIES = np.array([-2.0, -1.5, -0.5, 0.0, 0.4, 0.9, 1.2, 1.5])


def simulate(rng: np.random.Generator, persons: int, severities: Floats = SEVERITIES) -> Floats:
    chance = special.expit(rng.normal(-0.5, 1.5, size=(persons, 1)) - severities)
    return (rng.uniform(size=chance.shape) < chance).astype(np.float64)


def brute_force(answers: Floats, weights: Floats) -> Floats:
    """Maximise the likelihood given the raw score by listing every pattern, with another optimiser."""
    items = answers.shape[1]
    patterns = np.array(list(product((0.0, 1.0), repeat=items)))
    same_score = [patterns[patterns.sum(axis=1) == score] for score in range(items + 1)]

    def loss(free: Floats) -> float:
        severities = np.append(free, -free.sum())
        total = 0.0
        for row, weight in zip(answers, weights, strict=True):
            others = same_score[int(row.sum())]
            total -= weight * (-row @ severities - special.logsumexp(-others @ severities))
        return total

    found = optimize.minimize(loss, np.zeros(items - 1), method="BFGS", options={"gtol": 1e-8})
    return np.append(found.x, -found.x.sum())


def test_severities_equal_those_of_brute_force_over_all_patterns() -> None:
    rng = np.random.default_rng(11)
    answers = simulate(rng, 150, SEVERITIES[:5])
    weights = rng.uniform(0.5, 3.0, size=150)
    np.testing.assert_allclose(
        fit_rasch(answers, weights).severities, brute_force(answers, weights), atol=2e-5
    )


def test_elementary_symmetric_functions_are_sums_of_products() -> None:
    values = np.array([0.3, 2.0, 11.0, 0.01, 5.0])
    expected = [sum(np.prod(chosen) for chosen in combinations(values, count)) for count in range(6)]
    np.testing.assert_allclose(elementary_symmetric(values), expected, rtol=1e-13)


def test_planted_severities_are_found_within_their_errors() -> None:
    fit = fit_rasch(simulate(np.random.default_rng(5), 20_000))
    distance = np.abs(fit.severities - (SEVERITIES - SEVERITIES.mean())) / fit.std_errors
    assert distance.max() < 3.5
    assert fit.std_errors.max() < 0.03


def test_standard_errors_are_the_spread_over_samples() -> None:
    rng = np.random.default_rng(8)
    fits = [fit_rasch(simulate(rng, 800)) for _ in range(150)]
    spread = np.std([fit.severities for fit in fits], axis=0, ddof=1)
    claimed = np.mean([fit.std_errors for fit in fits], axis=0)
    np.testing.assert_allclose(claimed, spread, rtol=0.2)


def test_person_parameters_expect_their_own_raw_score() -> None:
    fit = fit_rasch(simulate(np.random.default_rng(2), 2_000))
    expected = special.expit(fit.person_parameters[:, None] - fit.severities).sum(axis=1)
    np.testing.assert_allclose(expected, [0.5, 1, 2, 3, 4, 5, 6, 7, 7.5], atol=1e-9)
    assert (np.diff(fit.person_parameters) > 0).all()


def test_items_of_the_model_have_infit_of_one_and_a_random_item_has_not() -> None:
    rng = np.random.default_rng(3)
    answers = simulate(rng, 8_000)
    fit = fit_rasch(answers)
    np.testing.assert_allclose(fit.infit, 1.0, atol=0.06)
    np.testing.assert_allclose(fit.outfit, 1.0, atol=0.2)
    answers[:, 3] = rng.uniform(size=len(answers)) < answers[:, 3].mean()
    fit = fit_rasch(answers)
    assert fit.infit.argmax() == 3
    assert fit.infit[3] > 1.3


def test_weights_work_like_repeated_rows() -> None:
    rng = np.random.default_rng(4)
    answers = simulate(rng, 300)
    copies = rng.integers(1, 4, size=300)
    repeated = fit_rasch(np.repeat(answers, copies, axis=0))
    weighted = fit_rasch(answers, copies.astype(np.float64) * 7.0)
    np.testing.assert_allclose(weighted.severities, repeated.severities, atol=1e-8)
    np.testing.assert_allclose(weighted.score_shares, repeated.score_shares, atol=1e-12)
    np.testing.assert_allclose(weighted.infit, repeated.infit, atol=1e-8)


def test_rows_with_a_missing_answer_inform_nothing() -> None:
    answers = simulate(np.random.default_rng(6), 400)
    holed = answers.copy()
    holed[:50, 2] = np.nan
    fit = fit_rasch(holed)
    np.testing.assert_array_equal(fit.severities, fit_rasch(answers[50:]).severities)
    assert fit.complete == 350


def test_exceedance_is_zero_for_nothing_affirmed_and_half_at_the_parameter() -> None:
    fit = fit_rasch(simulate(np.random.default_rng(7), 1_000))
    beyond = fit.exceedance(float(fit.person_parameters[4]))
    assert beyond[0] == 0.0
    assert beyond[4] == pytest.approx(0.5)
    assert (np.diff(beyond) > 0).all()


def test_exceedance_counts_the_persons_beyond_a_threshold() -> None:
    """With many items the parameter is well measured: the mean probability is near the true share."""
    rng = np.random.default_rng(9)
    severities = np.linspace(-3, 3, 25)
    truth = rng.normal(0.0, 1.5, size=5_000)
    chance = special.expit(truth[:, None] - severities)
    fit = fit_rasch((rng.uniform(size=chance.shape) < chance).astype(np.float64))
    assert fit.exceedance(0.8) @ fit.score_shares == pytest.approx((truth > 0.8).mean(), abs=0.025)


def test_an_item_that_all_affirm_is_refused() -> None:
    answers = simulate(np.random.default_rng(1), 50)
    answers[:, 0] = 1.0
    with pytest.raises(DesignError, match="Items 1 were affirmed by all or by none"):
        fit_rasch(answers)


def test_items_that_never_cross_have_no_finite_maximum() -> None:
    answers = np.array(
        [[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]], dtype=np.float64
    )
    with pytest.raises(DesignError, match="no finite maximum"):
        fit_rasch(answers)


def test_answers_other_than_yes_and_no_and_weights_of_zero_are_refused() -> None:
    answers = simulate(np.random.default_rng(1), 50)
    with pytest.raises(DesignError, match="0, 1 or missing"):
        fit_rasch(answers + 1.0)
    with pytest.raises(DesignError, match="Weights must be positive"):
        fit_rasch(answers, np.zeros(50))
