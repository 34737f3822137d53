r"""Indices of poverty and inequality, each with the influence of every row.

An index that is a smooth function :math:`h(m_1, m_2, \dots)` of means has the influence
:math:`\sum_j h_j' \psi_i(m_j)`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.numerics.ranked_moments import Ranking, rank_moment, ranking, weighted_mean

__all__ = [
    "POSITIVE_ONLY",
    "Valued",
    "atkinson",
    "concentration",
    "fgt",
    "generalised_entropy",
    "gini",
    "less",
    "s_gini",
    "sen_shorrocks_thon",
    "watts",
]

Valued = tuple[float, Floats]

#: Indices that take logs or negative powers: an income of zero or below has no value for them.
POSITIVE_ONLY = frozenset({"theil", "mld", "atkinson", "ge", "watts"})


def fgt(incomes: Floats, lines: Floats, weights: Floats, order: float) -> Valued:
    r"""Return :math:`P_\alpha = \sum w (1 - y/z)^\alpha 1\{y < z\} / \sum w` and its influence.

    Parameters
    ----------
    incomes, lines, weights : numpy.ndarray, shape (n,)
    order : float
        :math:`\alpha`, not below zero: 0 headcount, 1 gap, 2 severity.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Foster, J., Greer, J., & Thorbecke, E. (1984). A class of decomposable poverty measures. *Econometrica*,
    52(3), 761-766.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import fgt
    >>> fgt(np.array([50.0, 150.0]), np.full(2, 100.0), np.ones(2), 1.0)[0]
    0.25
    """
    gaps = np.maximum(0.0, 1.0 - incomes / lines)
    return weighted_mean(np.where(incomes < lines, gaps**order, 0.0), weights)


def watts(incomes: Floats, lines: Floats, weights: Floats) -> Valued:
    r"""Return Watts's :math:`\sum_i w_i \ln(z_i/y_i) 1\{y_i < z_i\} / \sum_i w_i` and its influence.

    Parameters
    ----------
    incomes, lines, weights : numpy.ndarray, shape (n,)
        Incomes are positive.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Zheng, B. (1993). An axiomatic characterization of the Watts poverty index. *Economics Letters*,
    42(1), 81-86.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import watts
    >>> round(watts(np.array([50.0, 150.0]), np.full(2, 100.0), np.ones(2))[0], 6)
    0.346574
    """
    return weighted_mean(np.where(incomes < lines, np.log(lines / incomes), 0.0), weights)


def sen_shorrocks_thon(incomes: Floats, lines: Floats, weights: Floats) -> Valued:
    r"""Return :math:`P_1 (1 + G(g)) = 2 E[g F_g]`, g the gaps of all (0 if not poor), and its influence.

    Parameters
    ----------
    incomes, lines, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Shorrocks, A. F. (1995). Revisiting the Sen poverty index. *Econometrica*, 63(5), 1225-1230.
    Xu, K., & Osberg, L. (2001). How to decompose the Sen-Shorrocks-Thon poverty index. *Journal of Income
    Distribution*, 10(1-2), 77-94.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import sen_shorrocks_thon
    >>> sen_shorrocks_thon(np.array([50.0, 150.0]), np.full(2, 100.0), np.ones(2))[0]
    0.375
    """
    gaps = np.maximum(0.0, 1.0 - incomes / lines)
    value, influence = rank_moment(gaps, ranking(gaps, weights))
    return 2 * value, 2 * influence


def concentration(values: Floats, ranks: Ranking) -> Valued:
    r"""Return :math:`C = 2 E[v F_r]/E[v] - 1`, v ranked by any variable r, and its influence.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Of a mean that is not zero.
    ranks : Ranking
        Of r; with r = v it is the Gini coefficient.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Kakwani, N., Wagstaff, A., & van Doorslaer, E. (1997). Socioeconomic inequalities in health: measurement,
    computation, and statistical inference. *Journal of Econometrics*, 77(1), 87-103.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.ranked_moments import ranking
    >>> from juntos_eval.numerics.welfare_indices import concentration
    >>> round(concentration(np.array([10.0, 0.0]), ranking(np.array([1.0, 2.0]), np.ones(2)))[0], 12)
    -0.5
    """
    moment, of_moment = rank_moment(values, ranks)
    mean, of_mean = weighted_mean(values, ranks.share)
    return 2 * moment / mean - 1, 2 * of_moment / mean - 2 * moment / mean**2 * of_mean


def gini(incomes: Floats, weights: Floats) -> Valued:
    r"""Return :math:`G = 2 E[yF]/\mu - 1` and its influence.

    Parameters
    ----------
    incomes, weights : numpy.ndarray, shape (n,)

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Davidson, R. (2009). Reliable inference for the Gini index. *Journal of Econometrics*, 150(1), 30-40.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import gini
    >>> round(gini(np.array([0.0, 0.0, 0.0, 1.0]), np.ones(4))[0], 12)
    0.75
    """
    return concentration(incomes, ranking(incomes, weights))


def s_gini(incomes: Floats, weights: Floats, aversion: float) -> Valued:
    r"""Return :math:`G_\nu = 1 - \nu E[y(1 - F)^{\nu - 1}]/\mu` (the Gini at 2) and its influence.

    Parameters
    ----------
    incomes, weights : numpy.ndarray, shape (n,)
    aversion : float
        :math:`\nu > 1`.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Donaldson, D., & Weymark, J. A. (1980). A single-parameter generalization of the Gini indices of
    inequality. *Journal of Economic Theory*, 22(1), 67-86.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import gini, s_gini
    >>> y = np.array([1.0, 2.0, 6.0])
    >>> round(s_gini(y, np.ones(3), 2.0)[0] - gini(y, np.ones(3))[0], 12)
    0.0
    """
    moment, of_moment = rank_moment(incomes, ranking(incomes, weights), aversion)
    mean, of_mean = weighted_mean(incomes, weights)
    return (
        1 - aversion * moment / mean,
        -aversion * of_moment / mean + aversion * moment / mean**2 * of_mean,
    )


def generalised_entropy(incomes: Floats, weights: Floats, order: float) -> Valued:
    r"""Return the generalised entropy index and its influence.

    .. math:: GE_\alpha = \frac{E[(y/\mu)^\alpha] - 1}{\alpha(\alpha - 1)}, \quad
              GE_1 = E[\tfrac{y}{\mu}\ln\tfrac{y}{\mu}] \text{ (Theil)}, \quad
              GE_0 = \ln\mu - E[\ln y] \text{ (mean log deviation)}

    Parameters
    ----------
    incomes, weights : numpy.ndarray, shape (n,)
        Incomes are positive.
    order : float
        :math:`\alpha`.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Shorrocks, A. F. (1980). The class of additively decomposable inequality measures. *Econometrica*, 48(3),
    613-625.
    Cowell, F. A., & Flachaire, E. (2007). Income distribution and inequality measurement: the problem of
    extreme values. *Journal of Econometrics*, 141(2), 1044-1072, section 2. (Influence.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import generalised_entropy
    >>> generalised_entropy(np.array([1.0, 3.0]), np.ones(2), 2.0)[0]
    0.125
    """
    mean, of_mean = weighted_mean(incomes, weights)
    if order == 0:
        logs, of_logs = weighted_mean(np.log(incomes), weights)
        return float(np.log(mean) - logs), of_mean / mean - of_logs
    if order == 1:
        moment, of_moment = weighted_mean(incomes * np.log(incomes), weights)
        value = moment / mean - np.log(mean)
        return float(value), of_moment / mean - (moment / mean**2 + 1 / mean) * of_mean
    moment, of_moment = weighted_mean(incomes**order, weights)
    scale = order * (order - 1)
    value = (moment / mean**order - 1) / scale
    return float(value), (of_moment / mean**order - order * moment / mean ** (order + 1) * of_mean) / scale


def atkinson(incomes: Floats, weights: Floats, aversion: float) -> Valued:
    r"""Return :math:`A_\epsilon = 1 - E[y^{1-\epsilon}]^{1/(1-\epsilon)}/\mu` and its influence.

    For :math:`\epsilon = 1` the geometric mean takes the place of the power mean.

    Parameters
    ----------
    incomes, weights : numpy.ndarray, shape (n,)
        Incomes are positive.
    aversion : float
        :math:`\epsilon > 0`.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    References
    ----------
    Atkinson, A. B. (1970). On the measurement of inequality. *Journal of Economic Theory*, 2(3), 244-263.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import atkinson
    >>> round(atkinson(np.array([1.0, 4.0]), np.ones(2), 1.0)[0], 12)
    0.2
    """
    mean, of_mean = weighted_mean(incomes, weights)
    power = 1.0 - aversion
    moment, of_moment = weighted_mean(np.log(incomes) if power == 0 else incomes**power, weights)
    equal = float(np.exp(moment)) if power == 0 else moment ** (1 / power)
    of_equal = equal * of_moment if power == 0 else equal / (power * moment) * of_moment
    return 1 - equal / mean, -of_equal / mean + equal / mean**2 * of_mean


def less(first: Valued, second: Valued) -> Valued:
    """Return the difference of two indices of the same rows, and its influence.

    Parameters
    ----------
    first, second : tuple of float and numpy.ndarray, shape (n,)

    Returns
    -------
    tuple of float and numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.welfare_indices import less
    >>> less((3.0, np.ones(1)), (1.0, np.zeros(1)))[0]
    2.0
    """
    return first[0] - second[0], first[1] - second[1]


#: What each name means, with its parameter.
PARAMETRIC: dict[str, Callable[[Floats, Floats, float], Valued]] = {
    "sgini": s_gini,
    "ge": generalised_entropy,
    "atkinson": atkinson,
}
