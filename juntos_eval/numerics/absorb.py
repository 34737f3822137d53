r"""Fixed effects of any number of factors taken out of a matrix, exactly.

The residuals of weighted least squares of each column y on the dummies (and slopes by level) of all factors,

.. math:: \tilde y = y - D (D'WD)^{-} D'W y,

come by eliminating the factor with the most levels, whose own normal equations are diagonal, and solving what
is left of the others: directly when it is small, by preconditioned conjugate gradients when it is not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb_factors import Component, Factor, components_of, in_singletons, subtract
from juntos_eval.numerics.absorb_rank import large_rank
from juntos_eval.numerics.absorb_system import (
    DenseSystem,
    SparseSystem,
    System,
    blocks_of,
    independent_levels,
)

__all__ = ["Absorber", "Factor", "absorber", "in_singletons"]

# levels beside the largest factor up to which their equations are factorised
SMALL = 3000
# share of a column's scale up to which what is left of its projection on the effects is rounding
_ORTHOGONAL = 1e-13
_TOO_FAR = 1e-10
_PASSES = 6
# ratio of weights, and of effects to what a column is in size, from which rounding has to be looked at
_UNEVEN = 100.0
# entries from which columns are shared out among threads, and how many of those at most
_LARGE = 500_000
_WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Absorber:
    r"""Factors prepared once, to be taken out of any number of columns; made by :func:`absorber`.

    Attributes
    ----------
    factors : tuple of Factor
        As given.
    weights : numpy.ndarray, shape (n,), optional
    rank : int
        Rank of the dummies and slopes of all factors together.
    is_rank_exact : bool
        False where three or more factors of thousands of levels left only an upper bound.
    eliminated, others : tuple of Component
        Those of the factor with the most levels, and those of the rest.
    order : tuple of (int, int)
        Factor and place in it of each component, the eliminated ones first.
    system : System, optional
        What solves for the others; None where there are none.
    is_even : bool
        Levels without slopes, few beside the largest factor, and weights of like size: the equations say by
        themselves that they are solved to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb import Factor, absorber
    >>> unit, year = Factor(codes=[0, 0, 1, 1], count=2), Factor(codes=[0, 1, 0, 1], count=2)
    >>> within = absorber((unit, year))
    >>> within.rank, within.residuals(np.array([[1.0], [2.0], [4.0], [9.0]])).ravel().tolist()
    (3, [1.0, -1.0, -1.0, 1.0])
    """

    factors: tuple[Factor, ...]
    weights: Floats | None
    rank: int
    is_rank_exact: bool
    eliminated: tuple[Component, ...]
    others: tuple[Component, ...]
    order: tuple[tuple[int, int], ...]
    system: System | None
    is_even: bool = False

    def residuals(self, matrix: Floats) -> Floats:
        """Take the effects out of each column.

        Parameters
        ----------
        matrix : numpy.ndarray, shape (n, k)
            Finite; not changed. Columns that lie in memory one after the other go fastest.

        Returns
        -------
        numpy.ndarray, shape (n, k)
            In column order.

        Raises
        ------
        DesignError
            If the equations of large factors did not converge.
        """
        rest = np.array(matrix, dtype=np.float64, order="F")
        self.take_out(rest)
        return rest

    def take_out(self, matrix: Floats, norms: Floats | None = None) -> None:
        """Take the effects out of each column where it stands: :meth:`residuals` without a copy.

        Parameters
        ----------
        matrix : numpy.ndarray, shape (n, k)
            Overwritten.
        norms : numpy.ndarray, shape (k,), optional
            Weighted lengths of the columns, where they are known already.
        """
        if not self.eliminated:
            return
        norms = self._norms(matrix) if norms is None else norms
        columns, workers = matrix.shape[1], min(os.cpu_count() or 1, _WORKERS)
        if matrix.size < _LARGE or columns < 2 or workers < 2 or isinstance(self.system, SparseSystem):
            self._take_out(matrix, norms)
            return
        # columns do not know of each other, and array operations let other threads run
        with ThreadPoolExecutor(max_workers=min(columns, workers)) as pool:
            ends = np.linspace(0, columns, min(columns, workers) + 1).astype(int).tolist()
            places = [slice(low, high) for low, high in pairwise(ends)]
            for _ in pool.map(lambda one: self._take_out(matrix[:, one], norms[one]), places):
                pass

    def effects(self, values: Floats) -> tuple[Floats, ...]:
        """Return the effects of a column: what least squares on the dummies gives each level.

        Parameters
        ----------
        values : numpy.ndarray, shape (n,)

        Returns
        -------
        tuple of numpy.ndarray, shape (count, s)
            For each factor, in the order given: the intercept (if it has any), then the slopes. Effects are
            identified up to what factors share (a constant, for two connected ones): levels whose dummy the
            others span have zero, in the factors other than the largest.
        """
        column = np.array(values, dtype=np.float64).reshape(-1, 1, order="F")
        solved = self._take_out(column.copy(order="F"), self._norms(column))
        left = column[:, 0].copy()
        subtract(left, self.others, self._by_part(solved[:, 0]))
        own = []
        for part in self.eliminated:
            own.append(part.coefficients(self._weighted(left)))
            subtract(left, (part,), own[-1:])
        coefficients = [*own, *self._by_part(solved[:, 0])]
        whole = [np.zeros((f.count, f.slopes.shape[1] + f.has_intercepts)) for f in self.factors]
        parts = (*self.eliminated, *self.others)
        for part, (factor, _), values_of_part in zip(parts, self.order, coefficients, strict=True):
            whole[factor] += values_of_part[:, None] * part.origin
        return tuple(frozen(effects) for effects in whole)

    def _take_out(self, rest: Floats, norms: Floats) -> Floats:
        """Take the effects out of the columns in place; return the coefficients of the other components."""
        solved = np.zeros((sum(part.count for part in self.others), rest.shape[1]))
        if self.system is None:
            self._centre(rest)
            return solved
        lengths = np.concatenate([part.lengths for part in self.others])
        # sums over more rows carry more rounding
        limit = np.outer(np.sqrt(lengths), norms) * max(1.0, np.sqrt(len(rest) / 1e5))
        at_once = self._take_out_at_once(rest, limit, norms)
        if at_once is not None:
            return at_once
        self._centre(rest)
        right = self._sums_of_others(rest)
        for _ in range(_PASSES):
            step = self.system.solve(right, norms)
            solved += step
            for column, coefficients in zip(rest.T, step.T, strict=True):
                subtract(column, self.others, self._by_part(coefficients))
            self._centre(rest)
            right = self._sums_of_others(rest)
            is_done = (np.abs(right) <= _ORTHOGONAL * limit).all(axis=0)
            if is_done.all():
                return solved
            right[:, is_done] = 0.0
        if (np.abs(right) > _TOO_FAR * limit).any():
            raise DesignError(
                "taking out the absorbed effects did not converge",
                where=f"{len(solved):,} effects beside the largest factor, {_PASSES} passes",
                remedy="look for weights of very different size, or slopes that hardly vary within a level",
            )
        return solved

    def _take_out_at_once(self, rest: Floats, limit: Floats, norms: Floats) -> Floats | None:
        """Solve from the sums by level, and look at each row once; None where rounding could come of it."""
        system = self.system if self.is_even else None
        if not isinstance(system, DenseSystem):
            return None
        largest = self.eliminated[0]
        means = np.empty((largest.count, rest.shape[1]), order="F")
        for place, column in enumerate(rest.T):
            means[:, place] = largest.coefficients(self._weighted(column))
        right = self._sums_of_others(rest) - system.of_others(means)
        step = system.solve(right, norms)
        total = len(rest) if self.weights is None else float(self.weights.sum())
        is_small = np.abs(step) <= _UNEVEN * norms / np.sqrt(total)
        if not (is_small.all() and (np.abs(system.unsolved(right, step)) <= _ORTHOGONAL * limit).all()):
            return None
        means -= system.of_eliminated(step)
        for column, own, others in zip(rest.T, means.T, step.T, strict=True):
            subtract(column, (largest, *self.others), (own, *self._by_part(others)))
        return step

    def _centre(self, rest: Floats) -> None:
        for column in rest.T:
            for part in self.eliminated:
                subtract(column, (part,), (part.coefficients(self._weighted(column)),))

    def _sums_of_others(self, rest: Floats) -> Floats:
        sums = np.empty((sum(part.count for part in self.others), rest.shape[1]))
        for position, column in enumerate(rest.T):
            weighted = self._weighted(column)
            sums[:, position] = np.concatenate([part.sums(weighted) for part in self.others])
        return sums

    def _norms(self, rest: Floats) -> Floats:
        squares = [np.einsum("i,i->", column, self._weighted(column)) for column in rest.T]
        return np.asarray(np.sqrt(squares), dtype=np.float64)

    def _by_part(self, coefficients: Floats) -> list[Floats]:
        ends = np.cumsum([part.count for part in self.others])[:-1]
        return np.split(coefficients, ends) if self.others else []

    def _weighted(self, column: Floats) -> Floats:
        return column if self.weights is None else column * self.weights


def absorber(factors: Sequence[Factor], weights: Floats | None = None, *, small: int = SMALL) -> Absorber:
    """Prepare factors to be taken out of columns.

    Parameters
    ----------
    factors : sequence of Factor
        Over the same rows; none gives columns back as they are.
    weights : numpy.ndarray, shape (n,), optional
        Positive; ones by default.
    small : int
        Levels beside the largest factor up to which their equations are solved directly.

    Returns
    -------
    Absorber

    Raises
    ------
    DesignError
        If factors have different rows, weights are not positive, or equations are singular to rounding.

    References
    ----------
    Guimarães, P. & Portugal, P. (2010). A simple feasible procedure to fit models with high-dimensional fixed
    effects. The Stata Journal 10(4), 628-649.
    Somaini, P. & Wolak, F. A. (2016). An algorithm to estimate the two-way fixed effects model. Journal of
    Econometric Methods 5(1), 143-152 (elimination of the larger of two factors).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb import Factor, absorber
    >>> trend = Factor(codes=[0, 0, 0], count=1, slopes=np.array([[1.0], [2.0], [3.0]]))
    >>> absorber((trend,)).effects(np.array([3.0, 5.0, 7.0]))[0].round(12).tolist()
    [[1.0, 2.0]]
    """
    weights = _checked(factors, weights)
    ranked = sorted(range(len(factors)), key=lambda place: -factors[place].count)
    parts = [components_of(factors[place], weights) for place in ranked]
    eliminated = parts[0] if parts else ()
    others = tuple(part for pieces in parts[1:] for part in pieces)
    order = tuple((place, k) for place, pieces in zip(ranked, parts, strict=True) for k in range(len(pieces)))
    system, rank, is_exact = _system_of(eliminated, others, weights, small)
    return Absorber(
        factors=tuple(factors),
        weights=weights,
        rank=sum(part.rank for part in eliminated) + rank,
        is_rank_exact=is_exact,
        eliminated=tuple(eliminated),
        others=others,
        order=order,
        system=system,
        is_even=_is_even((*eliminated, *others), system, weights),
    )


def _is_even(parts: Sequence[Component], system: System | None, weights: Floats | None) -> bool:
    if not isinstance(system, DenseSystem) or any(part.column is not None for part in parts):
        return False
    return system.is_kept and (weights is None or bool(weights.max() <= _UNEVEN * weights.min()))


def _checked(factors: Sequence[Factor], weights: Floats | None) -> Floats | None:
    rows = {len(factor.codes) for factor in factors} | (set() if weights is None else {len(weights)})
    if len(rows) > 1:
        raise DesignError(
            "absorbed factors and weights do not have the same rows",
            where=f"rows {sorted(rows)}",
            remedy="give a level of each factor, and one weight, for each row",
        )
    if weights is None:
        return None
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise DesignError(
            "the weights of absorbed effects must be positive",
            where=f"{int((~(weights > 0)).sum()):,} of {len(weights):,} rows",
            remedy="leave rows of weight zero out",
        )
    return frozen(weights)


def _system_of(
    eliminated: Sequence[Component], others: Sequence[Component], weights: Floats | None, small: int
) -> tuple[System | None, int, bool]:
    if not others:
        return None, 0, True
    blocks = blocks_of(eliminated, others, weights)
    is_plain_pair = len(eliminated) == len(others) == 1 and eliminated[0].column is others[0].column is None
    if blocks.size <= small:
        matrix = blocks.matrix()
        kept = independent_levels(blocks, is_plain_pair=is_plain_pair, matrix=matrix)
        return DenseSystem.of(blocks, kept, matrix), int(kept.sum()), True
    rank, is_exact = large_rank(eliminated, others, blocks, weights)
    return SparseSystem.of(blocks), rank, is_exact
