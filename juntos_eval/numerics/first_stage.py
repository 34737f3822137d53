r"""Effects fitted on some rows and predicted for all, with what each fitted row adds to sums of predictions.

On the rows that are fitted (the untreated), :math:`y = D\alpha + X\beta + u` by weighted least squares. For
weights r over all rows, :math:`\sum_i r_i (d_i'\hat\alpha + x_i'\hat\beta)` is linear in the fitted rows'
outcomes, with the derivative

.. math:: W_0 D_0 \gamma + W_0 \tilde X_0 B \tilde X' r, \qquad D_0'W_0 D_0 \gamma = D' r,
          \quad B = (\tilde X_0'W_0\tilde X_0)^{-1},

where a tilde says that the effects (as fitted) were taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.numerics.absorb import Absorber, Factor, absorber
from juntos_eval.numerics.least_squares import least_squares

__all__ = ["FirstStage", "first_stage"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstStage:
    """What was fitted on some rows, for all rows.

    Attributes
    ----------
    fitted : numpy.ndarray of int64, shape (n0,)
        Rows that were fitted.
    rest : numpy.ndarray, shape (n,)
        Outcome less its prediction; NaN where the fitted rows do not say what it would be.
    is_identified : numpy.ndarray of bool, shape (n,)
    coefficients : numpy.ndarray, shape (q,)
        Of the covariates; NaN for those that effects or others span.
    within : Absorber
        Of the fitted rows.
    covariates : numpy.ndarray, shape (n, r)
        Those with a coefficient, less their effects as fitted.
    bread : numpy.ndarray, shape (r, r)
    factors : tuple of Factor
        Of all rows.
    weights : numpy.ndarray, shape (n,)
    parameters : int

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb import Factor
    >>> from juntos_eval.numerics.first_stage import first_stage
    >>> unit, time = Factor(codes=[0, 0, 1, 1], count=2), Factor(codes=[0, 1, 0, 1], count=2)
    >>> stage = first_stage(np.array([1.0, 9.0, 2.0, 4.0]), np.zeros((4, 0)), (unit, time),
    ...                     np.array([True, False, True, True]), np.ones(4))
    >>> float(stage.rest[1].round(9))
    6.0
    """

    fitted: Codes
    rest: Floats
    is_identified: Bools
    coefficients: Floats
    within: Absorber
    covariates: Floats
    bread: Floats
    factors: tuple[Factor, ...]
    weights: Floats
    parameters: int

    def __post_init__(self) -> None:
        for name in ("rest", "coefficients", "covariates", "bread", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def carried(self, right: Floats) -> Floats:
        """Return the derivative of sums of predictions along the outcomes of the fitted rows.

        Parameters
        ----------
        right : numpy.ndarray, shape (n, k)
            Weights of the rows in each sum; zero where nothing is identified.

        Returns
        -------
        numpy.ndarray, shape (n0, k)
        """
        weights = self.weights[self.fitted]
        through = np.column_stack([self._effects_along(column) for column in right.T])
        found = weights[:, None] * through
        if self.covariates.shape[1]:
            moment = self.covariates.T @ right
            found += (weights[:, None] * self.covariates[self.fitted]) @ (self.bread @ moment)
        return np.asarray(found)

    def _effects_along(self, column: Floats) -> Floats:
        r"""Return :math:`D_0 \gamma` for one right-hand side."""
        used = np.flatnonzero(column)
        within, weights = self.within, self.weights[self.fitted]
        if not within.factors:
            return np.zeros(len(weights))
        order = [place for place, _ in within.order]
        sums = [
            np.bincount(self.factors[place].codes[used], weights=column[used], minlength=part.count)
            for place, part in zip(order, (*within.eliminated, *within.others), strict=True)
        ]
        (largest,) = within.eliminated
        scale = np.where(largest.lengths > 0, largest.lengths, 1.0)
        own = sums[0] / scale
        if within.system is None:
            return largest.spread(own)
        spread = weights * largest.spread(own)
        target = np.concatenate(sums[1:])
        right = target - np.concatenate([part.sums(spread) for part in within.others])
        norms = np.array([np.sqrt(np.abs(column[used]).sum() ** 2 / max(len(used), 1)) + 1e-300])
        solved = within.system.solve(right[:, None], norms)[:, 0]
        for _ in range(2):  # what is left of the equations, solved once more against rounding
            others, start = np.zeros(len(weights)), 0
            for part in within.others:
                others += part.spread(solved[start : start + part.count])
                start += part.count
            own = (sums[0] - largest.sums(weights * others)) / scale
            whole = largest.spread(own) + others
            left = target - np.concatenate([part.sums(weights * whole) for part in within.others])
            solved = solved + within.system.solve(left[:, None], norms)[:, 0]
        return np.asarray(whole)


def first_stage(
    outcome: Floats,
    covariates: Floats,
    factors: Sequence[Factor],
    is_fitted: Bools,
    weights: Floats,
) -> FirstStage:
    """Fit effects and covariates on some rows and predict all.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    covariates : numpy.ndarray, shape (n, q)
    factors : sequence of Factor
        Of all rows, with intercepts only.
    is_fitted : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
        Positive.

    Returns
    -------
    FirstStage

    Raises
    ------
    DesignError
        If no row is to be fitted, or factors have slopes.

    References
    ----------
    Borusyak, K., Jaravel, X., & Spiess, J. (2024). Revisiting event-study designs: robust and efficient
    estimation. *Review of Economic Studies*, 91(6), 3253-3285. (Section 4.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.absorb import Factor
    >>> from juntos_eval.numerics.first_stage import first_stage
    >>> every = Factor(codes=[0, 0, 0], count=1)
    >>> stage = first_stage(np.array([1.0, 3.0, 7.0]), np.zeros((3, 0)), (every,),
    ...                     np.array([True, True, False]), np.ones(3))
    >>> stage.rest.tolist(), stage.carried(np.array([[0.0], [0.0], [1.0]])).ravel().tolist()
    ([-1.0, 1.0, 5.0], [0.5, 0.5])
    """
    if any(factor.slopes.shape[1] or not factor.has_intercepts for factor in factors):
        raise DesignError(
            "effects that are predicted for other rows cannot have slopes here",
            where=f"{len(factors)} factors",
            remedy="absorb factors without slopes, and give trends as covariates",
        )
    fitted = np.flatnonzero(is_fitted).astype(np.int64)
    if not len(fitted):
        raise DesignError(
            "no row is untreated, so nothing says what outcomes would be without treatment",
            where=f"{len(outcome)} rows",
            remedy="add periods before treatment, or units that are never treated",
        )
    inner = tuple(Factor(codes=factor.codes[fitted], count=factor.count) for factor in factors)
    within = absorber(inner, weights[fitted])
    adjusted = _less_effects(covariates, within, factors, fitted)
    rest = _less_effects(outcome[:, None], within, factors, fitted)[:, 0]
    coefficients, kept, bread = _regress(rest[fitted], adjusted[fitted], weights[fitted])
    rest = rest - adjusted[:, kept] @ coefficients[kept]
    identified = _identified(factors, fitted, len(outcome))
    return FirstStage(
        fitted=fitted,
        rest=np.where(identified, rest, np.nan),
        is_identified=identified,
        coefficients=coefficients,
        within=within,
        covariates=adjusted[:, kept],
        bread=bread,
        factors=tuple(factors),
        weights=weights,
        parameters=within.rank + len(kept),
    )


def _less_effects(columns: Floats, within: Absorber, factors: Sequence[Factor], fitted: Codes) -> Floats:
    """Take from the columns of all rows the effects that the fitted rows have."""
    rest = np.array(columns, dtype=np.float64)
    for position in range(columns.shape[1]):
        for factor, effects in zip(factors, within.effects(columns[fitted, position]), strict=True):
            rest[:, position] -= effects[factor.codes, 0]
    return rest


def _regress(outcome: Floats, design: Floats, weights: Floats) -> tuple[Floats, Codes, Floats]:
    varying = np.flatnonzero(np.abs(design).max(axis=0, initial=0.0) > 1e-9)
    coefficients = np.full(design.shape[1], np.nan)
    if not len(varying):
        return coefficients, varying.astype(np.int64), np.zeros((0, 0))
    found = least_squares(design[:, varying], outcome, weights)
    kept = varying[found.kept].astype(np.int64)
    coefficients[kept] = found.coefficients[found.kept]
    return coefficients, kept, found.bread


def _identified(factors: Sequence[Factor], fitted: Codes, rows: int) -> Bools:
    """Say of which rows all levels are joined with one another by fitted rows."""
    seen = np.ones(rows, dtype=np.bool_)
    for factor in factors:
        present = np.zeros(factor.count, dtype=np.bool_)
        present[factor.codes[fitted]] = True
        seen &= present[factor.codes]
    if len(factors) < 2:
        return seen
    # two factors: a sum of effects is known if fitted rows lead from one level to the other; each further
    # factor is asked for the same link with the first
    first = factors[0]
    for other in factors[1:]:
        size = first.count + other.count
        edges = (first.codes[fitted], first.count + other.codes[fitted])
        graph = sparse.coo_array((np.ones(len(fitted)), edges), shape=(size, size))
        part = connected_components(graph, directed=False)[1]
        seen &= part[first.codes] == part[first.count + other.codes]
    return seen
