"""Newton's method finds minima from afar and says where there is none."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from juntos_eval.arrays import Floats
from juntos_eval.numerics.convex_newton import minimise_convex


def log_cosh(x: Floats) -> tuple[float, Floats, Floats]:
    """Full Newton steps diverge on it beyond 1.09."""
    return float(np.log(np.cosh(x)).sum()), np.tanh(x), np.diag(1.0 / np.cosh(x) ** 2)


def test_steps_are_shortened_where_full_ones_diverge() -> None:
    found = minimise_convex(log_cosh, np.array([3.0, -2.0]))
    assert found.is_reached
    np.testing.assert_allclose(found.argument, [0.0, 0.0], atol=1e-12)


def test_a_logit_is_the_one_of_another_minimiser() -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(200), rng.normal(size=(200, 2))])
    d = rng.random(200) < 1 / (1 + np.exp(-x @ [0.2, 1.0, -0.5]))

    def negative_likelihood(b: Floats) -> tuple[float, Floats, Floats]:
        p = 1 / (1 + np.exp(-x @ b))
        value = float(np.logaddexp(0, x @ b).mean() - (x @ b)[d].sum() / 200)
        return value, x.T @ (p - d) / 200, (x * (p * (1 - p))[:, None]).T @ x / 200

    found = minimise_convex(negative_likelihood, np.zeros(3))

    def score(b: Floats) -> Floats:
        return negative_likelihood(b)[1]

    other = optimize.root(score, np.zeros(3), tol=1e-13)
    assert found.is_reached
    np.testing.assert_allclose(found.argument, other.x, atol=1e-9)


def downhill(x: Floats) -> tuple[float, Floats, Floats]:
    """Decrease without end, and more and more straight."""
    return float(np.exp(-x[0]) - x[0]), -np.exp(-x) - 1.0, np.exp(-x)[:, None]


def test_a_function_without_a_minimum_is_not_reached() -> None:
    found = minimise_convex(downhill, np.zeros(1))
    assert not found.is_reached
    assert found.argument[0] > 10


def test_a_flat_direction_ends_the_search() -> None:
    found = minimise_convex(
        lambda x: (float(x[0] ** 2 + x[1]), np.array([2 * x[0], 1.0]), np.diag([2.0, 0.0])), np.ones(2)
    )
    assert not found.is_reached
    assert found.iterations == 0
