r"""Nearest neighbours on a line: who is closest, with ties, a caliper and exact blocks.

Target i is linked to the pool rows j with :math:`d_{ij} \le d_{i(k)} + \epsilon`, where :math:`d_{i(k)}` is
the distance of its k-th nearest pool row, :math:`\epsilon` the tolerance below which distances count as
equal, and never beyond the caliper. The cost is :math:`O(n \log n)` in time and :math:`O(n)` in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.numerics.links import Intervals, Listed

__all__ = ["Line", "Rule", "locate", "nearest_on_line", "sort_line", "within_radius"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How neighbours are chosen.

    Attributes
    ----------
    count : int
        k.
    caliper : float
        No link is longer; infinity for none.
    tolerance : float
        Distances that differ by no more count as equal.
    squared_tolerance : float
        So do those whose squares differ by no more.
    rank : numpy.ndarray of int64, shape (pool,), optional
        Where given, exactly k neighbours are taken and among equals those of the lowest rank; where not,
        all that tie with the k-th are taken.

    Examples
    --------
    >>> from juntos_eval.numerics.neighbours import Rule
    >>> Rule(count=1).caliper
    inf
    """

    count: int
    caliper: float = np.inf
    tolerance: float = 0.0
    squared_tolerance: float = 0.0
    rank: Codes | None = None

    def limit(self, nearest: Floats) -> Floats:
        """Return the largest distance that ties with a given one."""
        wider = np.sqrt(nearest**2 + self.squared_tolerance) if self.squared_tolerance else nearest
        return np.asarray(wider + self.tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A pool on a line, sorted by block, value and rank; equal rows of a block make a cell.

    Attributes
    ----------
    order : numpy.ndarray of int64, shape (pool,)
        Pool rows in sorted order.
    starts : numpy.ndarray of int64, shape (cells + 1,)
        Cell c holds ``order[starts[c]:starts[c + 1]]``.
    values : numpy.ndarray, shape (cells,)
    blocks : numpy.ndarray of int64, shape (cells,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import sort_line
    >>> line = sort_line(np.array([2.0, 1.0, 2.0]), np.zeros(3, dtype=np.int64))
    >>> line.order.tolist(), line.starts.tolist()
    ([1, 0, 2], [0, 1, 3])
    """

    order: Codes
    starts: Codes
    values: Floats
    blocks: Codes


def sort_line(values: Floats, blocks: Codes, rank: Codes | None = None) -> Line:
    """Sort a pool into a :class:`Line`.

    Parameters
    ----------
    values : numpy.ndarray, shape (pool,)
    blocks : numpy.ndarray of int64, shape (pool,)
        Rows of different blocks are never linked.
    rank : numpy.ndarray of int64, shape (pool,), optional
        Order among equal rows; by default as they stand.

    Returns
    -------
    Line

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import sort_line
    >>> sort_line(np.array([3.0, 1.0]), np.array([0, 0])).values.tolist()
    [1.0, 3.0]
    """
    order = np.arange(len(values)) if rank is None else np.argsort(rank, kind="stable")
    order = order[np.argsort(values[order], kind="stable")]
    if len(blocks) and blocks.max() > 0:
        order = order[np.argsort(blocks[order], kind="stable")]
    sorted_values, sorted_blocks = values[order], blocks[order]
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (np.diff(sorted_values) != 0) | (np.diff(sorted_blocks) != 0)
    first = np.flatnonzero(is_new)
    return Line(
        order=order,
        starts=np.append(first, len(order)),
        values=sorted_values[first],
        blocks=sorted_blocks[first],
    )


def locate(line: Line, values: Floats, blocks: Codes) -> tuple[Codes, Codes, Codes]:
    """Return for each target the first cell of its block, the cell after it, and the first not below it.

    Parameters
    ----------
    line : Line
    values : numpy.ndarray, shape (m,)
    blocks : numpy.ndarray of int64, shape (m,)

    Returns
    -------
    lowest, highest, position : numpy.ndarray of int64, shape (m,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import locate, sort_line
    >>> line = sort_line(np.array([1.0, 2.0, 1.0]), np.array([0, 0, 1]))
    >>> [int(x[0]) for x in locate(line, np.array([1.5]), np.array([0]))]
    [0, 2, 1]
    """
    lowest = np.searchsorted(line.blocks, blocks, side="left")
    highest = np.searchsorted(line.blocks, blocks, side="right")
    if not len(line.blocks) or line.blocks[0] == line.blocks[-1]:
        # sorted queries are far kinder to the cache
        by_value = np.argsort(values)
        position = np.empty(len(values), dtype=np.int64)
        position[by_value] = np.searchsorted(line.values, values[by_value])
        return lowest, highest, np.clip(position, lowest, highest)
    cells = len(line.values)
    every_value = np.concatenate([values, line.values])
    every_block = np.concatenate([blocks, line.blocks])
    # targets stand before the cells of the same value, and before sorting, so a stable sort keeps them there
    order = np.lexsort((every_value, every_block))
    below = np.empty(len(order), dtype=np.int64)
    below[order] = np.cumsum(order >= len(values))
    return lowest, highest, np.clip(below[: len(values)], 0, cells)


def nearest_on_line(line: Line, values: Floats, blocks: Codes, rule: Rule) -> Listed | Intervals:
    """Link each target to its nearest pool rows on a line.

    Parameters
    ----------
    line : Line
        The pool.
    values : numpy.ndarray, shape (m,)
    blocks : numpy.ndarray of int64, shape (m,)
    rule : Rule

    Returns
    -------
    Listed or Intervals
        Targets whose caliper or block holds nobody have no link; those with fewer than k have fewer.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import Rule, nearest_on_line, sort_line
    >>> zero = np.zeros(3, dtype=np.int64)
    >>> line = sort_line(np.array([0.0, 1.0, 3.0]), zero)
    >>> links = nearest_on_line(line, np.array([0.4, 2.0]), zero[:2], Rule(count=1))
    >>> [links.indices[a:b].tolist() for a, b in zip(links.indptr[:-1], links.indptr[1:])]
    [[0], [1, 2]]
    """
    bounds = locate(line, values, blocks)
    if rule.rank is not None:
        return _pick(line, values, bounds, rule, rule.rank)
    first, last = _stretch(line, values, bounds, rule)
    intervals = Intervals(order=line.order, first=line.starts[first], last=line.starts[last])
    links = int(intervals.counts.sum())
    return intervals.rows() if links <= 4 * rule.count * (len(values) + len(line.order)) else intervals


def within_radius(line: Line, values: Floats, blocks: Codes, radius: float) -> Intervals:
    """Link each target to all pool rows of its block that are no farther than a radius.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.neighbours import sort_line, within_radius
    >>> line = sort_line(np.array([0.0, 1.0, 3.0]), np.zeros(3, dtype=np.int64))
    >>> within_radius(line, np.array([0.5, 9.0]), np.array([0, 0]), 1.0).counts.tolist()
    [2, 0]
    """
    rule = Rule(count=1, caliper=radius)
    lowest, highest, position = locate(line, values, blocks)
    below = locate(line, values - radius, blocks)[2]
    above = locate(line, values + radius, blocks)[2]
    # subtraction rounds: the neighbours of the ends are measured as every other distance is
    for _ in range(2):
        below = np.where((below > lowest) & _is_near(line, values, below - 1, rule), below - 1, below)
        below = np.where((below < position) & ~_is_near(line, values, below, rule), below + 1, below)
        above = np.where((above < highest) & _is_near(line, values, above, rule), above + 1, above)
        above = np.where((above > position) & ~_is_near(line, values, above - 1, rule), above - 1, above)
    return Intervals(order=line.order, first=line.starts[below], last=line.starts[np.maximum(above, below)])


def _is_near(line: Line, values: Floats, cells: Codes, rule: Rule) -> Bools:
    if not len(line.values):
        return np.zeros(len(values), dtype=np.bool_)
    inside = np.clip(cells, 0, len(line.values) - 1)
    return np.asarray(np.abs(line.values[inside] - values) <= rule.caliper)


def _lengths(
    line: Line, values: Floats, left: Codes, right: Codes, ends: tuple[Codes, Codes]
) -> tuple[Floats, Floats]:
    """Return the distance to the next cell below and to the next above; infinity where there is none."""
    last = len(line.values) - 1
    down = np.where(left > ends[0], values - line.values[np.maximum(left - 1, 0)], np.inf)
    up = np.where(right < ends[1], line.values[np.minimum(right, last)] - values, np.inf)
    return down, up


def _stretch(
    line: Line, values: Floats, bounds: tuple[Codes, Codes, Codes], rule: Rule
) -> tuple[Codes, Codes]:
    """Return the first cell taken and the one after the last: each step adds the nearer side's next cell."""
    sizes = np.diff(line.starts)
    first, last = bounds[2].copy(), bounds[2].copy()
    active = np.flatnonzero(bounds[0] < bounds[1])
    taken = np.zeros(len(active), dtype=np.int64)
    limit = np.full(len(active), np.inf)
    while len(active):
        left, right = first[active], last[active]
        down, up = _lengths(line, values[active], left, right, (bounds[0][active], bounds[1][active]))
        length = np.minimum(down, up)
        is_wanted = np.isfinite(length) & (length <= rule.caliper)
        is_wanted &= (taken < rule.count) | (length <= limit)
        active, taken = active[is_wanted], taken[is_wanted]
        limit, length = limit[is_wanted], length[is_wanted]
        goes_down = (down <= up)[is_wanted]
        cell = np.where(goes_down, left[is_wanted] - 1, right[is_wanted])
        first[active] -= goes_down
        last[active] += ~goes_down
        is_kth = (taken < rule.count) & (taken + sizes[cell] >= rule.count)
        limit = np.where(is_kth, rule.limit(length), limit)
        taken = taken + sizes[cell]
    return first, last


def _pick(line: Line, values: Floats, bounds: tuple[Codes, Codes, Codes], rule: Rule, rank: Codes) -> Listed:
    """Take k pool rows one by one, each the nearest left; among equals that of the lowest rank."""
    sizes = np.diff(line.starts)
    left, right = bounds[2].copy(), bounds[2].copy()
    used_left, used_right = np.zeros((2, len(values)), dtype=np.int64)
    picks = np.full((len(values), rule.count), -1, dtype=np.int64)
    final = max(len(line.order) - 1, 0)
    for step in range(rule.count if len(line.order) else 0):
        down, up = _lengths(line, values, left, right, (bounds[0], bounds[1]))
        row_down = line.order[line.starts[np.maximum(left - 1, 0)] + used_left]
        row_up = line.order[np.minimum(line.starts[np.minimum(right, len(sizes))] + used_right, final)]
        goes_down = down < up
        with np.errstate(invalid="ignore"):
            is_tie = np.abs(down - up) <= rule.tolerance
        goes_down = np.where(is_tie, rank[row_down] < rank[row_up], goes_down)
        length = np.minimum(down, up)
        is_found = np.isfinite(length) & (length <= rule.caliper)
        picks[:, step] = np.where(is_found, np.where(goes_down, row_down, row_up), -1)
        used_left += is_found & goes_down
        used_right += is_found & ~goes_down
        is_empty = used_left >= sizes[np.maximum(left - 1, 0)]
        left, used_left = left - is_empty, np.where(is_empty, 0, used_left)
        is_empty = used_right >= sizes[np.minimum(right, len(sizes) - 1)]
        right, used_right = right + is_empty, np.where(is_empty, 0, used_right)
    is_pick = picks >= 0
    indptr = np.concatenate([[0], np.cumsum(is_pick.sum(axis=1))])
    return Listed(indptr=indptr, indices=picks[is_pick], pool=len(line.order))
