r"""How strong instruments are: effective F with critical values, rank statistics, conditional F."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from juntos_eval.arrays import Floats
from juntos_eval.numerics.distributions import chi_squared_tail
from juntos_eval.numerics.k_class import PartialledOut

__all__ = [
    "EffectiveF",
    "RankTest",
    "cragg_donald",
    "effective_f",
    "rank_direction",
    "rank_test",
    "sanderson_windmeijer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveF:
    r"""Montiel Olea and Pflueger's effective first-stage F.

    Attributes
    ----------
    statistic : float
    critical_values : tuple of (float, float)
        Share tau of the worst-case bias, and the 5 percent critical value of "the bias may be larger than
        tau".
    simplified : tuple of (float, float)
        The same, not using the data to bound the bias: larger, conservative.

    Examples
    --------
    >>> EffectiveF(statistic=30.0, critical_values=((0.1, 23.1),), simplified=((0.1, 23.1),)).statistic
    30.0
    """

    statistic: float
    critical_values: tuple[tuple[float, float], ...]
    simplified: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class RankTest:
    """Test that the matrix of first-stage coefficients has less than full column rank.

    Attributes
    ----------
    statistic : float
        Chi-squared with ``df`` degrees of freedom if it has.
    df : int
    p_value : float

    Examples
    --------
    >>> RankTest(3.84, 1, 0.05).df
    1
    """

    statistic: float
    df: int
    p_value: float


def effective_f(
    first_stage: Floats,
    variances: tuple[Floats, Floats, Floats],
    taus: Sequence[float] = (0.05, 0.1, 0.2, 0.3),
    level: float = 0.95,
) -> EffectiveF:
    r"""Effective F of one endogenous regressor with its critical values for 2SLS.

    .. math:: F_{eff} = \frac{\hat\pi'\hat\pi}{\operatorname{tr}\hat V_2}

    on orthonormal instruments. The critical value is the quantile of a noncentral chi-squared with
    :math:`K_{eff}` degrees of freedom and noncentrality :math:`xK_{eff}`, over :math:`K_{eff}` (Patnaik's
    approximation), where :math:`x = B/\tau`,

    .. math:: K_{eff} = \frac{(\operatorname{tr} V_2)^2 (1 + 2x)}
              {\operatorname{tr}(V_2'V_2) + 2x \operatorname{tr}(V_2)\, \max\operatorname{eval}(V_2)}

    and B is the largest Nagar bias of 2SLS over its benchmark, over all values of the coefficient and all
    directions of the first stage (simplified: B = 1).

    Parameters
    ----------
    first_stage : numpy.ndarray, shape (m,)
        Coefficients of orthonormal instruments.
    variances : tuple of numpy.ndarray, shape (m, m)
        :math:`V_1` of the reduced form, the symmetric part of :math:`V_{12}`, and :math:`V_2`.
    taus : sequence of float
    level : float

    Returns
    -------
    EffectiveF

    References
    ----------
    Montiel Olea, J. L. & Pflueger, C. (2013). A robust test for weak instruments. Journal of Business &
    Economic Statistics 31(3), 358-369. (Theorem 1, equation 11 and the Patnaik approximation of section 3.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.weak_instruments import effective_f
    >>> one = np.eye(1)
    >>> strength = effective_f(np.array([5.0]), (one, 0.5 * one, one))
    >>> strength.statistic, [round(value, 1) for _, value in strength.critical_values]
    (25.0, [37.4, 23.1, 15.1, 12.0])
    """
    of_first = variances[2]
    trace = float(np.trace(of_first))
    bound = _largest_bias(*variances)

    def critical(x: float) -> float:
        largest = float(np.linalg.eigvalsh(of_first)[-1])
        df = trace**2 * (1 + 2 * x) / (float(np.sum(of_first**2)) + 2 * x * trace * largest)
        return float(special.chndtrix(level, df, x * df)) / df

    return EffectiveF(
        statistic=float(first_stage @ first_stage) / trace,
        critical_values=tuple((tau, critical(bound / tau)) for tau in taus),
        simplified=tuple((tau, critical(1.0 / tau)) for tau in taus),
    )


def _largest_bias(of_reduced: Floats, crossed: Floats, of_first: Floats) -> float:
    scale = np.sqrt(np.trace(of_reduced) / np.trace(of_first))

    def biases(angles: Floats) -> Floats:
        # the whole line of coefficients in one bounded angle, in units of the reduced form
        cosine = np.cos(angles)[:, None, None]
        slope = scale * np.sin(angles)[:, None, None]
        benchmark = cosine**2 * of_reduced - 2 * slope * cosine * crossed + slope**2 * of_first
        moved = cosine * crossed - slope * of_first
        roots, trace = np.linalg.eigvalsh(moved), np.trace(moved, axis1=1, axis2=2)
        worst = np.maximum(np.abs(trace - 2 * roots[:, 0]), np.abs(trace - 2 * roots[:, -1]))
        return np.asarray(worst / np.sqrt(np.trace(benchmark, axis1=1, axis2=2) * np.trace(of_first)))

    low, high = -np.pi / 2, np.pi / 2
    for _ in range(4):  # each pass divides the stretch around the largest by a hundred
        grid = np.linspace(low, high, 201)
        found = biases(grid)
        best, step = grid[int(np.argmax(found))], grid[1] - grid[0]
        low, high = best - step, best + step
    return float(found.max())


def rank_direction(left: PartialledOut) -> tuple[Floats, Floats, Floats]:
    r"""Return the combination of endogenous regressors that the instruments say least of.

    Parameters
    ----------
    left : PartialledOut

    Returns
    -------
    direction : numpy.ndarray, shape (d,)
    complement : numpy.ndarray, shape (m, m - d + 1)
        Of the basis: what is orthogonal to the projections of the other canonical variates.
    correlations : numpy.ndarray, shape (d,)
        Canonical, descending.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import partial_out
    >>> from juntos_eval.numerics.weak_instruments import rank_direction
    >>> z, one = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones((4, 1))
    >>> d = np.array([[0.0], [1.0], [0.0], [0.0]])
    >>> rank_direction(partial_out(np.arange(4.0), d, one, z, np.ones(4)))[2].round(6).tolist()
    [0.57735]
    """
    scale = np.linalg.norm(left.endogenous, axis=0)
    basis, triangle = np.linalg.qr(left.endogenous / scale)
    turned, roots, other = np.linalg.svd(left.basis.T @ basis)
    direction = linalg.solve_triangular(triangle, other[-1]) / scale
    return direction, turned[:, len(roots) - 1 :], roots


def rank_test(moments: Floats, covariance: Floats) -> RankTest:
    r"""Kleibergen and Paap's rank statistic from the moments of the weakest direction.

    .. math:: rk = (C'g)'\,[\hat V(C'g)]^{-1}\,(C'g), \qquad g = Q'Db

    with b and C as of :func:`rank_direction`. Scores :math:`q_i \cdot D_ib` (the null imposed) in the
    covariance make the LM form, :math:`q_i \cdot \hat v_ib` the Wald form.

    Parameters
    ----------
    moments : numpy.ndarray, shape (m - d + 1,)
        C'g.
    covariance : numpy.ndarray, shape (m - d + 1, m - d + 1)

    Returns
    -------
    RankTest

    References
    ----------
    Kleibergen, F. & Paap, R. (2006). Generalized reduced rank tests using the singular value decomposition.
    Journal of Econometrics 133(1), 97-126. (Theorem 1.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.weak_instruments import rank_test
    >>> rank_test(np.array([3.0]), np.array([[4.5]])).statistic
    2.0
    """
    value = float(moments @ np.linalg.solve(covariance, moments))
    return RankTest(value, len(moments), chi_squared_tail(value, len(moments)))


def cragg_donald(left: PartialledOut, df: float) -> float:
    r"""Cragg and Donald's F: :math:`\frac{df}{m}\,\frac{r^2}{1 - r^2}` of the smallest canonical correlation.

    Parameters
    ----------
    left : PartialledOut
    df : float
        Rows less coefficients of a first stage.

    Returns
    -------
    float

    References
    ----------
    Cragg, J. G. & Donald, S. G. (1993). Testing identifiability and specification in instrumental variable
    models. Econometric Theory 9(2), 222-240.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import partial_out
    >>> z, one = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones((4, 1))
    >>> d = np.array([[0.0], [1.0], [0.0], [0.0]])
    >>> round(cragg_donald(partial_out(np.arange(4.0), d, one, z, np.ones(4)), 2.0), 12)
    1.0
    """
    squared = float(rank_direction(left)[2][-1]) ** 2
    return float(df / left.basis.shape[1] * squared / (1.0 - squared))


def sanderson_windmeijer(left: PartialledOut, position: int) -> tuple[Floats, Floats]:
    r"""Return the direction and complement of the conditional F of one of several endogenous regressors.

    :math:`D_j` less its 2SLS prediction by the others: the instruments can say of it only what they do not
    say
    of the others already, in m - d + 1 directions.

    Parameters
    ----------
    left : PartialledOut
    position : int
        j.

    Returns
    -------
    direction : numpy.ndarray, shape (d,)
        One for j, and less the 2SLS coefficients for the others.
    complement : numpy.ndarray, shape (m, m - d + 1)

    References
    ----------
    Sanderson, E. & Windmeijer, F. (2016). A weak instrument F-test in linear IV models with multiple
    endogenous
    variables. Journal of Econometrics 190(2), 212-221. (Section 3.)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import partial_out
    >>> from juntos_eval.numerics.weak_instruments import sanderson_windmeijer
    >>> z, one = np.eye(4)[:, :2], np.ones((4, 1))
    >>> sanderson_windmeijer(partial_out(np.arange(4.0), z, one, z, np.ones(4)), 0)[0].round(9).tolist()
    [1.0, 0.333333333]
    """
    others = np.delete(left.endogenous, position, axis=1)
    explained = left.basis.T @ others
    own = left.basis.T @ left.endogenous[:, position]
    slopes = np.linalg.lstsq(explained, own, rcond=None)[0]
    direction = np.insert(-slopes, position, 1.0)
    whole = np.linalg.qr(explained, mode="complete")[0]
    return direction, whole[:, explained.shape[1] :]
