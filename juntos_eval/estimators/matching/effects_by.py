r"""Effects by subgroup or by stratum of the score, as one estimate whose rows can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from juntos_eval.arrays import Codes
from juntos_eval.errors import DesignError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select, zero_one
from juntos_eval.estimators.matching.learners import describe
from juntos_eval.estimators.matching.missing_covariates import settle_missing
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.inference.robust import Robust

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["EffectsBy"]

_NEEDED = ("outcome", "treatment", "covariates", "weights", "fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectsBy:
    r"""An effect in each subgroup, estimated on its own rows, with a joint covariance.

    Score, weights and outcome models are of each subgroup, so that nothing is assumed alike between them.
    Rows of influence are those of all subgroups together: ``Cluster`` and ``SurveyDesign`` know that
    subgroups share villages, and ``.test([[1, -1]])`` asks whether two effects differ.

    Parameters
    ----------
    estimator : Matching, Weighting, RegressionAdjustment, IPWRA, AIPW or CrossFittedAIPW
        With an outcome; it may not trim or return means.
    by : str, optional
        Column of subgroups.
    score_strata : int, optional
        Instead of ``by``: so many strata between quantiles of the score of the treated, fitted by a logit of
        the estimator's covariates on all rows; strata are taken as known.

    Raises
    ------
    DesignError
        If neither or both of ``by`` and ``score_strata`` are given; from ``fit`` where a subgroup cannot
        answer, which it names.

    References
    ----------
    Xie, Y., Brand, J. E. & Jann, B. (2012). Estimating heterogeneous treatment effects with observational
    data. *Sociological Methodology* 42(1), 314-347: effects by stratum of the score.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.matching.effects_by import EffectsBy
    >>> from juntos_eval.estimators.matching.weighting import Weighting
    >>> frame = pd.DataFrame({"y": [5, 7, 1, 2, 4, 6], "d": [1, 1, 0, 0, 0, 1], "age": [1, 2, 1, 2, 2, 1]})
    >>> both = pd.concat([frame.assign(sex="girl"), frame.assign(sex="boy", y=frame["y"] + frame["d"])])
    >>> weighting = Weighting(outcome="y", treatment="d", covariates=("age",), method="entropy")
    >>> found = EffectsBy(estimator=weighting, by="sex").fit(both)
    >>> found.keys["group"], found.values.round(4).tolist()
    (('boy', 'girl'), [5.3333, 4.3333])
    """

    estimator: Any
    by: str | None = None
    score_strata: int | None = None

    def __post_init__(self) -> None:
        absent = [name for name in _NEEDED if not hasattr(self.estimator, name)]
        if absent or not self.estimator.outcome:
            _refuse("the estimator has no outcome, treatment and covariates", type(self.estimator).__name__)
        if (self.by is None) == (self.score_strata is None):
            _refuse("give either by or score_strata", f"by={self.by!r}, score_strata={self.score_strata!r}")
        count: Any = self.score_strata
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 2):
            _refuse("score_strata is a whole number of at least 2", f"score_strata={count!r}")
        if getattr(self.estimator, "trim", None) is not None or getattr(self.estimator, "means", False):
            _refuse("effects by subgroup take no trimming and no means", type(self.estimator).__name__)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate every subgroup.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed. Rows that lack anything are dropped and counted.
        inference : Inference, optional
            By default ``Robust("HC0")`` on the joint influence.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            One row a subgroup, named by the key ``group``; ``details`` has the rows of each.

        Raises
        ------
        DesignError
        """
        if getattr(self.estimator, "missing", "drop") != "drop":
            settled = settle_missing(self.estimator, data)
            whole = replace(self, estimator=settled.estimator)
            joint = whole.fit(settled.frame, inference=inference, carry=carry)
            return replace(
                joint,
                spec={**joint.spec, "of": describe(self.estimator)},
                checks=(*joint.checks, *settled.checks),
                details={**joint.details, "missing": dict(settled.counts)},
            )
        rule = inference or Robust("HC0")
        wanted = groups_to_carry(rule, carry)
        chosen = self._chosen(data, wanted)
        codes, labels = self._strata(chosen)
        rows = data.iloc[chosen.rows]
        values, influence = np.zeros(len(labels)), np.zeros((chosen.n, len(labels)))
        found = []
        for code, label in enumerate(labels):
            inside = codes == code
            effect = self._one(rows, inside, label)
            values[code] = effect.values[0]
            influence[inside, code] = effect.fit.influence.dense()[:, 0] if effect.fit else np.nan
            found.append(effect)
        fit = Fit(
            values=values,
            influence=DenseInfluence(influence),
            parameters=sum(effect.fit.parameters for effect in found if effect.fit is not None),
            groups={name: chosen.groups[name] for name in wanted},
        )
        treated = zero_one(chosen.columns[self.estimator.treatment], self.estimator.treatment)
        return Estimate(
            spec={"estimator": "EffectsBy", "by": self.by, "score_strata": self.score_strata}
            | {"of": describe(self.estimator)},
            keys={"term": tuple(effect.keys["term"][0] for effect in found), "group": labels},
            values=values,
            uncertainty=rule.infer(fit),
            sample=Sample(rows=chosen.n, units=chosen.n, treated=int(treated.sum()), dropped=chosen.dropped),
            checks=tuple(
                replace(check, name=f"{label}: {check.name}")
                for label, effect in zip(labels, found, strict=True)
                for check in effect.checks
            ),
            details={"rows": self._counts(codes, labels)},
            fit=fit,
            inference=rule,
        )

    def _chosen(self, data: DataFrame, wanted: tuple[str, ...]) -> Selection:
        one = self.estimator
        more = getattr(one, "outcome_covariates", None) or ()
        adjust = getattr(one, "bias_adjust", ())
        extra = adjust if isinstance(adjust, tuple) else ()
        groupings = (*wanted, *getattr(one, "exact", ()), *((self.by,) if self.by else ()))
        fold_by = getattr(one, "fold_by", None)
        return select(
            data,
            numeric=(one.outcome,),
            required=(one.treatment,),
            covariates=tuple(dict.fromkeys([*one.covariates, *more, *extra])),
            weights=one.weights,
            carry=tuple(dict.fromkeys([*groupings, *((fold_by,) if fold_by else ())])),
        )

    def _strata(self, chosen: Selection) -> tuple[Codes, tuple[str, ...]]:
        if self.by is not None:
            groups = chosen.groups[self.by]
            return groups.codes, groups.levels
        treated = zero_one(chosen.columns[self.estimator.treatment], self.estimator.treatment)
        score = fit_score(treated, chosen.covariates, chosen.covariate_names, chosen.weights).probability
        count = int(self.score_strata or 0)
        cuts = np.unique(np.quantile(score[treated], np.linspace(0.0, 1.0, count + 1)[1:-1]))
        codes = np.searchsorted(cuts, score, side="right")
        low = (score.min(), *cuts)
        high = (*cuts, score.max())
        labels = tuple(
            f"{at + 1}: score {a:.3f} to {b:.3f}" for at, (a, b) in enumerate(zip(low, high, strict=True))
        )
        return codes.astype(np.int64), labels

    def _one(self, rows: DataFrame, inside: Any, label: str) -> Estimate:
        try:
            effect: Estimate = self.estimator.fit(rows[inside], inference=Robust("HC0"))
        except DesignError as error:
            raise DesignError(
                f"the subgroup '{label}' cannot answer: {error.what}",
                where=f"{int(inside.sum())} rows",
                remedy="join subgroups, or leave it out",
            ) from error
        if effect.fit is None or effect.fit.n != int(inside.sum()):
            _refuse("the estimator leaves out rows of its own", f"subgroup '{label}'")
        return effect

    @staticmethod
    def _counts(codes: Codes, labels: tuple[str, ...]) -> Mapping[str, int]:
        return dict(zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True))


def _refuse(what: str, where: str) -> NoReturn:
    raise DesignError(what, where=where, remedy="see the docstring of EffectsBy")
