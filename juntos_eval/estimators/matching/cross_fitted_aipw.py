r"""Cross-fitted augmented inverse probability weighting: double machine learning of an average effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.estimate import Check, Estimate, Groups, Inference
from juntos_eval.estimators.design import groups_to_carry, select, zero_one
from juntos_eval.estimators.matching.adjusted import Estimand, RawDesign, column_names, refuse_other
from juntos_eval.estimators.matching.balance import balance_check
from juntos_eval.estimators.matching.cross_fitting import (
    CrossFitting,
    assign_folds,
    clipped,
    learned,
    quality,
    seeds_of,
)
from juntos_eval.estimators.matching.effect import (
    Comparison,
    MeanOutcome,
    effect_estimate,
    ratio,
    refuse_outcome,
)
from juntos_eval.estimators.matching.learners import MEANS, PROBABILITIES, Learner, describe, refuse_learner
from juntos_eval.estimators.matching.missing_covariates import (
    Missing,
    fit_settled,
    refuse_rule,
    settle_missing,
)
from juntos_eval.estimators.matching.nuisances import Term
from juntos_eval.estimators.matching.predicted_means import OWN_ESTIMAND, TARGETS
from juntos_eval.estimators.matching.repetitions import middle, refuse_folding
from juntos_eval.estimators.matching.weighted_design import WeightedDesign, weigh_by_known_score

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["CrossFittedAIPW"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFittedAIPW:
    r"""Effect by augmented weighting with learnt score and outcome models, cross-fitted.

    Rows are dealt to K folds; score :math:`\hat p` and outcome models :math:`\hat m_a` of a row are learnt
    from the other folds. The moments of all folds are then solved at once (DML2):

    .. math:: \hat\mu_a = \frac{\sum_i \tau_i \hat m_a(x_i) + \omega_{ai} (y_i - \hat m_a(x_i))}
              {\sum_i \tau_i}

    with weights :math:`\omega` and target masses :math:`\tau` of the ATE, ATT or ATC as in
    :class:`~juntos_eval.estimators.matching.aipw.AIPW`. The moment is Neyman-orthogonal, so that the error of
    what was learnt is of second order and influence is that of the moment itself; it identifies the effect if
    nothing unseen confounds, both arms occur for all covariates, and the product of the two learning errors
    vanishes faster than :math:`n^{-1/2}`.

    With several repetitions (other folds each time) the estimate is the median of theirs, and its influence
    that of the middle one, stretched so that its sum of squares is

    .. math:: \operatorname{median}_r \{\hat\sigma_r^2 + (\hat\theta_r - \hat\theta)^2\}.

    Parameters
    ----------
    outcome : str
        Column of numbers.
    treatment : str
        Column of 0 and 1; a missing value is an error.
    covariates : tuple of str
        Numbers, booleans or categories; rows with missing values are dropped and counted.
    score : {"logit", "logit_l1", "boosted", "forest"} or estimator
        Learner of the probability of treatment; an estimator is one of scikit-learn with ``predict_proba``.
    outcome_model : {"linear", "lasso", "logit", "logit_l1", "boosted", "forest"} or estimator
        Learner of the outcome in each arm; the logits are for an outcome of 0 and 1, as is any classifier.
    estimand : {"att", "ate", "atc"}
    folds : int
        K, at least 2. Treated and untreated rows are dealt out evenly.
    repetitions : int
    seed : int
        Of folds and learners.
    fold_by : str, optional
        Column of clusters that are never split between folds. Where rows of a cluster share shocks, a
        learner that saw some of them would know the others.
    clip : float
        Scores are kept in [clip, 1 - clip]; how many were moved is a check.
    normalised : bool
        Divide the weighted residuals by the sum of their weights instead of the target's mass.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Column of sampling weights.
    weight_learners : bool
        Whether learners are fitted with sampling weights.
    means : bool
        Also return the two mean outcomes, as rows ``mean_treated`` and ``mean_untreated``.

    Raises
    ------
    DesignError
        For choices that do not exist; from ``design`` and ``fit`` for data that cannot answer.

    References
    ----------
    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. *Econometrics Journal* 21(1),
    C1-C68; definitions 3.2 and 3.3, section 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.cross_fitted_aipw import CrossFittedAIPW
    >>> age = np.tile(np.arange(10.0), 8)
    >>> d = np.tile([1, 0, 0, 1, 0], 16)
    >>> frame = pd.DataFrame({"y": 2.0 * d + age, "d": d, "age": age})
    >>> CrossFittedAIPW(outcome="y", treatment="d", covariates=("age",), score="logit",
    ...                 outcome_model="linear").fit(frame).values.round(6).tolist()
    [2.0]
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    score: Learner = "boosted"
    outcome_model: Learner = "boosted"
    estimand: Estimand = "att"
    folds: int = 5
    repetitions: int = 1
    seed: int = 0
    fold_by: str | None = None
    clip: float = 0.01
    normalised: bool = False
    missing: Missing = "drop"
    weights: str | None = None
    weight_learners: bool = True
    means: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        refuse_other("estimand", self.estimand, TARGETS)
        refuse_learner("score", self.score, PROBABILITIES)
        refuse_learner("outcome_model", self.outcome_model, MEANS)
        refuse_folding(self.covariates, self.folds, self.repetitions, self.seed, self.clip)

    def design(self, data: DataFrame) -> WeightedDesign:
        """Return weights by the score of the first repetition, without looking at an outcome.

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
        raw, clusters, _ = self._raw(data, (), with_outcome=False)
        shared = self._shared(raw, clusters, seeds_of(self.seed, 1)[0])
        return self._weighted(raw, shared)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect; by default with the sum of squared influence, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows without outcome are left out before anything is learnt.
        inference : Inference, optional
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Term ``att``, ``ate`` or ``atc``. ``details`` has the estimate of each repetition and how well
            score and outcomes are predicted out of fold (``r2``, not positive where nothing was learnt).

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        raw, clusters, seen = self._raw(data, groups_to_carry(inference, carry), with_outcome=True)
        refuse_outcome(seen.outcome, raw.treated, self.outcome)
        found, learnt, designs = [], [], []
        for seed in seeds_of(self.seed, self.repetitions):
            shared = self._shared(raw, clusters, seed)
            design = self._weighted(raw, shared)
            comparison, told = self._compare(design, shared, seen.outcome)
            found.append(comparison)
            learnt.append(told)
            designs.append(replace(design, checks=(*shared.checks(), *design.checks)))
        first = designs[0]
        return effect_estimate(
            middle(found),
            seen.groups,
            spec={"estimator": "CrossFittedAIPW", **self._choices()},
            inference=inference,
            dropped=seen.dropped,
            checks=(balance_check(first), *first.checks, *_unlearnt(learnt)),
            details={
                "repetitions": [one.treated.value - one.untreated.value for one in found],
                **{f"r2_{key}": float(np.median([told[key] for told in learnt])) for key in learnt[0]},
            },
        )

    def _choices(self) -> dict[str, Any]:
        plain = replace(self, score="logit", outcome_model="linear")
        return asdict(plain) | {
            "score": describe(self.score),
            "outcome_model": describe(self.outcome_model),
        }

    def _raw(
        self, data: DataFrame, carry: tuple[str, ...], *, with_outcome: bool
    ) -> tuple[RawDesign, Codes | None, _Seen]:
        chosen = select(
            data,
            numeric=(self.outcome,) if with_outcome else (),
            required=(self.treatment,),
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(dict.fromkeys([*carry, *((self.fold_by,) if self.fold_by else ())])),
        )
        raw = RawDesign(
            rows=chosen.rows,
            treated=zero_one(chosen.columns[self.treatment], self.treatment),
            covariates=chosen.covariates,
            covariate_names=chosen.covariate_names,
            base_weights=chosen.weights,
            estimand=self.estimand,
        )
        clusters = chosen.groups[self.fold_by].codes if self.fold_by else None
        outcome = chosen.columns[self.outcome] if with_outcome else np.zeros(0)
        groups = {name: chosen.groups[name] for name in carry}
        return raw, clusters, _Seen(outcome=outcome, groups=groups, dropped=chosen.dropped)

    def _shared(self, raw: RawDesign, clusters: Codes | None, seed: int) -> CrossFitting:
        weighs = self.weights is not None and self.weight_learners
        return CrossFitting(
            columns=raw.covariates,
            weights=raw.base_weights / raw.base_weights.mean() if weighs else None,
            folds=assign_folds(raw.treated, clusters, self.folds, seed, len(raw.treated)),
            seed=seed,
        )

    def _weighted(self, raw: RawDesign, shared: CrossFitting) -> WeightedDesign:
        treated = raw.treated.astype(np.float64)
        told = shared.predict(self.score, treated, "score", is_probability=True)
        probability, check = clipped(told, self.clip)
        return weigh_by_known_score(raw, learned(probability, self.score), (check,))

    def _compare(
        self, design: WeightedDesign, shared: CrossFitting, outcome: Floats
    ) -> tuple[Comparison, Mapping[str, float]]:
        arms, base = design.arms, design.base_weights
        score = design.score.probability if design.score is not None else np.zeros(0)
        learnt = {"score": quality(design.treated.astype(np.float64), score, base, is_probability=True)["r2"]}
        means = {}
        for arm, rows, weight in (
            ("treated", design.treated, arms.treated),
            ("untreated", ~design.treated, arms.untreated),
        ):
            if self.estimand == OWN_ESTIMAND[arm]:
                means[arm] = ratio(arms.target.times(outcome), arms.target)
                continue
            told = self._outcome(shared, outcome, rows, arm)
            learnt[f"outcome_{arm}"] = quality(outcome[rows], told[rows], base[rows], is_probability=False)[
                "r2"
            ]
            means[arm] = _augmented(told, outcome, weight, arms.target, normalised=self.normalised)
        comparison = Comparison(
            **means, estimand=self.estimand, parameters=2, arms=design.treated, weights=arms.total
        )
        return comparison, learnt

    def _outcome(self, shared: CrossFitting, outcome: Floats, rows: Bools, arm: str) -> Floats:
        what = f"outcome of {arm} rows"
        if not np.isin(outcome, (0.0, 1.0)).all():
            # what is learnt should not hang on the unit of the outcome
            centre, scale = outcome.mean(), outcome.std()
            told = shared.predict(self.outcome_model, (outcome - centre) / scale, what, within=rows)
            return np.asarray(centre + scale * told)
        return shared.predict(self.outcome_model, outcome, what, within=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    outcome: Floats
    groups: Mapping[str, Groups]
    dropped: Mapping[str, int]


def _augmented(told: Floats, outcome: Floats, weight: Term, target: Term, *, normalised: bool) -> MeanOutcome:
    residual = weight.times(outcome - told)
    if normalised:
        return ratio(target.times(told), target).plus(ratio(residual, weight))
    return ratio(target.times(told).plus(residual), target)


def _unlearnt(learnt: list[Mapping[str, float]]) -> tuple[Check, ...]:
    """Return how well things are predicted out of fold; worse than by a mean is a failure."""
    typical = {key: float(np.median([told[key] for told in learnt])) for key in learnt[0]}
    said = ", ".join(f"{key.replace('_', ' of the ')} {value:.3f}" for key, value in typical.items())
    detail = f"share of the loss explained out of fold: {said}"
    return (Check("learners", all(value > -0.01 for value in typical.values()), detail),)
