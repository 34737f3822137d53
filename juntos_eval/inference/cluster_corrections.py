r"""Bias-reduced and jackknife clusters, and how many degrees of freedom their standard errors have.

Every correction replaces the residuals of cluster g by :math:`A_g \hat e_g`. With :math:`Z_g` the columns
that the hat matrix of the cluster spans, :math:`A_g' W_g X_g M c = Z_g F_g`, so that all that is needed are
the Gram matrices :math:`Z_g'Z_g`, q by q whatever the size of the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Groups, Linear
from juntos_eval.inference.explicit_effects import ExplicitEffects, explicit_effects
from juntos_eval.numerics.grouped_products import grouped_products

__all__ = ["CorrectedClusters", "Correction", "Working", "corrected_clusters"]

Correction = Literal["none", "CR2", "CR3"]
Working = Literal["identity", "inverse_weights"]
# share of variance that a cluster must leave to others, or it fits itself
SINGULAR = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorrectedClusters:
    r"""What clusters contribute to k values after a correction.

    Under the working model the scores of clusters g and h have the covariance, up to a scale,
    :math:`P^{st}_{gh} = 1[g = h] F_{gs}' Z_g'Z_g F_{gt} - z_{gs}' C z_{ht}`, :math:`z_{gs} = Z_g'Z_g F_{gs}`.

    Attributes
    ----------
    scores : numpy.ndarray, shape (G, k)
        :math:`F_g' Z_g' \hat e_g`.
    own : numpy.ndarray, shape (G, k, k)
        :math:`F_{gs}' Z_g'Z_g F_{gt}`.
    spans : numpy.ndarray, shape (G, q, k)
        :math:`z_{gs}`.
    centre : numpy.ndarray, shape (q, q)
        C.
    """

    scores: Floats
    own: Floats
    spans: Floats
    centre: Floats

    def __post_init__(self) -> None:
        for name in ("scores", "own", "spans", "centre"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def covariance(self) -> Floats:
        """Sum of outer products of scores, (k, k)."""
        return np.asarray(self.scores.T @ self.scores)

    @property
    def expected(self) -> Floats:
        """Expected covariance under the working model, up to its scale, (k, k)."""
        shared = np.einsum("gqs,qr,grt->st", self.spans, self.centre, self.spans)
        return np.asarray(self.own.sum(axis=0) - shared)

    def combine(self, rows: Floats) -> CorrectedClusters:
        """Return the same of linear combinations of the values, by rows (m, k)."""
        return CorrectedClusters(
            scores=self.scores @ rows.T,
            own=rows @ self.own @ rows.T,
            spans=self.spans @ rows.T,
            centre=self.centre,
        )

    def satterthwaite(self) -> Floats:
        r"""Degrees of freedom of each value, :math:`(\sum_g P_{gg})^2 / \sum_{gh} P_{gh}^2`, shape (k,)."""
        spread = np.array([self.squares(s, s, s, s) for s in range(self.scores.shape[1])])
        return np.asarray(np.diag(self.expected) ** 2 / spread)

    def squares(self, s: int, t: int, u: int, v: int) -> float:
        r"""Return :math:`\sum_{gh} P^{st}_{gh} P^{uv}_{gh}`."""
        own_st, own_uv = self.own[:, s, t], self.own[:, u, v]
        middle_st = np.einsum("gq,qr,gr->g", self.spans[:, :, s], self.centre, self.spans[:, :, t])
        middle_uv = np.einsum("gq,qr,gr->g", self.spans[:, :, u], self.centre, self.spans[:, :, v])
        left = self.spans[:, :, s].T @ self.spans[:, :, u]
        right = self.spans[:, :, t].T @ self.spans[:, :, v]
        shared = np.trace(self.centre @ right @ self.centre.T @ left.T)
        return float((own_st * own_uv - own_st * middle_uv - own_uv * middle_st).sum() + shared)


def corrected_clusters(
    linear: Linear, clusters: Groups, correction: Correction, working: Working = "identity"
) -> CorrectedClusters:
    r"""Correct what clusters contribute to the values of a least-squares fit.

    Parameters
    ----------
    linear : Linear
    clusters : Groups
        Each with a row.
    correction : {"none", "CR2", "CR3"}
        :math:`A_g` the identity, :math:`D_g'((I - H)_g \Phi (I - H)_g')^{+1/2} D_g` scaled to the working
        model :math:`\Phi`, or :math:`(I - H_{gg})^{-1}`.
    working : {"identity", "inverse_weights"}
        :math:`\Phi`: all rows have one variance, or one in inverse proportion to their weight. The same
        without weights.

    Returns
    -------
    CorrectedClusters

    Raises
    ------
    InferenceError
        Under CR3 if a value cannot be estimated without one of the clusters.

    References
    ----------
    Bell, R. M., & McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
    multi-stage samples. *Survey Methodology*, 28(2), 169-181. Pustejovsky, J. E., & Tipton, E. (2018).
    Small-sample methods for cluster-robust variance estimation and hypothesis testing in fixed effects
    models. *Journal of Business & Economic Statistics*, 36(4), 672-683. (Equations 6 to 11.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups, Linear
    >>> from juntos_eval.inference.cluster_corrections import corrected_clusters
    >>> mean = Linear(design=np.ones((4, 1)), weights=np.ones(4), residuals=np.array([1.0, 1, -1, -1]),
    ...               bread=np.array([[0.25]]), selection=np.eye(1))
    >>> found = corrected_clusters(mean, Groups([0, 0, 1, 1], ("a", "b")), "CR2")
    >>> found.covariance.round(12).tolist(), found.satterthwaite().round(12).tolist()
    ([[1.0]], [1.0])
    """
    weights = linear.weights
    if working == "inverse_weights" or (weights == weights[0]).all():
        return _symmetric(explicit_effects(linear, clusters.codes), clusters, correction)
    model = explicit_effects(linear, clusters.codes)
    if model.within is not None and not _constant_within(weights, model.within.codes):
        # the hat matrix of an absorbed factor is symmetric only where its rows weigh the same
        model = explicit_effects(linear, clusters.codes, all_dummies=True)
    return _weighted(model, clusters, correction)


def _constant_within(weights: Floats, codes: Codes) -> bool:
    first = np.zeros(int(codes.max()) + 1)
    first[codes] = weights
    return bool((first[codes] == weights).all())


def _symmetric(model: ExplicitEffects, clusters: Groups, correction: Correction) -> CorrectedClusters:
    """Correct where rows times root of weight have one variance: Z = X, C = M."""
    root = np.sqrt(model.weights)
    x, e = model.design * root[:, None], model.residuals * root
    grams = grouped_products(x, x, clusters.codes, clusters.count)
    totals = grouped_products(x, e[:, None], clusters.codes, clusters.count)
    loadings = _loadings(model, grams, clusters, correction)
    return _assembled(loadings, grams, totals, model.bread)


def _loadings(model: ExplicitEffects, grams: Floats, clusters: Groups, correction: Correction) -> Floats:
    r"""Return :math:`M^{1/2} f(\Lambda_g) M^{1/2} c'`, (G, q, k), f of the hat matrix's eigenvalues."""
    half = _half(model.bread)
    if correction == "none":
        return np.broadcast_to(model.bread @ model.selection.T, (len(grams), *model.selection.T.shape))
    roots, vectors = np.linalg.eigh(half.T @ grams @ half)
    turned = np.swapaxes(vectors, 1, 2) @ (half.T @ model.selection.T)
    left = 1.0 - roots
    alone = left < SINGULAR
    if correction == "CR3":
        _refuse_indispensable(turned, alone, clusters)
    power = -0.5 if correction == "CR2" else -1.0
    factor = np.where(alone, 0.0, np.where(alone, 1.0, left) ** power)
    return np.asarray(half @ vectors @ (factor[:, :, None] * turned))


def _weighted(model: ExplicitEffects, clusters: Groups, correction: Correction) -> CorrectedClusters:
    """Correct where rows have one variance whatever their weight: Z = (X, WX)."""
    weights = model.weights[:, None]
    Z = np.hstack([model.design, model.design * weights])
    grams = grouped_products(Z, Z, clusters.codes, clusters.count)
    totals = grouped_products(Z, model.residuals[:, None], clusters.codes, clusters.count)
    q, M = model.design.shape[1], model.bread
    Q = grams[:, q:, q:].sum(axis=0)
    centre = np.block([[-M @ Q @ M, M], [M, np.zeros((q, q))]])
    plain = "none" if correction == "CR2" else correction
    lower = _loadings(model, grams[:, :q, q:], clusters, plain)
    loadings = np.concatenate([np.zeros_like(lower), lower], axis=1)
    if correction == "CR2":
        loadings = _square_root(grams, centre) @ loadings
    return _assembled(loadings, grams, totals, centre)


def _square_root(grams: Floats, centre: Floats) -> Floats:
    r"""Return, by cluster, the matrix that makes b F, where :math:`(I - Z C Z')^{+1/2} Z b = Z F`."""
    g, V = np.linalg.eigh(grams)
    kept = g > 1e-13 * g[:, -1:]
    root = np.sqrt(np.where(kept, g, 0.0))
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=kept)
    turned = root[:, :, None] * (np.swapaxes(V, 1, 2) @ centre @ V) * root[:, None, :]
    values, turns = np.linalg.eigh(turned)
    left = 1.0 - values
    factor = np.where(left < SINGULAR, 0.0, np.where(left < SINGULAR, 1.0, left) ** -0.5)
    right = np.swapaxes(turns, 1, 2) * root[:, None, :]
    return np.asarray((V * inverse[:, None, :]) @ turns @ (factor[:, :, None] * right) @ np.swapaxes(V, 1, 2))


def _assembled(loadings: Floats, grams: Floats, totals: Floats, centre: Floats) -> CorrectedClusters:
    spans = grams @ loadings
    return CorrectedClusters(
        scores=np.einsum("gqk,gq->gk", loadings, totals[:, :, 0]),
        own=np.swapaxes(loadings, 1, 2) @ spans,
        spans=spans,
        centre=centre,
    )


def _half(matrix: Floats) -> Floats:
    roots, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(roots, 0.0)))


def _refuse_indispensable(turned: Floats, alone: Bools, clusters: Groups) -> None:
    """Refuse values that hang on what one cluster alone shows."""
    part = np.abs(turned) * alone[:, :, None]
    wrong = part.max(axis=(1, 2)) > 1e-6 * np.abs(turned).max()
    if wrong.any():
        named = ", ".join(repr(clusters.levels[group]) for group in np.flatnonzero(wrong)[:5])
        raise InferenceError(
            "the jackknife cannot leave out a cluster without which a value cannot be estimated",
            where=f"{int(wrong.sum())} of {clusters.count} clusters: {named}",
            remedy="choose kind='CR2', a wild bootstrap, or randomization inference",
        )
