r"""Variance of weighted sums of outcomes near a cutoff: neighbours, HC and CR residuals.

For an estimate :math:`\sum_i l_i y_i` the variance is :math:`\sum_i l_i^2 \hat\varepsilon_i^2`, or by cluster
:math:`\sum_g (\sum_{i \in g} l_i \hat\varepsilon_i)^2`. Residuals come from the mean of the J nearest rows,

.. math:: \hat\varepsilon_i^2 = \tfrac{J_i}{J_i + 1} (y_i - \bar y_{J(i)})^2,

all rows at the same distance included, or from the local polynomial with its leverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, grouped_sums
from juntos_eval.errors import InferenceError
from juntos_eval.numerics.local_polynomial import LocalFit, Side

__all__ = ["Neighbourhoods", "VarianceRule", "boundary_variance", "neighbour_residuals", "neighbourhoods"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceRule:
    """How residuals are had: ``kind`` nn, hc0 … hc3 or, with clusters, crnn, cr1, cr2, cr3."""

    kind: str = "nn"
    neighbours: int = 3

    @property
    def is_clustered(self) -> bool:
        """Whether rows of a cluster move together."""
        return self.kind.startswith("cr")


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhoods:
    """First and last row (exclusive) of the nearest neighbours of each row, itself included."""

    first: Codes
    last: Codes


def neighbourhoods(values: Floats, count: int) -> Neighbourhoods:
    """Find for each of the sorted values its nearest, at least ``count``, with all ties.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Monotone.
    count : int
        Neighbours asked for; n - 1 where there are fewer.

    Returns
    -------
    Neighbourhoods

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.boundary_variance import neighbourhoods
    >>> found = neighbourhoods(np.array([0.0, 1.0, 2.0, 9.0]), 1)
    >>> found.first.tolist(), found.last.tolist()
    ([0, 0, 1, 2], [2, 3, 3, 4])
    """
    n = len(values)
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    bounds = np.append(starts, n)
    levels, cells = values[starts], np.arange(len(starts))
    low, high = cells.copy(), cells + 1
    enough = min(count, n - 1)
    open_ = np.flatnonzero(bounds[high] - bounds[low] - 1 < enough)
    while len(open_):
        at, down, up = levels[open_], low[open_] - 1, high[open_]
        below = np.where(down >= 0, np.abs(at - levels[np.maximum(down, 0)]), np.inf)
        above = np.where(up < len(levels), np.abs(levels[np.minimum(up, len(levels) - 1)] - at), np.inf)
        low[open_] -= below <= above
        high[open_] += above <= below
        open_ = open_[bounds[high[open_]] - bounds[low[open_]] - 1 < enough]
    sizes = np.diff(bounds)
    return Neighbourhoods(np.repeat(bounds[low], sizes), np.repeat(bounds[high], sizes))


def neighbour_residuals(outcome: Floats, near: Neighbourhoods) -> Floats:
    """Return the scaled distances of outcomes (n,) from the mean of their neighbours."""
    centred = outcome - outcome.mean()
    prefix = np.concatenate([[0.0], np.cumsum(centred)])
    others = near.last - near.first - 1
    mean = (prefix[near.last] - prefix[near.first] - centred) / np.maximum(others, 1)
    return np.asarray(np.sqrt(others / (others + 1.0)) * (centred - mean))


def boundary_variance(
    fit: LocalFit, outcome: Floats, equivalent: Floats, rule: VarianceRule, near: Neighbourhoods | None
) -> float:
    r"""Return the variance of :math:`\sum_i l_i y_i`.

    Parameters
    ----------
    fit : LocalFit
        The polynomial from which HC and CR residuals and leverage are taken.
    outcome, equivalent : numpy.ndarray, shape (n,)
        y and l on the first n rows of the side, at least as many as the fit's.
    rule : VarianceRule
    near : Neighbourhoods, optional
        For ``nn``.

    Returns
    -------
    float
    """
    if rule.kind == "nn" and near is not None:
        return float(np.sum((equivalent * neighbour_residuals(outcome, near)) ** 2))
    if rule.kind == "crnn" and near is not None:
        return _cluster_sums(fit, neighbour_residuals(outcome, near), equivalent)
    n = len(outcome)
    place = fit.place if n == fit.n else 2.0 * fit.side.distance[:n] / fit.bandwidth - 1.0
    residual = outcome - fit.fitted(outcome[: fit.n], place)
    if rule.is_clustered:
        return _clustered(fit, place, residual, equivalent, rule.kind)
    if rule.kind == "hc1":
        residual = residual * np.sqrt(n / (n - fit.order - 1))
    elif rule.kind in {"hc2", "hc3"}:
        leverage = np.zeros(n)
        leverage[: fit.n] = fit.leverage()
        residual = residual / (1.0 - leverage) ** (0.5 if rule.kind == "hc2" else 1.0)
    return float(np.sum((equivalent * residual) ** 2))


def _cluster_sums(fit: LocalFit, residual: Floats, equivalent: Floats) -> float:
    clusters = _clusters(fit.side, len(residual))
    total = np.bincount(clusters, weights=equivalent * residual)
    groups, n = int(np.count_nonzero(np.bincount(clusters))), len(residual)
    factor = groups / max(groups - 1.0, 1.0) * (n - 1.0) / (n - fit.order - 1.0)
    return float(factor * np.sum(total**2))


def _clustered(fit: LocalFit, place: Floats, residual: Floats, equivalent: Floats, kind: str) -> float:
    if kind == "cr1":
        return _cluster_sums(fit, residual, equivalent)
    total = np.bincount(_clusters(fit.side, len(residual)), weights=equivalent * residual)
    return float(np.sum((total + _leverage_terms(fit, place, residual, equivalent, kind)) ** 2))


def _leverage_terms(fit: LocalFit, place: Floats, residual: Floats, equivalent: Floats, kind: str) -> Floats:
    r"""Return :math:`l_g' X_g K_g X_g' W_g e_g`: what dividing by one less the cluster's hat block adds."""
    clusters = _clusters(fit.side, len(residual))
    groups, size = int(clusters.max()) + 1, fit.order + 1
    weights = np.zeros(len(residual))
    weights[: fit.n] = fit.weights
    design = place[:, None] ** np.arange(2 * size - 1)
    moments = grouped_sums(weights[:, None] * design, clusters, groups)
    scores = grouped_sums((weights * residual)[:, None] * design[:, :size], clusters, groups)
    loads = grouped_sums(equivalent[:, None] * design[:, :size], clusters, groups)
    index = np.add.outer(np.arange(size), np.arange(size))
    values, vectors = np.linalg.eigh(fit.inverse)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    share, axes = np.linalg.eigh(root @ moments[:, index] @ root)
    share = np.clip(share, 0.0, 1.0 - 1e-12)
    power = 0.5 if kind == "cr2" else 1.0
    small = share < 1e-8
    change = np.where(small, power, ((1.0 - share) ** -power - 1.0) / np.where(small, 1.0, share))
    left = np.einsum("gi,ij,gjk->gk", loads, root, axes)
    right = np.einsum("gi,ij,gjk->gk", scores, root, axes)
    return np.asarray((left * change * right).sum(axis=1))


def _clusters(side: Side, n: int) -> Codes:
    if side.clusters is None:
        raise InferenceError("a clustered variance was asked for rows without clusters")
    return side.clusters[:n]
