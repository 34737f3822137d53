"""Wald tests of linear restrictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.numerics.distributions import f_tail

__all__ = ["WaldTest", "wald_test"]


@dataclass(frozen=True, slots=True)
class WaldTest:
    """Outcome of a Wald test.

    Attributes
    ----------
    statistic : float
        F form: the quadratic form divided by ``df``.
    df : int
        Rank of the restrictions.
    df_denominator : float
        Infinity: the statistic times ``df`` is chi-squared.
    p_value : float

    Examples
    --------
    >>> from juntos_eval.numerics.wald import WaldTest
    >>> WaldTest(statistic=4.0, df=1, df_denominator=float("inf"), p_value=0.0455).df
    1
    """

    statistic: float
    df: int
    df_denominator: float
    p_value: float


def wald_test(values: Floats, covariance: Floats, df: float, restrictions: Floats, null: Floats) -> WaldTest:
    r"""Test :math:`R\theta = r`.

    .. math:: F = \frac{(R\hat\theta - r)' (R V R')^{-} (R\hat\theta - r)}{\operatorname{rank}(R V R')}

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
    covariance : numpy.ndarray, shape (k, k)
    df : float
        Denominator degrees of freedom; infinity gives the chi-squared test.
    restrictions : numpy.ndarray, shape (q, k)
    null : numpy.ndarray, shape (q,)

    Returns
    -------
    WaldTest

    Raises
    ------
    InferenceError
        If shapes disagree, the covariance is not known, or the restrictions contradict each other
        (redundant rows of R with different r).

    Examples
    --------
    >>> import numpy as np
    >>> round(wald_test(np.array([2.0]), np.eye(1), np.inf, np.eye(1), np.zeros(1)).p_value, 4)
    0.0455
    """
    if restrictions.shape != (len(null), len(values)):
        raise InferenceError(
            "restrictions and values of a Wald test do not fit",
            where=f"R {restrictions.shape}, {len(null)} targets, {len(values)} values",
            remedy="give R with one column for each value and one target for each row",
        )
    gap = restrictions @ values - null
    spread = restrictions @ covariance @ restrictions.T
    if not (np.isfinite(gap).all() and np.isfinite(spread).all()):
        raise InferenceError(
            "a Wald test needs values and a covariance that are known",
            where="NaN among them",
            remedy="test only rows with a standard error",
        )
    # scaled to correlations, so that the rank does not hang on the units of the outcomes
    scale = np.sqrt(np.diag(spread))
    scale = np.where(scale > 0, scale, 1.0)
    correlation = spread / np.outer(scale, scale)
    roots, vectors = np.linalg.eigh(correlation)
    kept = roots > 1e-10 * max(1.0, float(roots.max()))
    rank = int(kept.sum())
    turned = vectors.T @ (gap / scale)
    if rank == 0 or np.abs(turned[~kept]).max(initial=0.0) > 1e-6 * max(1.0, float(np.abs(turned).max())):
        raise InferenceError(
            "the restrictions of a Wald test have no variance, or contradict each other",
            where=f"rank {rank} of {len(null)}",
            remedy="drop redundant rows of R",
        )
    statistic = float((turned[kept] ** 2 / roots[kept]).sum()) / rank
    return WaldTest(statistic, rank, float(df), f_tail(statistic, rank, df))
