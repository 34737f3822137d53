"""The weighted distribution function of a column and its inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Floats, frozen, grouped_sums

__all__ = ["QuantileRule", "WeightedDistribution"]

QuantileRule = Literal["math", "school"]
# shares that differ by less are one: sums of weights carry rounding
SAME = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class WeightedDistribution:
    r"""Values in ascending order, each once, and the share of weight at or below each.

    Attributes
    ----------
    values : numpy.ndarray, shape (m,)
    shares : numpy.ndarray, shape (m,)
        The last is 1.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.survey_statistics.weighted_distribution import WeightedDistribution
    >>> known = WeightedDistribution.of(np.array([3.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0]))
    >>> known.values.tolist(), known.shares.tolist(), known.quantile(np.array([0.5]), "school").tolist()
    ([1.0, 3.0], [0.5, 1.0], [2.0])
    """

    values: Floats
    shares: Floats

    @classmethod
    def of(cls, values: Floats, weights: Floats) -> WeightedDistribution:
        """Return the distribution of a column.

        Parameters
        ----------
        values, weights : numpy.ndarray, shape (n,)
        """
        levels, codes = np.unique(values, return_inverse=True)
        sums = np.cumsum(grouped_sums(weights[:, None], codes, len(levels))[:, 0])
        return cls(frozen(levels), frozen(sums / sums[-1]))

    def share_at_or_below(self, values: Floats) -> Floats:
        """Return the share of weight at or below each value.

        Parameters
        ----------
        values : numpy.ndarray
        """
        position = np.searchsorted(self.values, values, side="right")
        return np.concatenate([[0.0], self.shares])[position]

    def quantile(self, shares: Floats, rule: QuantileRule) -> Floats:
        """Return the smallest value at or below which there is a share; NaN for shares outside (0, 1].

        Parameters
        ----------
        shares : numpy.ndarray
        rule : {"math", "school"}
            ``school``: halfway to the next value where the share is met exactly.
        """
        p = np.asarray(shares, dtype=np.float64)
        known = (p > 0) & (p <= 1 + SAME)
        sought = np.where(known, p, 1.0)
        last = len(self.values) - 1
        position = np.minimum(np.searchsorted(self.shares, sought - SAME, side="left"), last)
        found = self.values[position]
        if rule == "school":
            exact = np.abs(self.shares[position] - sought) <= SAME
            found = np.where(exact, (found + self.values[np.minimum(position + 1, last)]) / 2, found)
        return np.where(known, found, np.nan)
