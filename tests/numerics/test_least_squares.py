"""Least squares against statsmodels and numpy, and what it says of columns it cannot fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.least_squares import independent_columns, least_squares


def table(seed: int = 3, rows: int = 60) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(rows), rng.normal(size=(rows, 3))])
    return design, design @ [1.0, 2.0, -1.0, 0.5] + rng.normal(size=rows), rng.uniform(0.1, 5, rows)


def test_weighted_fit_is_that_of_statsmodels() -> None:
    design, outcome, weights = table()
    ours, theirs = least_squares(design, outcome, weights), sm.WLS(outcome, design, weights).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-11)
    np.testing.assert_allclose(ours.bread, theirs.normalized_cov_params, rtol=1e-10)
    np.testing.assert_allclose(ours.residuals, theirs.resid, rtol=1e-9, atol=1e-12)
    whole = np.sqrt(weights)[:, None] * design
    np.testing.assert_allclose(ours.leverage, np.diag(whole @ np.linalg.pinv(whole)), rtol=1e-10)
    assert ours.rank == 4
    assert len(ours.dropped) == 0


def test_later_columns_give_way_and_predictions_do_not_need_them() -> None:
    design, outcome, _ = table()
    both = np.column_stack([design, design[:, 1] - 2 * design[:, 0], np.zeros(len(design)), design[:, 3]])
    fit = least_squares(both, outcome)
    assert fit.dropped.tolist() == [4, 5, 6]
    assert np.isnan(fit.coefficients[[4, 5, 6]]).all()
    plain = least_squares(design, outcome)
    np.testing.assert_allclose(fit.predict(both), plain.predict(design), rtol=1e-11)
    np.testing.assert_allclose(fit.predict(both), outcome - fit.residuals, rtol=1e-11)


def test_units_do_not_decide_the_rank() -> None:
    design, outcome, _ = table()
    scale = np.array([1.0, 1e9, 1e-9, 1.0])
    fit = least_squares(design * scale, outcome)
    assert fit.rank == 4
    np.testing.assert_allclose(
        fit.coefficients * scale, least_squares(design, outcome).coefficients, rtol=1e-9
    )


def test_a_year_and_its_square_are_two_columns() -> None:
    year = np.arange(2000.0, 2026.0)
    fit = least_squares(np.column_stack([np.ones(26), year, year**2]), (year - 2010) ** 2)
    assert fit.rank == 3
    assert np.abs(fit.residuals).max() < 1e-4


def test_rows_of_weight_zero_are_predicted_and_not_fitted() -> None:
    design, outcome, weights = table()
    weights[:10] = 0
    fit, rest = (
        least_squares(design, outcome, weights),
        least_squares(design[10:], outcome[10:], weights[10:]),
    )
    np.testing.assert_allclose(fit.coefficients, rest.coefficients, rtol=1e-11)
    np.testing.assert_allclose(fit.leverage[:10], 0, atol=1e-25)
    np.testing.assert_allclose(fit.residuals[:10], outcome[:10] - design[:10] @ rest.coefficients, rtol=1e-9)


def test_fewer_rows_than_columns() -> None:
    fit = least_squares(np.array([[1.0, 2.0, 3.0], [1.0, 5.0, 4.0]]), np.array([1.0, 2.0]))
    assert fit.rank == 2
    assert fit.dropped.tolist() == [2]


@given(st.integers(0, 10_000))
def test_residuals_are_orthogonal(seed: int) -> None:
    design, outcome, weights = table(seed, rows=12)
    fit = least_squares(design, outcome, weights)
    np.testing.assert_allclose(design.T @ (weights * fit.residuals), 0, atol=1e-9)


def test_independent_columns_of_a_known_matrix() -> None:
    one = np.ones(4)
    x = np.arange(4.0)
    matrix = np.column_stack([one, x, x + one, x**2, 0 * x, 3 * x**2 - x])
    assert independent_columns(matrix).tolist() == [True, True, False, True, False, False]


def test_values_are_frozen() -> None:
    fit = least_squares(*table()[:2])
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.bread = fit.bread  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        fit.coefficients[0] = 1


@pytest.mark.parametrize(
    ("design", "outcome", "weights", "words"),
    [
        (np.ones((3, 1)), np.ones(2), None, "same rows"),
        (np.ones((2, 1)), np.array([1.0, np.nan]), None, "not finite"),
        (np.array([[np.inf], [1.0]]), np.ones(2), None, "not finite"),
        (np.ones((2, 1)), np.ones(2), np.array([1.0, -1.0]), "negative"),
        (np.ones((2, 1)), np.ones(2), np.zeros(2), "all zero"),
        (np.zeros((2, 2)), np.ones(2), None, "no column"),
    ],
)
def test_bad_input_is_refused(design: Floats, outcome: Floats, weights: Floats | None, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        least_squares(design, outcome, weights)
