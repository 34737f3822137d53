r"""Absorbed effects brought back where inference needs the whole hat matrix, and only as far as it does.

The columns of a design from which effects were taken out span, together with the dummies of those
effects, what the full regression spans. Leverage, CR2, CR3 and the wild bootstrap need the hat matrix of
the full regression, within clusters at least. One factor can stay absorbed: its part of the hat matrix is
known in closed form. The others become dummies again, with the first one taken out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Codes, Floats, frozen, grouped_sums
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Groups, Linear
from juntos_eval.inference.small_sample import is_nested
from juntos_eval.numerics.least_squares import independent_columns

__all__ = ["ExplicitEffects", "explicit_effects"]

# entries of dummies above which they are refused: 800 MB
LIMIT = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplicitEffects:
    r"""A regression in which at most one absorbed factor is left, the hat matrix of which is known.

    Attributes
    ----------
    design : numpy.ndarray, shape (n, q)
        The design of the fit, then dummies; the factor ``within`` is taken out of all of them.
    weights, residuals : numpy.ndarray, shape (n,)
    bread : numpy.ndarray, shape (q, q)
        :math:`(X'WX)^{-1}`.
    selection : numpy.ndarray, shape (k, q)
        Zero for the dummies.
    within : Groups or None
        The factor that stayed absorbed.
    """

    design: Floats
    weights: Floats
    residuals: Floats
    bread: Floats
    selection: Floats
    within: Groups | None

    def __post_init__(self) -> None:
        for name in ("design", "weights", "residuals", "bread", "selection"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def leverage(self) -> Floats:
        """Diagonal of the hat matrix of the full regression, shape (n,)."""
        found = self.weights * np.einsum("ij,ij->i", self.design @ self.bread, self.design)
        if self.within is not None:
            codes = self.within.codes
            found += self.weights / np.bincount(codes, weights=self.weights)[codes]
        return np.asarray(found)


def explicit_effects(
    linear: Linear, nested_in: Codes | None = None, *, all_dummies: bool = False
) -> ExplicitEffects:
    """Bring absorbed effects back, all but one at most.

    Parameters
    ----------
    linear : Linear
    nested_in : numpy.ndarray of int64, shape (n,), optional
        Clusters: only a factor that is nested in them may stay absorbed. By default any may.
    all_dummies : bool
        Leave none absorbed.

    Returns
    -------
    ExplicitEffects

    Raises
    ------
    InferenceError
        If that needs more dummies than memory should hold.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups, Linear
    >>> from juntos_eval.inference.explicit_effects import explicit_effects
    >>> slope = np.array([[-0.5], [0.5], [-1.0], [1.0]])
    >>> villages = Groups([0, 0, 1, 1], ("a", "b"))
    >>> linear = Linear(design=slope, weights=np.ones(4), residuals=np.zeros(4), bread=np.array([[0.4]]),
    ...                 selection=np.eye(1), absorbed=(villages,), absorbed_rank=2)
    >>> explicit_effects(linear).leverage.round(12).tolist()
    [0.6, 0.6, 0.9, 0.9]
    """
    absorbed = [_compact(factor) for factor in linear.absorbed]
    within = None if all_dummies else _largest_nested(absorbed, nested_in)
    others = [
        factor
        for factor in absorbed
        # the dummies of a factor are sums of those of one that is nested in it
        if factor is not within and (within is None or not is_nested(within.codes, factor.codes))
    ]
    design, bread = linear.design, linear.bread
    if others:
        dummies = _dummies(linear, others, within)
        gram = dummies.T @ (dummies * linear.weights[:, None])
        # the design is orthogonal to what was absorbed, so the inverse is in two blocks
        bread = linalg.block_diag(bread, linalg.inv(gram, check_finite=False))
        design = np.column_stack([design, dummies])
    padding = design.shape[1] - linear.selection.shape[1]
    return ExplicitEffects(
        design=design,
        weights=linear.weights,
        residuals=linear.residuals,
        bread=bread,
        selection=np.pad(linear.selection, ((0, 0), (0, padding))),
        within=within,
    )


def _compact(factor: Groups) -> Groups:
    seen, codes = np.unique(factor.codes, return_inverse=True)
    if len(seen) == factor.count:
        return factor
    return Groups(codes.astype(np.int64), tuple(factor.levels[code] for code in seen))


def _largest_nested(absorbed: Sequence[Groups], nested_in: Codes | None) -> Groups | None:
    allowed = [f for f in absorbed if nested_in is None or is_nested(f.codes, nested_in)]
    return max(allowed, key=lambda factor: factor.count, default=None)


def _dummies(linear: Linear, factors: Sequence[Groups], within: Groups | None) -> Floats:
    rows, columns = len(linear.weights), sum(factor.count for factor in factors)
    if rows * columns > LIMIT:
        raise InferenceError(
            "this inference needs the absorbed effects as dummies, and they are too many",
            where=f"{columns:,} dummies on {rows:,} rows",
            remedy="cluster by a column in which the largest factor is nested, or choose CR1S or HC1",
        )
    dummies = np.hstack([np.eye(factor.count)[factor.codes] for factor in factors])
    if within is not None:
        total = np.bincount(within.codes, weights=linear.weights)
        means = grouped_sums(dummies * linear.weights[:, None], within.codes, within.count) / total[:, None]
        dummies = dummies - means[within.codes]
    return np.asarray(dummies[:, independent_columns(dummies * np.sqrt(linear.weights)[:, None])])
