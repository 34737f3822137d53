"""Tests of several restrictions with few clusters, where F with G - 1 degrees rejects too often."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_corrections import CorrectedClusters
from juntos_eval.numerics.distributions import chi_squared_tail, f_tail
from juntos_eval.numerics.wald import WaldTest

__all__ = ["cluster_wald"]

Reference = Literal["HTZ", "EDF", "chi-sq"]


def cluster_wald(
    estimate: Estimate,
    inference: Cluster,
    restrictions: ArrayLike | None = None,
    null: ArrayLike | None = None,
    *,
    test: Reference = "HTZ",
) -> WaldTest:
    r"""Test :math:`R\theta = r` with clusters, held against what few clusters give under the working model.

    With :math:`Q = (R\hat\theta - r)'(R \hat V R')^{-1}(R\hat\theta - r)` and
    :math:`D = \Omega^{-1/2} R \hat V R' \Omega^{-1/2}`, :math:`\Omega = E[R \hat V R']`,

    .. math:: \eta = \frac{q(q+1)}{\sum_{s,t} \operatorname{Var}(D_{st})}, \qquad
              \frac{\eta - q + 1}{\eta q} Q \sim F(q, \eta - q + 1)

    for ``HTZ``, the approximate Hotelling's T² of Tipton & Pustejovsky (2015), who found it to hold its
    size best. ``EDF`` matches mean and variance of Q as if the eigenvalues of D were of independent
    chi-squared values (Fai & Cornelius 1996); ``chi-sq`` is for many clusters.

    Parameters
    ----------
    estimate : Estimate
        Of least squares, with its fit; it must carry the cluster column.
    inference : Cluster
        Of one column; ``CR2`` is the one that the test was made for.
    restrictions : array_like, shape (q, k), optional
        R; by default the identity.
    null : array_like, shape (q,), optional
        r; by default zero.
    test : {"HTZ", "EDF", "chi-sq"}

    Returns
    -------
    WaldTest
        ``statistic`` is the F form, :math:`\frac{\eta - q + 1}{\eta q} Q` under HTZ; ``df_denominator`` its
        degrees of freedom.

    Raises
    ------
    InferenceError
        If the estimate has no least-squares fit, R does not fit the values or has no full rank, or the
        clusters are too few for q restrictions.

    References
    ----------
    Tipton, E., & Pustejovsky, J. E. (2015). Small-sample adjustments for tests of moderators and model fit
    using robust variance estimation in meta-regression. *Journal of Educational and Behavioral Statistics*,
    40(6), 604-634. Pustejovsky, J. E., & Tipton, E. (2018). Small-sample methods for cluster-robust
    variance estimation and hypothesis testing in fixed effects models. *Journal of Business & Economic
    Statistics*, 36(4), 672-683. (Section 3.2.) Fai, A. H.-T., & Cornelius, P. L. (1996). Approximate
    F-tests of multiple degree of freedom hypotheses in generalized least squares analyses of unbalanced
    split-plot experiments. *Journal of Statistical Computation and Simulation*, 54(4), 363-378.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from juntos_eval.estimators.means import MeanDifference
    >>> from juntos_eval.inference.cluster import Cluster
    >>> from juntos_eval.inference.cluster_wald import cluster_wald
    >>> village = np.repeat(np.arange(10), 6)
    >>> frame = pd.DataFrame({"village": village, "treated": village % 2, "y": np.sin(np.arange(60.0))})
    >>> gap = MeanDifference(outcome="y", treatment="treated").fit(frame, carry=("village",))
    >>> round(cluster_wald(gap, Cluster("village", kind="CR2")).df_denominator, 6)
    8.0
    """
    if test not in get_args(Reference):
        raise InferenceError(
            f"there is no test {test!r} of clusters",
            where="cluster_wald(test=…)",
            remedy=f"choose one of {', '.join(get_args(Reference))}",
        )
    rows, gap = _restrictions(estimate, restrictions, null)
    covariance, clusters = _of_clusters(estimate, inference)
    spread = rows @ covariance @ rows.T
    q = len(rows)
    quadratic = float(gap @ linalg.solve(spread, gap, assume_a="pos"))
    if test == "chi-sq":
        return WaldTest(quadratic / q, q, np.inf, chi_squared_tail(quadratic, q))
    scale, df = (_hotelling if test == "HTZ" else _moments)(clusters.combine(rows), q)
    return WaldTest(scale * quadratic / q, q, df, f_tail(scale * quadratic / q, q, df))


def _restrictions(
    estimate: Estimate, restrictions: ArrayLike | None, null: ArrayLike | None
) -> tuple[Floats, Floats]:
    k = len(estimate.values)
    rows = np.atleast_2d(np.eye(k) if restrictions is None else np.asarray(restrictions, dtype=np.float64))
    target = np.zeros(len(rows)) if null is None else np.atleast_1d(np.asarray(null, dtype=np.float64))
    fits = rows.shape == (len(target), k) and np.isfinite(rows).all() and np.isfinite(target).all()
    if not fits or np.linalg.matrix_rank(rows) < len(rows):
        raise InferenceError(
            "the restrictions of a test do not fit the values, or say a thing twice",
            where=f"R {rows.shape}, {len(target)} targets, {k} values",
            remedy="give R with one column for each value, independent rows, and one target for each row",
        )
    return rows, rows @ estimate.values - target


def _of_clusters(estimate: Estimate, inference: Cluster) -> tuple[Floats, CorrectedClusters]:
    if estimate.fit is None:
        raise InferenceError(
            "an estimate without its fit cannot be tested with another inference",
            where=estimate.title,
            remedy="fit it again",
        )
    return inference.infer(estimate.fit).covariance, inference.corrected(estimate.fit)


def _hotelling(clusters: CorrectedClusters, q: int) -> tuple[float, float]:
    """Return what Q/q is multiplied by and the degrees of freedom of the F that it then has."""
    turned = clusters.combine(_inverse_root(clusters.expected))
    total = sum(turned.squares(s, s, t, t) + turned.squares(s, t, t, s) for s in range(q) for t in range(q))
    eta = q * (q + 1) / total
    if eta <= q - 1:
        raise InferenceError(
            "there are too few clusters for so many restrictions",
            where=f"{q} restrictions, {len(clusters.scores)} clusters, {eta:.3g} degrees of freedom",
            remedy="test fewer restrictions at once, or use a wild bootstrap",
        )
    return (eta - q + 1) / eta, eta - q + 1


def _moments(clusters: CorrectedClusters, q: int) -> tuple[float, float]:
    root = _inverse_root(clusters.expected)
    _, vectors = np.linalg.eigh(root @ clusters.covariance @ root)
    turned = clusters.combine(vectors.T @ root)
    freedom = np.array([1.0 / turned.squares(s, s, s, s) for s in range(q)])
    if freedom.min() <= 4.0:
        raise InferenceError(
            "the EDF test needs more than four degrees of freedom in every direction",
            where=f"{len(clusters.scores)} clusters, {freedom.min():.3g} degrees of freedom",
            remedy="choose test='HTZ'",
        )
    mean = float((freedom / (freedom - 2.0)).sum())
    variance = float((2.0 * freedom**2 * (freedom - 1.0) / (freedom - 2.0) ** 2 / (freedom - 4.0)).sum())
    ratio = q * variance / (2.0 * mean**2)
    df = (4.0 * ratio + q - 2.0) / (ratio - 1.0)
    return q * df / (df - 2.0) / mean, df


def _inverse_root(matrix: Floats) -> Floats:
    roots, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors / np.sqrt(roots)) @ vectors.T)
