"""Influence of a regression as what it is made of: no matrix of rows by values is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.estimate.combination import combined

__all__ = ["ScoreInfluence"]

# entries of the matrix up to which sums are combined one by one, without a product and its threads
_SMALL = 16


@dataclass(frozen=True, slots=True, eq=False)
class ScoreInfluence:
    r"""Influence :math:`\hat\psi_i = A\, s_i x_i` of values that are linear in least-squares scores.

    Attributes
    ----------
    design : numpy.ndarray, shape (n, p)
        :math:`x_i`.
    scale : numpy.ndarray, shape (n,)
        :math:`s_i`: weight times residual.
    matrix : numpy.ndarray, shape (k, p)
        :math:`A`: selection times bread.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.panel.score_influence import ScoreInfluence
    >>> influence = ScoreInfluence(np.ones((2, 1)), np.array([1.0, -1.0]), np.array([[0.5]]))
    >>> influence.dense().ravel().tolist(), influence.covariance().item()
    ([0.5, -0.5], 0.5)
    """

    design: Floats
    scale: Floats
    matrix: Floats

    def __post_init__(self) -> None:
        for name in ("design", "scale", "matrix"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def rows(self) -> int:
        """Rows n."""
        return len(self.scale)

    @property
    def columns(self) -> int:
        """Values k."""
        return len(self.matrix)

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group, (groups, k)."""
        sums = np.empty((groups, self.design.shape[1]), order="F")
        for position, column in enumerate(self.design.T):
            sums[:, position] = np.bincount(codes, weights=column * self.scale, minlength=groups)
        if self.matrix.size > _SMALL:
            return np.asarray(sums @ self.matrix.T)
        return np.column_stack([sum(sums[:, j] * row[j] for j in range(len(row))) for row in self.matrix])

    def covariance(self) -> Floats:
        """Sum of outer products, (k, k)."""
        meat = np.zeros((self.design.shape[1],) * 2)
        for start in range(0, self.rows, 32_768):
            rows = slice(start, start + 32_768)
            scores = self.design[rows] * self.scale[rows, None]
            meat += scores.T @ scores
        return np.asarray(self.matrix @ meat @ self.matrix.T)

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of influence times multipliers, (draws, k)."""
        return np.asarray((multipliers * self.scale) @ self.design @ self.matrix.T)

    def combine(self, weights: Floats) -> ScoreInfluence:
        """Influence of linear combinations."""
        matrix = combined(self.matrix.T, np.asarray(weights, dtype=np.float64)).T
        return ScoreInfluence(self.design, self.scale, matrix)

    def dense(self) -> Floats:
        """Return the (n, k) matrix."""
        return np.asarray((self.design @ self.matrix.T) * self.scale[:, None])
