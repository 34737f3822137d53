r"""Weights of the two arms that stand for one target population, by score or by entropy.

With score p, sampling weight s and treatment D, the target of each estimand has density h, and

.. math:: \omega_{1i} = s_i D_i \frac{h(p_i)}{p_i}, \qquad \omega_{0i} = s_i (1 - D_i) \frac{h(p_i)}{1 - p_i}

========  ==================  ===========================================
estimand  h                   who is asked about
========  ==================  ===========================================
``att``   :math:`p`           the treated
``ate``   :math:`1`           everyone
``atc``   :math:`1 - p`       the untreated
``ato``   :math:`p (1 - p)`   those who might have been in either arm
========  ==================  ===========================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimators.matching.nuisances import FittedScore, Term, dual_model
from juntos_eval.numerics.entropy_balancing import EntropyBalance, entropy_balance

__all__ = [
    "ArmWeights",
    "entropy_arm_weights",
    "moment_columns",
    "sampling_arm_weights",
    "score_arm_weights",
    "target_weights",
    "variance_arm_weights",
]

# a score next to 0 or 1 gives a row a weight of 100,000 others: Stata's teffects stops here too
SMALLEST = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmWeights:
    """Weights of both arms for one target.

    Attributes
    ----------
    treated, untreated : Term
        Of all n rows; zero outside the arm.
    target : Term
        Mass of each row in the target population, not normalised.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import ArmWeights
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> one = Term(value=np.ones(2))
    >>> ArmWeights(treated=one, untreated=one, target=one).total.tolist()
    [2.0, 2.0]
    """

    treated: Term
    untreated: Term
    target: Term

    @property
    def total(self) -> Floats:
        """Weight of each row in its own arm, shape (n,)."""
        return self.treated.value + self.untreated.value


def target_weights(treated: Bools, base: Floats, estimand: str) -> Floats:
    """Return the mass of each row in a target that is known without a score.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        Sampling weights.
    estimand : {"att", "ate", "atc"}

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import target_weights
    >>> target_weights(np.array([True, False]), np.array([2.0, 3.0]), "att").tolist()
    [2.0, 0.0]
    """
    inside = {"att": treated, "ate": np.ones_like(treated), "atc": ~treated}[estimand]
    return np.where(inside, base, 0.0)


def score_arm_weights(model: FittedScore, treated: Bools, base: Floats, estimand: str) -> ArmWeights:
    """Return the weights of both arms by a propensity score.

    Parameters
    ----------
    model : FittedScore
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        Sampling weights.
    estimand : {"att", "ate", "atc", "ato"}

    Returns
    -------
    ArmWeights

    Raises
    ------
    DesignError
        If rows that have to stand for others have a score next to 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import score_arm_weights
    >>> from juntos_eval.estimators.matching.nuisances import score_model
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated, x = np.array([True, True, False, False]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> model = score_model(fit_score(treated, x, ("x",), np.ones(4)), treated, np.ones(4))
    >>> score_arm_weights(model, treated, np.ones(4), "ate").total.round(9).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    p, f = model.probability, model.density
    _refuse_extreme(p, treated, estimand)
    one = np.ones(len(p))
    # rows outside an arm get no weight there, so their score may be anything
    inside_1, inside_0 = np.where(treated, p, 0.5), np.where(treated, 0.5, 1.0 - p)
    above, below = f / inside_1**2, f / inside_0**2
    tilts = {
        "att": ((one, None), (p / inside_0, below)),
        "ate": ((1.0 / inside_1, -above), (1.0 / inside_0, below)),
        "atc": (((1.0 - p) / inside_1, -above), (one, None)),
        "ato": ((1.0 - p, -f), (p, f)),
    }
    weight_1, weight_0 = (
        Term(value=value, slopes=() if slope is None else ((model, slope),))
        for value, slope in tilts[estimand]
    )
    if estimand == "ato":
        target = Term(value=p * (1.0 - p), slopes=((model, f * (1.0 - 2.0 * p)),)).times(base)
    else:
        target = Term(value=target_weights(treated, base, estimand))
    return ArmWeights(
        treated=weight_1.times(base * treated), untreated=weight_0.times(base * ~treated), target=target
    )


def sampling_arm_weights(treated: Bools, base: Floats, estimand: str) -> ArmWeights:
    """Return sampling weights alone, each in its arm.

    Parameters
    ----------
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
    estimand : {"att", "ate", "atc"}

    Returns
    -------
    ArmWeights

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import sampling_arm_weights
    >>> sampling_arm_weights(np.array([True, False]), np.array([2.0, 3.0]), "att").untreated.value.tolist()
    [0.0, 3.0]
    """
    return ArmWeights(
        treated=Term(value=np.where(treated, base, 0.0)),
        untreated=Term(value=np.where(treated, 0.0, base)),
        target=Term(value=target_weights(treated, base, estimand)),
    )


def variance_arm_weights(model: FittedScore, treated: Bools, base: Floats, estimand: str) -> ArmWeights:
    r"""Return weights of outcome models by their share in the variance of an augmented effect.

    A wrong prediction of an untreated row costs :math:`p / (1 - p)` in the variance and the row is seen with
    probability :math:`1 - p`, hence :math:`s_i p_i / (1 - p_i)^2`, and :math:`s_i (1 - p_i) / p_i^2` for the
    treated; for the ATE, the ATT and the ATC alike.

    Parameters
    ----------
    model : FittedScore
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
    estimand : {"att", "ate", "atc"}

    Returns
    -------
    ArmWeights

    References
    ----------
    Cao, W., Tsiatis, A. A. & Davidian, M. (2009). Improving efficiency and robustness of the doubly robust
    estimator for a population mean with incomplete data. *Biometrika* 96(3), 723-734.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import variance_arm_weights
    >>> from juntos_eval.estimators.matching.nuisances import score_model
    >>> from juntos_eval.estimators.matching.score import fit_score
    >>> treated, x = np.array([True, True, False, False]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> model = score_model(fit_score(treated, x, ("x",), np.ones(4)), treated, np.ones(4))
    >>> variance_arm_weights(model, treated, np.ones(4), "ate").total.round(9).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    p, f = model.probability, model.density
    inside_1, inside_0 = np.where(treated, p, 0.5), np.where(treated, 0.5, 1.0 - p)
    weight_1 = Term(value=(1.0 - p) / inside_1**2, slopes=((model, -f * (2.0 - p) / inside_1**3),))
    weight_0 = Term(value=p / inside_0**2, slopes=((model, f * (1.0 + p) / inside_0**3),))
    return ArmWeights(
        treated=weight_1.times(base * treated),
        untreated=weight_0.times(base * ~treated),
        target=Term(value=target_weights(treated, base, estimand)),
    )


def moment_columns(
    covariates: Floats, names: tuple[str, ...], moments: int
) -> tuple[Floats, tuple[str, ...]]:
    """Return covariates and powers of standardised ones; constants, and powers of two values, add nothing.

    Parameters
    ----------
    covariates : numpy.ndarray, shape (n, p)
    names : tuple of str, length p
    moments : int
        1 for means, 2 also for variances, 3 also for skewness.

    Returns
    -------
    columns : numpy.ndarray, shape (n, k)
    names : tuple of str, length k

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import moment_columns
    >>> moment_columns(np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 1.0]]), ("age", "is_rural"), 2)[1]
    ('age', 'is_rural', 'standardised age^2')
    """
    varying = np.flatnonzero(np.ptp(covariates, axis=0) > 0)
    used = covariates[:, varying]
    standard = (used - used.mean(axis=0)) / used.std(axis=0)
    low, high = used.min(axis=0), used.max(axis=0)
    curved = np.flatnonzero(((used != low) & (used != high)).any(axis=0))
    powers = range(2, moments + 1)
    columns = np.hstack([used, *(standard[:, curved] ** power for power in powers)])
    linear = tuple(names[j] for j in varying)
    return columns, linear + tuple(f"standardised {linear[j]}^{power}" for power in powers for j in curved)


def entropy_arm_weights(
    columns: Floats, names: tuple[str, ...], treated: Bools, base: Floats, estimand: str, tolerance: float
) -> tuple[ArmWeights, dict[str, EntropyBalance]]:
    """Return the weights of both arms by entropy balancing.

    Parameters
    ----------
    columns : numpy.ndarray, shape (n, k)
        What is balanced.
    names : tuple of str, length k
    treated : numpy.ndarray of bool, shape (n,)
    base : numpy.ndarray, shape (n,)
        Sampling weights, from which entropy weights keep as close as balance allows.
    estimand : {"att", "ate", "atc"}
    tolerance : float

    Returns
    -------
    weights : ArmWeights
        Each arm has the total weight of the target.
    balances : dict of str to EntropyBalance
        Of the arms that had to be weighted.

    Raises
    ------
    DesignError
        If no weights reach the target's means.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import entropy_arm_weights
    >>> treated, x = np.array([True, True, False, False]), np.array([[0.0], [0.5], [0.0], [1.0]])
    >>> weights, _ = entropy_arm_weights(x, ("x",), treated, np.ones(4), "att", 1e-12)
    >>> weights.untreated.value.round(9).tolist()
    [0.0, 0.0, 1.5, 0.5]
    """
    target = target_weights(treated, base, estimand)
    means = target @ columns / target.sum()
    spread = columns.std(axis=0)
    standard = (columns - means) / np.where(spread > 0, spread, 1.0)
    terms, balances = {}, {}
    for arm, rows, asked in (("treated", treated, "att"), ("untreated", ~treated, "atc")):
        inside = np.where(rows, base, 0.0)
        if estimand == asked:
            terms[arm] = Term(value=inside)
            continue
        found = entropy_balance(columns[rows], means, base[rows], names=names, tolerance=tolerance)
        inside[rows] = found.weights * target.sum()
        dual = dual_model(standard[:, found.kept], inside, target)
        terms[arm] = Term(value=inside, slopes=((dual, inside),))
        balances[arm] = found
    return ArmWeights(**terms, target=Term(value=target)), balances


def _refuse_extreme(probability: Floats, treated: Bools, estimand: str) -> None:
    """Raise where the denominator of a weight is next to nothing."""
    weighted_1, weighted_0 = treated & (estimand in ("ate", "atc")), ~treated & (estimand in ("ate", "att"))
    room = np.where(weighted_1, probability, np.where(weighted_0, 1.0 - probability, 1.0))
    extreme = room < SMALLEST
    if extreme.any():
        raise DesignError(
            "there is no overlap: rows that must stand for others have a score next to 0 or 1",
            where=f"{int((extreme & treated).sum())} treated with a score below {SMALLEST:g}, "
            f"{int((extreme & ~treated).sum())} untreated with one above {1.0 - SMALLEST:g}, "
            f"of {len(probability)} rows",
            remedy="trim (trim=0.01 or trim='crump'), use method='overlap', or compare more alike rows",
        )
