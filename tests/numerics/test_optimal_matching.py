"""Optimal pairs and sets against integer programming; the closest pair first and calipers against loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics import optimal_matching
from juntos_eval.numerics.closest_pairs import closest_pairs
from juntos_eval.numerics.neighbours import Rule, sort_line
from juntos_eval.numerics.optimal_matching import full_sets, optimal_pairs, stretches
from juntos_eval.numerics.windowed_pairs import Windows, windowed_pairs

SEEDS = range(12)


def distances(seed: int, rows: int, columns: int, *, tied: bool = False) -> Floats:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(rows, 2)), rng.normal(size=(columns, 2))
    if tied:
        one, other = np.round(one), np.round(other)
    return np.asarray(np.linalg.norm(one[:, None] - other, axis=2))


def least_cover(cost: Floats) -> float:
    """The weight of the lightest set of edges that touches every row and column."""
    rows, columns = cost.shape
    touch = np.zeros((rows + columns, cost.size))
    for row in range(rows):
        for column in range(columns):
            touch[[row, rows + column], row * columns + column] = 1
    found = optimize.milp(
        cost.ravel(),
        constraints=optimize.LinearConstraint(touch, lb=1),
        integrality=np.ones(cost.size, dtype=np.int64),
        bounds=optimize.Bounds(0, 1),
    )
    assert found.fun is not None
    return float(found.fun)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_full_sets_are_the_lightest_cover(seed: int, tied: bool) -> None:
    rows, columns = 3 + seed % 4, 9 - seed % 5
    cost = distances(seed, rows, columns, tied=tied)
    zero = (np.zeros(rows, dtype=np.int64), np.zeros(columns, dtype=np.int64))
    one, other = full_sets(lambda i, j: cost[np.ix_(i, j)], zero)
    assert (one >= 0).all()
    assert (other >= 0).all()
    total = 0.0
    for number in np.unique(one):
        here, there = np.flatnonzero(one == number), np.flatnonzero(other == number)
        # one of one arm with one or several of the other
        assert min(len(here), len(there)) == 1
        total += cost[np.ix_(here, there)].sum()
    assert total == pytest.approx(least_cover(cost), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_optimal_pairs_are_the_assignment_of_least_cost(seed: int) -> None:
    cost = distances(seed, 5, 8)
    zero = (np.zeros(5, dtype=np.int64), np.zeros(8, dtype=np.int64))
    links = optimal_pairs(lambda i, j: cost[np.ix_(i, j)], zero)
    assert len(set(links.indices.tolist())) == 5
    rows, columns = optimize.linear_sum_assignment(cost)
    assert cost[np.arange(5), links.indices].sum() == pytest.approx(cost[rows, columns].sum(), rel=1e-9)


def test_a_caliper_comes_before_the_distance_and_after_the_number_of_pairs() -> None:
    at, pool = np.array([0.0, 1.0, 9.0]), np.array([0.9, 1.8])
    zero = (np.zeros(3, dtype=np.int64), np.zeros(2, dtype=np.int64))
    links = optimal_pairs(lambda i, j: np.abs(at[i][:, None] - pool[j]), zero, caliper=1.0)
    # 1.0 with 0.9 would be nearest, and would leave 0.0 alone
    assert links.counts.tolist() == [1, 1, 0]
    assert links.indices.tolist() == [0, 1]


def test_several_matches_each() -> None:
    at, pool = np.array([0.0, 10.0]), np.array([-1.0, 1.0, 9.0, 12.0, 5.0])
    zero = (np.zeros(2, dtype=np.int64), np.zeros(5, dtype=np.int64))
    links = optimal_pairs(lambda i, j: np.abs(at[i][:, None] - pool[j]), zero, count=2)
    assert [sorted(links.indices[:2].tolist()), sorted(links.indices[2:].tolist())] == [[0, 1], [2, 3]]


def test_parts_are_solved_apart_and_large_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at, pool = np.array([0.0, 5.0]), np.array([0.2, 4.0])
    parts = stretches(np.concatenate([at, pool]), np.zeros(4, dtype=np.int64), 2.0)
    assert parts.tolist() == [0, 1, 0, 1]
    monkeypatch.setattr(optimal_matching, "LARGEST", 1)
    cost = np.abs(at[:, None] - pool)
    links = optimal_pairs(lambda i, j: cost[np.ix_(i, j)], (parts[:2], parts[2:]), caliper=2.0)
    assert links.indices.tolist() == [0, 1]
    whole = (np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64))
    for solve in (optimal_pairs, full_sets):
        with pytest.raises(DesignError, match="too large"):
            solve(lambda i, j: cost[np.ix_(i, j)], whole)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_closest_pair_is_made_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, pool = rng.normal(size=7), rng.normal(size=9)
    blocks, there = rng.integers(0, 2, 7), rng.integers(0, 2, 9)
    found = closest_pairs(
        sort_line(pool, there), values, blocks, Rule(count=1, caliper=0.8, rank=np.arange(9))
    )
    pairs = {
        target: int(found.indices[found.indptr[target]]) for target in range(7) if found.counts[target] > 0
    }
    cost = np.abs(values[:, None] - pool)
    cost[blocks[:, None] != there] = np.inf
    expected = {}
    while np.isfinite(cost).any() and cost.min() <= 0.8:
        target, row = np.unravel_index(cost.argmin(), cost.shape)
        expected[int(target)] = int(row)
        cost[target], cost[:, row] = np.inf, np.inf
    assert pairs == expected


@pytest.mark.parametrize("is_replaced", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_neighbours_inside_several_calipers(seed: int, is_replaced: bool) -> None:
    rng = np.random.default_rng(seed)
    calipers = np.array([0.7, 1.2])

    def windows(rows: int) -> Windows:
        return Windows(
            points=rng.normal(size=(rows, 2)),
            lines=rng.normal(size=(rows, 2)),
            calipers=calipers,
            blocks=rng.integers(0, 2, rows),
        )

    targets, pool = windows(8), windows(12)
    turns = rng.permutation(8)
    rule = Rule(count=1, rank=np.arange(12))
    found = windowed_pairs(targets, pool, turns, rule, is_replaced=is_replaced)
    free = np.ones(12, dtype=np.bool_)
    for target in turns:
        near = free & (pool.blocks == targets.blocks[target])
        near &= (np.abs(pool.lines - targets.lines[target]) <= calipers).all(axis=1)
        if not near.any():
            assert found.counts[target] == 0
            continue
        distance = np.where(near, np.linalg.norm(pool.points - targets.points[target], axis=1), np.inf)
        assert found.indices[found.indptr[target]] == distance.argmin()
        free[distance.argmin()] = is_replaced


def test_a_variable_number_of_matches_is_the_best_of_all() -> None:
    """Three targets, six rows, four of them to be used, one to three a target: every way tried."""
    rng = np.random.default_rng(21)
    cost = rng.uniform(size=(3, 6))
    zero = (np.zeros(3, dtype=np.int64), np.zeros(6, dtype=np.int64))
    links = optimal_pairs(lambda i, j: cost[np.ix_(i, j)], zero, count=2, between=(1, 3))
    assert links.counts.sum() == 6
    best = np.inf
    for owner in itertools.product(range(3), repeat=6):
        counts = np.bincount(owner, minlength=3)
        if counts.min() >= 1 and counts.max() <= 3:
            best = min(best, sum(cost[i, j] for j, i in enumerate(owner)))
    found = sum(cost[i, j] for i in range(3) for j in links.indices[links.indptr[i] : links.indptr[i + 1]])
    assert found == pytest.approx(best, rel=1e-6)


def test_a_variable_number_leaves_far_rows_to_nobody() -> None:
    """One target has many likes and one a single one: a fixed ratio must take a bad match, this does not."""
    at, pool = np.array([0.0, 10.0]), np.array([0.1, 0.2, 0.3, 10.1, 14.0])
    zero = (np.zeros(2, dtype=np.int64), np.zeros(5, dtype=np.int64))

    def distance(i: Codes, j: Codes) -> Floats:
        return np.asarray(np.abs(at[i][:, None] - pool[j]))

    assert optimal_pairs(distance, zero, count=2).indices.tolist() == [0, 1, 3, 4]
    free = optimal_pairs(distance, zero, count=2, between=(1, 4))
    assert sorted(free.indices[:3].tolist()) == [0, 1, 2]
    assert free.indices[3:].tolist() == [3]
    # nobody within the caliper: the target stays alone, the other keeps its most
    near = optimal_pairs(distance, zero, count=2, between=(1, 4), caliper=0.05)
    assert near.counts.tolist() == [0, 0]
