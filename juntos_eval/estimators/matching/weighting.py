r"""Weighting: rows of one arm are weighted until they stand for the target, then means are compared."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, NoReturn, get_args

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.matching.adjusted import Estimand, column_names, raw_design, refuse_other
from juntos_eval.estimators.matching.effect import Comparison, ratio
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    fit_settled,
    refuse_rule,
    settle_missing,
)
from juntos_eval.estimators.matching.nuisances import parameters_of
from juntos_eval.estimators.matching.score import LINKS
from juntos_eval.estimators.matching.score_trimming import Trim, WeightLimits
from juntos_eval.estimators.matching.weighted_design import (
    WeightedDesign,
    weigh_by_entropy,
    weigh_by_score,
)
from juntos_eval.estimators.matching.weighted_outcome import weighted_outcome

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Weighting"]

Method = Literal["ipw", "cbps", "entropy", "overlap"]
Gmm = Literal["two_step", "continuous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    r"""Effect by weighting on the propensity score or by entropy balancing.

    With sampling weights s, treatment D and score p, the mean outcomes of a target are

    .. math::
        \hat\mu_a = \frac{\sum_i \omega_{ai} y_i}{\sum_i \omega_{ai}}, \qquad
        \omega_{1i} = s_i D_i \frac{h(p_i)}{p_i}, \quad
        \omega_{0i} = s_i (1 - D_i) \frac{h(p_i)}{1 - p_i}

    where h is :math:`p` for the ATT, 1 for the ATE, :math:`1 - p` for the ATC and :math:`p (1 - p)` for the
    ATO (Hirano, Imbens & Ridder 2003; Li, Morgan & Zaslavsky 2018). Entropy balancing takes instead the
    weights nearest to s whose weighted moments equal the target's (Hainmueller 2012). Influence is that of
    the stacked moments, so every inference knows that scores, duals and totals of weights were estimated.

    Parameters
    ----------
    treatment : str
        Column of 0 and 1; a missing value is an error.
    covariates : tuple of str
        Numbers, booleans or categories; rows with missing values are dropped and counted.
    outcome : str, optional
        Column of numbers; needed by ``fit``, never looked at by ``design``.
    method : {"ipw", "cbps", "entropy", "overlap"}
        ``overlap`` is ``ipw`` for the ATO; ``cbps`` takes the logit whose weights balance covariates (Imai &
        Ratkovic 2014) instead of the most likely one.
    estimand : {"att", "ate", "atc", "ato"}, optional
        By default the ATT, and the ATO with ``method="overlap"``. Entropy balancing has no ATO, and a
        balancing score neither: the logit's own overlap weights balance exactly.
    link : {"logit", "probit"}
        Of the score.
    normalised : bool
        Divide by the sum of weights (Hájek); False divides by the mass of the target
        (Horvitz & Thompson 1952), which moves when a constant is added to the outcome.
    trim : float or "crump", optional
        Rows with a score outside [trim, 1 - trim] are dropped and counted, the score is fitted again, and
        the effect is that on the rest, with inference given this choice; ``"crump"`` takes the bound of
        Crump et al. (2009).
    clip : float, optional
        Scores are drawn in to [clip, 1 - clip] in the weights; no row is lost, and those beyond count for
        less than they stand for.
    truncate : float, optional
        Weights beyond this quantile of their arm's, 0.99, say, are set to it (Cole & Hernán 2008); influence
        knows that the quantile was estimated.
    stabilised : bool
        Weights times the share of their arm, which vary around 1 (Robins, Hernán & Brumback 2000); the
        effect, being normalised, is the same.
    moments : {1, 2, 3}
        Of entropy balancing: means, also variances, also skewness.
    tolerance : float
        Of entropy balancing: largest imbalance, in standard deviations.
    over_identified : bool
        Of ``cbps``: balance and the likelihood together, by GMM, with Hansen's test among the checks; False
        balances exactly.
    gmm : {"two_step", "continuous"}
        Of an over-identified score: the moments' covariance at the most likely coefficients, or at those
        sought.
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
        For choices that do not exist or contradict each other; from ``design`` and ``fit`` for data that
        cannot answer: no overlap, separation, moments out of reach, a single treated row.

    References
    ----------
    Cole, S. R. & Hernán, M. A. (2008). Constructing inverse probability weights for marginal structural
    models. *American Journal of Epidemiology* 168(6), 656-664.

    Hainmueller, J. (2012). Entropy balancing for causal effects. *Political Analysis* 20(1), 25-46.

    Hirano, K., Imbens, G. W. & Ridder, G. (2003). Efficient estimation of average treatment effects using
    the estimated propensity score. *Econometrica* 71(4), 1161-1189.

    Imai, K. & Ratkovic, M. (2014). Covariate balancing propensity score. *Journal of the Royal Statistical
    Society B* 76(1), 243-263.

    Li, F., Morgan, K. L. & Zaslavsky, A. M. (2018). Balancing covariates via propensity score weighting.
    *Journal of the American Statistical Association* 113(521), 390-400.

    Robins, J. M., Hernán, M. A. & Brumback, B. (2000). Marginal structural models and causal inference in
    epidemiology. *Epidemiology* 11(5), 550-560.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"y": [5, 7, 1, 2, 4], "d": [1, 1, 0, 0, 0], "age": [1, 2, 1, 2, 2]})
    >>> effect = Weighting(outcome="y", treatment="d", covariates=("age",), method="entropy").fit(frame)
    >>> effect.values.round(6).tolist()
    [4.0]
    """

    treatment: str
    covariates: tuple[str, ...]
    outcome: str | None = None
    method: Method = "ipw"
    estimand: Estimand | None = None
    link: str = "logit"
    normalised: bool = True
    trim: Trim = None
    clip: float | None = None
    truncate: float | None = None
    stabilised: bool = False
    moments: int = 1
    tolerance: float = 1e-12
    over_identified: bool = False
    gmm: Gmm = "two_step"
    missing: Missing = "drop"
    weights: str | None = None
    weight_score: bool = True
    means: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        if not self.covariates:
            _refuse("weighting needs at least one covariate", "covariates=()")
        refuse_other("method", self.method, get_args(Method))
        if self.estimand is None:
            object.__setattr__(self, "estimand", "ato" if self.method == "overlap" else "att")
        refuse_other("estimand", self.estimand, get_args(Estimand))
        refuse_other("link", self.link, LINKS)
        refuse_other("moments", self.moments, (1, 2, 3))
        refuse_other("gmm", self.gmm, get_args(Gmm))
        _refuse_limits(self)
        if not (math.isfinite(self.tolerance) and 0 < self.tolerance < 1):
            _refuse("tolerance is a small positive number of standard deviations", f"{self.tolerance}")
        for contradiction in self._contradictions():
            _refuse(contradiction, f"method={self.method!r}, estimand={self.estimand!r}")

    def _contradictions(self) -> list[str]:
        """Return what was asked for and would have no effect, or none that is defined."""
        is_entropy, is_balancing = self.method == "entropy", self.method == "cbps"
        found = {
            "overlap weights are for the ATO": self.method == "overlap" and self.estimand != "ato",
            "entropy balancing has no ATO": is_entropy and self.estimand == "ato",
            "entropy balancing has no score to trim by": is_entropy and self.trim is not None,
            "clip, truncate and stabilised are for weights by a score, not of entropy": is_entropy
            and (self.clip is not None or self.truncate is not None or self.stabilised),
            "weights for the ATO lie between 0 and 1: there is nothing to clip, truncate or stabilise": (
                self.estimand == "ato"
                and (self.clip is not None or self.truncate is not None or self.stabilised)
            ),
            "stabilised weights are normalised": self.stabilised and not self.normalised,
            "entropy weights always sum to the target": is_entropy and not self.normalised,
            "entropy balancing has no score to leave unweighted": is_entropy and not self.weight_score,
            "cbps is not for the ATO: the likeliest logit's overlap weights balance": is_balancing
            and self.estimand == "ato",
            "a covariate balancing score is a logit": is_balancing and self.link != "logit",
            "a covariate balancing score balances with the sampling weights": is_balancing
            and not self.weight_score,
            "over_identified is for method='cbps'": self.over_identified and not is_balancing,
            "gmm is for over_identified=True": self.gmm != "two_step" and not self.over_identified,
            "moments are balanced by method='entropy' only": not is_entropy and self.moments != 1,
        }
        return [sentence for sentence, is_so in found.items() if is_so]

    def design(self, data: DataFrame) -> WeightedDesign:
        """Return weights, score or dual, and checks, without looking at an outcome.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.

        Returns
        -------
        WeightedDesign

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            settled = settle_missing(self, data)
            return settled.estimator.design(settled.frame)  # type: ignore[no-any-return]
        raw = raw_design(
            data,
            treatment=self.treatment,
            covariates=self.covariates,
            weights=self.weights,
            estimand=self.estimand or "att",
        )
        if self.method == "entropy":
            return weigh_by_entropy(raw, moments=self.moments, tolerance=self.tolerance)
        balancing = self.gmm if self.over_identified else "exact"
        return weigh_by_score(
            raw,
            link=self.link,
            weight_score=self.weight_score,
            limits=WeightLimits(
                trim=self.trim, clip=self.clip, truncate=self.truncate, stabilised=self.stabilised
            ),
            balancing=balancing if self.method == "cbps" else None,
        )

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
            Term ``att``, ``ate``, ``atc`` or ``ato``; ``details`` has the two means, effective numbers of
            rows and the coefficients of the score.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        name = self.outcome or _refuse("an effect needs an outcome", f"outcome={self.outcome!r}")
        seen = weighted_outcome(self, data, name, (), groups_to_carry(inference, carry))
        arms = seen.design.arms
        treated_mean, untreated_mean = (
            ratio(weight.times(seen.outcome), weight if self.normalised else arms.target)
            for weight in (arms.treated, arms.untreated)
        )
        comparison = Comparison(
            treated=treated_mean,
            untreated=untreated_mean,
            estimand=seen.design.estimand,
            parameters=2 + parameters_of(arms.treated, arms.untreated),
            arms=seen.treated,
            weights=arms.total,
        )
        return seen.estimate(comparison, {"estimator": "Weighting", **asdict(self)}, inference)


def _refuse_limits(choices: Weighting) -> None:
    trim, clip, cut = choices.trim, choices.clip, choices.truncate
    if not (trim is None or trim == "crump" or _is_between(trim, 0.0, 0.5)):
        _refuse("trim is a score between 0 and 0.5, or 'crump'", f"trim={trim!r}")
    if not (clip is None or _is_between(clip, 0.0, 0.5)):
        _refuse("clip is a score between 0 and 0.5", f"clip={clip!r}")
    if not (cut is None or _is_between(cut, 0.5, 1.0)):
        _refuse("truncate is a quantile between 0.5 and 1", f"truncate={cut!r}")


def _is_between(value: object, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low < value < high


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of Weighting for what goes together")
