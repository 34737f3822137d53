"""The orthonormal basis spans what the covariates span, and names what they do not add."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.numerics.orthogonal_design import orthogonal_design


@given(st.integers(0, 10_000), st.integers(0, 5))
def test_columns_are_orthonormal_and_span_the_covariates(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(60, count)) + rng.integers(-1000, 1000, count)) * 10.0 ** rng.integers(-6, 7, count)
    w = rng.uniform(0.1, 2.0, 60)
    design = orthogonal_design(x, w)
    z = design.columns
    np.testing.assert_allclose((z * w[:, None]).T @ z / w.sum(), np.eye(count + 1), atol=1e-9)
    assert design.kept == tuple(range(count))
    if count:
        rest = x - z @ np.linalg.lstsq(z, x)[0]
        assert np.abs(rest / x.std(axis=0)).max() < 1e-9


@pytest.mark.parametrize("constant", [0.0, 1.0, 1e6, 0.1])
def test_constants_are_left_out(constant: float) -> None:
    x = np.column_stack([np.full(50, constant), np.arange(50.0)])
    assert orthogonal_design(x, np.linspace(0.1, 1, 50)).left_out == (0,)


def test_later_columns_that_earlier_ones_span_are_left_out() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80))
    dummies = (rng.integers(0, 3, 80)[:, None] == np.arange(3)).astype(float)
    x = np.column_stack([a, dummies, b, a + 2 * b - 1])
    design = orthogonal_design(x, np.ones(80))
    assert design.left_out == (3, 5)
    assert design.columns.shape == (80, 5)


def test_a_small_but_real_difference_is_kept() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=500)
    assert (
        orthogonal_design(np.column_stack([a, a + 1e-4 * rng.normal(size=500)]), np.ones(500)).left_out == ()
    )
