r"""Effects on the treated from two cross-sections of different units.

Notation as in :mod:`juntos_eval.estimators.did.drdid_panel`, with :math:`T_i` the second period,
:math:`\lambda` its weighted share of rows, and :math:`\hat\mu_{d,t}(x)` the regression of the outcome in
group d and period t. All assume that within a group the composition does not change between the periods.

References
----------
Sant'Anna, P. H. C., & Zhao, J. (2020). Doubly robust difference-in-differences estimators. *Journal of
Econometrics*, 219(1), 101-122.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.estimators.did.effect import Effect, carried, mean_row, weighted_mean
from juntos_eval.estimators.did.nuisances import Arms, Regression, Score

__all__ = ["CellRegressions", "Variance", "doubly_robust", "inverse_probability", "outcome_regression"]

Variance = Literal["exact", "drdid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRegressions:
    r"""Regressions of the outcome in the cells of group and period, :math:`\hat\mu_{d,t}`.

    Attributes
    ----------
    control_before, control_after : Regression
    treated_before, treated_after : Regression or None
        None for the estimator that is not locally efficient, and for regression alone.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.drdid_cross_sections import CellRegressions
    >>> from juntos_eval.estimators.did.nuisances import regress
    >>> mean = regress(np.array([1.0, 3.0]), np.ones((2, 1)), np.ones(2), "the controls", None)
    >>> CellRegressions(control_before=mean, control_after=mean).treated_after
    """

    control_before: Regression
    control_after: Regression
    treated_before: Regression | None = None
    treated_after: Regression | None = None


@dataclass(frozen=True, slots=True)
class _Weights:
    """Weights of the four cells; the controls' carry the odds."""

    treated: Floats
    treated_after: Floats
    treated_before: Floats
    control_after: Floats
    control_before: Floats


def doubly_robust(
    outcome: Floats,
    after: Bools,
    arms: Arms,
    score: Score,
    regressions: CellRegressions,
    *,
    variance: Variance = "exact",
) -> Effect:
    r"""Regression and weighting together: right if either the score or the regressions of controls are.

    With :math:`\hat e_i = y_i - \hat\mu_{0,T_i}(x_i)` and bars that denote weighted means in the cells of
    group and period, controls weighted by their odds,

    .. math:: \hat\tau_1 = (\bar e_{1,1} - \bar e_{1,0}) - (\bar e_{0,1} - \bar e_{0,0}).

    The locally efficient estimator also uses regressions of the treated. With
    :math:`\hat g_t = \hat\mu_{1,t} - \hat\mu_{0,t}`, and :math:`E_n` the weighted mean in a group,

    .. math:: \hat\tau_2 = \hat\tau_1
       + (E_n[\hat g_1 \mid D = 1] - E_n[\hat g_1 \mid D = 1, T = 1])
       - (E_n[\hat g_0 \mid D = 1] - E_n[\hat g_0 \mid D = 1, T = 0]).

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    after : numpy.ndarray of bool, shape (n,)
    arms : Arms
    score : Score
    regressions : CellRegressions
        With those of the treated for :math:`\hat\tau_2`, without for :math:`\hat\tau_1`.
    variance : {"exact", "drdid"}
        Influence as the estimator's derivative, or with the error of the controls' earlier regression
        turned around, as R's DRDID 1.2.3 has it.

    Returns
    -------
    Effect

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.drdid_cross_sections import CellRegressions, doubly_robust
    >>> from juntos_eval.estimators.did.nuisances import Arms, regress, tilted_score
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> y, after = np.array([3.0, 5.0, 1.0, 2.0]), np.array([0, 1, 0, 1]) == 1
    >>> means = CellRegressions(
    ...     control_before=regress(y, arms.design, np.array([0.0, 0.0, 1.0, 0.0]), "controls", arms),
    ...     control_after=regress(y, arms.design, np.array([0.0, 0.0, 0.0, 1.0]), "controls", arms))
    >>> doubly_robust(y, after, arms, tilted_score(arms, 0.995), means).value
    1.0
    """
    cells = _cell_weights(after, arms, score)
    model = regressions
    unexplained = outcome - np.where(after, model.control_after.fitted, model.control_before.fitted)
    value, psi = _double_difference(unexplained, cells)
    # coefficients that are chosen by balance and by regressions that use it move nothing, to first order
    is_corrected = score.error is not None
    if is_corrected:
        psi -= carried(score.error, _score_moment(unexplained, cells, arms.design))
        later = mean_row(arms.design, cells.treated_after) - mean_row(arms.design, cells.control_after)
        earlier = mean_row(arms.design, cells.treated_before) - mean_row(arms.design, cells.control_before)
        sign = 1.0 if variance == "exact" else -1.0
        psi -= model.control_after.error.along(later) - sign * model.control_before.error.along(earlier)
    if model.treated_after is not None and model.treated_before is not None:
        for sign, cell, treated, control in (
            (1.0, cells.treated_after, model.treated_after, model.control_after),
            (-1.0, cells.treated_before, model.treated_before, model.control_before),
        ):
            gap = treated.fitted - control.fitted
            group, here = weighted_mean(gap, cells.treated), weighted_mean(gap, cell)
            value += sign * (group.value - here.value)
            psi += sign * (group.influence - here.influence)
            if is_corrected:
                shift = mean_row(arms.design, cells.treated) - mean_row(arms.design, cell)
                psi += sign * (treated.error.along(shift) - control.error.along(shift))
    return Effect(value=value, influence=psi / len(outcome))


