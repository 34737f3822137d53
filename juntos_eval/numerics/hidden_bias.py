r"""Tests in matched sets under a hidden bias of bounded size (Rosenbaum 2002, chapter 4).

Two units of a set with the same covariates may differ in their odds of treatment by a factor of up to
:math:`\Gamma \ge 1`. Then the chance that the treated unit is the one with a given score is bounded, set by
set, and so is the tail of any sum of scores of the treated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Codes, Floats, frozen

__all__ = ["MatchedSets", "aligned_rank_deviate", "count_tail", "signed_rank_deviate", "signed_rank_tail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedSets:
    """Sets of one odd unit and its matches.

    Attributes
    ----------
    odd : numpy.ndarray, shape (s,)
        Outcome of the odd unit of each set: the treated one.
    others : numpy.ndarray
        Outcomes of the matches, set after set.
    owner : numpy.ndarray of int64, same shape as ``others``
        Set of each match, 0 … s-1, in order; every set has one or more.

    Examples
    --------
    >>> from juntos_eval.numerics.hidden_bias import MatchedSets
    >>> MatchedSets(odd=[3.0, 1.0], others=[1.0, 2.0], owner=[0, 1]).is_paired
    True
    """

    odd: Floats
    others: Floats
    owner: Codes

    def __post_init__(self) -> None:
        object.__setattr__(self, "odd", frozen(self.odd))
        object.__setattr__(self, "others", frozen(self.others))
        object.__setattr__(self, "owner", frozen(self.owner, np.int64))

    @property
    def is_paired(self) -> bool:
        """Whether every set has one match."""
        return len(self.others) == len(self.odd)


def signed_rank_deviate(differences: Floats, gamma: float) -> float:
    r"""Return the standardised signed rank statistic of pairs at its largest null expectation.

    .. math::
        \frac{T - p \sum_i q_i}{\sqrt{p (1 - p) \sum_i q_i^2}}, \qquad p = \frac{\Gamma}{1 + \Gamma}

    with :math:`T` the sum of the ranks :math:`q_i` of positive differences; zeros have no rank.

    Parameters
    ----------
    differences : numpy.ndarray, shape (s,)
        Treated minus untreated.
    gamma : float
        Below 1: the smallest expectation, at :math:`1 / \Gamma`.

    Returns
    -------
    float
        NaN where all differences are zero.

    References
    ----------
    Rosenbaum, P. R. (2002). *Observational Studies* (2nd ed.), section 4.3. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.hidden_bias import signed_rank_deviate
    >>> round(signed_rank_deviate(np.array([1.0, 2.0, -0.5]), 1.0), 6)
    1.069045
    """
    ranks = _ranks(differences)
    spread = float((ranks**2).sum())
    if spread == 0:
        return float("nan")
    chance = gamma / (1.0 + gamma)
    statistic = float(ranks[differences > 0].sum())
    return float((statistic - chance * ranks.sum()) / np.sqrt(chance * (1.0 - chance) * spread))


def signed_rank_tail(differences: Floats, gamma: float) -> float:
    r"""Return the exact bound :math:`P(T \ge t)` of the signed rank statistic of pairs.

    The sum of independent ranks, each counted with probability :math:`\Gamma / (1 + \Gamma)`, by convolution.

    Parameters
    ----------
    differences, gamma
        As in :func:`signed_rank_deviate`.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.hidden_bias import signed_rank_tail
    >>> signed_rank_tail(np.array([1.0, 2.0, 3.0]), 1.0)
    0.125
    """
    ranks = _ranks(differences)
    # average ranks of ties are halves
    doubled = np.rint(2.0 * ranks).astype(np.int64)
    chance = gamma / (1.0 + gamma)
    weights = np.ones(1)
    for rank in doubled[doubled > 0]:
        longer = np.zeros(len(weights) + rank)
        longer[: len(weights)] += (1.0 - chance) * weights
        longer[rank:] += chance * weights
        weights = longer
    return float(min(1.0, weights[int(doubled[differences > 0].sum()) :].sum()))


def aligned_rank_deviate(sets: MatchedSets, gamma: float) -> float:
    r"""Return the standardised aligned rank statistic of matched sets at its largest null expectation.

    Outcomes are centred within each set and ranked over all; the statistic is the sum of ranks of the
    treated (Hodges & Lehmann 1962). In a set with ordered ranks :math:`q_{(1)} \le \dots \le q_{(n)}` the
    largest expectation is :math:`\max_a (\sum_{j \le a} q_{(j)} + \Gamma \sum_{j > a} q_{(j)}) / (a + \Gamma
    (n - a))`, with the largest variance among equals; their sums bound the tail in large samples
    (Gastwirth, Krieger & Rosenbaum 2000).

    Parameters
    ----------
    sets : MatchedSets
    gamma : float
        Below 1: the smallest expectation, at :math:`1 / \Gamma`.

    Returns
    -------
    float
        NaN where no set varies.

    References
    ----------
    Gastwirth, J. L., Krieger, A. M. & Rosenbaum, P. R. (2000). Asymptotic separability in sensitivity
    analysis. *Journal of the Royal Statistical Society B* 62(3), 545–555.

    Examples
    --------
    >>> from juntos_eval.numerics.hidden_bias import MatchedSets, aligned_rank_deviate
    >>> sets = MatchedSets(odd=[3.0, 4.0], others=[1.0, 2.0, 0.0, 1.0], owner=[0, 0, 1, 1])
    >>> aligned_rank_deviate(sets, 1.0) > aligned_rank_deviate(sets, 2.0)
    True
    """
    count = len(sets.odd)
    owner = np.concatenate([np.arange(count), sets.owner])
    outcome = np.concatenate([sets.odd, sets.others])
    size = np.bincount(owner).astype(np.float64)
    aligned = outcome - (np.bincount(owner, weights=outcome) / size)[owner]
    # rounding must not tell equal outcomes apart
    scale = float(np.abs(aligned).max(initial=0.0))
    ranks = _ranked(np.round(aligned / scale, 10)) if scale > 0 else np.zeros(len(aligned))
    sign = 1.0
    if gamma < 1.0:
        # the smallest expectation of the ranks is the largest of their negatives, turned round
        ranks, gamma, sign = -ranks, 1.0 / gamma, -1.0
    mean, variance = _largest_moments(ranks, owner, size, gamma)
    spread = float(variance.sum())
    if spread <= 0:
        return float("nan")
    return sign * float((ranks[:count].sum() - mean.sum()) / np.sqrt(spread))


def count_tail(sets: MatchedSets, gamma: float) -> float:
    r"""Return the exact bound :math:`P(T \ge t)` of the number of treated with a positive binary outcome.

    In a set with m ones of n, the treated unit has one of them with chance at most
    :math:`m \Gamma / (m \Gamma + n - m)`: the sum over sets is one of independent binomials (McNemar's test
    in pairs, Mantel and Haenszel's in sets; Rosenbaum 2002, section 4.2).

    Parameters
    ----------
    sets : MatchedSets
        With outcomes 0 and 1.
    gamma : float
        Below 1: the smallest chance, at :math:`1 / \Gamma`.

    Returns
    -------
    float
        NaN where no set has both outcomes.

    Examples
    --------
    >>> from juntos_eval.numerics.hidden_bias import MatchedSets, count_tail
    >>> sets = MatchedSets(odd=[1.0, 1.0, 0.0], others=[0.0, 0.0, 1.0], owner=[0, 1, 2])
    >>> round(count_tail(sets, 1.0), 9)
    0.5
    """
    size = 1 + np.bincount(sets.owner, minlength=len(sets.odd))
    ones = np.rint(sets.odd + np.bincount(sets.owner, sets.others, len(sets.odd))).astype(np.int64)
    mixed = (ones > 0) & (ones < size)
    if not mixed.any():
        return float("nan")
    from scipy.stats import binom  # a third of a second, which only these bounds are to wait for

    kinds, counts = np.unique(np.column_stack([ones, size])[mixed], axis=0, return_counts=True)
    weights = np.ones(1)
    for (positive, n), count in zip(kinds.tolist(), counts.tolist(), strict=True):
        chance = positive * gamma / (positive * gamma + n - positive)
        weights = np.convolve(weights, binom.pmf(np.arange(count + 1), count, chance))
    return float(min(1.0, weights[int(np.rint(sets.odd[mixed].sum())) :].sum()))


def _ranks(differences: Floats) -> Floats:
    """Return ranks of the absolute differences that are not zero; zeros have none."""
    size = np.abs(differences)
    ranks = np.zeros(len(size))
    if size.max(initial=0.0) > 0:
        # rounding must not tell equal differences apart, nor from zero
        size = np.round(size / size.max(), 12)
        ranks[size > 0] = _ranked(size[size > 0])
    return ranks


def _largest_moments(ranks: Floats, owner: Codes, size: Floats, gamma: float) -> tuple[Floats, Floats]:
    """Return for each set the largest expectation of the treated rank and the variance that goes with it."""
    order = np.lexsort((ranks, owner))
    q, of = ranks[order], owner[order]
    starts = np.concatenate([[0], np.cumsum(size.astype(np.int64))])
    below = np.cumsum(q) - np.concatenate([[0.0], np.cumsum(q)])[starts[of]]
    below_squared = np.cumsum(q**2) - np.concatenate([[0.0], np.cumsum(q**2)])[starts[of]]
    total, total_squared = below[starts[1:] - 1], below_squared[starts[1:] - 1]
    low = np.arange(len(q)) - starts[of] + 1.0  # units of the set up to and with this one
    weight = low + gamma * (size[of] - low)
    mean = (below + gamma * (total[of] - below)) / weight
    variance = (below_squared + gamma * (total_squared[of] - below_squared)) / weight - mean**2
    inner = low < size[of]
    best = np.full(len(size), -np.inf)
    np.maximum.at(best, of[inner], mean[inner])
    is_best = inner & (mean >= best[of] - 1e-12 * np.abs(best[of]))
    widest = np.full(len(size), 0.0)
    np.maximum.at(widest, of[is_best], variance[is_best])
    return best, widest


def _ranked(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))
