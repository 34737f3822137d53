"""Bounds under hidden bias against their definitions: every way in which a bias of that size can work."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from juntos_eval.arrays import Floats
from juntos_eval.numerics.hidden_bias import (
    MatchedSets,
    aligned_rank_deviate,
    count_tail,
    signed_rank_deviate,
    signed_rank_tail,
)

GAMMAS = (1.0, 1.5, 3.0)


def drawn(seed: int, sizes: tuple[int, ...], *, binary: bool) -> MatchedSets:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    odd, others = rng.normal(0.5, 1, len(sizes)), rng.normal(0, 1, len(owner))
    if binary:
        odd, others = (odd > 0.3).astype(float), (others > 0.3).astype(float)
    return MatchedSets(odd=odd, others=others, owner=owner)


def within(sets: MatchedSets) -> list[Floats]:
    return [np.append(sets.odd[i], sets.others[sets.owner == i]) for i in range(len(sets.odd))]


def worst_chances(values: Floats, gamma: float) -> list[Floats]:
    """Chances of being the treated unit of a set, for every hidden covariate at its extremes."""
    found = []
    for hidden in product((0, 1), repeat=len(values)):
        odds = gamma ** np.array(hidden, dtype=float)
        found.append(odds / odds.sum())
    return found


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("ties", [False, True])
def test_signed_rank_tail_is_the_sum_over_all_signs(gamma: float, ties: bool) -> None:
    differences = np.random.default_rng(1).normal(0.4, 1, 9)
    if ties:
        differences = np.round(differences)
    ranks = np.zeros(9)
    moved = differences != 0
    ranks[moved] = stats.rankdata(np.abs(differences[moved]))
    statistic, chance = ranks[differences > 0].sum(), gamma / (1 + gamma)
    tail = 0.0
    for signs in product((0, 1), repeat=9):
        kept = np.array(signs)
        if (ranks * kept).sum() >= statistic - 1e-9:
            tail += float(np.prod(np.where(kept == 1, chance, 1 - chance)))
    assert signed_rank_tail(differences, gamma) == pytest.approx(tail, rel=1e-12)


def test_signed_rank_at_gamma_one_is_wilcoxon() -> None:
    differences = np.random.default_rng(2).normal(0.3, 1, 40)
    exact = stats.wilcoxon(differences, alternative="greater", method="exact").pvalue
    assert signed_rank_tail(differences, 1.0) == pytest.approx(exact, rel=1e-10)
    large = stats.wilcoxon(differences, alternative="greater", method="approx", correction=False).pvalue
    assert stats.norm.sf(signed_rank_deviate(differences, 1.0)) == pytest.approx(large, rel=1e-10)


def test_large_sample_tail_comes_near_the_exact_one() -> None:
    differences = np.random.default_rng(3).normal(0.3, 1, 100)
    for gamma in (1.0, 1.5, 2.0):
        exact = signed_rank_tail(differences, gamma)
        assert stats.norm.sf(signed_rank_deviate(differences, gamma)) == pytest.approx(exact, rel=0.08)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_mcnemar_is_a_binomial_tail(gamma: float) -> None:
    sets = drawn(4, (1,) * 60, binary=True)
    mixed = sets.odd != sets.others
    expected = stats.binom.sf(sets.odd[mixed].sum() - 1, mixed.sum(), gamma / (1 + gamma))
    assert count_tail(sets, gamma) == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_counts_in_sets_are_bounded_by_the_worst_hidden_covariate(gamma: float) -> None:
    sets = drawn(5, (2, 3, 1, 2, 3), binary=True)
    statistic = sets.odd.sum()
    worst = [max(float(p @ values) for p in worst_chances(values, gamma)) for values in within(sets)]
    tail = 0.0
    for hits in product((0, 1), repeat=len(worst)):
        if sum(hits) >= statistic:
            tail += float(np.prod([p if hit else 1 - p for p, hit in zip(worst, hits, strict=True)]))
    assert count_tail(sets, gamma) == pytest.approx(tail, rel=1e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("direction", [1, -1])
def test_aligned_ranks_are_bounded_by_the_worst_hidden_covariate(gamma: float, direction: int) -> None:
    sets = drawn(6, (2, 3, 1, 4, 2, 3), binary=False)
    rows = within(sets)
    ranks = stats.rankdata(np.concatenate([values - values.mean() for values in rows]))
    parts = np.split(ranks, np.cumsum([len(values) for values in rows])[:-1])
    means, variances = [], []
    for part in parts:
        moments = [
            (float(p @ part), float(p @ part**2 - (p @ part) ** 2)) for p in worst_chances(part, gamma)
        ]
        best = max(direction * mean for mean, _ in moments)
        means.append(direction * best)
        variances.append(max(v for mean, v in moments if direction * mean >= best - 1e-12))
    statistic = sum(part[0] for part in parts)
    expected = (statistic - sum(means)) / np.sqrt(sum(variances))
    at = gamma if direction == 1 else 1 / gamma
    assert aligned_rank_deviate(sets, at) == pytest.approx(expected, rel=1e-10)


def test_nothing_to_tell_apart_is_not_a_number() -> None:
    flat = MatchedSets(odd=np.ones(3), others=np.ones(3), owner=np.arange(3))
    assert np.isnan(signed_rank_deviate(flat.odd - flat.others, 1.0))
    assert np.isnan(aligned_rank_deviate(flat, 2.0))
    assert np.isnan(count_tail(flat, 1.0))


def test_equal_differences_tie_whatever_rounding_does() -> None:
    differences = np.array([0.3 - 0.2, 0.1, -(0.7 - 0.6), 0.5])
    assert signed_rank_tail(differences, 1.0) == signed_rank_tail(np.array([1.0, 1.0, -1.0, 5.0]), 1.0)
