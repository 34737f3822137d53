"""Neighbours against brute force: ties, calipers, blocks, without replacement, and nobody at all."""

from __future__ import annotations

import numpy as np
import pytest

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.greedy_pairs import pairs_in_space, pairs_on_line
from juntos_eval.numerics.links import Intervals, Listed
from juntos_eval.numerics.neighbours import (
    Rule,
    nearest_on_line,
    sort_line,
    within_radius,
)
from juntos_eval.numerics.neighbours_in_space import nearest_in_space


def drawn(seed: int, *, discrete: bool, blocks: int) -> tuple[Floats, Floats, Codes, Codes]:
    rng = np.random.default_rng(seed)
    pool, targets = rng.normal(size=90), rng.normal(size=40)
    if discrete:
        pool, targets = np.round(pool * 2) / 2, np.round(targets * 2) / 2
    return pool, targets, rng.integers(0, blocks, 90), rng.integers(0, blocks + (blocks > 1), 40)


def distances(pool: Floats, targets: Floats, of_pool: Codes, of_targets: Codes) -> Floats:
    pool, targets = pool.reshape(len(pool), -1), targets.reshape(len(targets), -1)
    gap = np.sqrt(((targets[:, None, :] - pool[None, :, :]) ** 2).sum(axis=2))
    return np.where(of_targets[:, None] == of_pool[None, :], gap, np.inf)


def brute_ties(gap: Floats, rule: Rule) -> list[set[int]]:
    found = []
    for row in gap:
        reach = np.sort(row)[min(rule.count, len(row)) - 1]
        limit = min(reach + rule.tolerance, rule.caliper)
        found.append(set(np.flatnonzero((row <= limit) & np.isfinite(row)).tolist()))
    return found


def brute_ranked(gap: Floats, rule: Rule, rank: Codes) -> list[list[int]]:
    found = []
    for row in gap:
        order = [int(j) for j in np.lexsort((rank, row)) if row[j] <= rule.caliper and np.isfinite(row[j])]
        found.append(order[: rule.count])
    return found


def brute_greedy(gap: Floats, rule: Rule, rank: Codes, turns: Codes) -> list[list[int]]:
    gap = gap.copy()
    found: list[list[int]] = [[] for _ in gap]
    for step in range(rule.count):
        for i in turns:
            if len(found[i]) < step:
                continue
            j = int(np.lexsort((rank, gap[i]))[0])
            if np.isfinite(gap[i, j]) and gap[i, j] <= rule.caliper:
                found[i].append(j)
                gap[:, j] = np.inf
    return found


def lists(links: Listed | Intervals) -> list[list[int]]:
    rows = links.rows()
    return [rows.indices[a:b].tolist() for a, b in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]


CASES = [
    (discrete, blocks, count, caliper)
    for discrete in (False, True)
    for blocks in (1, 4)
    for count in (1, 3)
    for caliper in (np.inf, 0.2)
]


@pytest.mark.parametrize(("discrete", "blocks", "count", "caliper"), CASES)
def test_all_ties_on_a_line_and_in_space(discrete: bool, blocks: int, count: int, caliper: float) -> None:
    for seed in range(5):
        pool, targets, of_pool, of_targets = drawn(seed, discrete=discrete, blocks=blocks)
        rule = Rule(count=count, caliper=caliper, tolerance=1e-10)
        expected = brute_ties(distances(pool, targets, of_pool, of_targets), rule)
        on_line = nearest_on_line(sort_line(pool, of_pool), targets, of_targets, rule)
        assert [set(row) for row in lists(on_line)] == expected
        in_space = nearest_in_space(pool[:, None], targets[:, None], (of_pool, of_targets), rule)
        assert [set(row) for row in lists(in_space)] == expected
        assert in_space.counts.tolist() == [len(row) for row in expected]


@pytest.mark.parametrize(("discrete", "blocks", "count", "caliper"), CASES)
def test_exactly_k_by_rank(discrete: bool, blocks: int, count: int, caliper: float) -> None:
    for seed in range(5):
        pool, targets, of_pool, of_targets = drawn(seed, discrete=discrete, blocks=blocks)
        rank = np.random.default_rng(seed + 100).permutation(len(pool))
        rule = Rule(count=count, caliper=caliper, tolerance=1e-10, rank=rank)
        expected = brute_ranked(distances(pool, targets, of_pool, of_targets), rule, rank)
        on_line = nearest_on_line(sort_line(pool, of_pool, rank), targets, of_targets, rule)
        assert [sorted(row) for row in lists(on_line)] == [sorted(row) for row in expected]
        in_space = nearest_in_space(pool[:, None], targets[:, None], (of_pool, of_targets), rule)
        assert [sorted(row) for row in lists(in_space)] == [sorted(row) for row in expected]


