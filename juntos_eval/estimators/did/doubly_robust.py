"""Two groups, two periods: what treatment changed for the treated."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did import checks, drdid_cross_sections, drdid_panel
from juntos_eval.estimators.did.drdid_cross_sections import CellRegressions, Variance
from juntos_eval.estimators.did.effect import Effect
from juntos_eval.estimators.did.nuisances import Arms, Score, likelihood_score, regress, tilted_score
from juntos_eval.estimators.did.panel_frame import Columns, TwoPeriods, read_cross_sections, read_panel
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.orthogonal_design import OrthogonalDesign, orthogonal_design

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DoublyRobust"]

Method = Literal["improved", "traditional", "ipw", "reg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoublyRobust:
    r"""Difference-in-differences with covariates, by regression and weighting together.

    The average effect on the treated of two groups in two periods, if both groups' untreated outcomes
    would have moved alike given covariates. With :math:`\Delta` the change of the outcome, D the treated
    group, :math:`\hat\pi` the score and :math:`\hat\mu_\Delta` the controls' regression of changes,

    .. math:: \widehat{ATT} = E_n\Bigl[\Bigl(\frac{w D}{E_n[w D]} -
       \frac{w \hat g}{E_n[w \hat g]}\Bigr)(\Delta - \hat\mu_\Delta(x))\Bigr],
       \qquad \hat g = \frac{(1 - D)\,\hat\pi(x)}{1 - \hat\pi(x)}

    in a panel, and its analogue in repeated cross-sections (docs/methods/doubly_robust_did.md). It is
    right if either the score or the regression is. By default rows (units, in a panel) are independent.

    Parameters
    ----------
    outcome, time, treatment : str
        Columns. Of two periods, the earlier one comes first in order. The treatment marks the treated
        group in both periods; in a panel it may also mark the treated state (0 before, 1 after).
    unit : str, optional
        Needed in a panel. In cross-sections, units that recur have their influence added up.
    covariates : tuple of str
        Of the first period, in a panel.
    method : {"improved", "traditional", "ipw", "reg"}
        ``improved``: score by inverse probability tilting, regression weighted by its odds, so that
        standard errors are doubly robust too. ``traditional``: logit by likelihood and least squares.
        ``ipw``: weighting alone. ``reg``: regression alone.
    panel : bool
        False for repeated cross-sections.
    weights : str, optional
        Sampling weights; of the first period, in a panel.
    normalised : bool
        For ``ipw``: weights that sum to one in each group and period (Hájek), or not (Horvitz-Thompson;
        Abadie 2005).
    locally_efficient : bool
        For doubly robust methods in cross-sections: use regressions of the treated too.
    trim : float
        Controls whose score is at least this get no weight; regressions use them all the same.
    variance : {"exact", "drdid"}
        Influence as the derivative of the estimator, or as R's DRDID 1.2.3 has it, which differs in
        cross-sections only (``traditional``, and ``ipw`` not normalised with weights).

    Raises
    ------
    DesignError
        For choices that do not go together; from ``fit`` for data that cannot answer.

    References
    ----------
    Sant'Anna, P. H. C., & Zhao, J. (2020). Doubly robust difference-in-differences estimators. *Journal of
    Econometrics*, 219(1), 101-122.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import DoublyRobust
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2019, 2020] * 4,
    ...                       "treated": [1] * 4 + [0] * 4, "y": [1.0, 5.0, 2.0, 4.0, 1.0, 2.0, 3.0, 3.5]})
    >>> estimate = DoublyRobust(outcome="y", unit="id", time="year", treatment="treated").fit(frame)
    >>> round(float(estimate.values[0]), 6)
    2.25
    """

    outcome: str
    time: str
    treatment: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    method: Method = "improved"
    panel: bool = True
    weights: str | None = None
    normalised: bool = True
    locally_efficient: bool = True
    trim: float = 0.995
    variance: Variance = "exact"

    def __post_init__(self) -> None:
        covariates: Any = self.covariates
        if isinstance(covariates, str):
            raise _refusal("covariates is a tuple of columns", f"write ({covariates!r},)")
        object.__setattr__(self, "covariates", tuple(covariates))
        for name, value, allowed in (
            ("method", self.method, get_args(Method)),
            ("variance", self.variance, get_args(Variance)),
        ):
            if value not in allowed:
                raise _refusal(f"there is no {name} {value!r}", f"choose one of {', '.join(allowed)}")
        if self.panel and self.unit is None:
            raise _refusal("a panel needs its unit", "name the unit's column, or set panel=False")
        if not self.normalised and self.method != "ipw":
            raise _refusal("normalised=False has a meaning for method='ipw' only", "leave it out")
        if not self.locally_efficient and (self.panel or self.method in ("ipw", "reg")):
            raise _refusal(
                "locally_efficient=False has a meaning for doubly robust cross-sections only", "leave it out"
            )
        if not 0.0 < self.trim <= 1.0:
            raise _refusal(f"trim is a probability, not {self.trim!r}", "give 0.995, or 1 to trim nobody")

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate from one row a unit and period; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default the influence-function variance of independent units, ``Robust("HC0")``.
        carry : tuple of str
            Groupings to keep for other inference later; a unit's must not change.

        Returns
        -------
        Estimate
            One row, ``att``.
        """
        chosen = inference or Robust("HC0")
        sample = self._read(data, groups_to_carry(chosen, carry))
        _refuse_without_error(sample, self.outcome)
        basis = orthogonal_design(sample.covariates, sample.weights)
        arms = Arms(
            treated=sample.treated,
            weights=sample.weights / sample.weights.mean(),
            design=basis.columns,
            covariates=sample.covariates,
            names=sample.covariate_names,
        )
        score = self._score(arms)
        regressions = 0 if self.method == "ipw" else self._regressions
        effect = (
            self._panel_effect(sample.outcome, arms, score)
            if sample.after is None
            else self._cross_section_effect(sample, arms, score)
        )
        fit = Fit(
            values=np.array([effect.value]),
            influence=DenseInfluence(_by_unit(effect.influence, sample)),
            parameters=1 + basis.columns.shape[1] * (regressions + (score is not None)),
            groups=sample.groups,
        )
        return Estimate(
            spec={"estimator": "DoublyRobust", **asdict(self)},
            keys={"term": ("att",)},
            values=fit.values,
            uncertainty=chosen.infer(fit),
            sample=_sample(sample, fit.n, arms, score),
            checks=self._checks(sample, arms, score, basis),
            details=_details(sample),
            fit=fit,
            inference=chosen,
        )

    @property
    def _regressions(self) -> int:
        if self.panel:
            return 1
        return 4 if self.locally_efficient and self.method != "reg" else 2

    def _read(self, data: DataFrame, carry: tuple[str, ...]) -> TwoPeriods:
        columns = Columns(
            outcome=self.outcome,
            time=self.time,
            treatment=self.treatment,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=carry,
        )
        return read_panel(data, columns) if self.panel else read_cross_sections(data, columns)

    def _score(self, arms: Arms) -> Score | None:
        if self.method == "reg":
            return None
        score = tilted_score if self.method == "improved" else likelihood_score
        return score(arms, self.trim)

    def _control_weight(self, arms: Arms, score: Score | None) -> Floats:
        """Weights of the controls' regressions: their odds too, for the improved estimator.

        Trimmed controls keep theirs: as in DRDID, they are left out of the means only.
        """
        if score is None or self.method != "improved":
            return np.where(arms.treated, 0.0, arms.weights)
        return np.where(arms.treated, 0.0, arms.weights * score.probability / (1.0 - score.probability))

    def _panel_effect(self, change: Floats, arms: Arms, score: Score | None) -> Effect:
        if score is not None and self.method == "ipw":
            return drdid_panel.inverse_probability(change, arms, score, normalised=self.normalised)
        untreated = regress(change, arms.design, self._control_weight(arms, score), "the untreated", arms)
        if score is None:
            return drdid_panel.outcome_regression(change, arms, untreated)
        return drdid_panel.doubly_robust(change, arms, score, untreated)

    def _cross_section_effect(self, sample: TwoPeriods, arms: Arms, score: Score | None) -> Effect:
        outcome, after = sample.outcome, np.asarray(sample.after)
        if score is not None and self.method == "ipw":
            return drdid_cross_sections.inverse_probability(
                outcome, after, arms, score, normalised=self.normalised, variance=self.variance
            )
        control, treated = self._control_weight(arms, score), arms.weights * arms.treated
        first, second = sample.periods

        def of(weight: Floats, where: str) -> Any:
            return regress(outcome, arms.design, weight, where, arms)

        cells = {
            "control_before": of(control * ~after, f"the untreated in {first}"),
            "control_after": of(control * after, f"the untreated in {second}"),
        }
        if self._regressions == 4:
            cells["treated_before"] = of(treated * ~after, f"the treated in {first}")
            cells["treated_after"] = of(treated * after, f"the treated in {second}")
        if score is None:
            return drdid_cross_sections.outcome_regression(outcome, after, arms, CellRegressions(**cells))
        return drdid_cross_sections.doubly_robust(
            outcome, after, arms, score, CellRegressions(**cells), variance=self.variance
        )

    def _checks(
        self, sample: TwoPeriods, arms: Arms, score: Score | None, basis: OrthogonalDesign
    ) -> tuple[Check, ...]:
        found = [
            checks.pretrend_check(sample.periods[0]),
            Check("treatment", None, f"read as the {sample.rule}"),
            *checks.left_out_check(self.covariates, sample.covariate_names, basis.left_out),
        ]
        found += checks.score_checks(arms, score, self.trim) if score is not None else []
        found += checks.balance_check(arms, score)
        found += checks.composition_check(arms, sample.after) if sample.after is not None else []
        return tuple(found)


