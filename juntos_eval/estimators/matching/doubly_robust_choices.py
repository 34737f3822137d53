"""What estimators with a score and outcome models are asked alike."""

from __future__ import annotations

from typing import Any, get_args

from juntos_eval.estimators.matching.adjusted import column_names, refuse_other
from juntos_eval.estimators.matching.missing_covariates import refuse_rule
from juntos_eval.estimators.matching.outcome_model import OutcomeKind
from juntos_eval.estimators.matching.predicted_means import TARGETS
from juntos_eval.estimators.matching.weighting import Weighting

__all__ = ["settle", "weighting_of"]

_OF_THE_SCORE = (
    "treatment",
    "covariates",
    "estimand",
    "link",
    "trim",
    "clip",
    "truncate",
    "weights",
    "weight_score",
)


def settle(choices: Any) -> None:
    """Make names of columns tuples, and refuse choices that do not exist or contradict each other.

    Parameters
    ----------
    choices : AIPW or IPWRA
        Being made; typed loosely, as they import this module.

    Raises
    ------
    DesignError

    Examples
    --------
    >>> from juntos_eval.estimators.matching.aipw import AIPW
    >>> AIPW(outcome="y", treatment="d", covariates=["age"]).covariates
    ('age',)
    """
    object.__setattr__(choices, "covariates", column_names("covariates", choices.covariates))
    if choices.outcome_covariates is not None:
        names = column_names("outcome_covariates", choices.outcome_covariates)
        object.__setattr__(choices, "outcome_covariates", names)
    refuse_other("estimand", choices.estimand, TARGETS)
    refuse_other("outcome_model", choices.outcome_model, get_args(OutcomeKind))
    refuse_rule(choices.missing)
    weighting_of(choices)


def weighting_of(choices: Any) -> Weighting:
    """Return the weighting by the score alone.

    Parameters
    ----------
    choices : AIPW or IPWRA

    Returns
    -------
    Weighting

    Examples
    --------
    >>> from juntos_eval.estimators.matching.aipw import AIPW
    >>> from juntos_eval.estimators.matching.doubly_robust_choices import weighting_of
    >>> weighting_of(AIPW(outcome="y", treatment="d", covariates=("age",), truncate=0.99)).truncate
    0.99
    """
    return Weighting(**{name: getattr(choices, name) for name in _OF_THE_SCORE})
