r"""Pairs on a line without replacement, the closest pair first.

Of all pairs that are still free the nearest is made, then the nearest of the rest: a heap holds each target's
nearest free row, looked up again only when that row was taken.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.greedy_pairs import find_root
from juntos_eval.numerics.links import Listed
from juntos_eval.numerics.neighbours import Line, Rule, locate

__all__ = ["closest_pairs"]


def closest_pairs(line: Line, values: Floats, blocks: Codes, rule: Rule) -> Listed:
    """Pair targets with pool rows on a line, each pool row at most once, the closest pairs first.

    Parameters
    ----------
    line : Line
        The pool, sorted; among equal rows the one of the lowest rank goes first.
    values : numpy.ndarray, shape (m,)
    blocks : numpy.ndarray of int64, shape (m,)
    rule : Rule
        With a rank. For k above one, every target gets its first match before any gets a second.

    Returns
    -------
    Listed

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.closest_pairs import closest_pairs
    >>> from juntos_eval.numerics.neighbours import Rule, sort_line
    >>> zero = np.zeros(2, dtype=np.int64)
    >>> line = sort_line(np.array([1.0, 5.0]), zero)
    >>> closest_pairs(line, np.array([1.5, 1.1]), zero, Rule(count=1, rank=np.arange(2))).indices.tolist()
    [1, 0]
    """
    free = _Free(line, rule)
    bounds = locate(line, values, blocks)
    picks = np.full((len(values), rule.count), -1, dtype=np.int64)
    asked = list(range(len(values)))
    for step in range(rule.count):
        picks[:, step] = _round(free, values, bounds, asked, rule.caliper)
        asked = [target for target in asked if picks[target, step] >= 0]
    is_pick = picks >= 0
    indptr = np.concatenate([[0], np.cumsum(is_pick.sum(axis=1))])
    return Listed(indptr=indptr, indices=picks[is_pick], pool=len(line.order))


class _Free:
    """The free rows of each cell, and the nearest cells below and above that have one."""

    def __init__(self, line: Line, rule: Rule) -> None:
        self.places = line.values.tolist()
        self.rows = line.order.tolist()
        self.starts = line.starts.tolist()
        self.used = self.starts[:-1]
        self.below = list(range(len(self.places) + 1))
        self.above = list(range(len(self.places) + 1))
        self.rank = (np.arange(len(line.order)) if rule.rank is None else rule.rank).tolist()

    def nearest(self, at: float, low: int, high: int, position: int) -> tuple[float, int, int]:
        """Return distance, cell and row of the nearest free row between cells low and high."""
        down, up = find_root(self.below, position) - 1, find_root(self.above, position)
        below = at - self.places[down] if down >= low else np.inf
        above = self.places[up] - at if up < high else np.inf
        if below == above == np.inf:
            return np.inf, -1, -1
        cell = down if below < above else up
        if below == above and self._rank(down) < self._rank(up):
            cell = down
        return min(below, above), cell, self.rows[self.used[cell]]

    def take(self, cell: int) -> None:
        """Take the first free row of a cell."""
        self.used[cell] += 1
        if self.used[cell] == self.starts[cell + 1]:
            self.below[cell + 1], self.above[cell] = cell, cell + 1

    def _rank(self, cell: int) -> int:
        return int(self.rank[self.rows[self.used[cell]]])


def _round(
    free: _Free, values: Floats, bounds: tuple[Codes, Codes, Codes], asked: Iterable[int], caliper: float
) -> Codes:
    at = values.tolist()
    lowest, highest, position = (bound.tolist() for bound in bounds)
    picks = np.full(len(at), -1, dtype=np.int64)
    heap: list[tuple[float, int, int]] = []
    for target in asked:
        distance, _, row = free.nearest(at[target], lowest[target], highest[target], position[target])
        if distance <= caliper and row >= 0:
            heap.append((distance, target, row))
    heapq.heapify(heap)
    while heap:
        distance, target, row = heapq.heappop(heap)
        now, cell, nearest = free.nearest(at[target], lowest[target], highest[target], position[target])
        if nearest == row:
            picks[target] = row
            free.take(cell)
        elif nearest >= 0 and now <= caliper:
            heapq.heappush(heap, (now, target, nearest))
    return picks