def inverse_probability(
    outcome: Floats,
    after: Bools,
    arms: Arms,
    score: Score,
    *,
    normalised: bool,
    variance: Variance = "exact",
) -> Effect:
    r"""Weighting alone: controls weighted by their odds of treatment.

    Normalised (Hájek), the weights sum to one in each of the four cells; otherwise (Horvitz-Thompson,
    Abadie 2005)

    .. math:: \widehat{ATT} = \frac{1}{\sum_i w_i D_i} \sum_i w_i
       \Bigl(D_i - \frac{\hat\pi_i (1 - D_i)}{1 - \hat\pi_i}\Bigr)
       \frac{T_i - \hat\lambda}{\hat\lambda (1 - \hat\lambda)} y_i

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    after : numpy.ndarray of bool, shape (n,)
    arms : Arms
    score : Score
    normalised : bool
    variance : {"exact", "drdid"}
        Influence as the estimator's derivative, or with the mean sampling weight taken as known, as R's
        DRDID 1.2.3 has it; they differ for Horvitz-Thompson with unequal weights only.

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
    >>> from juntos_eval.estimators.did.drdid_cross_sections import inverse_probability
    >>> from juntos_eval.estimators.did.nuisances import Arms, likelihood_score
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> y, after = np.array([3.0, 5.0, 1.0, 2.0]), np.array([0, 1, 0, 1]) == 1
    >>> inverse_probability(y, after, arms, likelihood_score(arms, 0.995), normalised=True).value
    1.0
    """
    cells = _cell_weights(after, arms, score)
    if normalised:
        value, psi = _double_difference(outcome, cells)
        psi -= carried(score.error, _score_moment(outcome, cells, arms.design))
        return Effect(value=value, influence=psi / len(outcome))
    return _horvitz_thompson(outcome, after, arms, score, variance)