def _refusal(what: str, remedy: str) -> DesignError:
    return DesignError(what, where="DoublyRobust", remedy=remedy)


def _refuse_without_error(sample: TwoPeriods, outcome: str) -> None:
    """Raise where the error of an effect cannot be known: nothing varies, or a group is a single row."""
    what = f"the {'change of the ' if sample.after is None else ''}outcome '{outcome}'"
    if np.ptp(sample.outcome) == 0:
        raise DesignError(
            f"{what} does not vary",
            where=f"column '{outcome}', {sample.rows} rows",
            remedy="check how the outcome is coded and which rows were dropped",
        )
    late = np.zeros(len(sample.treated), np.bool_) if sample.after is None else sample.after
    for word, group in (("treated", sample.treated), ("untreated", ~sample.treated)):
        for period, here in zip(sample.periods, (~late, late), strict=True):
            if int((group & here).sum()) == 1:
                where = "" if sample.after is None else f" in period {period}"
                raise DesignError(
                    f"a single {word} {'unit' if sample.after is None else 'row'}{where} has no known error",
                    where=f"1 of {len(group)}",
                    remedy="use more units; with few treated ones, randomization inference",
                )


def _by_unit(influence: Floats, sample: TwoPeriods) -> Floats:
    if sample.units is None:
        return influence
    return grouped_sums(influence[:, None], sample.units.codes, sample.units.count)


