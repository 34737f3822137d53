r"""Factors whose effects are absorbed: levels, and slopes that differ by level.

A factor is turned into *components*: columns that are orthogonal within each level, so that projecting on the
factor alone is one weighted mean a level and component.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["Component", "Factor", "components_of", "in_singletons", "subtract"]

# share of a slope's length within a level below which what the columns before leave of it is rounding
_DEGENERATE = 1e-9
# rows that are gone through at a time
STRETCH = 65_536
# rows from which it pays to look whether they are sorted
_WORTH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """One absorbed factor: its level for each row, and the columns whose slopes differ by level.

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n,)
        Level of each row, 0 … count - 1.
    count : int
        Number of levels; one without a row has no effect and does not count in the rank.
    slopes : numpy.ndarray, shape (n, s)
        Columns with a slope of their own in each level; none by default.
    has_intercepts : bool
        Whether levels have an effect beside their slopes.
    sizes : numpy.ndarray of int64, shape (count,)
        Rows of each level; counted unless given.

    Examples
    --------
    >>> from juntos_eval.numerics.absorb_factors import Factor
    >>> Factor(codes=[0, 0, 1], count=2).slopes.shape
    (3, 0)
    """

    codes: Codes
    count: int
    slopes: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    has_intercepts: bool = True
    sizes: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        codes = frozen(self.codes, np.int64)
        slopes = self.slopes if np.size(self.slopes) else np.zeros((len(codes), 0))
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "slopes", frozen(slopes))
        is_odd = bool(len(codes)) and not 0 <= codes.min() <= codes.max() < self.count
        if is_odd or self.slopes.shape[:1] != codes.shape or not (self.has_intercepts or np.size(slopes)):
            raise DesignError(
                "an absorbed factor needs codes below its count, and intercepts or slopes of as many rows",
                where=f"{len(codes):,} rows, {self.count:,} levels, slopes {self.slopes.shape}",
                remedy="number the levels from 0, and give one value of each slope column a row",
            )
        is_counted = len(self.sizes) == self.count
        sizes = self.sizes if is_counted else np.bincount(codes, minlength=self.count)
        object.__setattr__(self, "sizes", frozen(sizes, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    r"""One column a level: indicator times ``column``, orthogonal to the factor's components before it.

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n,)
    count : int
    column : numpy.ndarray, shape (n,), optional
        None for ones.
    lengths : numpy.ndarray, shape (count,)
        :math:`\sum_{i \in g} w_i u_i^2`; zero where the level has no such component.
    origin : numpy.ndarray, shape (count, s)
        The component in terms of the factor's own columns (ones first, then slopes).
    starts : numpy.ndarray of int64, shape (count,), optional
        First row of each level, where rows stand in the order of the levels and each has one.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_factors import Factor, components_of
    >>> components_of(Factor(codes=[0, 0, 1], count=2), None)[0].lengths.tolist()
    [2.0, 1.0]
    """

    codes: Codes
    count: int
    column: Floats | None
    lengths: Floats
    origin: Floats
    starts: Codes | None = None

    def sums(self, values: Floats) -> Floats:
        """Sum values times the column by level; the values already have their weights."""
        weighted = values if self.column is None else values * self.column
        if self.starts is not None:
            return np.add.reduceat(weighted, self.starts)
        if self.count > STRETCH // 8 or len(values) <= STRETCH:
            return np.asarray(np.bincount(self.codes, weighted, minlength=self.count), dtype=np.float64)
        # sums of sums carry far less rounding than one that runs over all rows
        total = np.zeros(self.count)
        for start in range(0, len(values), STRETCH):
            rows = slice(start, start + STRETCH)
            total += np.bincount(self.codes[rows], weighted[rows], minlength=self.count)
        return total

    def coefficients(self, values: Floats) -> Floats:
        """Project weighted values on the component, level by level."""
        sums = self.sums(values)
        return np.divide(sums, self.lengths, out=np.zeros(self.count), where=self.lengths > 0)

    def spread(self, coefficients: Floats) -> Floats:
        """Give each row the coefficient of its level times the column."""
        spread: Floats = coefficients.take(self.codes)
        if self.column is not None:
            spread *= self.column
        return spread

    @property
    def rank(self) -> int:
        """Levels that have the component."""
        return int(np.count_nonzero(self.lengths))


def subtract(values: Floats, parts: Sequence[Component], coefficients: Sequence[Floats]) -> None:
    """Take from each row, where it stands, the coefficients of its levels times the components' columns.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Overwritten.
    parts : sequence of Component
    coefficients : sequence of numpy.ndarray, shape (count,)
        Of each component.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_factors import Factor, components_of, subtract
    >>> values = np.array([5.0, 6.0, 7.0])
    >>> subtract(values, components_of(Factor(codes=[0, 0, 1], count=2), None), [np.array([5.0, 7.0])])
    >>> values.tolist()
    [0.0, 1.0, 0.0]
    """
    # by stretches that stay in the cache, in memory that was given once
    buffer = np.empty(min(STRETCH, len(values)))
    for start in range(0, len(values), STRETCH):
        rows = slice(start, start + STRETCH)
        left = values[rows]
        spread = buffer[: len(left)]
        for part, of_part in zip(parts, coefficients, strict=True):
            np.take(of_part, part.codes[rows], out=spread, mode="clip")
            if part.column is not None:
                spread *= part.column[rows]
            left -= spread


def components_of(factor: Factor, weights: Floats | None) -> tuple[Component, ...]:
    r"""Orthogonalise the columns of a factor within each of its levels, by weighted Gram-Schmidt.

    Parameters
    ----------
    factor : Factor
    weights : numpy.ndarray, shape (n,), optional
        Positive; ones by default.

    Returns
    -------
    tuple of Component
        One for the intercepts, if there are any, and one for each slope, of length one in each level.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb_factors import Factor, components_of
    >>> trend = Factor(codes=[0, 0, 1], count=2, slopes=np.array([[1.0], [3.0], [2.0]]))
    >>> [part.rank for part in components_of(trend, None)]
    [2, 1]
    """
    columns = factor.slopes.shape[1] + factor.has_intercepts
    done: list[Component] = []
    if factor.has_intercepts:
        mass = (
            factor.sizes.astype(np.float64)
            if weights is None
            else np.bincount(factor.codes, weights=weights, minlength=factor.count).astype(np.float64)
        )
        origin = np.zeros((factor.count, columns))
        origin[:, 0] = mass > 0
        done.append(_component(factor, None, mass, origin))
    for position, slope in enumerate(factor.slopes.T, start=len(done)):
        done.append(_slope_component(factor, slope, position, done, weights))
    return tuple(done)


def _component(factor: Factor, column: Floats | None, lengths: Floats, origin: Floats) -> Component:
    return Component(
        codes=factor.codes,
        count=factor.count,
        column=None if column is None else frozen(column),
        lengths=frozen(lengths),
        origin=frozen(origin),
        starts=_starts(factor),
    )


def _starts(factor: Factor) -> Codes | None:
    """Return where each level begins, if rows are sorted by level, and short levels make that worth it."""
    if len(factor.codes) < _WORTH or not factor.sizes.all() or not is_sorted(factor.codes):
        return None
    starts = np.cumsum(factor.sizes) - factor.sizes
    starts.flags.writeable = False
    return starts


def is_sorted(codes: Codes) -> bool:
    """Say whether codes do not fall from row to row."""
    # most that are not show it soon
    return all(bool((part[1:] >= part[:-1]).all()) for part in (codes[:_WORTH], codes[_WORTH - 1 :]))


def _slope_component(
    factor: Factor, slope: Floats, position: int, before: Sequence[Component], weights: Floats | None
) -> Component:
    origin = np.zeros((factor.count, factor.slopes.shape[1] + factor.has_intercepts))
    origin[:, position] = 1.0
    rest = np.array(slope, dtype=np.float64)
    full = np.sqrt(_squares(factor, rest, weights))
    for _ in range(2):  # once more against rounding
        for part in before:
            coefficients = part.coefficients(rest if weights is None else rest * weights)
            subtract(rest, (part,), (coefficients,))
            origin -= coefficients[:, None] * part.origin
    length = np.sqrt(_squares(factor, rest, weights))
    has_own = length > _DEGENERATE * full
    scale: Floats = np.divide(1.0, length, out=np.zeros(factor.count), where=has_own)
    return _component(
        factor, rest * scale.take(factor.codes), has_own.astype(np.float64), origin * scale[:, None]
    )


def _squares(factor: Factor, values: Floats, weights: Floats | None) -> Floats:
    squares = values**2 if weights is None else weights * values**2
    return np.asarray(np.bincount(factor.codes, weights=squares, minlength=factor.count), dtype=np.float64)


def in_singletons(factors: Sequence[Factor]) -> Bools:
    """Say which rows are alone in a level of a factor, also once the others are gone.

    Such a row is fitted exactly by its own effect: it moves no coefficient, yet counts as a row and as a
    cluster (Correia 2015).

    Parameters
    ----------
    factors : sequence of Factor
        Only those with intercepts are looked at.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    References
    ----------
    Correia, S. (2015). Singletons, cluster-robust standard errors and fixed effects: a bad mix. Duke
    University.

    Examples
    --------
    >>> from juntos_eval.numerics.absorb_factors import Factor, in_singletons
    >>> unit, year = Factor(codes=[0, 0, 1, 1], count=2), Factor(codes=[0, 1, 0, 2], count=3)
    >>> in_singletons((unit, year)).tolist()
    [True, True, True, True]
    """
    leveled = [factor for factor in factors if factor.has_intercepts]
    rows = len(factors[0].codes) if factors else 0
    alone = np.zeros(rows, dtype=np.bool_)
    tallies: list[Codes] = [factor.sizes for factor in leveled]
    while True:
        fresh = np.zeros(rows, dtype=np.bool_)
        for factor, tally in zip(leveled, tallies, strict=True):
            lone = tally == 1
            if lone.any():
                fresh |= lone.take(factor.codes) & ~alone
        if not fresh.any():
            return alone
        alone |= fresh
        tallies = [
            tally - np.bincount(factor.codes[fresh], minlength=factor.count)
            for factor, tally in zip(leveled, tallies, strict=True)
        ]
