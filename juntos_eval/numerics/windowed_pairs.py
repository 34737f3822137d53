r"""Nearest neighbours by one distance among the rows that several calipers allow.

For target i, with calipers :math:`c_k` on lines :math:`z_k`,

.. math:: \arg\min_j \{d_{ij} : |z_{ik} - z_{jk}| \le c_k \text{ for all } k\}

The narrowest way in is the first line: rows outside its caliper are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.numerics.links import Listed
from juntos_eval.numerics.neighbours import Rule

__all__ = ["Windows", "windowed_pairs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Where rows stand, in the distance that decides and on the lines that have a caliper.

    Attributes
    ----------
    points : numpy.ndarray, shape (n, d)
        Distances are Euclidean distances of these.
    lines : numpy.ndarray, shape (n, k)
        At least one.
    calipers : numpy.ndarray, shape (k,)
    blocks : numpy.ndarray of int64, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.windowed_pairs import Windows
    >>> Windows(points=np.zeros((2, 1)), lines=np.zeros((2, 1)), calipers=np.ones(1),
    ...         blocks=np.zeros(2, dtype=np.int64)).lines.shape
    (2, 1)
    """

    points: Floats
    lines: Floats
    calipers: Floats
    blocks: Codes

    def of(self, rows: Codes) -> Windows:
        """Return the windows of some rows."""
        return Windows(
            points=self.points[rows],
            lines=self.lines[rows],
            calipers=self.calipers,
            blocks=self.blocks[rows],
        )


def windowed_pairs(targets: Windows, pool: Windows, turns: Codes, rule: Rule, *, is_replaced: bool) -> Listed:
    """Link targets to their nearest pool rows inside all calipers.

    Parameters
    ----------
    targets, pool : Windows
    turns : numpy.ndarray of int64, shape (m,)
        Targets in the order in which they choose, without replacement.
    rule : Rule
        Its caliper applies to the distance that decides.
    is_replaced : bool
        Whether a pool row may serve several targets.

    Returns
    -------
    Listed

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import Rule
    >>> from juntos_eval.numerics.windowed_pairs import Windows, windowed_pairs
    >>> zero, one = np.zeros(1, dtype=np.int64), np.ones(1)
    >>> target = Windows(points=np.array([[0.0]]), lines=np.array([[0.5]]), calipers=one * 0.1, blocks=zero)
    >>> pool = Windows(points=np.array([[0.0], [3.0]]), lines=np.array([[0.9], [0.55]]), calipers=one * 0.1,
    ...                blocks=np.zeros(2, dtype=np.int64))
    >>> rule = Rule(count=1, rank=np.arange(2))
    >>> windowed_pairs(target, pool, zero, rule, is_replaced=True).indices.tolist()
    [1]
    """
    order = np.lexsort((pool.lines[:, 0], pool.blocks))
    ahead = pool.of(order)
    rank = np.arange(len(order)) if rule.rank is None else rule.rank[order]
    bounds = _bounds(targets, ahead)
    free = np.ones(len(order), dtype=np.bool_)
    picks: list[list[int]] = [[] for _ in turns]
    rounds, each = (1, rule.count) if is_replaced else (rule.count, 1)
    asked = turns
    for _ in range(rounds):
        found_any = []
        for target in asked:
            place = slice(*bounds[target])
            distance = _distances(targets, ahead, int(target), place)
            distance[~free[place]] = np.inf
            chosen = _nearest(distance, rank[place], rule, each)
            if len(chosen):
                found_any.append(target)
                picks[target] += (order[place][chosen]).tolist()
                if not is_replaced:
                    free[place.start + chosen] = False
        asked = np.array(found_any, dtype=np.int64)
    counts = [len(one) for one in picks]
    indices = np.array([row for one in picks for row in one], dtype=np.int64)
    return Listed(indptr=np.concatenate([[0], np.cumsum(counts)]), indices=indices, pool=len(order))


def _bounds(targets: Windows, pool: Windows) -> Codes:
    """Return the stretch of the sorted pool inside the first caliper of each target, (m, 2)."""
    found = np.zeros((len(targets.blocks), 2), dtype=np.int64)
    for block in np.unique(targets.blocks):
        here = np.flatnonzero(targets.blocks == block)
        start, stop = np.searchsorted(pool.blocks, (block, block + 1))
        line = pool.lines[start:stop, 0]
        at = targets.lines[here, 0]
        found[here, 0] = start + np.searchsorted(line, at - targets.calipers[0], side="left")
        found[here, 1] = start + np.searchsorted(line, at + targets.calipers[0], side="right")
    return found


def _distances(targets: Windows, pool: Windows, target: int, place: slice) -> Floats:
    gap = pool.points[place] - targets.points[target]
    distance = np.sqrt(np.einsum("ij,ij->i", gap, gap))
    off = np.abs(pool.lines[place] - targets.lines[target]) > targets.calipers
    distance[off.any(axis=1)] = np.inf
    return np.asarray(distance)


def _nearest(distance: Floats, rank: Codes, rule: Rule, count: int) -> Codes:
    """Return the count nearest, those of the lowest rank among equals; all that tie where none is ranked."""
    allowed: Bools = np.isfinite(distance) & (distance <= rule.caliper)
    candidates = np.flatnonzero(allowed)
    if len(candidates) <= count:
        return candidates[np.lexsort((rank[candidates], distance[candidates]))]
    reach = np.partition(distance[candidates], count - 1)[count - 1]
    candidates = candidates[distance[candidates] <= rule.limit(reach)]
    if rule.rank is None:
        return candidates
    near = distance[candidates]
    # what differs by no more than the tolerance is equal, and the rank decides
    level = np.where(near >= reach - rule.tolerance, reach, near)
    return candidates[np.lexsort((rank[candidates], level))][:count]
