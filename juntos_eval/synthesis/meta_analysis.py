"""Pooled effects and meta-regression, with the variance between studies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from scipy import stats

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Linear, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.numerics.heterogeneity import (
    HeterogeneityRule,
    between_variance,
    between_variance_interval,
    residual_sum,
)
from juntos_eval.numerics.least_squares import LeastSquares, least_squares
from juntos_eval.synthesis.knapp_hartung import KnappHartung, KnownVariance

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["MetaAnalysis"]

POOLED = "pooled"
FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaAnalysis:
    r"""The mean of true effects over studies, or how it moves with what sets studies apart.

    .. math:: y_i = x_i'\beta + u_i + e_i, \quad u_i \sim (0, \tau^2),\ e_i \sim (0, v_i), \qquad
              \hat\beta = (X'WX)^{-1} X'W y, \quad W_i = \frac{1}{v_i + \hat\tau^2}

    One row a study (its estimate of the same outcome in the same unit). Without covariates x is one and
    :math:`\hat\beta` the pooled effect. Estimates from the same data are not independent: pass
    ``inference=Cluster("data_source", kind="CR2")``, which is robust variance estimation with small-sample
    correction (Hedges, Tipton and Johnson 2010; Tipton 2015).

    Parameters
    ----------
    outcome : str
        Column of estimates; rows where it is missing are dropped and counted.
    std_error : str
        Column of their standard errors, positive; rows where it is missing are dropped and counted: a study
        without an error cannot be weighed.
    covariates : tuple of str
        Numbers, booleans or categories of the studies.
    method : {"reml", "dl", "pm", "ml", "eb", "sj", "hs", "he", "fixed"}
        How :math:`\tau^2` is had (:func:`~juntos_eval.numerics.heterogeneity.between_variance`).
    level : float
        Coverage of the prediction interval and of that of :math:`\tau^2`.

    References
    ----------
    DerSimonian, R., & Laird, N. (1986). Meta-analysis in clinical trials. *Controlled Clinical Trials*, 7(3),
    177-188.
    Higgins, J. P. T., Thompson, S. G., & Spiegelhalter, D. J. (2009). A re-evaluation of random-effects
    meta-analysis. *Journal of the Royal Statistical Society A*, 172(1), 137-159. (Prediction interval.)
    Hedges, L. V., Tipton, E., & Johnson, M. C. (2010). Robust variance estimation in meta-regression with
    dependent effect size estimates. *Research Synthesis Methods*, 1(1), 39-65.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import MetaAnalysis
    >>> studies = pd.DataFrame({"effect": [0.10, 0.30, 0.05, 0.22, 0.41],
    ...                         "se": [0.1, 0.1414, 0.1225, 0.1, 0.1732]})
    >>> pooled = MetaAnalysis(outcome="effect", std_error="se", method="dl").fit(studies)
    >>> pooled.values.round(3).tolist(), pooled.details["heterogeneity_share"] < 0.1
    ([0.185], True)
    """

    outcome: str
    std_error: str
    covariates: tuple[str, ...] = ()
    method: HeterogeneityRule = "reml"
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        if self.method not in get_args(HeterogeneityRule) or not 0 < self.level < 1:
            raise DesignError(
                "a meta-analysis was given a method or a level that there is not",
                where=f"method={self.method!r}, level={self.level!r}",
                remedy=f"choose {', '.join(get_args(HeterogeneityRule))}; a level lies between 0 and 1",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        r"""Pool the studies; by default :class:`KnappHartung`, with one study :class:`KnownVariance`.

        Parameters
        ----------
        data : pandas.DataFrame
            One row an estimate; not changed.
        inference : Inference, optional
        carry : tuple of str
            Groupings, as the data source.

        Returns
        -------
        Estimate
            Term ``pooled``, or ``constant`` and the covariates. ``details`` has ``between_variance``
            (:math:`\tau^2`) with its Q-profile interval, ``q``, ``q_p_value``, ``heterogeneity_share``
            (:math:`I^2`), ``common_effect`` (fixed effect with its error, without covariates) and
            ``prediction_interval`` (of the true effect of a new study; NaN with fewer than three).

        Raises
        ------
        DesignError
            For columns that cannot be used, errors that are not positive, or covariates that do not vary.
        """
        carried = groups_to_carry(inference, carry)
        chosen = select(
            data, numeric=(self.outcome, self.std_error), covariates=self.covariates, carry=carried
        )
        effects, errors = chosen.columns[self.outcome], chosen.columns[self.std_error]
        _refuse_errors(errors, self.std_error)
        design = np.column_stack([np.ones(chosen.n), chosen.covariates])
        variances = errors**2
        _refuse_design(least_squares(design, effects), (POOLED, *chosen.covariate_names))
        between = between_variance(effects, variances, design, self.method)
        weights = 1.0 / (variances + between)
        regression = least_squares(design, effects, weights)
        fit = _fit_of(design, regression, weights, chosen)
        rule = inference or (KnappHartung() if chosen.n > design.shape[1] else KnownVariance())
        uncertainty = rule.infer(fit)
        first = POOLED if not self.covariates else "constant"
        return Estimate(
            spec={"estimator": "MetaAnalysis", **asdict(self)},
            keys={"term": (first, *chosen.covariate_names)},
            values=fit.values,
            uncertainty=uncertainty,
            sample=Sample(
                rows=chosen.n,
                units=chosen.n,
                effective=float(weights.sum() ** 2 / (weights**2).sum()),
                dropped=chosen.dropped,
            ),
            checks=_checks(chosen.n, between, self.method),
            details=self._details(effects, variances, design, between, fit),
            fit=fit,
            inference=rule,
        )

    def _details(
        self, effects: Floats, variances: Floats, design: Floats, between: float, fit: Fit
    ) -> dict[str, Any]:
        df = design.shape[0] - design.shape[1]
        found = residual_sum(effects, variances, design)
        details: dict[str, Any] = {
            "between_variance": between,
            "between_variance_interval": list(
                between_variance_interval(effects, variances, design, self.level)
            ),
            "q": found,
            "q_df": df,
            "q_p_value": float(stats.chi2.sf(found, df)) if df else np.nan,
            "heterogeneity_share": _share(found, df),
        }
        if design.shape[1] > 1:
            alone = between_variance(effects, variances, np.ones((len(effects), 1)), self.method)
            details["explained_heterogeneity"] = max(0.0, 1 - between / alone) if alone > 0 else np.nan
            return details
        precision = 1.0 / variances
        details["common_effect"] = float(precision @ effects / precision.sum())
        details["common_effect_std_error"] = float(precision.sum() ** -0.5)
        details["prediction_interval"] = _prediction(fit, between, self.level)
        return details


def _share(found: float, df: int) -> float:
    """Return I squared, the part of the spread beyond the studies' own errors: none where all are alike."""
    if not df:
        return np.nan
    return max(0.0, 1.0 - df / found) if found > 0 else 0.0


def _prediction(fit: Fit, between: float, level: float) -> list[float]:
    """Return where the true effect of a new study is to be expected (Higgins et al. 2009, section 4.1)."""
    if fit.n < 3:
        return [np.nan, np.nan]
    error = KnownVariance().infer(fit).std_error[0]
    half = float(stats.t.ppf((1 + level) / 2, fit.n - 2) * np.hypot(np.sqrt(between), error))
    return [float(fit.values[0]) - half, float(fit.values[0]) + half]


def _fit_of(design: Floats, regression: LeastSquares, weights: Floats, chosen: Selection) -> Fit:
    # rows in units of their own error, so that every inference sees errors of equal variance: the working
    # model of small-sample corrections is then that of the meta-analysis itself
    root = np.sqrt(weights)
    scaled = design * root[:, None]
    residuals = root * regression.residuals
    return Fit(
        values=regression.coefficients,
        influence=DenseInfluence((residuals[:, None] * scaled) @ regression.bread),
        parameters=design.shape[1],
        groups=chosen.groups,
        linear=Linear(
            design=scaled,
            weights=np.ones(len(weights)),
            residuals=residuals,
            bread=regression.bread,
            selection=np.eye(design.shape[1]),
        ),
    )


def _checks(studies: int, between: float, method: str) -> tuple[Check, ...]:
    checks = [
        Check(
            "number of studies",
            None if studies >= FEW else False,
            f"{studies} studies"
            + (
                "" if studies >= FEW else f": with fewer than {FEW} the variance between them is hardly known"
            ),
        )
    ]
    if method != "fixed":
        words = "no more spread than the studies' own errors" if between == 0 else f"tau = {between**0.5:.4g}"
        checks.append(Check("variance between studies", None, f"{words} ({method})"))
    return tuple(checks)


def _refuse_errors(errors: Floats, column: str) -> None:
    bad = int((errors <= 0).sum())
    if bad:
        raise DesignError(
            "a standard error that is not positive cannot weigh a study",
            where=f"column '{column}', {bad} of {len(errors)} rows",
            remedy="leave it missing where it is not known: the study is then left out and counted",
        )


def _refuse_design(regression: LeastSquares, names: tuple[str, ...]) -> None:
    if len(regression.dropped):
        raise DesignError(
            "covariates of a meta-regression are collinear, or do not vary between the studies",
            where=", ".join(names[place] for place in regression.dropped),
            remedy="leave them out, or add studies that differ in them",
        )
