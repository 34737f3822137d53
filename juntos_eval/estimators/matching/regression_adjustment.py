r"""Regression adjustment: the outcome of one arm is predicted for the target, alone or with score weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry, select, zero_one
from juntos_eval.estimators.matching.adjusted import Estimand, column_names, refuse_other
from juntos_eval.estimators.matching.arm_weights import sampling_arm_weights
from juntos_eval.estimators.matching.doubly_robust_choices import settle, weighting_of
from juntos_eval.estimators.matching.effect import effect_estimate, refuse_outcome
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    fit_settled,
    refuse_rule,
    settle_missing,
)
from juntos_eval.estimators.matching.outcome_model import OutcomeKind, left_out_check, outcome_design
from juntos_eval.estimators.matching.predicted_means import TARGETS, compare_predictions
from juntos_eval.estimators.matching.score_trimming import Trim
from juntos_eval.estimators.matching.weighted_design import WeightedDesign
from juntos_eval.estimators.matching.weighted_outcome import weighted_outcome

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["IPWRA", "RegressionAdjustment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionAdjustment:
    r"""Effect by outcome regressions, one in each arm.

    .. math:: \hat\mu_a = \frac{\sum_i \tau_i \hat m_a(x_i)}{\sum_i \tau_i}, \qquad
              \sum_{i \in a} s_i x_i (y_i - \hat m_a(x_i)) = 0

    with sampling weights s, target mass :math:`\tau` (the treated for the ATT, all rows for the ATE, the
    untreated for the ATC), and :math:`m_a` linear or logistic in the covariates. The target's own arm is
    averaged as it is. Influence is that of the stacked moments.

    Parameters
    ----------
    outcome : str
        Column of numbers; between 0 and 1 for a logit.
    treatment : str
        Column of 0 and 1; a missing value is an error.
    covariates : tuple of str
        Numbers, booleans or categories; rows with missing values are dropped and counted.
    estimand : {"att", "ate", "atc"}
    outcome_model : {"linear", "logit"}
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Column of sampling weights.
    means : bool
        Also return the two mean outcomes, as rows ``mean_treated`` and ``mean_untreated``.

    Raises
    ------
    DesignError
        For choices that do not exist; from ``fit`` for data that cannot answer, such as a category that one
        arm does not have.

    References
    ----------
    Imbens, G. W. & Wooldridge, J. M. (2009). Recent developments in the econometrics of program evaluation.
    *Journal of Economic Literature* 47(1), 5-86.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.regression_adjustment import RegressionAdjustment
    >>> frame = pd.DataFrame({"y": [5, 8, 1, 2, 3, 4], "d": [1, 1, 0, 0, 0, 0], "age": [1, 2, 1, 2, 3, 4]})
    >>> effect = RegressionAdjustment(outcome="y", treatment="d", covariates=("age",)).fit(frame)
    >>> effect.values.round(9).tolist()
    [5.0]
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    estimand: Estimand = "att"
    outcome_model: OutcomeKind = "linear"
    missing: Missing = "drop"
    weights: str | None = None
    means: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        refuse_other("estimand", self.estimand, TARGETS)
        refuse_other("outcome_model", self.outcome_model, get_args(OutcomeKind))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect; by default with the sandwich of the stacked moments, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``att``, ``ate`` or ``atc``; ``details`` has the two means.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        chosen = select(
            data,
            numeric=(self.outcome,),
            required=(self.treatment,),
            covariates=self.covariates,
            weights=self.weights,
            carry=groups_to_carry(inference, carry),
        )
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        outcome = chosen.columns[self.outcome]
        refuse_outcome(outcome, treated, self.outcome)
        design = outcome_design(chosen.covariates, chosen.covariate_names)
        arms = sampling_arm_weights(treated, chosen.weights, self.estimand)
        return effect_estimate(
            compare_predictions(outcome, design, arms, None, kind=self.outcome_model, estimand=self.estimand),
            chosen.groups,
            spec={"estimator": "RegressionAdjustment", **asdict(self)},
            inference=inference,
            dropped=chosen.dropped,
            checks=left_out_check(design),
            details={},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IPWRA:
    r"""Effect by outcome regressions that are weighted by the propensity score: doubly robust.

    .. math:: \hat\mu_a = \frac{\sum_i \tau_i \hat m_a(x_i)}{\sum_i \tau_i}, \qquad
              \sum_{i \in a} \omega_{ai} x_i (y_i - \hat m_a(x_i)) = 0

    with :math:`\omega` the weights of :class:`~juntos_eval.estimators.matching.weighting.Weighting`, which
    make each arm stand for the target :math:`\tau`: right if the score or the outcome model is (Wooldridge
    2007).

    Parameters
    ----------
    outcome : str
        Column of numbers; between 0 and 1 for a logit.
    treatment : str
        Column of 0 and 1; a missing value is an error.
    covariates : tuple of str
        Of the score; rows with missing values are dropped and counted.
    outcome_covariates : tuple of str, optional
        Of the outcome models; by default those of the score.
    estimand : {"att", "ate", "atc"}
    link : {"logit", "probit"}
        Of the score.
    outcome_model : {"linear", "logit"}
    trim : float or "crump", optional
        As in :class:`~juntos_eval.estimators.matching.weighting.Weighting`.
    clip : float, optional
    truncate : float, optional
        Scores drawn in, or weights cut at a quantile, as in
        :class:`~juntos_eval.estimators.matching.weighting.Weighting`.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Column of sampling weights.
    weight_score : bool
        Whether sampling weights enter the likelihood of the score too.
    means : bool
        Also return the two mean outcomes, as rows ``mean_treated`` and ``mean_untreated``.

    Raises
    ------
    DesignError
        For choices that do not exist; from ``design`` and ``fit`` for data that cannot answer.

    References
    ----------
    Wooldridge, J. M. (2007). Inverse probability weighted estimation for general missing data problems.
    *Journal of Econometrics* 141(2), 1281-1301.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.regression_adjustment import IPWRA
    >>> frame = pd.DataFrame({"y": [5, 8, 6, 1, 2, 3, 4], "d": [1, 1, 1, 0, 0, 0, 0],
    ...                       "age": [1, 3, 2, 1, 2, 3, 4]})
    >>> IPWRA(outcome="y", treatment="d", covariates=("age",)).fit(frame).values.round(6).tolist()
    [4.333333]
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    outcome_covariates: tuple[str, ...] | None = None
    estimand: Estimand = "att"
    link: str = "logit"
    outcome_model: OutcomeKind = "linear"
    trim: Trim = None
    clip: float | None = None
    truncate: float | None = None
    missing: Missing = "drop"
    weights: str | None = None
    weight_score: bool = True
    means: bool = False

    def __post_init__(self) -> None:
        settle(self)

    def design(self, data: DataFrame) -> WeightedDesign:
        """Return weights, score and checks, without looking at an outcome.

        Parameters
        ----------
        data : pandas.DataFrame

        Returns
        -------
        WeightedDesign
        """
        if self.missing != "drop":
            settled = settle_missing(self, data)
            return settled.estimator.design(settled.frame)  # type: ignore[no-any-return]
        return weighting_of(self).design(data)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect; by default with the sandwich of the stacked moments, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows without outcome are left out before the design is made.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``att``, ``ate`` or ``atc``; ``details`` has the two means and the score's coefficients.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        seen = weighted_outcome(
            weighting_of(self), data, self.outcome, self.outcome_covariates, groups_to_carry(inference, carry)
        )
        comparison = compare_predictions(
            seen.outcome,
            seen.outcome_design,
            seen.design.arms,
            None,
            kind=self.outcome_model,
            estimand=self.estimand,
        )
        return seen.estimate(comparison, {"estimator": "IPWRA", **asdict(self)}, inference)
