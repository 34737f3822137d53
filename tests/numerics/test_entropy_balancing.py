"""Entropy weights against an independent solution of the dual, and targets that are out of reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.entropy_balancing import entropy_balance


def names(count: int) -> tuple[str, ...]:
    return tuple(f"x{j}" for j in range(count))


def by_scipy(columns: Floats, targets: Floats, base: Floats) -> Floats:
    """Weights by another road: quasi-Newton on the log of the dual, then a root of its gradient."""
    centred = columns - targets

    def weights(dual: Floats) -> Floats:
        return np.asarray(special.softmax(np.log(base) + centred @ dual))

    def value(dual: Floats) -> float:
        return float(special.logsumexp(centred @ dual, b=base))

    def gradient(dual: Floats) -> Floats:
        return weights(dual) @ centred

    start = optimize.minimize(value, np.zeros(len(targets)), jac=gradient, method="BFGS").x
    answer = optimize.root(gradient, start, tol=1e-14)
    return weights(answer.x)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_an_independent_solution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = np.column_stack([rng.normal(size=(200, 3)), rng.random((200, 1)) < 0.3])
    base = rng.uniform(0.2, 5, 200)
    targets = np.array([0.4, -0.3, 0.2, 0.45])
    found = entropy_balance(columns, targets, base, names=names(4))
    np.testing.assert_allclose(found.weights, by_scipy(columns, targets, base), rtol=0, atol=1e-8 / 200)
    assert found.imbalance < 1e-12
    np.testing.assert_allclose(found.weights @ columns, targets, rtol=0, atol=1e-12)
    implied = base * np.exp(columns @ found.dual)
    np.testing.assert_allclose(found.weights, implied / implied.sum(), rtol=1e-9)


def test_base_weights_are_kept_where_they_balance() -> None:
    rng = np.random.default_rng(1)
    columns, base = rng.normal(size=(50, 2)), rng.uniform(1, 3, 50)
    found = entropy_balance(columns, base @ columns / base.sum(), base, names=names(2))
    np.testing.assert_allclose(found.weights, base / base.sum(), rtol=1e-10)
    np.testing.assert_allclose(found.dual, 0, atol=1e-10)


@given(st.integers(0, 5_000))
def test_targets_inside_the_hull_are_reached(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(30, 3)) * [1.0, 1e6, 1e-6]
    targets = rng.dirichlet(np.ones(30)) @ columns
    found = entropy_balance(columns, targets, np.ones(30), names=names(3))
    assert found.imbalance < 1e-12
    assert (found.weights > 0).all()
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)


def test_units_and_origin_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    columns, targets = rng.normal(size=(80, 2)), np.array([0.5, 0.1])
    plain = entropy_balance(columns, targets, np.ones(80), names=names(2))
    moved = entropy_balance(
        columns * [1e8, 1e-8] + [1e9, 5], targets * [1e8, 1e-8] + [1e9, 5], np.ones(80), names=names(2)
    )
    np.testing.assert_allclose(moved.weights, plain.weights, rtol=1e-6)


def test_redundant_columns_are_left_out() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 2))
    columns = np.column_stack([x, x.sum(axis=1), np.full(60, 3.0)])
    found = entropy_balance(columns, np.array([0.2, 0.1, 0.3, 3.0]), np.ones(60), names=names(4))
    assert found.redundant.tolist() == [2, 3]
    np.testing.assert_allclose(found.weights @ columns, [0.2, 0.1, 0.3, 3.0], atol=1e-12)
    assert (found.dual[[2, 3]] == 0).all()


def refused(columns: Floats, targets: list[float]) -> str:
    with pytest.raises(DesignError) as caught:
        entropy_balance(columns, np.array(targets), np.ones(len(columns)), names=names(len(targets)))
    return str(caught.value)


def test_a_mean_outside_the_range_is_named() -> None:
    columns = np.random.default_rng(0).uniform(size=(40, 3))
    assert "'x1': mean 1.5 asked, rows to weight lie in" in refused(columns, [0.5, 1.5, 0.5])
    assert "'x2': mean 0 asked" in refused(np.column_stack([columns[:, :2], np.ones(40)]), [0.5, 0.5, 0.0])


def test_a_mean_at_the_edge_of_a_share_is_out_of_reach() -> None:
    rng = np.random.default_rng(0)
    columns = np.column_stack([rng.normal(size=40), rng.random(40) < 0.5])
    assert "'x1': mean 1 asked" in refused(columns, [0.0, 1.0])


def test_joint_means_outside_the_hull_are_named() -> None:
    # a triangle: each mean is within its range, both together are not
    rng = np.random.default_rng(0)
    corner = rng.dirichlet(np.ones(3), 200)[:, :2]
    message = refused(np.column_stack([corner, rng.normal(size=200)]), [0.7, 0.7, 0.0])
    assert "joint means lie outside" in message
    assert "'x0'" in message or "'x1'" in message
    assert "'x2'" not in message


def test_a_contradiction_of_collinear_columns_is_named() -> None:
    x = np.random.default_rng(0).normal(size=40)
    assert "no weights balance 'x1'" in refused(np.column_stack([x, 2 * x]), [0.1, 0.5])


@pytest.mark.parametrize(
    ("columns", "targets", "base", "words"),
    [
        (np.ones((3, 2)), np.ones(1), np.ones(3), "do not belong together"),
        (np.ones((0, 1)), np.ones(1), np.ones(0), "do not belong together"),
        (np.array([[np.nan], [1.0]]), np.ones(1), np.ones(2), "not finite"),
        (np.array([[0.0], [1.0]]), np.ones(1), np.array([1.0, 0.0]), "must be positive"),
        (np.array([[0.0], [1.0]]), np.ones(1), np.array([1.0, -1.0]), "must be positive"),
    ],
)
def test_bad_input_is_refused(columns: Floats, targets: Floats, base: Floats, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        entropy_balance(columns, targets, base, names=names(columns.shape[1]))


def test_large_tables() -> None:
    rng = np.random.default_rng(9)
    columns = rng.normal(size=(100_000, 30))
    found = entropy_balance(columns, np.full(30, 0.3), rng.uniform(0.5, 3, 100_000), names=names(30))
    assert found.imbalance < 1e-12
    assert found.iterations < 15
