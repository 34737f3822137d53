r"""The partially linear model by cross-fitting: residuals of the outcome on residuals of the treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.matching.adjusted import column_names
from juntos_eval.estimators.matching.cross_fitting import CrossFitting, assign_folds, quality, seeds_of
from juntos_eval.estimators.matching.effect import kish
from juntos_eval.estimators.matching.learners import MEANS, Learner, describe, refuse_learner
from juntos_eval.estimators.matching.missing_covariates import Missing, fit_settled, refuse_rule
from juntos_eval.estimators.matching.repetitions import middle_weights, refuse_folding
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["PartiallyLinear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartiallyLinear:
    r"""Effect of a treatment, 0/1 or a dose, in a model that is linear in it alone.

    .. math:: y = \theta d + g(x) + u, \qquad d = m(x) + v, \qquad
              \hat\theta = \frac{\sum_i s_i \hat v_i (y_i - \hat\ell(x_i))}{\sum_i s_i \hat v_i^2}

    with :math:`\hat v_i = d_i - \hat m(x_i)` and :math:`\ell(x) = E[y | x]` learnt from the other folds
    (Robinson 1988; "partialling out" in Chernozhukov et al. 2018). Where effects differ, :math:`\theta` is
    their average weighted by the variance of treatment given covariates, as that of a regression is.
    Repetitions are joined as in :class:`~juntos_eval.estimators.matching.cross_fitted_aipw.CrossFittedAIPW`.

    Parameters
    ----------
    outcome, treatment : str
        Columns of numbers; a missing treatment is an error.
    covariates : tuple of str
        Numbers, booleans or categories; rows with missing values are dropped and counted.
    treatment_model, outcome_model : str or estimator
        ``"linear"``, ``"lasso"``, ``"logit"``, ``"logit_l1"``, ``"boosted"`` or ``"forest"``: learners of m
        and of :math:`\ell`; the logits and other classifiers are for columns of 0 and 1.
    folds, repetitions, seed, fold_by
        As in :class:`~juntos_eval.estimators.matching.cross_fitted_aipw.CrossFittedAIPW`.
    missing : {"drop", "refuse", "indicator"}
        What is done with rows in which a covariate is missing: left out, refused, or kept, with a constant in
        its place and an indicator beside it. They are counted in each case.
    weights : str, optional
        Column of sampling weights.
    weight_learners : bool
        Whether learners are fitted with sampling weights.

    Raises
    ------
    DesignError
        For choices that do not exist; from ``fit`` for data that cannot answer.

    References
    ----------
    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. *Econometrics Journal* 21(1),
    C1-C68; equation 4.4.

    Robinson, P. M. (1988). Root-N-consistent semiparametric regression. *Econometrica* 56(4), 931-954.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.partially_linear import PartiallyLinear
    >>> age = np.tile(np.arange(10.0), 8)
    >>> dose = np.tile([1.0, 0.0, 0.5, 2.0, 0.0], 16)
    >>> frame = pd.DataFrame({"y": 2.0 * dose + age, "dose": dose, "age": age})
    >>> PartiallyLinear(outcome="y", treatment="dose", covariates=("age",), treatment_model="linear",
    ...                 outcome_model="linear").fit(frame).tidy()["term"].tolist()
    ['dose']
    """

    outcome: str
    treatment: str
    covariates: tuple[str, ...]
    treatment_model: Learner = "boosted"
    outcome_model: Learner = "boosted"
    folds: int = 5
    repetitions: int = 1
    seed: int = 0
    fold_by: str | None = None
    missing: Missing = "drop"
    weights: str | None = None
    weight_learners: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", column_names("covariates", self.covariates))
        refuse_rule(self.missing)
        refuse_learner("treatment_model", self.treatment_model, MEANS)
        refuse_learner("outcome_model", self.outcome_model, MEANS)
        refuse_folding(self.covariates, self.folds, self.repetitions, self.seed, 0.01)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect; by default with the sum of squared influence, ``Robust("HC0")``.

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
            Its term is the name of the treatment. ``details`` has the estimate of each repetition and how
            well treatment and outcome are predicted out of fold.

        Raises
        ------
        DesignError
        """
        if self.missing != "drop":
            return fit_settled(self, data, inference, carry)
        rule = inference or Robust("HC0")
        wanted = groups_to_carry(rule, carry)
        chosen = select(
            data,
            numeric=(self.outcome,),
            required=(self.treatment,),
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(dict.fromkeys([*wanted, *((self.fold_by,) if self.fold_by else ())])),
        )
        self._refuse_constant(chosen)
        parts, checks = self._residuals(chosen)
        values = np.array([part.value for part in parts])
        weights, variance = middle_weights(values, np.array([p.influence @ p.influence for p in parts]))
        error = weights @ np.array([part.influence for part in parts])
        stretch = np.sqrt(variance / (error @ error)) if (error @ error) > 0 else 1.0
        fit = Fit(
            values=np.array([weights @ values]),
            influence=DenseInfluence((stretch * error)[:, None]),
            parameters=1,
            groups={name: chosen.groups[name] for name in wanted},
        )
        told = {key: float(np.median([part.learnt[key] for part in parts])) for key in parts[0].learnt}
        said = ", ".join(f"{key} {value:.3f}" for key, value in told.items())
        learnt = all(value > -0.01 for value in told.values())
        return Estimate(
            spec={"estimator": "PartiallyLinear", **self._choices()},
            keys={"term": (self.treatment,)},
            values=fit.values,
            uncertainty=rule.infer(fit),
            sample=_sample(chosen, chosen.columns[self.treatment]),
            checks=(Check("learners", learnt, f"share of variance explained out of fold: {said}"), *checks),
            details={"repetitions": values.tolist(), **{f"r2_{key}": value for key, value in told.items()}},
            fit=fit,
            inference=rule,
        )

    def _choices(self) -> dict[str, Any]:
        models = ("treatment_model", "outcome_model")
        plain = asdict(replace(self, treatment_model="linear", outcome_model="linear"))
        return plain | {name: describe(getattr(self, name)) for name in models}

    def _refuse_constant(self, chosen: Selection) -> None:
        for name in (self.treatment, self.outcome):
            if np.ptp(chosen.columns[name]) == 0:
                raise DesignError(
                    f"the column '{name}' does not vary",
                    where=f"column '{name}', all {chosen.n} rows are {chosen.columns[name][0]:g}",
                    remedy="check how it is coded and which rows were dropped",
                )

    def _residuals(self, chosen: Selection) -> tuple[list[_Part], tuple[Check, ...]]:
        y, d, s = chosen.columns[self.outcome], chosen.columns[self.treatment], chosen.weights
        is_binary = bool(np.isin(d, (0.0, 1.0)).all())
        clusters = chosen.groups[self.fold_by].codes if self.fold_by else None
        parts: list[_Part] = []
        checks: list[tuple[Check, ...]] = []
        for seed in seeds_of(self.seed, self.repetitions):
            shared = CrossFitting(
                columns=chosen.covariates,
                weights=s / s.mean() if self.weights and self.weight_learners else None,
                folds=assign_folds(d == 1 if is_binary else None, clusters, self.folds, seed, chosen.n),
                seed=seed,
            )
            m = _told(shared, self.treatment_model, d, "treatment")
            fitted = _told(shared, self.outcome_model, y, "outcome")
            learnt = {
                "treatment": quality(d, m, s, is_probability=False)["r2"],
                "outcome": quality(y, fitted, s, is_probability=False)["r2"],
            }
            parts.append(_partialled_out(y - fitted, d - m, s, learnt))
            checks.append(shared.checks())
        return parts, next((each for each in checks if each), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    value: float
    influence: Floats
    learnt: Mapping[str, float]


def _sample(chosen: Selection, treatment: Floats) -> Sample:
    is_binary = bool(np.isin(treatment, (0.0, 1.0)).all())
    return Sample(
        rows=chosen.n,
        units=chosen.n,
        treated=int(treatment.sum()) if is_binary else None,
        effective=kish(chosen.weights),
        dropped=chosen.dropped,
    )


def _told(shared: CrossFitting, learner: Learner, target: Floats, what: str) -> Floats:
    if np.isin(target, (0.0, 1.0)).all():
        return shared.predict(learner, target, what)
    # what is learnt should not hang on units
    centre, scale = target.mean(), target.std()
    return np.asarray(centre + scale * shared.predict(learner, (target - centre) / scale, what))


def _partialled_out(
    outcome: Floats, treatment: Floats, weights: Floats, learnt: Mapping[str, float]
) -> _Part:
    total = float(weights @ treatment**2)
    if total <= 1e-12 * float(weights.sum()):
        raise DesignError(
            "covariates predict the treatment without error: nothing is left to compare",
            where=f"{len(weights)} rows",
            remedy="leave out covariates that decide on treatment",
        )
    value = float(weights @ (treatment * outcome)) / total
    influence = weights * treatment * (outcome - value * treatment) / total
    return _Part(value=value, influence=influence, learnt=learnt)
