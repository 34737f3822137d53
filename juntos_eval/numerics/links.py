r"""Who is linked to whom: rows of one group (targets) and the rows of another (the pool) they draw on.

With :math:`L` (m, pool) the matrix of link strengths, matching needs only the products :math:`L v`,
:math:`L'w` and :math:`(L \circ L)'w`. The classes here give them without writing down :math:`L`, which
may have n times n entries where many rows tie or a radius is wide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from juntos_eval.arrays import Bools, Codes, Floats, frozen, grouped_sums

__all__ = ["Intervals", "Links", "Listed", "Shares", "flat_positions"]

# of the strongest link there is
WEAKEST = 1e-9


@runtime_checkable
class Links(Protocol):
    """What matching asks of links, whatever their representation."""

    @property
    def targets(self) -> int:
        """Number of targets m."""
        ...

    @property
    def pool(self) -> int:
        """Number of rows in the pool."""
        ...

    @property
    def counts(self) -> Codes:
        """Pool rows that each target is linked to, shape (m,)."""
        ...

    def gather(self, values: Floats) -> Floats:
        r"""Return :math:`L v`, (m, c), for values (pool, c)."""
        ...

    def scatter(self, weights: Floats) -> Floats:
        r"""Return :math:`L'w`, (pool,), for weights (m,)."""
        ...

    def scatter_squared(self, weights: Floats) -> Floats:
        r"""Return :math:`(L \circ L)'w`, (pool,), for weights (m,)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Links of strength one, listed target by target.

    Attributes
    ----------
    indptr : numpy.ndarray of int64, shape (m + 1,)
        Links of target i stand at ``indices[indptr[i]:indptr[i + 1]]``.
    indices : numpy.ndarray of int64
        Rows of the pool, or cells of it where there are ``cells``.
    pool : int
    cells : numpy.ndarray of int64, shape (pool,), optional
        Cell of each pool row: a link to a cell is one to each of its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.links import Listed
    >>> links = Listed(indptr=[0, 1, 3], indices=[1, 0, 1], pool=2)
    >>> links.gather(np.array([[1.0], [4.0]])).ravel().tolist(), links.scatter(np.ones(2)).tolist()
    ([4.0, 5.0], [1.0, 2.0])
    """

    indptr: Codes
    indices: Codes
    pool: int
    cells: Codes | None = None

    def __post_init__(self) -> None:
        for name in ("indptr", "indices", "cells"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def targets(self) -> int:
        """Number of targets m."""
        return len(self.indptr) - 1

    @property
    def counts(self) -> Codes:
        """Pool rows that each target is linked to."""
        if self.cells is None:
            return np.asarray(np.diff(self.indptr), dtype=np.int64)
        sizes = np.bincount(self.cells, minlength=self._width).astype(np.float64)
        return np.asarray(self._matrix() @ sizes).astype(np.int64)

    def gather(self, values: Floats) -> Floats:
        """Sum the values of the rows each target is linked to."""
        if self.cells is not None:
            values = grouped_sums(values, self.cells, self._width)
        return np.asarray(self._matrix() @ values)

    def scatter(self, weights: Floats) -> Floats:
        """Sum, for each pool row, the weights of the targets linked to it."""
        every = np.repeat(weights, np.diff(self.indptr))
        sums = np.bincount(self.indices, weights=every, minlength=self._width).astype(np.float64)
        return sums if self.cells is None else sums[self.cells]

    def scatter_squared(self, weights: Floats) -> Floats:
        """Return the same as scatter: links are of strength one."""
        return self.scatter(weights)

    def rows(self) -> Listed:
        """Return the same links with one entry a row of the pool; large where cells are."""
        if self.cells is None:
            return self
        order = np.argsort(self.cells, kind="stable")
        starts = np.searchsorted(self.cells[order], np.arange(self._width + 1))
        sizes = np.diff(starts)[self.indices]
        flat = order[flat_positions(starts[self.indices], sizes)]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        return Listed(indptr=bounds[self.indptr], indices=flat, pool=self.pool)

    @property
    def _width(self) -> int:
        return self.pool if self.cells is None else int(self.cells.max(initial=-1)) + 1

    def _matrix(self) -> sparse.csr_array:
        shape = (self.targets, self._width)
        return sparse.csr_array((np.ones(len(self.indices)), self.indices, self.indptr), shape=shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Links of strength one to a stretch of the pool in sorted order: a radius, or many ties.

    Attributes
    ----------
    order : numpy.ndarray of int64, shape (pool,)
        Pool rows in sorted order.
    first, last : numpy.ndarray of int64, shape (m,)
        Target i is linked to ``order[first[i]:last[i]]``.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.links import Intervals
    >>> links = Intervals(order=[2, 0, 1], first=[0, 1], last=[2, 3])
    >>> links.gather(np.array([[1.0], [2.0], [4.0]])).ravel().tolist(), links.scatter(np.ones(2)).tolist()
    ([5.0, 3.0], [2.0, 1.0, 1.0])
    """

    order: Codes
    first: Codes
    last: Codes

    def __post_init__(self) -> None:
        for name in ("order", "first", "last"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def targets(self) -> int:
        """Number of targets m."""
        return len(self.first)

    @property
    def pool(self) -> int:
        """Number of rows in the pool."""
        return len(self.order)

    @property
    def counts(self) -> Codes:
        """Pool rows that each target is linked to."""
        return self.last - self.first

    def gather(self, values: Floats) -> Floats:
        """Sum the values of the rows each target is linked to, by prefix sums of centred values."""
        centre = values.mean(axis=0)
        sums = np.zeros((self.pool + 1, values.shape[1]))
        np.cumsum(values[self.order] - centre, axis=0, out=sums[1:])
        return np.asarray(sums[self.last] - sums[self.first] + self.counts[:, None] * centre)

    def scatter(self, weights: Floats) -> Floats:
        """Sum, for each pool row, the weights of the targets linked to it, by sums of differences."""
        size = self.pool + 1
        begun = np.bincount(self.first, weights, size) - np.bincount(self.last, weights, size)
        inside = np.bincount(self.first, minlength=size) - np.bincount(self.last, minlength=size)
        # rows inside no interval get an exact zero, not what rounding left
        sums = np.where(np.cumsum(inside)[:-1] > 0, np.cumsum(begun)[:-1], 0.0)
        out = np.empty(self.pool)
        out[self.order] = sums
        return out

    def scatter_squared(self, weights: Floats) -> Floats:
        """Return the same as scatter: links are of strength one."""
        return self.scatter(weights)

    def rows(self) -> Listed:
        """Return the same links with one entry a row of the pool; large where intervals are wide."""
        flat = self.order[flat_positions(self.first, self.counts)]
        return Listed(indptr=np.concatenate([[0], np.cumsum(self.counts)]), indices=flat, pool=self.pool)


def flat_positions(starts: Codes, counts: Codes) -> Codes:
    """Return ``starts[0], starts[0] + 1, …`` for ``counts[0]`` entries, then those of the next start.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.links import flat_positions
    >>> flat_positions(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - counts), counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    r"""Links made into shares: each target's matches add up to one.

    .. math:: s_{ij} = \frac{L_{ij} b_j}{\sum_k L_{ik} b_k}

    Attributes
    ----------
    links : Links
    base : numpy.ndarray, shape (pool,)
        :math:`b_j`; ones for shares that depend on the links alone.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.links import Listed, Shares
    >>> links = Listed(indptr=[0, 2, 2], indices=[0, 1], pool=2)
    >>> shares = Shares(links=links, base=np.ones(2))
    >>> shares.is_matched.tolist(), shares.average(np.array([1.0, 3.0]))[:1].tolist()
    ([True, False], [2.0])
    """

    links: Links
    base: Floats
    totals: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", frozen(self.base))
        totals = self.links.gather(self.base[:, None])[:, 0]
        # what rounding leaves of a kernel's edge is no match
        strong = totals > WEAKEST * self.base.max(initial=0.0)
        object.__setattr__(self, "totals", frozen(np.where(strong, totals, 0.0)))

    @property
    def is_matched(self) -> Bools:
        """Targets with a match, shape (m,)."""
        return self.totals > 0

    def average(self, values: Floats) -> Floats:
        r"""Return :math:`\sum_j s_{ij} v_j` for each target, NaN where it has no match.

        Parameters
        ----------
        values : numpy.ndarray, shape (pool,) or (pool, c)
        """
        columns = values.reshape(len(values), -1)
        sums = self.links.gather(self.base[:, None] * columns)
        means = np.full(sums.shape, np.nan)
        np.divide(sums, self.totals[:, None], out=means, where=self.is_matched[:, None])
        return means if values.ndim > 1 else means[:, 0]

    def spread(self, weights: Floats) -> Floats:
        r"""Return :math:`K_j = \sum_i w_i s_{ij}` for each pool row; targets without a match add nothing."""
        return np.asarray(self.base * self.links.scatter(self._per_total(weights, 1)))

    def spread_squared(self, weights: Floats) -> Floats:
        r"""Return :math:`\sum_i w_i s_{ij}^2` for each pool row."""
        return np.asarray(self.base**2 * self.links.scatter_squared(self._per_total(weights, 2)))

    def _per_total(self, weights: Floats, power: int) -> Floats:
        return np.divide(weights, self.totals**power, out=np.zeros(len(self.totals)), where=self.is_matched)
