r"""Mean outcomes of a target that are predicted by a regression in one arm, and corrected by weights."""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimators.matching.arm_weights import ArmWeights
from juntos_eval.estimators.matching.effect import Comparison, MeanOutcome, ratio
from juntos_eval.estimators.matching.nuisances import Term, parameters_of
from juntos_eval.estimators.matching.outcome_model import (
    OutcomeDesign,
    OutcomeKind,
    OutcomeModel,
    fit_outcome,
)

__all__ = ["TARGETS", "augmented_mean", "compare_predictions", "predicted_mean"]

# targets whose mass is known without a score
TARGETS = ("att", "ate", "atc")

# estimands whose target is an arm itself, which then needs no prediction
OWN_ESTIMAND = {"treated": "att", "untreated": "atc"}


def predicted_mean(model: OutcomeModel, target: Term) -> MeanOutcome:
    r"""Return the mean prediction of a target.

    .. math:: \hat\mu = \frac{\sum_i \tau_i \hat m(x_i)}{\sum_i \tau_i}

    Parameters
    ----------
    model : OutcomeModel
    target : Term
        :math:`\tau`, known.

    Returns
    -------
    MeanOutcome

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.outcome_model import fit_outcome, outcome_design
    >>> from juntos_eval.estimators.matching.predicted_means import predicted_mean
    >>> design = outcome_design(np.array([[0.0], [1.0], [2.0], [3.0]]), ("age",))
    >>> arm, target = (Term(value=np.array(rows)) for rows in ([1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]))
    >>> model = fit_outcome(np.array([0.0, 1.0, 2.0, 9.0]), design, arm, "linear", "untreated")
    >>> round(predicted_mean(model, target).value, 9)
    3.0
    """
    return ratio(model.predicted.times(target.value), target)


def augmented_mean(model: OutcomeModel, weights: Term, target: Term, *, normalised: bool) -> MeanOutcome:
    r"""Return the mean prediction of a target, corrected by weighted residuals of the arm.

    .. math:: \hat\mu = \frac{\sum_i \tau_i \hat m(x_i) + \omega_i (y_i - \hat m(x_i))}{\sum_i \tau_i}

    Parameters
    ----------
    model : OutcomeModel
    weights : Term
        :math:`\omega`: makes the arm stand for the target.
    target : Term
        :math:`\tau`, known.
    normalised : bool
        Divide the residuals by the sum of their weights instead.

    Returns
    -------
    MeanOutcome

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.outcome_model import fit_outcome, outcome_design
    >>> from juntos_eval.estimators.matching.predicted_means import augmented_mean
    >>> design = outcome_design(np.array([[0.0], [1.0], [2.0], [3.0]]), ("age",))
    >>> arm, target = (Term(value=np.array(rows)) for rows in ([1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]))
    >>> model = fit_outcome(np.array([0.0, 1.0, 2.0, 9.0]), design, arm, "linear", "untreated")
    >>> round(augmented_mean(model, arm, target, normalised=True).value, 9)
    3.0
    """
    residuals = weights.times(model.residual).plus(
        Term(value=np.zeros(len(model.residual)), slopes=((model, -weights.value * model.slope),))
    )
    if normalised:
        return predicted_mean(model, target).plus(ratio(residuals, weights))
    return ratio(model.predicted.times(target.value).plus(residuals), target)


def compare_predictions(
    outcome: Floats,
    design: OutcomeDesign,
    fitting: ArmWeights,
    augmenting: ArmWeights | None,
    *,
    kind: OutcomeKind,
    estimand: str,
    normalised: bool = False,
) -> Comparison:
    """Return the two mean outcomes of a target by regressions in each arm.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    design : OutcomeDesign
    fitting : ArmWeights
        Weights of the regressions, and the target.
    augmenting : ArmWeights, optional
        Weights of the residuals; None for predictions alone.
    kind : {"linear", "logit"}
    estimand : {"att", "ate", "atc"}
    normalised : bool
        As in :func:`augmented_mean`.

    Returns
    -------
    Comparison

    Raises
    ------
    DesignError
        As :func:`~juntos_eval.estimators.matching.outcome_model.fit_outcome`.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.arm_weights import ArmWeights
    >>> from juntos_eval.estimators.matching.nuisances import Term
    >>> from juntos_eval.estimators.matching.outcome_model import outcome_design
    >>> from juntos_eval.estimators.matching.predicted_means import compare_predictions
    >>> design = outcome_design(np.array([[0.0], [1.0], [2.0], [3.0]]), ("age",))
    >>> one, other = (Term(value=np.array(rows)) for rows in ([0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]))
    >>> arms = ArmWeights(treated=one, untreated=other, target=one)
    >>> found = compare_predictions(
    ...     np.array([0.0, 1.0, 2.0, 9.0]), design, arms, None, kind="linear", estimand="att")
    >>> found.treated.value, round(found.untreated.value, 9)
    (9.0, 3.0)
    """
    target = fitting.target
    means, terms = {}, []
    for arm in ("treated", "untreated"):
        if estimand == OWN_ESTIMAND[arm]:
            means[arm] = ratio(target.times(outcome), target)
            continue
        model = fit_outcome(outcome, design, getattr(fitting, arm), kind, arm)
        if augmenting is None:
            means[arm] = predicted_mean(model, target)
        else:
            weights = getattr(augmenting, arm)
            means[arm] = augmented_mean(model, weights, target, normalised=normalised)
            terms.append(weights)
        terms += [model.predicted, getattr(fitting, arm)]
    return Comparison(
        **means,
        estimand=estimand,
        parameters=2 + parameters_of(*terms),
        arms=fitting.treated.value > 0,
        weights=(augmenting or fitting).total,
    )
