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
from juntos_eval.estimators.matching.nuisances import ScoreModel, Term

__all__ = ["ArmWeights", "score_arm_weights", "target_weights"]

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


def score_arm_weights(model: ScoreModel, treated: Bools, base: Floats, estimand: str) -> ArmWeights:
    """Return the weights of both arms by a propensity score.

    Parameters
    ----------
    model : ScoreModel
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
