r"""Regression-discontinuity estimates at given bandwidths: conventional, bias-corrected, robust.

On each side the equivalent weights are :math:`l_i` for the order-p fit and, with :math:`m_i` those of the
coefficient p + 1 of the order-q fit and :math:`B` the constant of the leading bias,

.. math:: l_i^{bc} = l_i - B \, (h / b)^{p+1} m_i .

Robust inference takes the variance of :math:`\sum_i l_i^{bc} y_i`, the correction's own error included.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.numerics.boundary_variance import boundary_variance
from juntos_eval.numerics.local_polynomial import LocalFit, Side, local_fit
from juntos_eval.numerics.rd_bandwidth import LocalDesign, covariate_slopes, near_within

__all__ = ["Discontinuity", "discontinuity"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Discontinuity:
    """Estimates at given bandwidths.

    Attributes
    ----------
    values : numpy.ndarray, shape (2,)
        Conventional and bias-corrected.
    variances : numpy.ndarray, shape (2,)
        Conventional and robust.
    jumps : numpy.ndarray, shape (dependent,)
        Conventional, of the outcome and, in fuzzy designs, of the treatment.
    treatment : numpy.ndarray, shape (2, 2)
        Of the first stage: values and variances as above; NaN in sharp designs.
    boundary : numpy.ndarray, shape (2, order + 1)
        Coefficients in powers of x - c, left and right.
    counts_h, counts_b : tuple of int
        Rows in the windows.
    influence : numpy.ndarray, shape (n, 2)
        Derivative of the values with respect to each row's weight, at these bandwidths.
    """

    values: Floats
    variances: Floats
    jumps: Floats
    treatment: Floats
    boundary: Floats
    counts_h: tuple[int, int]
    counts_b: tuple[int, int]
    influence: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Smoother:
    """One side at its bandwidths: fits and the equivalent weights of jump and corrected jump."""

    main: LocalFit
    bias: LocalFit
    plain: Floats
    corrected: Floats
    constant: float  # of the correction

    @property
    def n(self) -> int:
        return len(self.plain)


def discontinuity(
    sides: tuple[Side, Side], design: LocalDesign, bandwidths: tuple[float, ...], rows: int
) -> Discontinuity:
    """Estimate at given bandwidths.

    Parameters
    ----------
    sides : tuple of Side
    design : LocalDesign
    bandwidths : tuple of float
        h left, h right, b left, b right.
    rows : int
        Of the sample.

    Returns
    -------
    Discontinuity
    """
    pair = (
        _smoother(sides[0], design, (bandwidths[0], bandwidths[2])),
        _smoother(sides[1], design, (bandwidths[1], bandwidths[3])),
    )
    dependent = 2 if design.is_fuzzy else 1
    slopes = covariate_slopes([part.main for part in pair], dependent)
    plain, corrected = _jumps(pair, dependent, slopes)
    to_outcome = np.array([1.0])
    values = np.array([plain[0], corrected[0]])
    if design.is_fuzzy:
        to_outcome = np.array([1.0 / plain[1], -plain[0] / plain[1] ** 2])
        ratio = plain[0] / plain[1]
        values = np.array([ratio, ratio - to_outcome @ (plain - corrected)])
    mix = np.concatenate([to_outcome, -slopes @ to_outcome])
    treatment = np.full((2, 2), np.nan)
    if design.is_fuzzy:
        first = np.array([0.0, 1.0])
        treatment[0] = plain[1], corrected[1]
        treatment[1] = _variances(pair, np.concatenate([first, -slopes @ first]), design)
    return Discontinuity(
        values=values,
        variances=_variances(pair, mix, design),
        jumps=plain,
        treatment=treatment,
        boundary=np.array([_boundary(part, mix if not design.is_fuzzy else None) for part in pair]),
        counts_h=(pair[0].main.n, pair[1].main.n),
        counts_b=(pair[0].bias.n, pair[1].bias.n),
        influence=_influence(pair, (mix, to_outcome), rows),
    )


def _smoother(side: Side, design: LocalDesign, bandwidths: tuple[float, float]) -> _Smoother:
    p, nu = design.order, design.derivative
    main = local_fit(side, bandwidths[0], p, design.kernel)
    bias = local_fit(side, bandwidths[1], design.bias_order, design.kernel)
    n = max(main.n, bias.n)
    scale = factorial(nu) * bandwidths[0] ** -float(nu) * side.sign
    plain, corrected = np.zeros(n), np.zeros(n)
    plain[: main.n] = scale * main.equivalent(nu)
    constant = scale * main.bias_constant(nu) * (bandwidths[0] / bandwidths[1]) ** (p + 1.0)
    corrected[: bias.n] = -constant * bias.equivalent(p + 1)
    return _Smoother(main, bias, plain, plain + corrected, constant)


def _jumps(pair: tuple[_Smoother, ...], dependent: int, slopes: Floats) -> tuple[Floats, Floats]:
    sums = [
        sum((part.main.side.columns[:, : part.n] @ getattr(part, name) for part in pair), np.zeros(1))
        for name in ("plain", "corrected")
    ]
    plain, corrected = (each[:dependent] - each[dependent:] @ slopes for each in sums)
    return plain, corrected


def _variances(pair: tuple[_Smoother, ...], mix: Floats, design: LocalDesign) -> Floats:
    total = np.zeros(2)
    for part in pair:
        outcome = mix @ part.main.side.columns[:, : part.n]
        near = near_within(part.main.side, part.n, design.variance)
        total[0] += boundary_variance(part.main, outcome, part.plain, design.variance, near)
        total[1] += boundary_variance(part.bias, outcome, part.corrected, design.variance, near)
    return total


def _boundary(part: _Smoother, mix: Floats | None) -> Floats:
    columns = part.main.side.columns[:, : part.main.n]
    outcome = columns[0] if mix is None else mix @ columns
    scale = part.main.bandwidth ** -np.arange(part.main.order + 1.0)
    return np.asarray(part.main.coefficients(outcome) * scale)


def _influence(pair: tuple[_Smoother, ...], mixes: tuple[Floats, Floats], rows: int) -> Floats:
    """Return each row's part in the error, the covariates' slopes and the correction's constant included."""
    mix, to_outcome = mixes
    influence = np.zeros((rows, 2))
    dependent = len(to_outcome)
    for part in pair:
        side, p = part.main.side, part.main.order
        outcome = mix @ side.columns[:, : part.n]
        inside = outcome[: part.main.n]
        residual = inside - part.main.fitted(inside)
        curve = (side.sign * (part.main.place + 1.0) / 2.0) ** (p + 1)
        height = float(part.bias.coefficients(outcome[: part.bias.n])[p + 1])
        height *= (part.main.bandwidth / part.bias.bandwidth) ** (p + 1.0)
        bent = residual - height * (curve - part.main.fitted(curve))
        here = np.zeros((part.n, 2))
        here[: part.main.n, 0] = part.plain[: part.main.n] * residual
        here[: part.main.n, 1] = part.plain[: part.main.n] * bent
        tail = outcome[: part.bias.n]
        correction = (part.corrected - part.plain)[: part.bias.n]
        here[: part.bias.n, 1] += correction * (tail - part.bias.fitted(tail))
        influence[side.rows[: part.n]] += here
    if len(mix) > dependent:
        _add_slopes(influence, pair, mixes)
    return influence


def _add_slopes(influence: Floats, pair: tuple[_Smoother, ...], mixes: tuple[Floats, Floats]) -> None:
    mix, to_outcome = mixes
    dependent = len(to_outcome)
    cross, jumps, parts = np.zeros((len(mix) - dependent,) * 2), np.zeros((2, len(mix) - dependent)), []
    for part in pair:
        fit, columns = part.main, part.main.side.columns[:, : part.n]
        jumps += np.array([columns[dependent:] @ part.plain, columns[dependent:] @ part.corrected])
        inside = columns[:, : fit.n]
        covariates = np.array([column - fit.fitted(column) for column in inside[dependent:]])
        outcome = mix @ inside
        parts.append((fit, covariates, fit.weights * (outcome - fit.fitted(outcome)) / fit.bandwidth))
        cross += (covariates * fit.weights) @ covariates.T / fit.bandwidth
    for fit, covariates, scores in parts:
        moved = np.linalg.solve(cross, covariates) * scores
        influence[fit.side.rows[: fit.n]] -= (jumps @ moved).T
