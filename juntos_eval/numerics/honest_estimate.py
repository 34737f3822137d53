r"""Local linear jumps at a bandwidth, with the largest bias that a bounded second derivative leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from juntos_eval.arrays import Floats, grouped_sums
from juntos_eval.numerics.boundary_variance import Neighbourhoods, VarianceRule
from juntos_eval.numerics.honest_bandwidth import folded_normal_quantiles
from juntos_eval.numerics.local_polynomial import LocalFit, Side, local_fit
from juntos_eval.numerics.rd_bandwidth import covariate_slopes, near_within

__all__ = ["BiasedNormal", "HonestJumps", "adjusted_outcomes", "honest_jumps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasedNormal:
    r"""A normal estimate whose bias is known to be no larger than a bound.

    Attributes
    ----------
    value, bias, error : float
        Estimate, largest bias, standard error.

    Examples
    --------
    >>> from juntos_eval.numerics.honest_estimate import BiasedNormal
    >>> [round(end, 3) for end in BiasedNormal(value=1.0, bias=0.0, error=0.5).interval(0.95)]
    [0.02, 1.98]
    """

    value: float
    bias: float
    error: float

    def critical_value(self, level: float) -> float:
        r"""Return the quantile of :math:`|N(\bar b / se, 1)|`."""
        if not self.error > 0:
            return float("nan")
        return float(folded_normal_quantiles(np.array([self.bias / self.error]), level)[0])

    def interval(self, level: float, stretch: float = 1.0) -> tuple[float, float]:
        """Return the shortest interval of fixed length; ``stretch`` is for few degrees of freedom."""
        half = stretch * self.critical_value(level) * self.error if self.error > 0 else self.bias
        return self.value - half, self.value + half

    def one_sided(self, level: float) -> tuple[float, float]:
        """Return the ends of the two one-sided intervals."""
        half = self.bias + float(ndtri(level)) * self.error
        return self.value - half, self.value + half

    def p_value(self, null: float = 0.0) -> float:
        """Return the smallest level at which the interval leaves a value out."""
        if not self.error > 0:
            return float(abs(self.value - null) <= self.bias)
        distance, shift = abs(self.value - null) / self.error, self.bias / self.error
        return float(ndtr(shift - distance) + ndtr(-shift - distance))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HonestJumps:
    """Jumps of the dependent columns at one bandwidth.

    Attributes
    ----------
    jumps : numpy.ndarray, shape (m,)
    covariance : numpy.ndarray, shape (m, m)
    bias : float
        Largest bias of a jump under a bound of one.
    influence : numpy.ndarray, shape (n, m)
        Weight times residual of each row of the sample.
    counts : tuple of int
        Rows that have weight, left and right.
    effective : float
        Rows of a uniform kernel that would leave the same variance.
    leverage : float
        Largest share of a row in the sum of squared weights.
    """

    jumps: Floats
    covariance: Floats
    bias: float
    influence: Floats
    counts: tuple[int, int]
    effective: float
    leverage: float


def adjusted_outcomes(
    sides: tuple[Side, Side], dependent: int, bandwidth: float, kernel: str
) -> tuple[Floats, Floats]:
    """Return the dependent columns (m, n) of each side less covariates times their slopes near the cutoff."""
    if sides[0].columns.shape[0] == dependent:
        return sides[0].columns[:dependent], sides[1].columns[:dependent]
    slopes = covariate_slopes([local_fit(side, bandwidth, 1, kernel) for side in sides], dependent)
    left, right = (side.columns[:dependent] - slopes.T @ side.columns[dependent:] for side in sides)
    return left, right


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpRule:
    """How a jump is weighted and its variance had: kernel, class of functions, rule of the residuals."""

    kernel: str
    smoothness: str
    variance: VarianceRule


def honest_jumps(
    sides: tuple[Side, Side], dependent: int, bandwidth: float, rule: JumpRule, rows: int
) -> HonestJumps:
    """Estimate jumps, their covariance and their largest bias at a bandwidth.

    Parameters
    ----------
    sides : tuple of Side
    dependent : int
        Leading columns that jump; the others are covariates.
    bandwidth : float
    rule : JumpRule
    rows : int
        Of the sample.

    Returns
    -------
    HonestJumps
    """
    fits = [local_fit(side, bandwidth, 1, rule.kernel) for side in sides]
    outcomes = adjusted_outcomes(sides, dependent, bandwidth, rule.kernel)
    weights = _weights(fits, dependent)
    uniform = _weights([local_fit(side, bandwidth, 1, "uniform") for side in sides], dependent)
    jumps, covariance = np.zeros(dependent), np.zeros((dependent, dependent))
    influence = np.zeros((rows, dependent))
    for fit, weight, outcome in zip(fits, weights, outcomes, strict=True):
        inside = outcome[:, : fit.n]
        jumps += inside @ weight
        residual = np.array([row - fit.fitted(row) for row in inside])
        influence[fit.side.rows[: fit.n]] = (weight * residual).T
        if rule.variance.kind == "nn":
            near = near_within(fit.side, fit.n, rule.variance)
            if near is not None:
                residual = _neighbour_residuals(inside, fit.side.weights[: fit.n], near)
        covariance += (weight * residual) @ (weight * residual).T
    if rule.variance.is_clustered:
        covariance = _by_cluster(fits, influence)
    own, other = (
        [(weight / fit.side.weights[: len(weight)]) ** 2 for weight, fit in zip(each, fits, strict=True)]
        for each in (weights, uniform)
    )
    sampling = [
        [fit.side.weights[: len(weight)] for weight, fit in zip(each, fits, strict=True)]
        for each in (weights, uniform)
    ]
    total = sum(float(a @ b) for a, b in zip(own, sampling[0], strict=True))
    flat = sum(float(a @ b) for a, b in zip(other, sampling[1], strict=True))
    return HonestJumps(
        jumps=jumps,
        covariance=covariance,
        bias=sum(_bias(fit, weight, rule.smoothness) for fit, weight in zip(fits, weights, strict=True)),
        influence=influence,
        counts=(fits[0].n, fits[1].n),
        effective=float(sum(w.sum() for w in sampling[1])) * flat / total,
        leverage=max(float(part.max()) for part in own) / total,
    )


def _weights(fits: list[LocalFit], dependent: int) -> list[Floats]:
    """Return the weights of the outcomes in a jump, covariates taken out."""
    plain = [fit.side.sign * fit.equivalent(0) for fit in fits]
    if fits[0].side.columns.shape[0] == dependent:
        return plain
    inside = [fit.side.columns[dependent:, : fit.n] for fit in fits]
    net = [np.array([row - fit.fitted(row) for row in rows]) for fit, rows in zip(fits, inside, strict=True)]
    cross = sum((rows * fit.weights) @ rows.T for fit, rows in zip(fits, net, strict=True))
    jumps = sum(rows @ weight for rows, weight in zip(inside, plain, strict=True))
    load = np.linalg.solve(np.asarray(cross), np.asarray(jumps))
    return [weight - fit.weights * (load @ rows) for fit, weight, rows in zip(fits, plain, net, strict=True)]


def _bias(fit: LocalFit, weight: Floats, smoothness: str) -> float:
    squares = fit.side.distance[: fit.n] ** 2
    total = np.abs(weight) @ squares if smoothness == "taylor" else abs(weight @ squares)
    return float(total) / 2.0


def _neighbour_residuals(outcomes: Floats, weights: Floats, near: Neighbourhoods) -> Floats:
    """Return scaled distances of outcomes (m, n) from the weighted mean of their neighbours."""

    def of_others(values: Floats) -> Floats:
        prefix = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(prefix[near.last] - prefix[near.first] - values)

    mass = of_others(weights)
    scale = np.sqrt(mass / (mass + weights))
    centred = outcomes - outcomes.mean(axis=1, keepdims=True)
    means = np.array([of_others(weights * row) for row in centred]) / np.where(mass > 0, mass, 1.0)
    return np.asarray(scale * (centred - means))


def _by_cluster(fits: list[LocalFit], influence: Floats) -> Floats:
    rows = np.concatenate([fit.side.rows[: fit.n] for fit in fits])
    clusters = np.concatenate([fit.side.clusters[: fit.n] for fit in fits if fit.side.clusters is not None])
    totals = grouped_sums(influence[rows], clusters, int(clusters.max()) + 1)
    return np.asarray(totals.T @ totals)
