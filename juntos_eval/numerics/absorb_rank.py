"""The rank of the dummies of several factors: exact wherever that can be had."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats
from juntos_eval.numerics.absorb_factors import Component
from juntos_eval.numerics.absorb_system import PIVOT, Blocks, SparseSystem, blocks_of, independent_levels

__all__ = ["large_rank"]

# levels of the third and later factors up to which what the first two leave of them is formed
_FORMED = 500


def large_rank(
    eliminated: Sequence[Component], others: Sequence[Component], blocks: Blocks, weights: Floats | None
) -> tuple[int, bool]:
    r"""Return the rank of S for other factors of many levels, and whether it is exact.

    The second factor S22 has the rank of its connected components with the first. What those two leave of the
    further ones, :math:`S_{33} - S_{32} S_{22}^{-} S_{23}`, is formed where it is small; else each further
    factor is taken to lose as many effects as it has components with that of the earlier factors with which
    it has most, which is an upper bound of the rank.

    Parameters
    ----------
    eliminated, others : sequence of Component
        The largest of the others first.
    blocks : Blocks
        Of the same.
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    rank : int
    is_exact : bool
    """
    first, rest = others[0], others[1:]
    is_plain = len(eliminated) == 1 and eliminated[0].column is None and first.column is None
    pair = blocks_of(eliminated, (first,), weights)
    if not is_plain:
        return sum(part.rank for part in others), False
    kept = int(independent_levels(pair, is_plain_pair=True).sum())
    if not rest:
        return kept, True
    further = sum(part.count for part in rest)
    if further <= _FORMED:
        return kept + _rank_left(pair, blocks, first.count, further), True
    return kept + _upper_bound((*eliminated, *others), weights), False


def _rank_left(pair: Blocks, blocks: Blocks, levels: int, further: int) -> int:
    picks = np.zeros((levels + further, further))
    picks[levels:] = np.eye(further)
    columns = blocks.times(picks)
    system, right = SparseSystem.of(pair), columns[:levels].copy()
    solved = np.zeros_like(right)
    norms = np.sqrt(np.asarray(blocks.inner.diagonal())[levels:])
    for _ in range(2):
        solved += system.solve(right, norms)
        right = columns[:levels] - pair.times(solved)
    left = columns[levels:] - columns[:levels].T @ solved
    length = np.asarray(blocks.inner.diagonal())[levels:]
    scale = np.divide(1.0, np.sqrt(length), out=np.zeros(further), where=length > 0)
    left = (left + left.T) / 2.0 * np.outer(scale, scale)
    return int(linalg.lapack.dpstrf(left, tol=PIVOT, lower=1)[2])


def _upper_bound(parts: Sequence[Component], weights: Floats | None) -> int:
    rank = 0
    for position in range(2, len(parts)):
        part = parts[position]
        gains = [
            int(independent_levels(blocks_of((before,), (part,), weights), is_plain_pair=True).sum())
            for before in parts[:position]
            if before.column is None and part.column is None
        ]
        rank += min(gains, default=part.rank)
    return rank
