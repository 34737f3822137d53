r"""Effects on the treated from changes of an outcome between two periods (a panel).

Notation, with all averages over the n units: :math:`\Delta_i` the change of the outcome, :math:`D_i` the
treated group, :math:`w_i` sampling weights, :math:`\hat\pi / (1 - \hat\pi)` the odds, and
:math:`\hat\mu(x)` the regression of the untreated's changes on covariates.

References
----------
Sant'Anna, P. H. C., & Zhao, J. (2020). Doubly robust difference-in-differences estimators. *Journal of
Econometrics*, 219(1), 101-122.
"""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.did.effect import Effect, carried, mean_row, weighted_mean
from juntos_eval.estimators.did.nuisances import Arms, Regression, Score

__all__ = ["doubly_robust", "inverse_probability", "outcome_regression"]


def doubly_robust(change: Floats, arms: Arms, score: Score, outcome: Regression) -> Effect:
    r"""Regression and weighting together: right if either the score or the regression is.

    .. math:: \widehat{ATT} = \frac{\sum_i w_i D_i (\Delta_i - \hat\mu_i)}{\sum_i w_i D_i}
       - \frac{\sum_i w_i (1 - D_i) \frac{\hat\pi_i}{1 - \hat\pi_i} (\Delta_i - \hat\mu_i)}
              {\sum_i w_i (1 - D_i) \frac{\hat\pi_i}{1 - \hat\pi_i}}

    With a tilted score and a regression weighted by its odds (the improved estimator) the errors of their
    coefficients do not move the effect: the regression's first-order conditions are the derivative with
    respect to the score, and the balance is the derivative with respect to the regression.

    Parameters
    ----------
    change : numpy.ndarray, shape (n,)
    arms : Arms
    score : Score
    outcome : Regression
        Of the controls.

    Returns
    -------
    Effect

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.drdid_panel import doubly_robust
    >>> from juntos_eval.estimators.did.nuisances import Arms, regress, tilted_score
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> change = np.array([3.0, 5.0, 1.0, 2.0])
    >>> untreated = regress(change, arms.design, np.array([0.0, 0.0, 1.0, 1.0]), "controls", arms)
    >>> doubly_robust(change, arms, tilted_score(arms, 0.995), untreated).value
    2.5
    """
    design = arms.design
    treated_weight, control_weight = _weights(arms, score)
    unexplained = change - outcome.fitted
    treated = weighted_mean(unexplained, treated_weight)
    control = weighted_mean(unexplained, control_weight)
    psi = treated.influence - control.influence
    if score.error is not None:
        mass = control_weight / control_weight.mean()
        psi -= score.error.along((mass * (unexplained - control.value)) @ design / len(change))
        psi -= outcome.error.along(mean_row(design, treated_weight) - mean_row(design, control_weight))
    return Effect(value=treated.value - control.value, influence=psi / len(change))


def inverse_probability(change: Floats, arms: Arms, score: Score, *, normalised: bool) -> Effect:
    r"""Weighting alone: controls weighted by their odds of treatment.

    Normalised (Hájek), each arm's weights are made to sum to one; otherwise (Horvitz-Thompson, Abadie 2005)

    .. math:: \widehat{ATT} = \frac{1}{\sum_i w_i D_i}
              \sum_i w_i \Bigl(D_i - \frac{\hat\pi_i (1 - D_i)}{1 - \hat\pi_i}\Bigr) \Delta_i

    Parameters
    ----------
    change : numpy.ndarray, shape (n,)
    arms : Arms
    score : Score
    normalised : bool

    Returns
    -------
    Effect

    References
    ----------
    Abadie, A. (2005). Semiparametric difference-in-differences estimators. *Review of Economic Studies*,
    72(1), 1-19.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.drdid_panel import inverse_probability
    >>> from juntos_eval.estimators.did.nuisances import Arms, likelihood_score
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> score = likelihood_score(arms, 0.995)
    >>> inverse_probability(np.array([3.0, 5.0, 1.0, 2.0]), arms, score, normalised=True).value
    2.5
    """
    design = arms.design
    treated_weight, control_weight = _weights(arms, score)
    treated = weighted_mean(change, treated_weight)
    if normalised:
        control = weighted_mean(change, control_weight)
        mass = control_weight / control_weight.mean()
        psi = treated.influence - control.influence
        psi -= carried(score.error, (mass * (change - control.value)) @ design / len(change))
        return Effect(value=treated.value - control.value, influence=psi / len(change))
    terms = (treated_weight - control_weight) * change
    value = float(terms.sum() / treated_weight.sum())
    psi = terms - treated_weight * value
    psi -= carried(score.error, (control_weight * change) @ design / len(change))
    return Effect(value=value, influence=psi / treated_weight.sum())


def outcome_regression(change: Floats, arms: Arms, outcome: Regression) -> Effect:
    r"""Regression alone: what the treated's change would have been, by the controls' regression.

    .. math:: \widehat{ATT} = \frac{\sum_i w_i D_i (\Delta_i - \hat\mu_i)}{\sum_i w_i D_i}

    Parameters
    ----------
    change : numpy.ndarray, shape (n,)
    arms : Arms
    outcome : Regression
        Of the controls.

    Returns
    -------
    Effect

    References
    ----------
    Heckman, J. J., Ichimura, H., & Todd, P. E. (1997). Matching as an econometric evaluation estimator.
    *Review of Economic Studies*, 64(4), 605-654.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.drdid_panel import outcome_regression
    >>> from juntos_eval.estimators.did.nuisances import Arms, regress
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> change = np.array([3.0, 5.0, 1.0, 2.0])
    >>> untreated = regress(change, arms.design, np.array([0.0, 0.0, 1.0, 1.0]), "controls", arms)
    >>> outcome_regression(change, arms, untreated).value
    2.5
    """
    weight = arms.weights * arms.treated
    treated = weighted_mean(change - outcome.fitted, weight)
    psi = treated.influence - outcome.error.along(mean_row(arms.design, weight))
    return Effect(value=treated.value, influence=psi / len(change))


def _weights(arms: Arms, score: Score) -> tuple[Floats, Floats]:
    control = arms.weights * np.where(arms.treated, 0.0, score.odds)
    return arms.weights * arms.treated, control