@pytest.mark.parametrize(("discrete", "blocks", "count", "caliper"), CASES)
def test_without_replacement(discrete: bool, blocks: int, count: int, caliper: float) -> None:
    for seed in range(5):
        pool, targets, of_pool, of_targets = drawn(seed, discrete=discrete, blocks=blocks)
        rng = np.random.default_rng(seed + 200)
        rank, turns = rng.permutation(len(pool)), rng.permutation(len(targets))
        rule = Rule(count=count, caliper=caliper, tolerance=1e-10, rank=rank)
        expected = brute_greedy(distances(pool, targets, of_pool, of_targets), rule, rank, turns)
        line = sort_line(pool, of_pool, rank)
        assert lists(pairs_on_line(line, targets, of_targets, turns, rule)) == expected
        in_space = pairs_in_space(pool[:, None], targets[:, None], (of_pool, of_targets), turns, rule)
        assert lists(in_space) == expected


@pytest.mark.parametrize("discrete", [False, True])
def test_many_dimensions(discrete: bool) -> None:
    rng = np.random.default_rng(4)
    pool, targets = rng.normal(size=(300, 3)), rng.normal(size=(200, 3))
    if discrete:
        pool, targets = pool.round(), targets.round()
    zero = np.zeros(300, dtype=np.int64)
    gap = distances(pool, targets, zero, zero[:200])
    rule = Rule(count=2, tolerance=1e-10)
    found = nearest_in_space(pool, targets, (zero, zero[:200]), rule)
    assert [set(row) for row in lists(found)] == brute_ties(gap, rule)
    rank, turns = rng.permutation(300), rng.permutation(200)
    ranked = Rule(count=1, tolerance=1e-10, rank=rank)
    paired = pairs_in_space(pool, targets, (zero, zero[:200]), turns, ranked)
    assert lists(paired) == brute_greedy(gap.round(9), ranked, rank, turns)


@pytest.mark.parametrize("blocks", [1, 4])
def test_radius(blocks: int) -> None:
    pool, targets, of_pool, of_targets = drawn(3, discrete=True, blocks=blocks)
    gap = distances(pool, targets, of_pool, of_targets)
    found = within_radius(sort_line(pool, of_pool), targets, of_targets, 0.5)
    assert [set(row) for row in lists(found)] == [set(np.flatnonzero(row <= 0.5).tolist()) for row in gap]


def test_products_do_not_depend_on_the_representation() -> None:
    pool, targets, of_pool, of_targets = drawn(6, discrete=True, blocks=2)
    found = within_radius(sort_line(pool, of_pool), targets, of_targets, 0.7)
    in_space = nearest_in_space(
        pool[:, None], targets[:, None], (of_pool, of_targets), Rule(count=500, caliper=0.7)
    )
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(90, 2)) + 50, rng.uniform(size=40)
    for links in (found, in_space):
        rows = links.rows()
        np.testing.assert_allclose(links.gather(values), rows.gather(values), rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(links.scatter(weights), rows.scatter(weights), rtol=1e-12, atol=1e-13)
        assert links.counts.tolist() == rows.counts.tolist()
        assert ((links.scatter(weights) == 0) == (rows.scatter(weights) == 0)).all()


def test_identical_scores_link_everybody_without_listing_them() -> None:
    zero = np.zeros(5000, dtype=np.int64)
    found = nearest_on_line(sort_line(np.ones(5000), zero), np.ones(5000), zero, Rule(count=1))
    assert isinstance(found, Intervals)
    assert set(found.counts.tolist()) == {5000}
    np.testing.assert_allclose(found.scatter(np.full(5000, 1 / 5000)), np.ones(5000))


def test_congested_targets_find_what_is_left() -> None:
    rng = np.random.default_rng(9)
    pool, targets = rng.normal(size=(2500, 2)), np.zeros((2500, 2)) + 1e-3 * rng.normal(size=(2500, 2))
    zero = np.zeros(2500, dtype=np.int64)
    rule = Rule(count=1, rank=np.arange(2500))
    found = pairs_in_space(pool, targets, (zero, zero), np.arange(2500), rule)
    assert sorted(found.indices.tolist()) == list(range(2500))
    few = pairs_in_space(pool[:10], targets, (zero[:10], zero), np.arange(2500), rule)
    assert len(few.indices) == 10


def test_an_empty_pool_links_nobody() -> None:
    zero, nobody = np.zeros(3, dtype=np.int64), np.zeros(0, dtype=np.int64)
    place, here = np.zeros(0), np.arange(3.0)
    ranked = Rule(count=1, rank=nobody)
    for links in (
        nearest_on_line(sort_line(place, nobody), here, zero, Rule(count=1)),
        nearest_on_line(sort_line(place, nobody), here, zero, ranked),
        within_radius(sort_line(place, nobody), here, zero, 1.0),
        nearest_in_space(place[:, None], here[:, None], (nobody, zero), Rule(count=1)),
        pairs_on_line(sort_line(place, nobody), here, zero, np.arange(3), ranked),
        pairs_in_space(place[:, None], here[:, None], (nobody, zero), np.arange(3), ranked),
    ):
        assert links.counts.tolist() == [0, 0, 0]
