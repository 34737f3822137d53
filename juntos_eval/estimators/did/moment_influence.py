"""Influence that is linear in a unit's outcomes, known by the moments of groups of units alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import InferenceError
from juntos_eval.estimate.combination import combined

__all__ = ["MomentInfluence"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MomentInfluence:
    r"""Influence :math:`\psi_i = C_{g(i)}' z_i` of units whose rows are not in memory.

    Attributes
    ----------
    units : int
        n.
    second : numpy.ndarray, shape (G, q, q)
        :math:`\sum_{i \in g} z_i z_i'`.
    coefficients : numpy.ndarray, shape (G, q, k)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.moment_influence import MomentInfluence
    >>> influence = MomentInfluence(units=2, second=np.array([[[2.0]]]), coefficients=np.array([[[3.0]]]))
    >>> influence.covariance().tolist()
    [[18.0]]
    """

    units: int
    second: Floats
    coefficients: Floats

    def __post_init__(self) -> None:
        for name in ("second", "coefficients"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def rows(self) -> int:
        """Units n."""
        return self.units

    @property
    def columns(self) -> int:
        """Values k."""
        return int(self.coefficients.shape[2])

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        return np.asarray(
            np.einsum("gqa,gqr,grb->ab", self.coefficients, self.second, self.coefficients, optimize=True)
        )

    def combine(self, weights: Floats) -> MomentInfluence:
        """Influence of linear combinations."""
        matrix = np.asarray(weights, dtype=np.float64)
        groups, size, values = self.coefficients.shape
        flat = combined(self.coefficients.reshape(groups * size, values), matrix)
        return replace(self, coefficients=flat.reshape(groups, size, len(matrix)))

    def plus(self, other: MomentInfluence) -> MomentInfluence:
        """Return the influence of sums of values."""
        return replace(self, coefficients=self.coefficients + other.coefficients)

    def totals(self, codes: Codes, groups: int) -> Floats:  # noqa: ARG002 - as every influence
        """Refuse: rows are not in memory."""
        raise _no_rows()

    def weighted_sums(self, multipliers: Floats) -> Floats:  # noqa: ARG002 - as every influence
        """Refuse: rows are not in memory."""
        raise _no_rows()

    def dense(self) -> Floats:
        """Refuse: rows are not in memory."""
        raise _no_rows()


def _no_rows() -> InferenceError:
    return InferenceError(
        "an estimate from sums has no rows to infer from",
        where="fit_at_scale",
        remedy="name the cluster when it is fitted, or estimate in memory",
    )
