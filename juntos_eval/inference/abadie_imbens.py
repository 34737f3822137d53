r"""Abadie-Imbens inference: the error of an effect by matching, from the matched structure itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Matched, Uncertainty

__all__ = ["AbadieImbens"]

Variance = Literal["robust", "homoskedastic"]
Like = Literal["paper", "Matching"]
ScoreRule = Literal["known", "estimated"]


@dataclass(frozen=True, slots=True)
class AbadieImbens:
    r"""Large-sample variance of matching with a fixed number of matches (Abadie & Imbens 2006).

    With :math:`t_i` the weight of row i in the target population, :math:`W = \sum_i t_i`,
    :math:`s_{ij}` the share of row j in the match of i, :math:`K_j = \sum_i t_i s_{ij}` and
    :math:`K'_j = \sum_i t_i^2 s_{ij}^2`, the variance for the population's effect is

    .. math::
        \hat V = \frac{1}{W^2} \Bigl[ \sum_i t_i^2 (\hat\tau_i - \hat\tau)^2
                 + \sum_i (K_i^2 + 2 t_i K_i - K'_i) \, \hat\sigma_i^2 \Bigr]

    and that for the average effect given covariates of the rows at hand

    .. math:: \hat V_{sample} = \frac{1}{W^2} \sum_i (t_i + K_i)^2 \, \hat\sigma_i^2 .

    Without replacement no row serves twice, :math:`K_i^2 = K'_i` for the ATT, and the first reduces to the
    variance of the mean of matched differences. Rows are independent. A propensity score is taken as known,
    which for the ATE is conservative and for the ATT may err on either side, or with its error:

    .. math:: \hat V_{estimated} = \hat V - \hat c' \hat I^{-1} \hat c + \hat d' \hat I^{-1} \hat d

    (Abadie & Imbens 2016), with I the information of the score, c the covariance of the effect's error with
    its gradient, and d the derivative of the effect as the target population moves with it, both read off
    the influence that the fit carries.

    Parameters
    ----------
    variance : {"robust", "homoskedastic"}
        How the variance of the outcome given covariates and treatment is had. Robust, from the J nearest
        rows of the same arm, :math:`\hat\sigma_i^2 = \frac{J}{J+1} (y_i - \bar y_{J(i)})^2`; homoskedastic,
        one for all, half the mean squared deviation of matched differences from the effect:
        :math:`\hat\sigma^2 = \frac{1}{2W} \sum_i t_i \sum_j s_{ij} (\pm (y_i - y_j) - \hat\tau)^2`.
    population : bool
        The effect in the population (True) or in the sample, given its covariates.
    neighbours : int
        J.
    score : {"known", "estimated"}
        Whether the error of a propensity score counts; ``"estimated"`` is for the population's effect.
    like : {"paper", "Matching"}
        ``"Matching"``: :math:`\hat\sigma_i^2` is the variance of the J + 1 outcomes (divisor J), as R's
        package of that name has it (``Var.calc = J``); for J = 1 the two agree.

    Raises
    ------
    InferenceError
        For other choices; from ``infer`` where the fit is not one of matching with a fixed number of
        matches, or prepared another conditional variance.

    References
    ----------
    Abadie, A. & Imbens, G. W. (2006). Large sample properties of matching estimators for average treatment
    effects. *Econometrica* 74(1), 235–267.

    Abadie, A., Drukker, D., Herr, J. L. & Imbens, G. W. (2004). Implementing matching estimators for average
    treatment effects in Stata. *Stata Journal* 4(3), 290–311.

    Abadie, A. & Imbens, G. W. (2016). Matching on the estimated propensity score. *Econometrica* 84(2),
    781–807.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Matched
    >>> from juntos_eval.inference.abadie_imbens import AbadieImbens
    >>> matched = Matched(effects=[1.0, 3.0, np.nan], target=[1.0, 1.0, 0.0], use=[0.0, 0.0, 2.0],
    ...                   use_squared=[0.0, 0.0, 2.0], conditional_variance=[0.5, 0.5, 0.5],
    ...                   variance_rule=AbadieImbens().rule)
    >>> fit = Fit(values=[2.0], influence=DenseInfluence(np.zeros(3)), parameters=1, matched=matched)
    >>> AbadieImbens().infer(fit).covariance.item()
    0.75
    """

    variance: Variance = "robust"
    population: bool = True
    neighbours: int = 2
    like: Like = "paper"
    score: ScoreRule = "known"

    def __post_init__(self) -> None:
        for name, given, allowed in (
            ("variance", self.variance, get_args(Variance)),
            ("like", self.like, get_args(Like)),
            ("score", self.score, get_args(ScoreRule)),
        ):
            if given not in allowed:
                raise InferenceError(
                    f"Abadie-Imbens inference has no {name} {given!r}",
                    where=f"AbadieImbens({name}=…)",
                    remedy=f"choose one of {', '.join(allowed)}",
                )
        if self.score == "estimated" and not self.population:
            raise InferenceError(
                "the error of an estimated score is about the effect in the population",
                where="AbadieImbens(score='estimated', population=False)",
                remedy="set population=True, or take the score as known",
            )
        if self.neighbours < 1 or self.neighbours != int(self.neighbours):
            raise InferenceError(
                "a conditional variance needs at least one neighbour",
                where=f"AbadieImbens(neighbours={self.neighbours!r})",
                remedy="give 1, 2 or a few",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """No column needs to be carried."""
        return ()

    @property
    def rule(self) -> str:
        """How the conditional variance is had, in words."""
        if self.variance == "homoskedastic":
            return "one variance for all, from matched differences"
        of = "variance of a row and its" if self.like == "Matching" else "squared distance to the mean of its"
        return f"{of} {self.neighbours} nearest of the same arm"

    def infer(self, fit: Fit) -> Uncertainty:
        """Return the variance of the effect; normal quantiles."""
        matched = self._prepared(fit)
        target, use = matched.target, matched.use
        asked = target > 0
        if self.population:
            own = float(((target * (matched.effects - fit.values[0]))[asked] ** 2).sum())
            factor = use**2 + 2.0 * target * use - matched.use_squared
        else:
            own, factor = 0.0, (target + use) ** 2
        counted = np.abs(factor) > 0
        noise = float((factor[counted] * matched.conditional_variance[counted]).sum())
        variance = (own + noise) / float(target.sum()) ** 2
        if self.score == "estimated":
            variance += self._score_gain(matched)
        # a single matched row says nothing of how effects vary
        known = int(asked.sum()) > 1 and variance >= 0
        estimand = "population" if self.population else "sample"
        source = "score estimated" if self.score == "estimated" else "matching variable known"
        return Uncertainty(
            method=f"Abadie-Imbens ({estimand} effect, {source}; {self.rule})",
            covariance=np.array([[variance if known else np.nan]]),
            df=np.inf,
        )

    @staticmethod
    def _score_gain(matched: Matched) -> float:
        if np.isnan(matched.score_gain):
            raise InferenceError(
                "the fit does not know the error of a propensity score",
                where="matching on a column, in space or in strata, or estimated_score=False",
                remedy="match on a logit or probit score, or take the matching variable as known",
            )
        return matched.score_gain

    def _prepared(self, fit: Fit) -> Matched:
        if fit.matched is None:
            raise InferenceError(
                "Abadie-Imbens inference needs one effect by matching with a fixed number of matches",
                where="a fit without a matched structure",
                remedy="use Robust, Cluster or SurveyDesign: they work from the influence of any fit",
            )
        if fit.matched.variance_rule != self.rule:
            raise InferenceError(
                "the fit prepared another conditional variance",
                where=f"asked for: {self.rule}; prepared: {fit.matched.variance_rule}",
                remedy=f"fit again with inference={self!r}",
            )
        return fit.matched
