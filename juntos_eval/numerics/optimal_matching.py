r"""Optimal matching: pairs, or sets of one with several, whose distances sum to the least.

Pairs solve an assignment problem. Full matching puts every row into a set with one row of one arm and one or
more of the other: its sets are the stars of a minimum-weight edge cover, which an assignment problem in

.. math:: w_{ij} = \mu_i + \nu_j - d_{ij}, \qquad \mu_i = \min_j d_{ij}, \quad \nu_j = \min_i d_{ij}

gives: pairs with positive w are joined, all others go to their nearest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.numerics.links import Listed

__all__ = ["full_sets", "optimal_pairs", "stretches"]

# distances that one problem may hold at a time
LARGEST = 60_000_000
# share by which the longest distance is bent upwards, so that equal sums of distances differ
STRICT = 1e-7


def stretches(values: Floats, blocks: Codes, reach: float) -> Codes:
    """Return the part of a line of each row: no link within reach connects two parts.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    blocks : numpy.ndarray of int64, shape (n,)
        Rows of different blocks are never linked.
    reach : float
        Infinity for none: the parts are the blocks.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.optimal_matching import stretches
    >>> stretches(np.array([0.0, 5.0, 0.5]), np.zeros(3, dtype=np.int64), 1.0).tolist()
    [0, 1, 0]
    """
    order = np.lexsort((values, blocks))
    breaks = (np.diff(blocks[order]) != 0) | (np.diff(values[order]) > reach)
    found = np.empty(len(values), dtype=np.int64)
    found[order] = np.concatenate([[0], np.cumsum(breaks)])
    return found


def optimal_pairs(
    distance: Callable[[Codes, Codes], Floats],
    parts: tuple[Codes, Codes],
    *,
    count: int = 1,
    between: tuple[int, int] | None = None,
    caliper: float = np.inf,
) -> Listed:
    """Pair targets with pool rows, each at most once, so that distances sum to the least.

    As many pairs as possible are made first; among those sets of pairs the one of the least distance. With
    ``between`` a target has as many matches as serve the whole best, so that ``count`` is their mean in each
    part (Ming & Rosenbaum 2001): copies of a target beyond the fewest may go to places that cost nothing.

    Parameters
    ----------
    distance : callable
        From targets and pool rows to their distances, (targets, rows).
    parts : tuple of numpy.ndarray of int64, shapes (m,) and (pool,)
        Part of each target and pool row: only rows of the same part are paired.
    count : int
        Matches a target, or their mean.
    between : tuple of int, optional
        Fewest and most matches of a target.
    caliper : float
        No pair is farther.

    Returns
    -------
    Listed

    Raises
    ------
    DesignError
        If a part is too large for an assignment problem.

    References
    ----------
    Ming, K. & Rosenbaum, P. R. (2001). A note on optimal matching with variable controls using the
    assignment algorithm. *Journal of Computational and Graphical Statistics* 10(3), 455-463.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.optimal_matching import optimal_pairs
    >>> at, pool, zero = np.array([1.0, 2.0]), np.array([1.9, 3.5]), np.zeros(2, dtype=np.int64)
    >>> links = optimal_pairs(lambda i, j: np.abs(at[i][:, None] - pool[j]), (zero, zero))
    >>> links.indices.tolist()
    [0, 1]
    """
    owners, picks = [], []
    least, most = between or (count, count)
    for here, there in _in_parts(parts):
        idle = len(here) * most - min(len(here) * count, len(there)) if between else 0
        _refuse_large(len(here) * most, len(there) + idle)
        cost = np.repeat(_strict(distance(here, there)), most, axis=0)
        far = cost > caliper * (1.0 + 2.0 * STRICT)
        # a pair beyond the caliper costs more than all pairs within it together
        ceiling = float(cost[~far].max(initial=0.0))
        beyond = (ceiling or 1.0) * (min(cost.shape) + 1)
        cost[far] = beyond
        if idle:
            spare = np.where(np.arange(len(cost)) % most < least, beyond, 0.0)
            cost = np.column_stack([cost, np.repeat(spare[:, None], idle, axis=1)])
            far = np.column_stack([far, np.ones((len(far), idle), dtype=np.bool_)])
        rows, columns = linear_sum_assignment(cost)
        kept = ~far[rows, columns]
        owners.append(np.repeat(here, most)[rows[kept]])
        picks.append(there[columns[kept]])
    return _listed(owners, picks, len(parts[0]), len(parts[1]))


def full_sets(
    distance: Callable[[Codes, Codes], Floats], parts: tuple[Codes, Codes], *, caliper: float = np.inf
) -> tuple[Codes, Codes]:
    r"""Put rows of two arms into sets of one with one or several, so that distances sum to the least.

    Parameters
    ----------
    distance : callable
        From rows of the first and of the second arm to their distances.
    parts : tuple of numpy.ndarray of int64
        Part of each row of either arm: sets lie within parts.
    caliper : float
        No link of a set is longer; rows without anybody that near stay outside.

    Returns
    -------
    tuple of numpy.ndarray of int64
        Set of each row of either arm; -1 outside.

    Raises
    ------
    DesignError
        If a part is too large for an assignment problem.

    References
    ----------
    Rosenbaum, P. R. (1991). A characterization of optimal designs for observational studies. *Journal of
    the Royal Statistical Society B*, 53(3), 597-610.
    Schrijver, A. (2003). *Combinatorial Optimization*, section 19.3 (edge covers by matchings). Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.optimal_matching import full_sets
    >>> one, other = np.array([0.0, 9.0]), np.array([0.1, 0.2, 8.0])
    >>> parts = (np.zeros(2, dtype=np.int64), np.zeros(3, dtype=np.int64))
    >>> [x.tolist() for x in full_sets(lambda i, j: np.abs(one[i][:, None] - other[j]), parts)]
    [[0, 1], [0, 0, 1]]
    """
    sets = (np.full(len(parts[0]), -1, np.int64), np.full(len(parts[1]), -1, np.int64))
    used = 0
    for here, there in _in_parts(parts):
        _refuse_large(len(here), len(there))
        cost = distance(here, there)
        rows, columns = _cover(np.where(cost > caliper, np.inf, _strict(cost)))
        if not len(rows):
            continue
        size = len(here) + len(there)
        graph = sparse.coo_array((np.ones(len(rows)), (rows, len(here) + columns)), shape=(size, size))
        label = connected_components(graph, directed=False)[1]
        covered = np.zeros(size, dtype=np.bool_)
        covered[rows], covered[len(here) + columns] = True, True
        names, number = np.unique(label[covered], return_inverse=True)
        numbers = np.full(size, -1, dtype=np.int64)
        numbers[covered] = number + used
        sets[0][here], sets[1][there] = numbers[: len(here)], numbers[len(here) :]
        used += len(names)
    return sets


def _strict(cost: Floats) -> Floats:
    """Bend distances a little: of equal sums on a line, the one of the least squares is then the only one."""
    largest = float(cost.max(initial=0.0))
    return cost if largest == 0 else cost * (1.0 + STRICT * cost / largest)


def _cover(cost: Floats) -> tuple[Codes, Codes]:
    """Return the edges of a cover of least weight, as stars; rows without a finite edge are left out."""
    rows, columns = (np.flatnonzero(np.isfinite(cost).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    inner = cost[np.ix_(rows, columns)]
    nearest_column, nearest_row = inner.argmin(axis=1), inner.argmin(axis=0)
    reach_row, reach_column = inner.min(axis=1), inner.min(axis=0)
    gain = reach_row[:, None] + reach_column - inner
    # what is not better than two edges to the nearest is never joined
    first, second = linear_sum_assignment(-np.maximum(gain, 0.0))
    joined = gain[first, second] > 0
    first, second = first[joined], second[joined]
    alone_row = np.setdiff1d(np.arange(len(rows)), first)
    alone_column = np.setdiff1d(np.arange(len(columns)), second)
    edges = np.unique(
        np.concatenate(
            [
                np.column_stack([first, second]),
                np.column_stack([alone_row, nearest_column[alone_row]]),
                np.column_stack([nearest_row[alone_column], alone_column]),
            ]
        ),
        axis=0,
    )
    edges = _stars(edges, inner)
    return rows[edges[:, 0]], columns[edges[:, 1]]


def _stars(edges: Codes, cost: Floats) -> Codes:
    """Take out edges between two rows that both have others: equal distances leave such edges over."""
    degree = np.bincount(edges[:, 0], minlength=cost.shape[0])
    other = np.bincount(edges[:, 1], minlength=cost.shape[1])
    kept = np.ones(len(edges), dtype=np.bool_)
    double = np.flatnonzero((degree[edges[:, 0]] > 1) & (other[edges[:, 1]] > 1))
    for at in double[np.argsort(-cost[edges[double, 0], edges[double, 1]], kind="stable")]:
        one, two = edges[at]
        if degree[one] > 1 and other[two] > 1:
            kept[at] = False
            degree[one] -= 1
            other[two] -= 1
    return edges[kept]


def _in_parts(parts: tuple[Codes, Codes]) -> list[tuple[Codes, Codes]]:
    """Return positions of both arms in each part that has rows of both."""
    found = []
    shared = np.intersect1d(parts[0], parts[1])
    orders = [np.argsort(part, kind="stable") for part in parts]
    starts = [
        (np.searchsorted(part[order], shared), np.searchsorted(part[order], shared, side="right"))
        for part, order in zip(parts, orders, strict=True)
    ]
    for at in range(len(shared)):
        here = orders[0][starts[0][0][at] : starts[0][1][at]]
        there = orders[1][starts[1][0][at] : starts[1][1][at]]
        found.append((here, there))
    return found


def _refuse_large(rows: int, columns: int) -> None:
    if rows * columns > LARGEST:
        raise DesignError(
            "optimal matching needs every distance of a part at once, and this part is too large",
            where=f"{rows:,} by {columns:,} distances, {LARGEST:,} at most",
            remedy="name exact columns or a caliper, which divide the problem, or use method='nearest'",
        )


def _listed(owners: list[Codes], picks: list[Codes], targets: int, pool: int) -> Listed:
    empty = [np.zeros(0, dtype=np.int64)]
    owner, pick = np.concatenate(empty + owners), np.concatenate(empty + picks)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=targets)
    return Listed(indptr=np.concatenate([[0], np.cumsum(counts)]), indices=pick[order], pool=pool)
