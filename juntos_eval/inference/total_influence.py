"""Influence of a total: what a row contributes is measured from what others contribute, not from zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.estimate import Influence

__all__ = ["TotalInfluence", "contributions_of"]


@dataclass(frozen=True, slots=True, eq=False)
class TotalInfluence:
    r"""Contributions :math:`z_i = w_i y_i` to a total :math:`\hat T = \sum_i z_i`, centred as units are.

    A total of G independent units has the variance :math:`G/(G-1) \sum_g (z_g - \hat T/G)^2`: the mean is
    taken over the units, be they rows or clusters, so influence of rows :math:`z_i - \hat T/n` cannot be
    summed to clusters of unequal size. ``totals`` therefore centres sums of groups at the mean of groups.
    Inference with strata centres within each stratum and takes ``contributions`` itself.

    Attributes
    ----------
    contributions : Influence
        (n, k), not centred.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence
    >>> from juntos_eval.inference.total_influence import TotalInfluence
    >>> influence = TotalInfluence(DenseInfluence(np.array([[1.0], [2.0], [3.0]])))
    >>> influence.dense().ravel().tolist(), influence.totals(np.array([0, 0, 1]), 2).ravel().tolist()
    ([-1.0, 0.0, 1.0], [0.0, 0.0])
    """

    contributions: Influence

    @property
    def rows(self) -> int:
        """Rows n."""
        return self.contributions.rows

    @property
    def columns(self) -> int:
        """Values k."""
        return self.contributions.columns

    def totals(self, codes: Codes, groups: int) -> Floats:
        """Sum by group less the mean of the groups that have a row, (groups, k)."""
        sums = self.contributions.totals(codes, groups)
        occupied = np.bincount(codes, minlength=groups) > 0
        sums[occupied] -= sums.sum(axis=0) / occupied.sum()
        return sums

    def covariance(self) -> Floats:
        """Sum of outer products of centred rows, (k, k)."""
        total = self._total()
        return self.contributions.covariance() - np.outer(total, total) / self.rows

    def weighted_sums(self, multipliers: Floats) -> Floats:
        """Sum of centred rows times multipliers, (draws, k)."""
        sums = self.contributions.weighted_sums(multipliers)
        return np.asarray(sums - np.outer(multipliers.sum(axis=1), self._total() / self.rows))

    def combine(self, weights: Floats) -> TotalInfluence:
        """Influence of linear combinations."""
        return TotalInfluence(self.contributions.combine(weights))

    def dense(self) -> Floats:
        """Return the (n, k) matrix of centred rows."""
        return np.asarray(self.contributions.dense() - self._total() / self.rows)

    def _total(self) -> Floats:
        return np.asarray(self.contributions.weighted_sums(np.ones((1, self.rows)))[0])


def contributions_of(influence: Influence) -> Influence:
    """Return what rows contribute, for inference that centres by itself.

    Parameters
    ----------
    influence : Influence

    Returns
    -------
    Influence
        The contributions of a total, any other influence as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence
    >>> from juntos_eval.inference.total_influence import contributions_of
    >>> contributions_of(DenseInfluence(np.ones((2, 1)))).dense().ravel().tolist()
    [1.0, 1.0]
    """
    return influence.contributions if isinstance(influence, TotalInfluence) else influence
