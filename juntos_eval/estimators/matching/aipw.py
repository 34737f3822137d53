r"""Augmented inverse probability weighting: predictions, corrected by weighted residuals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.matching.adjusted import Estimand
from juntos_eval.estimators.matching.doubly_robust_choices import settle, weighting_of
from juntos_eval.estimators.matching.missing_covariates import Missing, fit_settled, settle_missing
from juntos_eval.estimators.matching.outcome_model import OutcomeKind
from juntos_eval.estimators.matching.predicted_means import compare_predictions
from juntos_eval.estimators.matching.score_trimming import Trim
from juntos_eval.estimators.matching.weighted_design import WeightedDesign
from juntos_eval.estimators.matching.weighted_outcome import weighted_outcome

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["AIPW"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AIPW:
    r"""Effect by augmented inverse probability weighting: doubly robust, and efficient if both models hold.

    .. math:: \hat\mu_a = \frac{\sum_i \tau_i \hat m_a(x_i) + \omega_{ai} (y_i - \hat m_a(x_i))}
              {\sum_i \tau_i}

    with :math:`\omega` the weights of :class:`~juntos_eval.estimators.matching.weighting.Weighting`,
    :math:`\tau` the target's mass (the treated for the ATT, all rows for the ATE, the untreated for the ATC)
    and :math:`m_a` the outcome regression of arm a. The target's own arm is averaged as it is. Influence is
    that of the stacked moments.

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
    weighted_outcome : bool
        Fit the outcome models with weights :math:`s_i p_i / (1 - p_i)^2` of the untreated and
        :math:`s_i (1 - p_i) / p_i^2` of the treated, which keep the variance down where the outcome model is
        wrong (Cao, Tsiatis & Davidian 2009).
    normalised : bool
        Divide the weighted residuals by the sum of their weights instead of the target's mass.
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
    Cao, W., Tsiatis, A. A. & Davidian, M. (2009). Improving efficiency and robustness of the doubly robust
    estimator for a population mean with incomplete data. *Biometrika* 96(3), 723-734.

    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some
    regressors are not always observed. *Journal of the American Statistical Association* 89(427), 846-866.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.aipw import AIPW
    >>> frame = pd.DataFrame({"y": [5, 8, 6, 1, 2, 3, 4], "d": [1, 1, 1, 0, 0, 0, 0],
    ...                       "age": [1, 3, 2, 1, 2, 3, 4]})
    >>> AIPW(outcome="y", treatment="d", covariates=("age",)).fit(frame).values.round(6).tolist()
    [4.333333]
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    outcome_covariates: tuple[str, ...] | None = None
    estimand: Estimand = "att"
    link: str = "logit"
    outcome_model: OutcomeKind = "linear"
    weighted_outcome: bool = False
    normalised: bool = False
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
            seen.fitting_weights(by_variance=self.weighted_outcome),
            seen.design.arms,
            kind=self.outcome_model,
            estimand=self.estimand,
            normalised=self.normalised,
        )
        return seen.estimate(comparison, {"estimator": "AIPW", **asdict(self)}, inference)
