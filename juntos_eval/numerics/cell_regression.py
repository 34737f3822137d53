r"""Least squares on indicators of cells beside two absorbed factors, from sums by level and cell.

Every regressor is constant within a pair of period and cell (an *atom*), so that the normal equations, with
the effects of the first factor taken out, follow from the weight :math:`P_{ia}` of each of its levels i in
each atom a:

.. math:: Z'\left(\mathrm{diag}(P'1) - P'\,\mathrm{diag}(P1)^{-1} P\right) Z,

with Z the indicators of periods and cells by atom. No matrix of rows × cells is written down; the influence
of a row is its weighted residual times :math:`q_{a(r)} - \bar q_{i(r)}`, q a table of atoms × coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg, sparse

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb_factors import Factor

__all__ = ["CellRegression", "Deviations", "cell_regression"]

# share of a column's squared length, left by those before it, below which it is spanned
_SPANNED = 1e-9
_ROUNDS = 2
_ZERO = 1e-11
# sets of atoms that levels are seen in, up to which each is summed alone
_PATTERNS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deviations:
    r"""Rows as deviations of a table by atom from its mean in their level, :math:`q_{a} - \sum_b s_{ib} q_b`.

    Attributes
    ----------
    atoms : numpy.ndarray of int64, shape (n,)
        Atom of each row.
    levels : numpy.ndarray of int64, shape (n,)
        Level of the first factor.
    shares : scipy.sparse.csr_array, shape (levels, atoms)
        Share of each atom in a level's weight.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from juntos_eval.numerics.cell_regression import Deviations
    >>> rows = Deviations(atoms=np.array([0, 1]), levels=np.array([0, 0]),
    ...                   shares=sparse.csr_array([[0.5, 0.5]]))
    >>> rows.of(np.array([[1.0], [3.0]]), slice(0, 2)).tolist()
    [[-1.0], [1.0]]
    """

    atoms: Codes
    levels: Codes
    shares: Any

    def __post_init__(self) -> None:
        for name in ("atoms", "levels"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.atoms)

    def of(self, table: Floats, rows: slice) -> Floats:
        """Return the deviations of some rows, (rows, k)."""
        found = np.unique(self.levels[rows], return_inverse=True)
        means = self.shares[found[0]] @ table
        return np.asarray(table[self.atoms[rows]] - means[found[1]])

    def summed(self, scale: Floats, codes: Codes, groups: int) -> Any:
        """Return by group the table's coefficients in sums of scale times deviations, (groups, atoms)."""
        atoms, levels = self.shares.shape[1], self.shares.shape[0]
        own = _sums(codes, self.atoms, scale, (groups, atoms))
        first = np.zeros(levels, dtype=np.int64)
        first[self.levels] = codes
        is_nested = bool((first[self.levels] == codes).all())
        sums = self.of_levels(scale)
        if is_nested and np.abs(sums).max(initial=0.0) <= _ZERO * np.abs(scale).max(initial=0.0):
            return own  # residuals sum to zero in every level
        return own - _sums(codes, self.levels, scale, (groups, levels)) @ self.shares

    def of_levels(self, scale: Floats) -> Floats:
        """Return sums by level, (levels,)."""
        return np.asarray(np.bincount(self.levels, weights=scale, minlength=self.shares.shape[0]), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellRegression:
    r"""Effects of cells beside two factors.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (k,)
        Of the cells that were kept.
    kept, collinear : numpy.ndarray of int64
        Cells with a coefficient, and those that effects and earlier cells span.
    residuals : numpy.ndarray, shape (n,)
    bread : numpy.ndarray, shape (k, k)
        :math:`(\tilde X'W\tilde X)^{-1}`.
    rows : Deviations
    table : numpy.ndarray, shape (atoms, k)
        q: the columns without the effects are ``rows.of(table, …)`` times the inverse of the bread.
    total, within : float
        Sums of squares of the outcome about its mean, and without the effects.
    rank : int
        Of the dummies of both factors.
    condition : float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_factors import Factor
    >>> from juntos_eval.numerics.cell_regression import cell_regression
    >>> unit, time = Factor(codes=[0, 0, 1, 1], count=2), Factor(codes=[0, 1, 0, 1], count=2)
    >>> y, cell = np.array([1.0, 5.0, 2.0, 3.0]), np.array([-1, 0, -1, -1])
    >>> cell_regression(y, np.ones(4), (unit, time), cell, 1).coefficients.round(9).tolist()
    [3.0]
    """

    coefficients: Floats
    kept: Codes
    collinear: Codes
    residuals: Floats
    bread: Floats
    rows: Deviations
    table: Floats
    total: float
    within: float
    rank: int
    condition: float

    def __post_init__(self) -> None:
        for name in ("coefficients", "residuals", "bread", "table"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("kept", "collinear"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))


def cell_regression(
    outcome: Floats, weights: Floats, factors: tuple[Factor, Factor], cells: Codes, count: int
) -> CellRegression:
    """Regress an outcome on indicators of cells and the effects of two factors.

    Parameters
    ----------
    outcome, weights : numpy.ndarray, shape (n,)
        Weights are positive.
    factors : tuple of Factor
        With intercepts only; the second has few levels.
    cells : numpy.ndarray of int64, shape (n,)
        Cell of each row, -1 where it has none.
    count : int
        Number of cells.

    Returns
    -------
    CellRegression

    Raises
    ------
    DesignError
        If the effects span every cell.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_factors import Factor
    >>> from juntos_eval.numerics.cell_regression import cell_regression
    >>> unit, time = Factor(codes=[0, 0, 1, 1], count=2), Factor(codes=[0, 1, 0, 1], count=2)
    >>> found = cell_regression(np.array([1.0, 5.0, 2.0, 3.0]), np.ones(4), (unit, time),
    ...                         np.array([-1, 0, -1, -1]), 1)
    >>> found.bread.round(9).tolist(), found.rank
    ([[4.0]], 3)
    """
    first, second = factors
    pair = second.codes * (count + 1) + cells + 1
    seen = np.flatnonzero(np.bincount(pair, minlength=second.count * (count + 1)))
    place = np.zeros(second.count * (count + 1), dtype=np.int64)
    place[seen] = np.arange(len(seen))
    atoms = place[pair]
    mass = _sums(first.codes, atoms, weights, (first.count, len(seen)))
    size = mass.sum(axis=1)
    shares = _divided(mass, size)
    rows = Deviations(atoms=atoms, levels=first.codes, shares=shares)
    indicators = np.zeros((len(seen), second.count + count))
    indicators[np.arange(len(seen)), seen // (count + 1)] = 1.0
    has_cell = seen % (count + 1) > 0
    indicators[np.flatnonzero(has_cell), second.count + seen[has_cell] % (count + 1) - 1] = 1.0
    by_atom = np.diag(np.asarray(mass.sum(axis=0))) - _products(mass, size)
    gram = indicators.T @ by_atom @ indicators
    lengths = indicators.T @ np.asarray(mass.sum(axis=0))
    kept = _independent(gram, lengths)
    columns = np.flatnonzero(kept)
    is_cell = columns >= second.count
    if not is_cell.any():
        raise DesignError(
            "the absorbed effects span every cell",
            where=f"{count} cells, {first.count} and {second.count} levels",
            remedy="add rows that are not treated, or absorb fewer effects",
        )
    solver = _Solver(rows, weights, size, indicators[:, columns], gram[np.ix_(columns, columns)])
    solution, residuals, free = solver.solve(outcome)
    bread = solver.inverse[np.ix_(is_cell, is_cell)]
    chosen = columns[is_cell] - second.count
    scale = np.sqrt(np.diag(np.linalg.inv(bread)))
    return CellRegression(
        coefficients=solution[is_cell],
        kept=chosen,
        collinear=np.setdiff1d(np.arange(count), chosen),
        residuals=residuals,
        bread=bread,
        rows=rows,
        table=indicators[:, columns] @ solver.inverse[:, is_cell],
        total=float(weights @ (outcome - np.average(outcome, weights=weights)) ** 2),
        within=_within(solver, free, is_cell, float(weights @ free**2)),
        rank=int(np.count_nonzero(size)) + int((~is_cell).sum()),
        condition=float(np.sqrt(np.linalg.cond(bread * np.outer(scale, scale)))),
    )


@dataclass(frozen=True, slots=True)
class _Solver:
    """The normal equations of kept periods and cells, solved with refinement."""

    rows: Deviations
    weights: Floats
    size: Floats
    indicators: Floats
    gram: Floats

    @property
    def inverse(self) -> Floats:
        """Inverse of the normal equations."""
        factor = linalg.cho_factor(self.gram)
        return np.asarray(linalg.cho_solve(factor, np.eye(len(self.gram))))

    def without_levels(self, values: Floats) -> Floats:
        """Take the weighted means of the first factor's levels out."""
        sums = self.rows.of_levels(self.weights * values)
        return np.asarray(values - (sums / self.size)[self.rows.levels])

    def moments(self, values: Floats) -> Floats:
        """Return sums of weighted values by column."""
        sums = np.bincount(
            self.rows.atoms, weights=self.weights * values, minlength=self.rows.shares.shape[1]
        )
        return np.asarray(self.indicators.T @ sums)

    def solve(self, outcome: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the solution, residuals, and the outcome without the first factor's effects."""
        free = self.without_levels(outcome)
        factor = linalg.cho_factor(self.gram)
        solution = np.zeros(len(self.gram))
        rest = free
        for _ in range(_ROUNDS):
            solution = solution + linalg.cho_solve(factor, self.moments(rest))
            rest = self.without_levels(free - (self.indicators @ solution)[self.rows.atoms])
        return solution, rest, free


def _within(solver: _Solver, free: Floats, is_cell: Any, total: float) -> float:
    """Return the sum of squares that both factors leave."""
    periods = np.flatnonzero(~is_cell)
    if not len(periods):
        return total
    moments = solver.moments(free)[periods]
    return total - float(
        moments @ linalg.solve(solver.gram[np.ix_(periods, periods)], moments, assume_a="pos")
    )


def _sums(rows: Codes, columns: Codes, values: Floats, shape: tuple[int, int]) -> Any:
    """Add values up by row and column, as a sparse matrix."""
    found = sparse.csr_array((values, (rows, columns)), shape=shape)
    found.sum_duplicates()  # and sorts each row's columns
    return found


def _products(mass: Any, size: Floats) -> Floats:
    r"""Return :math:`P' \mathrm{diag}(P1)^{-1} P`: levels seen in the same atoms are summed together."""
    entries = np.diff(mass.indptr)
    # a number that levels with the same atoms share, and others only by an unlikely chance
    spread = np.modf(np.arange(1, mass.shape[1] + 1) * np.sqrt(2.0))[0]
    owner = np.repeat(np.arange(len(entries)), entries)
    key = np.bincount(owner, weights=spread[mass.indices], minlength=len(entries))
    pattern = np.unique(key, return_inverse=True)[1]
    order = np.argsort(pattern, kind="stable")
    bounds = np.searchsorted(pattern[order], np.arange(pattern.max() + 2))
    if len(bounds) > _PATTERNS:
        return np.asarray((mass.T @ _divided(mass, size)).todense())
    total = np.zeros((mass.shape[1], mass.shape[1]))
    for start, stop in pairwise(bounds.tolist()):
        levels = order[start:stop]
        width = entries[levels[0]]
        at = mass.indptr[levels][:, None] + np.arange(width)
        if (entries[levels] != width).any() or (mass.indices[at] != mass.indices[at[0]]).any():
            return np.asarray((mass.T @ _divided(mass, size)).todense())
        block = mass.data[at]
        atoms = mass.indices[at[0]]
        total[np.ix_(atoms, atoms)] += block.T @ (block / size[levels, None])
    return total


def _divided(mass: Any, size: Floats) -> Any:
    shares = mass.copy()
    shares.data = shares.data / np.repeat(size, np.diff(shares.indptr))
    return shares


def _independent(gram: Floats, lengths: Floats) -> Any:
    """Mark columns that those before them do not span, by elimination in their order."""
    left = np.array(gram)
    kept = np.zeros(len(left), dtype=np.bool_)
    for at in range(len(left)):
        if lengths[at] <= 0 or left[at, at] <= _SPANNED * lengths[at]:
            continue
        kept[at] = True
        row = left[at, at:] / left[at, at]
        left[at + 1 :, at:] -= np.outer(left[at + 1 :, at], row)
    return kept
