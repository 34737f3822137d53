"""Influence of a regression as what it is made of: no matrix of rows by values is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.estimate.combination import combined

__all__ = ["ScoreInfluence"]

# entries of the matrix up to which sums are combined one by one, without a product and its threads
_SMALL = 16
# columns from which it pays to look whether rows stand by group
_WORTH = 3


def _times(sums: Floats, matrix: Floats) -> Floats:
    """Return S A', in the memory of S where A is square, by stretches that stay in the cache."""
    if len(matrix) != matrix.shape[1]:
        return np.asarray(sums @ matrix.T)
    for start in range(0, len(sums), 1024):
        rows = slice(start, start + 1024)
        sums[rows] = sums[rows] @ matrix.T
    return sums


def _starts(codes: Codes, groups: int) -> Codes | None:
    """Return the first row of each group, where rows stand in the order of the groups and each has one."""
    # most that do not stand so show it soon
    for steps in (np.diff(codes[:4096]), np.diff(codes)):
        if not len(steps) or steps.min() < 0 or steps.max() > 1:
            return None
    if codes[0] != 0 or codes[-1] != groups - 1:
        return None
    return np.concatenate([[0], np.flatnonzero(steps) + 1])


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
        sums, scores = np.empty((groups, self.design.shape[1]), order="F"), np.empty(self.rows)
        starts = _starts(codes, groups) if self.design.shape[1] > _WORTH else None
        for position, column in enumerate(self.design.T):
            np.multiply(column, self.scale, out=scores)
            if starts is None:
                sums[:, position] = np.bincount(codes, weights=scores, minlength=groups)
            else:
                np.add.reduceat(scores, starts, out=sums[:, position])
        if self.matrix.size > _SMALL:
            return _times(sums, self.matrix)
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
