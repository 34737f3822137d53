"""Tilted odds give the controls the treated's means, or say that none do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.arrays import Bools, Floats
from juntos_eval.numerics.inverse_probability_tilting import tilt


def draw(seed: int, rows: int = 300, shift: float = 0.5) -> tuple[Floats, Bools, Floats]:
    rng = np.random.default_rng(seed)
    treated = rng.random(rows) < 0.4
    x = rng.normal(size=(rows, 3)) + shift * treated[:, None]
    return np.column_stack([np.ones(rows), x]), treated, rng.uniform(0.2, 3.0, rows)


@given(st.integers(0, 10_000))
def test_weighted_controls_have_the_treated_s_means(seed: int) -> None:
    design, treated, weights = draw(seed)
    fit = tilt(design, treated, weights)
    assert fit.is_balanced
    target = weights[treated] @ design[treated]
    np.testing.assert_allclose((weights * fit.odds)[~treated] @ design[~treated], target, atol=1e-9)
    assert fit.imbalance < 1e-10
    np.testing.assert_allclose(fit.odds, np.exp(design @ fit.coefficients))


def test_a_saturated_score_is_the_share_in_each_cell() -> None:
    group = np.repeat([0.0, 1.0], [40, 60])
    treated = np.arange(100) % 4 == 0
    fit = tilt(np.column_stack([np.ones(100), group]), treated, np.ones(100))
    for level in (0.0, 1.0):
        here = group == level
        share = treated[here].mean()
        np.testing.assert_allclose(fit.odds[here], share / (1 - share), rtol=1e-10)


@pytest.mark.parametrize("shift", [8.0, 100.0])
def test_treated_outside_what_the_controls_span_cannot_be_balanced(shift: float) -> None:
    fit = tilt(*draw(1, shift=shift))
    assert not fit.is_balanced
    assert fit.imbalance > 1e-6


def test_balance_survives_a_score_near_one() -> None:
    # a few controls stand where nearly all are treated
    fit = tilt(*draw(2, rows=2000, shift=1.2))
    assert fit.is_balanced
    assert fit.odds.max() > 50
