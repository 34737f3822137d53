r"""Weighted ranks, and moments that depend on them, with the influence of each row.

Weights enter as estimates of how many each row stands for. Every function returns a value and its influence
:math:`\psi_i` with :math:`\sum_i \psi_i = 0`, already divided by the total weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen

__all__ = ["Ranking", "partial_mean", "rank_moment", "ranking", "weighted_mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    r"""Rows in the order of a variable.

    Attributes
    ----------
    order : numpy.ndarray of int64, shape (n,)
        Rows from the smallest to the largest.
    ties : numpy.ndarray of int64, shape (n,)
        Of the sorted rows: which distinct value each has, counted from 0.
    rank : numpy.ndarray, shape (n,)
        :math:`F_i`: share of the weight below row i and half of that at its value.
    share : numpy.ndarray, shape (n,)
        :math:`w_i / \sum_j w_j`.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import ranking
    >>> ranking(np.array([3.0, 1.0]), np.ones(2)).rank.tolist()
    [0.75, 0.25]
    """

    order: Codes
    ties: Codes
    rank: Floats
    share: Floats

    def __post_init__(self) -> None:
        for name in ("order", "ties"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        for name in ("rank", "share"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def above(self, values: Floats) -> Floats:
        r"""Return :math:`E[v\,(1\{r > r_i\} + \tfrac12 1\{r = r_i\})]` for each row, shape (n,)."""
        mass = np.bincount(self.ties, weights=(self.share * values)[self.order])
        upper = mass.sum() - np.cumsum(mass) + mass / 2
        found = np.empty(len(values))
        found[self.order] = upper[self.ties]
        return found


def ranking(by: Floats, weights: Floats) -> Ranking:
    r"""Rank rows by a variable; rows of the same value share the middle of their ranks.

    Parameters
    ----------
    by, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    Ranking

    References
    ----------
    Lerman, R. I., & Yitzhaki, S. (1989). Improving the accuracy of estimates of Gini coefficients. *Journal
    of Econometrics*, 42(1), 43-47.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import ranking
    >>> ranking(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])).rank.tolist()
    [0.25, 0.25, 0.75]
    """
    order = np.argsort(by, kind="stable")
    ties = np.concatenate([[0], np.cumsum(np.diff(by[order]) > 0)]).astype(np.int64)
    share = weights / weights.sum()
    mass = np.bincount(ties, weights=share[order])
    middle = np.cumsum(mass) - mass / 2
    rank = np.empty(len(by))
    rank[order] = middle[ties]
    return Ranking(order=order, ties=ties, rank=rank, share=share)


def weighted_mean(values: Floats, weights: Floats) -> tuple[float, Floats]:
    r"""Return :math:`\sum w v / \sum w` and its influence.

    Parameters
    ----------
    values, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import weighted_mean
    >>> value, influence = weighted_mean(np.array([1.0, 3.0]), np.ones(2))
    >>> value, influence.tolist()
    (2.0, [-0.5, 0.5])
    """
    share = weights / weights.sum()
    value = float(share @ values)
    return value, share * (values - value)


def rank_moment(values: Floats, ranks: Ranking, power: float = 1.0) -> tuple[float, Floats]:
    r"""Return :math:`A = E[v (1 - F)^{\nu - 1}]`, or for :math:`\nu = 1` :math:`E[v F]`, and its influence.

    Both v and the ranks of all rows move when a row gets more weight:

    .. math:: \psi_i = s_i \{ v_i g(F_i) + E[v\, g'(F)\, 1\{F_i \le F\}] - E[v\, g'(F) F] - A \}

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    ranks : Ranking
        Of the same rows, by whatever variable.
    power : float
        :math:`\nu`; 1 asks for :math:`E[vF]`, larger ones for weights that fall with the rank.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Davidson, R. (2009). Reliable inference for the Gini index. *Journal of Econometrics*, 150(1), 30-40.
    Barrett, G. F., & Donald, S. G. (2009). Statistical inference with generalized Gini indices of inequality,
    poverty, and welfare. *Journal of Business & Economic Statistics*, 27(1), 1-17.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import rank_moment, ranking
    >>> y = np.array([1.0, 3.0])
    >>> rank_moment(y, ranking(y, np.ones(2)))[0]
    1.25
    """
    rank, share = ranks.rank, ranks.share
    if power == 1.0:
        heights, slopes = rank, np.ones(len(rank))
    else:
        heights = (1 - rank) ** (power - 1)
        slopes = -(power - 1) * (1 - rank) ** (power - 2)
    value = float(share @ (values * heights))
    moved = values * slopes
    influence = share * (values * heights + ranks.above(moved) - share @ (moved * rank) - value)
    return value, influence


def partial_mean(
    values: Floats, ranks: Ranking, share_of_people: float, slope: Floats
) -> tuple[float, Floats]:
    r"""Return :math:`E[v\,1\{F \le p\}]`, the part of the mean that the lowest p have, and its influence.

    .. math:: \psi_i = s_i \{ (v_i - m_p) 1\{F_i \le p\} + p\, m_p - E[v\,1\{F \le p\}] \}

    where :math:`m_p` is the mean of v at the p-th quantile of the ranking variable: v itself there, where
    rows are ranked by v. A row that straddles p counts with its part below.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    ranks : Ranking
    share_of_people : float
        p, between 0 and 1.
    slope : numpy.ndarray, shape (n,)
        :math:`m` of each row: the mean of v at its rank.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Beach, C. M., & Davidson, R. (1983). Distribution-free statistical inference with Lorenz curves and income
    shares. *Review of Economic Studies*, 50(4), 723-735.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import partial_mean, ranking
    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> partial_mean(y, ranking(y, np.ones(4)), 0.5, y)[0]
    0.75
    """
    ends = np.cumsum(ranks.share[ranks.order])
    below = np.empty(len(values))
    width = ranks.share[ranks.order]
    below[ranks.order] = np.clip((share_of_people - (ends - width)) / width, 0.0, 1.0)
    value = float(ranks.share @ (values * below))
    place = ranks.order[min(int(np.searchsorted(ends, share_of_people - 1e-12)), len(values) - 1)]
    at = float(slope[place])
    return value, ranks.share * ((values - at) * below + share_of_people * at - value)
