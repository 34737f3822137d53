"""Rows whose score lies so near 0 or 1 that they are left out, and other limits to weights by a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.matching.score import Score

__all__ = ["Trim", "WeightLimits", "crump_bound", "rows_between", "trimmed_rows"]

Trim = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightLimits:
    """What keeps weights by a score from running away.

    Attributes
    ----------
    trim : float or "crump" or None
        Rows with a score outside [trim, 1 - trim] are left out, and the score is fitted again to the rest.
    clip : float or None
        Scores are drawn in to [clip, 1 - clip].
    truncate : float or None
        Weights of an arm beyond this quantile of them are set to it.
    stabilised : bool
        Weights are multiplied by the share of their arm.

    Examples
    --------
    >>> from juntos_eval.estimators.matching.weighted_design import WeightLimits
    >>> WeightLimits(truncate=0.99).clip is None
    True
    """

    trim: Trim = None
    clip: float | None = None
    truncate: float | None = None
    stabilised: bool = False


def crump_bound(probability: Floats, base: Floats) -> float:
    r"""Return the smallest score to keep, so that the effect on those kept is known best.

    .. math:: \min_A \frac{\sum_{i \in A} s_i k_i}{(\sum_{i \in A} s_i)^2}, \qquad
              k_i = \frac{1}{p_i (1 - p_i)}

    is solved by :math:`A = \{k \le \gamma\}` with :math:`\gamma = 2 E[k | A]`, that is by scores in
    :math:`[\alpha, 1 - \alpha]` with :math:`\alpha (1 - \alpha) = 1 / \gamma`.

    Parameters
    ----------
    probability : numpy.ndarray, shape (n,)
    base : numpy.ndarray, shape (n,)
        s.

    Returns
    -------
    float
        :math:`\alpha`; 0 where all rows are kept.

    References
    ----------
    Crump, R. K., Hotz, V. J., Imbens, G. W. & Mitnik, O. A. (2009). Dealing with limited overlap in
    estimation of average treatment effects. *Biometrika* 96(1), 187-199.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.score_trimming import crump_bound
    >>> crump_bound(np.array([0.4, 0.5, 0.6]), np.ones(3))
    0.0
    """
    spread = 1.0 / np.maximum(probability * (1.0 - probability), 1e-300)
    order = np.argsort(spread, kind="stable")
    sums, masses = np.cumsum((base * spread)[order]), np.cumsum(base[order])
    best = int(np.argmin(sums / masses**2))
    gamma = 2.0 * float(sums[best] / masses[best])
    if best == len(order) - 1 or spread.max() <= gamma:
        return 0.0
    return 0.5 - float(np.sqrt(0.25 - 1.0 / gamma))


def rows_between(score: Score, treated: Bools, weights: Floats, rule: str | float) -> tuple[Bools, float]:
    """Return the rows with a score inside given bounds, or inside those of Crump et al. (2009).

    Parameters
    ----------
    score : Score
    treated : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
        Sampling weights.
    rule : "crump" or float
        The lower bound; the upper one is 1 less it.

    Returns
    -------
    inside : numpy.ndarray of bool, shape (n,)
    bound : float

    Raises
    ------
    DesignError
        If an arm has no row inside.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import learned
    >>> from juntos_eval.estimators.matching.score_trimming import rows_between
    >>> score = learned(np.array([0.05, 0.4, 0.6]), "logit")
    >>> rows_between(score, np.array([False, True, False]), np.ones(3), 0.1)[0].tolist()
    [False, True, True]
    """
    p = score.probability
    bound = crump_bound(p, weights) if isinstance(rule, str) else rule
    inside = np.asarray((p >= bound) & (p <= 1.0 - bound))
    if not (inside[treated].any() and inside[~treated].any()):
        raise DesignError(
            "trimming by the score leaves an arm empty",
            where=f"scores in [{bound:.4g}, {1.0 - bound:.4g}]: {int(inside[treated].sum())} of "
            f"{int(treated.sum())} treated, {int(inside[~treated].sum())} of {int((~treated).sum())} "
            "untreated rows",
            remedy="trim less, or compare more alike rows",
        )
    return inside, bound


def trimmed_rows(
    score: Score, treated: Bools, weights: Floats, trim: Trim
) -> tuple[Bools, str, tuple[Check, ...]]:
    """Return which rows are kept, why the others are not, and what that did.

    Parameters
    ----------
    score : Score
    treated : numpy.ndarray of bool, shape (n,)
    weights : numpy.ndarray, shape (n,)
    trim : float or "crump" or None

    Returns
    -------
    kept : numpy.ndarray of bool, shape (n,)
    reason : str
    checks : tuple of Check

    Raises
    ------
    DesignError
        If an arm is emptied.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.cross_fitting import learned
    >>> from juntos_eval.estimators.matching.score_trimming import trimmed_rows
    >>> score = learned(np.array([0.05, 0.4, 0.6]), "logit")
    >>> trimmed_rows(score, np.array([False, True, False]), np.ones(3), 0.1)[1]
    'score outside [0.1, 0.9]'
    """
    if trim is None:
        return np.ones(len(treated), dtype=np.bool_), "", ()
    kept, bound = rows_between(score, treated, weights, trim)
    reason = f"score outside [{bound:.4g}, {1.0 - bound:.4g}]"
    detail = (
        f"{reason}: {int((~kept & treated).sum())} treated and {int((~kept & ~treated).sum())} untreated "
        "rows left out, score fitted again; the effect is that on the rest"
    )
    return kept, reason, (Check("trimming", None, detail),)
