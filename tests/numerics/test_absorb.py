"""Absorbed effects equal least squares on dummies, however solved; their rank is that of the dummies."""

from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.numerics.absorb import Factor, absorber, in_singletons


def _dummies(factors: tuple[Factor, ...]) -> Floats:
    columns = []
    for factor in factors:
        one_hot = (factor.codes[:, None] == np.arange(factor.count)) * 1.0
        columns += [one_hot] if factor.has_intercepts else []
        columns += [one_hot * slope[:, None] for slope in factor.slopes.T]
    return np.hstack(columns)


def _problem(seed: int, *, slopes: bool) -> tuple[tuple[Factor, ...], Floats | None, Floats]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 150))
    factors = []
    for _ in range(rng.integers(1, 4)):
        levels = int(rng.integers(2, 25))
        trend = rng.normal(size=(n, 1)) if slopes and rng.random() < 0.5 else np.zeros((0, 0))
        has_intercepts = not trend.size or rng.random() < 0.8
        # the last level has no row
        codes = rng.integers(0, levels, n)
        factors.append(
            Factor(codes=codes, count=levels + 1, slopes=trend, has_intercepts=bool(has_intercepts))
        )
    weights = rng.uniform(0.2, 5.0, n) if rng.random() < 0.5 else None
    return tuple(factors), weights, rng.normal(size=(n, 3)) + 10.0


@pytest.mark.parametrize("slopes", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_residuals_and_rank_are_those_of_least_squares_on_dummies(seed: int, *, slopes: bool) -> None:
    factors, weights, matrix = _problem(seed, slopes=slopes)
    dummies = _dummies(factors)
    root = np.ones((len(matrix), 1)) if weights is None else np.sqrt(weights)[:, None]
    coefficients = np.linalg.pinv(dummies * root) @ (matrix * root)
    within = absorber(factors, weights)
    residuals = within.residuals(matrix)
    np.testing.assert_allclose(residuals, matrix - dummies @ coefficients, atol=2e-9)
    assert np.abs((dummies * root**2).T @ residuals).max() < 1e-10
    assert within.is_rank_exact
    assert within.rank == np.linalg.matrix_rank(dummies * root)


@pytest.mark.parametrize("seed", range(25))
def test_iteration_agrees_with_factorisation(seed: int) -> None:
    factors, weights, matrix = _problem(seed + 100, slopes=False)
    direct, iterated = absorber(factors, weights), absorber(factors, weights, small=0)
    np.testing.assert_allclose(iterated.residuals(matrix), direct.residuals(matrix), atol=1e-9)
    assert (iterated.rank, iterated.is_rank_exact) == (direct.rank, True)


@pytest.mark.parametrize("seed", range(10))
def test_effects_add_up_to_what_was_taken_out(seed: int) -> None:
    factors, weights, matrix = _problem(seed + 200, slopes=True)
    within = absorber(factors, weights)
    taken = np.zeros(len(matrix))
    for factor, effects in zip(factors, within.effects(matrix[:, 0]), strict=True):
        columns = [np.ones((len(matrix), 1))] * factor.has_intercepts + [factor.slopes]
        taken += (np.hstack(columns) * effects[factor.codes]).sum(axis=1)
    np.testing.assert_allclose(matrix[:, 0] - taken, within.residuals(matrix)[:, 0], atol=1e-8)


def test_disconnected_levels_lose_one_effect_each() -> None:
    unit = Factor(codes=np.array([0, 0, 1, 1, 2, 2, 3, 3]), count=4)
    firm = Factor(codes=np.array([0, 1, 1, 0, 2, 3, 3, 2]), count=4)
    assert absorber((unit, firm)).rank == absorber((unit, firm), small=0).rank == 6


def test_a_long_chain_of_levels_is_solved() -> None:
    # each unit meets two neighbouring firms only: the worst that conjugate gradients can be given
    units = 6000
    unit = Factor(codes=np.repeat(np.arange(units), 2), count=units)
    firm = Factor(codes=np.column_stack([np.arange(units), np.arange(units) + 1]).ravel(), count=units + 1)
    within = absorber((unit, firm), small=0)
    assert within.rank == 2 * units
    # as many effects as rows: nothing is left
    noise = np.random.default_rng(1).normal(size=(2 * units, 1))
    assert np.abs(within.residuals(noise)).max() < 1e-6


def test_singletons_are_found_also_once_others_are_gone() -> None:
    unit = Factor(codes=np.array([0, 0, 0, 1, 1, 2]), count=3)
    year = Factor(codes=np.array([0, 1, 0, 1, 2, 0]), count=3)
    # the last row is alone in its unit; year 2 has one row; without it unit 1, and then year 1, has one
    assert in_singletons((unit, year)).tolist() == [False, True, False, True, True, True]


def test_singletons_leave_the_residuals_of_others_alone() -> None:
    factors, _, matrix = _problem(7, slopes=False)
    kept = ~in_singletons(factors)
    fewer = tuple(Factor(codes=factor.codes[kept], count=factor.count) for factor in factors)
    with_all = absorber(factors).residuals(matrix)
    np.testing.assert_allclose(with_all[kept], absorber(fewer).residuals(matrix[kept]), atol=1e-11)
    np.testing.assert_allclose(with_all[~kept], 0.0, atol=1e-11)


def test_nothing_absorbed_gives_columns_back() -> None:
    matrix = np.arange(6.0).reshape(3, 2)
    within = absorber(())
    assert within.rank == 0
    np.testing.assert_array_equal(within.residuals(matrix), matrix)


@pytest.mark.parametrize("weights", [[1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, 1.0, 1.0]])
def test_weights_that_cannot_be_used_are_refused(weights: list[float]) -> None:
    with pytest.raises(DesignError, match=r"weights"):
        absorber((Factor(codes=np.array([0, 1]), count=2),), np.array(weights))


def test_codes_without_a_level_are_refused() -> None:
    with pytest.raises(DesignError, match="codes below its count"):
        Factor(codes=np.array([0, 2]), count=2)


def test_sizes_that_are_given_are_those_that_would_be_counted() -> None:
    codes = np.array([0, 2, 2, 1, 0, 2])
    groups = Groups(codes, ("a", "b", "c", "never seen"))
    assert groups.sizes.tolist() == [2, 1, 3, 0]
    assert groups.sizes is groups.sizes
    assert not groups.sizes.flags.writeable
    counted, given = Factor(codes=codes, count=4), Factor(codes=codes, count=4, sizes=groups.sizes)
    assert counted.sizes.tolist() == given.sizes.tolist()
    values = np.arange(6.0)[:, None]
    assert (absorber((given,)).residuals(values) == absorber((counted,)).residuals(values)).all()
    assert in_singletons((given,)).tolist() == [False, False, False, True, False, False]
