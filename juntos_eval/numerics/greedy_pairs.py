r"""Nearest neighbours without replacement: targets choose in turn, and what is taken is gone.

Target i, in its turn, takes :math:`\arg\min_{j \text{ free}} d_{ij}`. On a line the free cells on either
side are found by union-find, in space by a tree that is rebuilt when its free rows run thin.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from juntos_eval.arrays import Codes, Floats
from juntos_eval.numerics.links import Listed
from juntos_eval.numerics.neighbours import Line, Rule, locate
from juntos_eval.numerics.neighbours_in_space import cells_in_space

__all__ = ["find_root", "pairs_in_space", "pairs_on_line"]

# neighbours asked of the tree at once, and how many may be gone before it is built anew
FIRST_LOOK, LAST_LOOK = 8, 512


def pairs_on_line(line: Line, values: Floats, blocks: Codes, turns: Codes, rule: Rule) -> Listed:
    """Pair targets with pool rows on a line, each pool row at most once.

    Parameters
    ----------
    line : Line
        The pool; among equal rows the one of the lowest rank goes first.
    values : numpy.ndarray, shape (m,)
    blocks : numpy.ndarray of int64, shape (m,)
    turns : numpy.ndarray of int64, shape (m,)
        Targets in the order in which they choose.
    rule : Rule
        With a rank. For k above one, all targets choose once before any chooses again.

    Returns
    -------
    Listed
        A target for whom nobody is left within the caliper has fewer than k links.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.greedy_pairs import pairs_on_line
    >>> from juntos_eval.numerics.neighbours import Rule, sort_line
    >>> zero = np.zeros(2, dtype=np.int64)
    >>> line = sort_line(np.array([1.0, 5.0]), zero)
    >>> rule = Rule(count=1, rank=np.arange(2))
    >>> pairs_on_line(line, np.array([1.2, 1.1]), zero, np.array([1, 0]), rule).indices.tolist()
    [1, 0]
    """
    choose = _line_chooser(line, values, locate(line, values, blocks), rule)
    return _take_turns(choose, turns, rule.count, len(line.order))


def pairs_in_space(
    pool: Floats, targets: Floats, blocks: tuple[Codes, Codes], turns: Codes, rule: Rule
) -> Listed:
    """Pair targets with pool rows in space, each pool row at most once.

    Parameters
    ----------
    pool : numpy.ndarray, shape (pool, p)
    targets : numpy.ndarray, shape (m, p)
    blocks : tuple of numpy.ndarray of int64, shapes (pool,) and (m,)
    turns, rule
        As in :func:`pairs_on_line`.

    Returns
    -------
    Listed

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.greedy_pairs import pairs_in_space
    >>> from juntos_eval.numerics.neighbours import Rule
    >>> place, zero = np.array([[0.0], [1.0]]), np.zeros(2, dtype=np.int64)
    >>> rule = Rule(count=1, rank=np.arange(2))
    >>> pairs_in_space(place, np.array([[0.1], [0.2]]), (zero, zero), np.arange(2), rule).indices.tolist()
    [0, 1]
    """
    rank = _rank_of(rule, len(pool))
    choosers = {}
    for block in np.unique(blocks[1]):
        here, there = np.flatnonzero(blocks[1] == block), np.flatnonzero(blocks[0] == block)
        choosers[int(block)] = _space_chooser(_FreePlaces(pool, there, rank), targets, here, rule)
    of_target = blocks[1].tolist()
    return _take_turns(lambda target: choosers[of_target[target]](target), turns, rule.count, len(pool))


def _take_turns(choose: Callable[[int], int], turns: Codes, count: int, pool: int) -> Listed:
    """Let the targets choose in turn, once each round; who finds nobody is not asked again."""
    picks = np.full((len(turns), count), -1, dtype=np.int64)
    asked = turns.tolist()
    for step in range(count):
        taken = [choose(target) for target in asked]
        picks[asked, step] = taken
        asked = [target for target, row in zip(asked, taken, strict=True) if row >= 0]
    is_pick = picks >= 0
    indptr = np.concatenate([[0], np.cumsum(is_pick.sum(axis=1))])
    return Listed(indptr=indptr, indices=picks[is_pick], pool=pool)


def _line_chooser(
    line: Line, values: Floats, bounds: tuple[Codes, Codes, Codes], rule: Rule
) -> Callable[[int], int]:
    """Return a function that gives a target its nearest free row and takes it; -1 where there is none."""
    at, place, rank = values.tolist(), line.values.tolist(), _rank_of(rule, len(line.order)).tolist()
    rows, start = line.order.tolist(), line.starts.tolist()
    lowest, highest, position = (bound.tolist() for bound in bounds)
    used = start[:-1]
    # the nearest cell with free rows at or below (shifted by one) and at or above
    below, above = list(range(len(place) + 1)), list(range(len(place) + 1))
    infinity, caliper, tolerance = float("inf"), rule.caliper, rule.tolerance

    def choose(target: int) -> int:
        x = at[target]
        low, high = find_root(below, position[target]) - 1, find_root(above, position[target])
        down = x - place[low] if low >= lowest[target] else infinity
        up = place[high] - x if high < highest[target] else infinity
        nearest = min(down, up)
        if nearest == infinity or nearest > caliper:
            return -1
        cell = low if down < up else high
        if down == up or abs(down - up) <= tolerance:
            cell = low if rank[rows[used[low]]] < rank[rows[used[high]]] else high
        row: int = rows[used[cell]]
        used[cell] += 1
        if used[cell] == start[cell + 1]:
            below[cell + 1], above[cell] = cell, cell + 1
        return row

    return choose


def find_root(parents: list[int], node: int) -> int:
    """Return the end of a chain of parents, shortening the way for the next who asks.

    Parameters
    ----------
    parents : list of int
        Changed; a root is its own parent.
    node : int

    Returns
    -------
    int

    Examples
    --------
    >>> from juntos_eval.numerics.greedy_pairs import find_root
    >>> find_root([0, 0, 1], 2)
    0
    """
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


class _FreePlaces:
    """The free rows of one block in space: rows at one place are taken in the order of their rank."""

    def __init__(self, pool: Floats, there: Codes, rank: Codes) -> None:
        there = there[np.argsort(rank[there], kind="stable")]
        cells = cells_in_space(pool[there], np.zeros(len(there), dtype=np.int64))
        order = np.argsort(cells, kind="stable")
        self.rows = there[order]
        self.ranks = rank[self.rows]
        self.start = np.searchsorted(cells[order], np.arange(cells.max(initial=-1) + 2))
        self.used = self.start[:-1].copy()
        self.places = pool[self.rows[self.start[:-1]]]
        self.plant(np.arange(len(self.places)))

    def plant(self, places: Codes) -> None:
        """Build the tree of these places."""
        self.planted = places
        self.tree = cKDTree(self.places[places])

    def look(self, points: Floats, width: int) -> tuple[Floats, Codes]:
        """Return distances and places of the nearest planted places, free or not: (m, width) each."""
        width = min(width, len(self.planted))
        if not width:
            return np.zeros((len(points), 0)), np.zeros((len(points), 0), dtype=np.int64)
        workers = -1 if len(points) > 1 else 1
        length, found = self.tree.query(points, np.arange(1, width + 1), workers=workers)
        return np.asarray(length), self.planted[np.asarray(found)]

    def best(self, length: Floats, place: Codes, tolerance: float) -> tuple[float, int, bool]:
        """Return distance and place of the nearest free row, and whether a wider look could equal it."""
        is_free = self.used[place] < self.start[place + 1]
        length, place = length[is_free], place[is_free]
        if not len(length):
            return np.inf, -1, True
        tied = place[length <= length[0] + tolerance]
        chosen = tied[np.argmin(self.ranks[self.used[tied]])] if len(tied) > 1 else tied[0]
        return float(length[0]), int(chosen), len(tied) == len(length)

    def take(self, place: int) -> int:
        """Take the first free row of a place."""
        row = int(self.rows[self.used[place]])
        self.used[place] += 1
        return row


def _space_chooser(free: _FreePlaces, targets: Floats, here: Codes, rule: Rule) -> Callable[[int], int]:
    """Return a function that gives a target its nearest free row of a block and takes it."""
    first_length, first_place = free.look(targets[here], FIRST_LOOK)
    position = np.empty(len(targets), dtype=np.int64)
    position[here] = np.arange(len(here))
    every = len(free.places)

    def choose(target: int) -> int:
        length, place = first_length[position[target]], first_place[position[target]]
        width, is_all = FIRST_LOOK, every <= FIRST_LOOK
        distance, chosen, is_open = free.best(length, place, rule.tolerance)
        while is_open and not is_all:
            if chosen < 0 and width >= LAST_LOOK:
                free.plant(np.flatnonzero(free.used < free.start[1:]))
                width = FIRST_LOOK // 4
            width *= 4
            look_length, look_place = free.look(targets[target : target + 1], width)
            is_all = width >= len(free.planted)
            distance, chosen, is_open = free.best(look_length[0], look_place[0], rule.tolerance)
        return free.take(chosen) if chosen >= 0 and distance <= rule.caliper else -1

    return choose


def _rank_of(rule: Rule, pool: int) -> Codes:
    return np.arange(pool) if rule.rank is None else rule.rank