def _sample(sample: TwoPeriods, units: int, arms: Arms, score: Score | None) -> Sample:
    in_group = np.flatnonzero(sample.treated)
    if sample.units is not None:
        in_group = np.unique(sample.units.codes[in_group])
    effective = None
    if score is not None:
        treated = arms.weights * arms.treated
        control = arms.weights * np.where(arms.treated, 0.0, score.odds)
        weight = treated / treated.sum() + control / control.sum()
        effective = float(weight.sum() ** 2 / (weight @ weight))
    return Sample(
        rows=sample.rows, units=units, treated=len(in_group), effective=effective, dropped=sample.dropped
    )


def _details(sample: TwoPeriods) -> dict[str, Any]:
    """Return the unadjusted means that the effect starts from, with sampling weights."""

    def mean(here: Any) -> float:
        weights = sample.weights * here
        return float((weights * sample.outcome).sum() / weights.sum())

    first, second = sample.periods
    details: dict[str, Any] = {"first_period": first, "second_period": second}
    if sample.after is None:
        treated, untreated = mean(sample.treated), mean(~sample.treated)
        details |= {"mean_change_treated": treated, "mean_change_untreated": untreated}
        return details | {"unadjusted_effect": treated - untreated}
    cells = {
        f"mean_{word}_{period}": mean(group & here)
        for group, word in ((sample.treated, "treated"), (~sample.treated, "untreated"))
        for here, period in ((~sample.after, "first"), (sample.after, "second"))
    }
    treated = cells["mean_treated_second"] - cells["mean_treated_first"]
    untreated = cells["mean_untreated_second"] - cells["mean_untreated_first"]
    return details | cells | {"unadjusted_effect": treated - untreated}
