r"""Effects on the treated from many changes of an outcome at once, with the same groups and covariates.

What :mod:`juntos_eval.estimators.did.drdid_panel` does for one change, done for the columns of a matrix:
the score is estimated once, the regressions of controls share one factorisation, and influence comes as
rows × changes. The formulas are those of that module.

References
----------
Sant'Anna, P. H. C., & Zhao, J. (2020). Doubly robust difference-in-differences estimators. *Journal of
Econometrics*, 219(1), 101-122.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.did.nuisances import SINGULAR, Arms, Score, likelihood_score

__all__ = ["Effects", "Method", "effects_of_changes"]

Method = Literal["dr", "ipw", "reg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Effects on the treated of m changes.

    Attributes
    ----------
    values : numpy.ndarray, shape (m,)
    influence : numpy.ndarray, shape (n, m)
        Divided by n: columns sum to zero.
    score : Score or None

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.changes import Effects
    >>> Effects(values=np.zeros(2), influence=np.zeros((3, 2)), score=None).values.shape
    (2,)
    """

    values: Floats
    influence: Floats
    score: Score | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))


def effects_of_changes(changes: Floats, arms: Arms, method: Method, trim: float) -> Effects:
    r"""Estimate the effect on the treated of each change.

    With :math:`\Delta` a change, :math:`\hat\mu` the controls' weighted regression of it (zero for
    ``ipw``), :math:`r = \Delta - \hat\mu`, and weights of controls :math:`w \hat\pi / (1 - \hat\pi)`
    (``reg`` uses none),

    .. math:: \widehat{ATT} = E_n[r \mid D = 1] - E_n[r \mid D = 0].

    Parameters
    ----------
    changes : numpy.ndarray, shape (n, m)
    arms : Arms
    method : {"dr", "ipw", "reg"}
        Doubly robust (traditional), inverse-probability weights that sum to one, outcome regression.
    trim : float
        Controls with at least this score get no odds.

    Returns
    -------
    Effects

    Raises
    ------
    DesignError
        Without overlap, or if covariates are collinear among the controls.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.changes import effects_of_changes
    >>> from juntos_eval.estimators.did.nuisances import Arms
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> effects_of_changes(np.array([[3.0], [5.0], [1.0], [2.0]]), arms, "dr", 0.995).values.tolist()
    [2.5]
    """
    n, design = len(changes), arms.design
    score = None if method == "reg" else likelihood_score(arms, trim)
    treated_weight = arms.weights * arms.treated
    control_weight = np.where(arms.treated, 0.0, arms.weights)
    if design.shape[1] == 1 and (score is None or not score.trimmed.any()):
        # without covariates all three are the difference of weighted mean changes
        return _difference(changes, treated_weight, control_weight, score)
    rest, error = (changes, None) if method == "ipw" else _regress(changes, arms, control_weight)
    treated_mean, psi = _mean(rest, treated_weight)
    if score is None:
        if error is not None:
            psi -= error.along(treated_weight @ design / treated_weight.sum())
        return Effects(values=treated_mean, influence=psi / n, score=None)
    odds_weight = arms.weights * score.odds * ~arms.treated
    control_mean, influence = _mean(rest, odds_weight)
    psi -= influence
    if score.error is not None:
        moment = design.T @ ((rest - control_mean) * (odds_weight / odds_weight.sum())[:, None])
        psi -= score.error.residual[:, None] * (design @ (score.error.bread @ moment))
    if error is not None:
        psi -= error.along(
            treated_weight @ design / treated_weight.sum() - odds_weight @ design / odds_weight.sum()
        )
    return Effects(values=treated_mean - control_mean, influence=psi / n, score=score)


@dataclass(frozen=True, slots=True)
class _RegressionError:
    """The error of the coefficients of m regressions: weighted residuals, design and bread."""

    residuals: Floats
    design: Floats
    bread: Floats

    def along(self, moment: Floats) -> Floats:
        """Return what each row adds through the coefficients to values with this derivative, (n, m)."""
        return np.asarray(self.residuals * (self.design @ (self.bread @ moment))[:, None])


def _regress(changes: Floats, arms: Arms, weights: Floats) -> tuple[Floats, _RegressionError]:
    """Return what the controls' regressions leave of every row's changes, and their error."""
    n, design = len(changes), arms.design
    used = np.flatnonzero(weights)
    rows = design[used] * weights[used, None]
    moments = rows.T @ design[used] / n
    sizes = linalg.eigvalsh(moments)
    if len(used) < design.shape[1] or sizes[0] <= SINGULAR * sizes[-1]:
        raise DesignError(
            "covariates are collinear among the controls",
            where=f"{len(used)} rows for {design.shape[1]} coefficients",
            remedy="leave covariates out or join their levels; method='ipw' needs no regression",
        )
    factor = linalg.cho_factor(moments)
    coefficients = linalg.cho_solve(factor, rows.T @ changes[used] / n)
    rest = changes - design @ coefficients
    bread = np.asarray(linalg.cho_solve(factor, np.eye(design.shape[1])))
    return rest, _RegressionError(weights[:, None] * rest, design, bread)


def _mean(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return weighted means (m,) and n times their influence (n, m)."""
    total = weights.sum()
    means = weights @ values / total
    return means, (values - means) * (weights * (len(weights) / total))[:, None]


def _difference(changes: Floats, treated: Floats, control: Floats, score: Score | None) -> Effects:
    treated_mean, psi = _mean(changes, treated)
    control_mean, influence = _mean(changes, control)
    return Effects(
        values=treated_mean - control_mean, influence=(psi - influence) / len(changes), score=score
    )