def outcome_regression(outcome: Floats, after: Bools, arms: Arms, regressions: CellRegressions) -> Effect:
    r"""Regression alone: the treated's trend by the controls' two regressions.

    .. math:: \widehat{ATT} = (\bar y_{1,1} - \bar y_{1,0})
              - E_n[\hat\mu_{0,1}(x) - \hat\mu_{0,0}(x) \mid D = 1]

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    after : numpy.ndarray of bool, shape (n,)
    arms : Arms
    regressions : CellRegressions

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
    >>> from juntos_eval.estimators.did.drdid_cross_sections import CellRegressions, outcome_regression
    >>> from juntos_eval.estimators.did.nuisances import Arms, regress
    >>> arms = Arms(treated=np.array([1, 1, 0, 0]) == 1, weights=np.ones(4), design=np.ones((4, 1)),
    ...             covariates=np.zeros((4, 0)), names=())
    >>> y, after = np.array([3.0, 5.0, 1.0, 2.0]), np.array([0, 1, 0, 1]) == 1
    >>> means = CellRegressions(
    ...     control_before=regress(y, arms.design, np.array([0.0, 0.0, 1.0, 0.0]), "controls", arms),
    ...     control_after=regress(y, arms.design, np.array([0.0, 0.0, 0.0, 1.0]), "controls", arms))
    >>> outcome_regression(y, after, arms, means).value
    1.0
    """
    weight = arms.weights * arms.treated
    later, earlier = weighted_mean(outcome, weight * after), weighted_mean(outcome, weight * ~after)
    trend = weighted_mean(regressions.control_after.fitted - regressions.control_before.fitted, weight)
    row = mean_row(arms.design, weight)
    psi = later.influence - earlier.influence - trend.influence
    psi -= regressions.control_after.error.along(row) - regressions.control_before.error.along(row)
    return Effect(value=later.value - earlier.value - trend.value, influence=psi / len(outcome))


def _cell_weights(after: Bools, arms: Arms, score: Score) -> _Weights:
    treated = arms.weights * arms.treated
    control = arms.weights * np.where(arms.treated, 0.0, score.odds)
    return _Weights(treated, treated * after, treated * ~after, control * after, control * ~after)


def _double_difference(values: Floats, cells: _Weights) -> tuple[float, Floats]:
    later = weighted_mean(values, cells.treated_after)
    earlier = weighted_mean(values, cells.treated_before)
    control_later = weighted_mean(values, cells.control_after)
    control_earlier = weighted_mean(values, cells.control_before)
    value = (later.value - earlier.value) - (control_later.value - control_earlier.value)
    psi = (later.influence - earlier.influence) - (control_later.influence - control_earlier.influence)
    return value, psi


def _score_moment(values: Floats, cells: _Weights, design: Floats) -> Floats:
    """Return the derivative of the controls' difference of means in the coefficients of the score."""
    total = np.zeros(design.shape[1])
    for sign, weight in ((1.0, cells.control_after), (-1.0, cells.control_before)):
        centred = values - weighted_mean(values, weight).value
        total += sign * ((weight * centred) @ design) / weight.sum()
    return total


def _horvitz_thompson(outcome: Floats, after: Bools, arms: Arms, score: Score, variance: Variance) -> Effect:
    cells = _cell_weights(after, arms, score)
    share = float(arms.weights[after].sum() / arms.weights.sum())
    contrast = np.where(after, 1.0 / share, -1.0 / (1.0 - share))
    control_weight = cells.control_after + cells.control_before
    signed = (cells.treated - control_weight) * outcome
    mass = cells.treated.sum()
    value = float(signed @ contrast / mass)
    psi = signed * contrast - cells.treated * value
    psi -= carried(score.error, (control_weight * outcome * contrast) @ arms.design / len(outcome))
    # the periods' shares are estimated: their errors, times the derivatives with respect to them
    weights = arms.weights / arms.weights.mean()
    constant = weights if variance == "exact" else 1.0
    late = weights * after - share * constant
    early = weights * ~after - (1.0 - share) * constant
    psi -= late * float(signed[after].sum()) / (share**2 * len(outcome))
    psi += early * float(signed[~after].sum()) / ((1.0 - share) ** 2 * len(outcome))
    return Effect(value=value, influence=psi / mass)
