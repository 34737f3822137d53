"""Weighted distributions of outcomes: their functions, inverses and densities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen

__all__ = ["Distribution", "distribution_of"]

# of a sum of weights: what rounding makes of equal shares
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An empirical distribution.

    Attributes
    ----------
    values : numpy.ndarray, shape (n,)
        In order.
    weights : numpy.ndarray, shape (n,)
        Of the values, with sum one.
    cumulated : numpy.ndarray, shape (n,)
    order : numpy.ndarray of int64, shape (n,)
        Where each value stood.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.distributions import distribution_of
    >>> found = distribution_of(np.array([3.0, 1.0, 2.0, 2.0]), np.ones(4))
    >>> found.cdf(np.array([0.0, 2.0])).tolist(), found.quantile(np.array([0.25, 0.5, 1.0])).tolist()
    ([0.0, 0.75], [1.0, 2.0, 3.0])
    """

    values: Floats
    weights: Floats
    cumulated: Floats
    order: Codes

    def __post_init__(self) -> None:
        for name in ("values", "weights", "cumulated"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "order", frozen(self.order, np.int64))

    def cdf(self, at: Floats) -> Floats:
        """Return the share of values up to a point."""
        return self._share(np.searchsorted(self.values, at, side="right"))

    def below(self, at: Floats) -> Floats:
        """Return the share of values below a point."""
        return self._share(np.searchsorted(self.values, at, side="left"))

    def quantile(self, share: Floats) -> Floats:
        """Return the smallest value up to which there is this share, the first value for zero."""
        place = np.searchsorted(self.cumulated, np.asarray(share) - _ROUNDING)
        return np.asarray(self.values[np.minimum(place, len(self.values) - 1)])

    def mean(self, of: Floats) -> float:
        """Return the weighted mean of something given in the order of the values."""
        return float(self.weights @ of)

    def density(self, at: Floats) -> Floats:
        r"""Return Epanechnikov's kernel density of variance one, bandwidth :math:`1.06\, s\, n^{-1/5}`."""
        centre = self.mean(self.values)
        spread = float(np.sqrt(self.mean((self.values - centre) ** 2)))
        size = 1.0 / float((self.weights**2).sum())
        reach = np.sqrt(5.0) * 1.06 * spread * size**-0.2
        if reach == 0:
            return np.full(np.shape(at), np.nan)
        around = self.values - centre
        sums = np.zeros((len(around) + 1, 3))
        np.cumsum(np.column_stack([self.weights * around**power for power in range(3)]), axis=0, out=sums[1:])
        point = np.asarray(at) - centre
        low = np.searchsorted(around, point - reach, side="left")
        high = np.searchsorted(around, point + reach, side="right")
        zero, one, two = (sums[high] - sums[low]).T
        square = (point**2 * zero - 2 * point * one + two) / reach**2
        return np.asarray(np.maximum(zero - square, 0.0) * 0.75 / reach)

    def _share(self, place: Codes) -> Floats:
        return np.asarray(np.where(place > 0, self.cumulated[np.maximum(place - 1, 0)], 0.0))


def distribution_of(values: Floats, weights: Floats) -> Distribution:
    """Return the distribution of rows.

    Parameters
    ----------
    values, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    Distribution

    Examples
    --------
    See :class:`Distribution`.
    """
    order = np.argsort(values, kind="stable")
    share = weights[order] / weights.sum()
    cumulated = np.cumsum(share)
    return Distribution(values=values[order], weights=share, cumulated=cumulated / cumulated[-1], order=order)
