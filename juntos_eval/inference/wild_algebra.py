r"""A wild cluster bootstrap of least squares without a second look at the rows (Roodman et al. 2019).

All that draws need are, of each cluster g, the scores :math:`T_g = X_g'W_g u_g` of the residuals that are
drawn and the Gram matrix :math:`S_g = X_g'W_g X_g`. With weights v, coefficients move by :math:`M \sum_g
v_g T_g`, and the score of cluster h in the drawn sample is :math:`v_h T_h - S_h M \sum_g v_g T_g`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Groups, Linear
from juntos_eval.inference.cluster_ways import Crossing
from juntos_eval.inference.explicit_effects import ExplicitEffects, explicit_effects
from juntos_eval.numerics.grouped_products import grouped_products

__all__ = ["Restricted", "ScoreMap", "Variant", "WildModel", "compressed", "wild_model"]

Variant = Literal["11", "13", "31", "33"]
# eigenvalues of a Gram matrix relative to the largest, below which a direction is not there
SINGULAR = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreMap:
    """From weights (G, draws) to scores (m, draws) whose squares, times the factor, add to a variance.

    ``own * v - left @ right' v`` with ``own`` of one number a cluster, or ``own @ v`` with a matrix.
    """

    factor: float
    own: Floats
    left: Floats | None = None
    right: Floats | None = None

    def __call__(self, weights: Floats) -> Floats:
        """Return the scores of draws."""
        if self.left is None or self.right is None:
            return np.asarray(self.own @ weights)
        return np.asarray(self.own[:, None] * weights - self.left @ (self.right.T @ weights))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WildModel:
    """The regression, the clusters that weights are drawn for, and those that the variance is summed over."""

    model: ExplicitEffects
    clusters: Groups
    terms: tuple[tuple[float, Codes, int], ...]  # factor with its sign, codes, number of clusters
    grams: Floats
    totals: Floats
    variant: Variant
    own_variance: bool  # of the clusters that weights are drawn for, and of no others

    def restricted(self, rows: Floats, impose_null: bool) -> Restricted:
        """Return the bootstrap of R β for rows R (q, k) of the fit's values."""
        return Restricted(of=self, rows=rows @ self.model.selection, impose_null=impose_null)

    def left_out(self, basis: Floats) -> Floats:
        r"""Return :math:`N (N'(M^{-1} - S_g)N)^+ N'` of each cluster, (G, q, q): the bread without it."""
        inside = basis.T @ (linalg.inv(self.model.bread) - self.grams) @ basis
        roots, vectors = np.linalg.eigh(inside)
        kept = roots > SINGULAR * roots[:, -1:]
        inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=kept)
        turned = basis @ vectors
        return np.asarray((turned * inverse[:, None, :]) @ np.swapaxes(turned, 1, 2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restricted:
    r"""Restrictions :math:`R\beta = r` on a model; ``gap`` is :math:`R\hat\beta - r`."""

    of: WildModel
    rows: Floats
    impose_null: bool

    def maps(self, shift: Floats | None = None) -> tuple[Floats, list[tuple[ScoreMap, ...]]]:
        r"""Return numerators (q, G) and score maps by restriction.

        Parameters
        ----------
        shift : numpy.ndarray, shape (q,), optional
            Of the residuals of the shift :math:`X M R'(R M R')^{-1}` times it, instead of those of the fit:
            residuals under the null are the sum of both, with the gap for a shift.
        """
        of, model = self.of, self.of.model
        loadings = model.bread @ self.rows.T
        if shift is None:
            totals, residuals = of.totals, model.residuals
        else:
            direction = loadings @ linalg.solve(self.rows @ loadings, shift, assume_a="pos")
            totals, residuals = of.grams @ direction, model.design @ direction
        if of.variant[0] == "3":
            totals = totals + np.einsum("gpq,gqr,gr->gp", of.grams, of.left_out(self._free()), totals)
        maps = [self._of_row(row, totals, residuals) for row in range(len(self.rows))]
        return np.asarray(loadings.T @ totals.T), maps

    def _free(self) -> Floats:
        """Return a basis of the coefficients that the null leaves free; without a null, of all."""
        if not self.impose_null:
            return np.eye(self.rows.shape[1])
        return np.asarray(linalg.null_space(self.rows))

    def _of_row(self, number: int, totals: Floats, residuals: Floats) -> tuple[ScoreMap, ...]:
        of, M = self.of, self.of.model.bread
        loading = M @ self.rows[number]
        if of.variant[1] == "3":
            without = of.left_out(np.eye(len(M))) @ self.rows[number]
            own = -np.einsum("gp,gp->g", without, totals)
            return (ScoreMap(factor=of.terms[0][0], own=own, left=loading - without, right=totals),)
        if of.own_variance:
            left = (of.grams @ loading) @ M
            return (ScoreMap(factor=of.terms[0][0], own=totals @ loading, left=left, right=totals),)
        return tuple(self._crossed(term, loading, totals, residuals) for term in of.terms)

    def _crossed(
        self, term: tuple[float, Codes, int], loading: Floats, totals: Floats, residuals: Floats
    ) -> ScoreMap:
        """Return the scores of clusters that others than theirs draw weights for."""
        factor, codes, count = term
        model, clusters = self.of.model, self.of.clusters
        weighted = model.weights * (model.design @ loading)
        spans = grouped_products(model.design, weighted[:, None], codes, count)[:, :, 0]
        joint = np.bincount(
            codes * clusters.count + clusters.codes,
            weights=weighted * residuals,
            minlength=count * clusters.count,
        )
        own = joint.reshape(count, clusters.count) - spans @ model.bread @ totals.T
        return ScoreMap(factor=factor, own=own)


def compressed(maps: Sequence[ScoreMap]) -> list[ScoreMap]:
    """Return maps of one term with as few rows as keep all products between their scores.

    Parameters
    ----------
    maps : sequence of ScoreMap

    Returns
    -------
    list of ScoreMap
        The same ones, unless they are matrices with more rows than columns together.
    """
    widths = [part.own.shape[1] for part in maps if part.own.ndim == 2]
    if len(widths) < len(maps) or len(maps[0].own) <= sum(widths):
        return list(maps)
    triangle = np.linalg.qr(np.hstack([part.own for part in maps]), mode="r")
    parts = np.split(triangle, np.cumsum(widths)[:-1], axis=1)
    return [ScoreMap(factor=part.factor, own=own) for part, own in zip(maps, parts, strict=True)]


def wild_model(
    linear: Linear, clusters: Groups, terms: Sequence[Crossing], factors: Sequence[float], variant: Variant
) -> WildModel:
    """Sum what a bootstrap needs over clusters, in one pass over the rows.

    Parameters
    ----------
    linear : Linear
    clusters : Groups
        Those that weights are drawn for.
    terms : sequence of (sign, codes, count)
        Of the variance.
    factors : sequence of float
        Small-sample factor of each term.
    variant : {"11", "13", "31", "33"}

    Raises
    ------
    InferenceError
        For a jackknife variant where weights are drawn for other clusters than the variance's.
    """
    own_variance = len(terms) == 1 and bool((terms[0][1] == clusters.codes).all())
    if variant != "11" and not own_variance:
        raise InferenceError(
            "the jackknife variants of the wild bootstrap are for one column of clusters",
            where=f"variant={variant!r}, weights and variance by other clusters",
            remedy="choose variant='11'",
        )
    model = explicit_effects(linear, clusters.codes)
    both = np.column_stack([model.design, model.residuals]) * model.weights[:, None]
    sums = grouped_products(model.design, both, clusters.codes, clusters.count)
    return WildModel(
        model=model,
        clusters=clusters,
        terms=tuple(
            (sign * factor, codes, count) for (sign, codes, count), factor in zip(terms, factors, strict=True)
        ),
        grams=np.ascontiguousarray(sums[:, :, :-1]),
        totals=np.ascontiguousarray(sums[:, :, -1]),
        variant=variant,
        own_variance=own_variance,
    )
