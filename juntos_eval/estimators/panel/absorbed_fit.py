"""A regression on absorbed columns, as inference sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen
from juntos_eval.estimate import Fit, Groups, Linear
from juntos_eval.estimators.panel.score_influence import ScoreInfluence
from juntos_eval.estimators.panel.terms import AbsorbedTerm
from juntos_eval.numerics.absorb import Absorber, Factor, absorber
from juntos_eval.numerics.least_squares import independent_columns
from juntos_eval.numerics.within_least_squares import WithinLeastSquares

__all__ = ["absorbed_fit"]

# entries of slope columns by level up to which they are written down for inference that needs leverage
_FORMED = 20_000_000


def absorbed_fit(
    regression: WithinLeastSquares,
    within: Absorber,
    groups: Mapping[str, Groups],
    effects: Sequence[AbsorbedTerm],
    weights: Floats | None,
) -> Fit:
    """Hand a regression on absorbed columns to inference.

    Parameters
    ----------
    regression : WithinLeastSquares
    within : Absorber
    groups : Mapping of str to Groups
        Carried ones, those of the effects under their labels among them.
    effects : sequence of AbsorbedTerm
    weights : numpy.ndarray, shape (n,), optional

    Returns
    -------
    Fit
        Slopes by level count in ``parameters`` (one a level and slope) and stand in ``linear.design`` as
        columns that no value selects; where they are too many, the fit has no ``linear``.
    """
    kept = regression.design.shape[1]
    leveled = [effect for effect in effects if effect.has_intercepts]
    levels = sum(groups[effect.label].count for effect in leveled)
    slopes = sum(groups[effect.label].count * len(effect.slopes) for effect in effects)
    scale = regression.residuals if weights is None else weights * regression.residuals
    return Fit(
        values=regression.coefficients,
        influence=ScoreInfluence(regression.design, scale, regression.bread),
        parameters=kept + levels - max(len(leveled) - 1, 0) + slopes,
        groups=groups,
        linear=_linear(regression, within, tuple(groups[effect.label] for effect in leveled), slopes),
    )


def _linear(
    regression: WithinLeastSquares, within: Absorber, absorbed: tuple[Groups, ...], slopes: int
) -> Linear | None:
    rows, kept = regression.design.shape
    if rows * slopes > _FORMED:
        return None
    design, bread = regression.design, regression.bread
    if slopes:
        columns = _slope_columns(within)
        weighted = columns if within.weights is None else columns * within.weights[:, None]
        # orthogonal to the design, from which the slopes were taken out
        bread = linalg.block_diag(bread, linalg.inv(columns.T @ weighted))
        design = np.column_stack([design, columns])
    # a view of a single one stands for all of them
    ones = np.broadcast_to(frozen(np.ones(1)), (rows,))
    return Linear(
        design=design,
        weights=ones if within.weights is None else within.weights,
        residuals=regression.residuals,
        bread=bread,
        selection=np.eye(kept, design.shape[1]),
        absorbed=absorbed,
        absorbed_rank=within.rank - (design.shape[1] - kept),
    )


def _slope_columns(within: Absorber) -> Floats:
    """Return the slopes by level as columns, intercepts taken out, those that others span left out."""
    plain = [Factor(codes=f.codes, count=f.count) for f in within.factors if f.has_intercepts]
    columns = np.hstack(
        [
            (factor.codes[:, None] == np.arange(factor.count)) * slope[:, None]
            for factor in within.factors
            for slope in factor.slopes.T
        ]
    )
    size = np.linalg.norm(columns, axis=0)
    left = absorber(plain, within.weights).residuals(columns)
    left = left[:, np.linalg.norm(left, axis=0) > 1e-9 * size]
    root = np.ones(len(left)) if within.weights is None else np.sqrt(within.weights)
    return np.asarray(left[:, independent_columns(left * root[:, None])])
