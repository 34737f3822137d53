"""Nearest neighbours in space, by a tree over the places where pool rows stand."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.links import Listed, flat_positions
from juntos_eval.numerics.neighbours import Rule

__all__ = ["cells_in_space", "nearest_in_space"]


def nearest_in_space(pool: Floats, targets: Floats, blocks: tuple[Codes, Codes], rule: Rule) -> Listed:
    """Link each target to its nearest pool rows by Euclidean distance, with a tree.

    Parameters
    ----------
    pool : numpy.ndarray, shape (pool, p)
    targets : numpy.ndarray, shape (m, p)
    blocks : tuple of numpy.ndarray of int64, shapes (pool,) and (m,)
        Rows of different blocks are never linked.
    rule : Rule

    Returns
    -------
    Listed
        As of :func:`nearest_on_line`; pool rows at the same place make a cell.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import Rule
    >>> from juntos_eval.numerics.neighbours_in_space import nearest_in_space
    >>> pool, zero = np.array([[0.0, 0.0], [3.0, 4.0]]), np.zeros(2, dtype=np.int64)
    >>> nearest_in_space(pool, np.array([[3.0, 3.0]]), (zero, zero[:1]), Rule(count=1)).indices.tolist()
    [1]
    """
    cells = cells_in_space(pool, blocks[0])
    members = np.argsort(cells, kind="stable")
    starts = np.searchsorted(cells[members], np.arange(cells.max(initial=-1) + 2))
    places, place_blocks = pool[members[starts[:-1]]], blocks[0][members[starts[:-1]]]
    sizes = np.diff(starts)
    found: list[tuple[Codes, Codes, Floats]] = []
    for block in np.unique(blocks[1]):
        here, there = np.flatnonzero(blocks[1] == block), np.flatnonzero(place_blocks == block)
        if len(there):
            owner, cell, length = _search_tree(places[there], sizes[there], targets[here], rule)
            found.append((here[owner], there[cell], length))
    owner, cell, length = _joined(found)
    if rule.rank is None:
        return _list(owner, cell, len(targets), len(pool), cells)
    rows = members[flat_positions(starts[cell], sizes[cell])]
    owner, length = np.repeat(owner, sizes[cell]), np.repeat(length, sizes[cell])
    chosen = _lowest_ranked(owner, length, rule.rank[rows], rule)
    return _list(owner[chosen], rows[chosen], len(targets), len(pool), None)


def cells_in_space(pool: Floats, blocks: Codes) -> Codes:
    """Return the cell of each row: rows of one block at the same place share one.

    Parameters
    ----------
    pool : numpy.ndarray, shape (pool, p)
    blocks : numpy.ndarray of int64, shape (pool,)

    Returns
    -------
    numpy.ndarray of int64, shape (pool,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours_in_space import cells_in_space
    >>> cells_in_space(np.array([[1.0], [0.0], [1.0]]), np.zeros(3, dtype=np.int64)).tolist()
    [1, 0, 1]
    """
    order = np.lexsort((*pool.T, blocks))
    is_new = np.diff(blocks[order]) != 0
    for column in pool.T:
        is_new |= np.diff(column[order]) != 0
    cells = np.empty(len(order), dtype=np.int64)
    cells[order] = np.concatenate([[0], np.cumsum(is_new)])[: len(order)]
    return cells


def _search_tree(places: Floats, sizes: Codes, targets: Floats, rule: Rule) -> tuple[Codes, Codes, Floats]:
    """Return target, place and distance of every link, ties with the k-th included."""
    tree = cKDTree(places)
    pending = np.arange(len(targets))
    width = min(rule.count + 1, len(places))
    found: list[tuple[Codes, Codes, Floats]] = []
    while len(pending):
        left_over = []
        for part in np.array_split(pending, 1 + len(pending) * width // 20_000_000):
            length, place = (
                np.asarray(x) for x in tree.query(targets[part], np.arange(1, width + 1), workers=-1)
            )
            is_enough = np.cumsum(sizes[place], axis=1) >= rule.count
            kth = np.take_along_axis(length, is_enough.argmax(axis=1)[:, None], axis=1)[:, 0]
            reach = np.minimum(np.where(is_enough[:, -1], rule.limit(kth), np.inf), rule.caliper)
            is_done = (length[:, -1] > reach) | (width == len(places))
            owner, rank = np.nonzero((length <= reach[:, None]) & is_done[:, None])
            found.append((part[owner], place[owner, rank], length[owner, rank]))
            left_over.append(part[~is_done])
        pending = np.concatenate(left_over)
        width = min(2 * width, len(places))
    return _joined(found)


def _joined(found: list[tuple[Codes, Codes, Floats]]) -> tuple[Codes, Codes, Floats]:
    nobody = np.zeros(0, dtype=np.int64)
    owners, cells, lengths = zip((nobody, nobody, np.zeros(0)), *found, strict=True)
    return np.concatenate(owners), np.concatenate(cells), np.concatenate(lengths)


def _lowest_ranked(owner: Codes, length: Floats, rank: Codes, rule: Rule) -> Codes:
    """Return the positions of k links a target: the nearest, and among those tied with the k-th by rank."""
    by_length = np.lexsort((length, owner))
    owner_sorted = owner[by_length]
    first = np.searchsorted(owner_sorted, owner_sorted)
    last = np.searchsorted(owner_sorted, owner_sorted, side="right") - 1
    kth = length[by_length][np.minimum(first + rule.count - 1, last)]
    is_tied = length[by_length] >= kth - rule.tolerance
    chosen = by_length[np.lexsort((rank[by_length], is_tied, owner_sorted))]
    return np.asarray(
        chosen[np.arange(len(chosen)) - np.searchsorted(owner[chosen], owner[chosen]) < rule.count]
    )


def _list(owner: Codes, indices: Codes, targets: int, pool: int, cells: Codes | None) -> Listed:
    order = np.argsort(owner, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=targets))])
    return Listed(indptr=indptr, indices=indices[order], pool=pool, cells=cells)
