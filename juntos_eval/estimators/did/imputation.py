"""The imputation estimator: untreated outcomes predicted from untreated rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame
from juntos_eval.estimators.did.untreated_stage import (
    Prepared,
    columns_of,
    lead_effects,
    number,
    prepare,
    refuse_unknown,
    sample_of,
    stage_checks,
    stage_details,
)
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Imputation"]

By = Literal["static", "event_time", "group", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputation:
    r"""Effects as outcomes less what untreated rows predict (Borusyak, Jaravel & Spiess 2024).

    Effects and coefficients are fitted on rows that are not treated yet (and never):

    .. math:: y_{it} = \alpha_i + \lambda_t + x_{it}'\beta + u_{it}, \qquad
              \hat\tau_{it} = y_{it} - \hat\alpha_i - \hat\lambda_t - x_{it}'\hat\beta, \qquad
              \hat\tau = \sum_{it} w_{it} \hat\tau_{it}.

    Efficient among linear estimators where errors are independent and of equal variance. The standard error
    is the paper's: :math:`\sum_i (\sum_t v_{it} \tilde u_{it})^2`, with v the weights of all outcomes in the
    estimate and :math:`\tilde u` residuals, those of treated rows around an average of their kind.

    Parameters
    ----------
    outcome, time, first_treated, unit, covariates, absorb, weights
        As in :class:`EventStudy`; covariates must not be moved by treatment.
    by : {"static", "event_time", "group", "time"}
        The mean over all treated rows, or means by time since treatment, cohort or period.
    average_by : {"cohort_time", "event_time", "all"}
        Around whose mean residuals of treated rows are taken: the finer, the less conservative.
    leave_one_out : bool
        Means of others: residuals of treated rows leave the unit itself out of the mean.
    pretrends : int, optional
        Test this many periods before treatment, by a regression of untreated rows on their indicators.

    Raises
    ------
    DesignError
        If no row is untreated, and as :class:`GroupTime`.

    References
    ----------
    Borusyak, K., Jaravel, X., & Spiess, J. (2024). Revisiting event-study designs: robust and efficient
    estimation. *Review of Economic Studies*, 91(6), 3253-3285. (Theorems 1 and 3; section 4.3; A.8 for
    leaving one out.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import Imputation
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> found = Imputation(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
    >>> found.values.round(6).tolist()
    [2.25]
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    absorb: tuple[str, ...] = ()
    weights: str | None = None
    by: By = "static"
    average_by: Literal["cohort_time", "event_time", "all"] = "cohort_time"
    leave_one_out: bool = False
    pretrends: int | None = None

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        refuse_unknown("Imputation", by=(self.by, get_args(By)))
        refuse_unknown("Imputation", average_by=(self.average_by, ("cohort_time", "event_time", "all")))

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the first absorbed factor, without a small-sample factor.
        carry : tuple of str

        Returns
        -------
        Estimate
            Row ``att``, or rows by ``event_time``, ``group`` or ``time``.
        """
        columns = columns_of(self, groups_to_carry(inference, carry))
        prepared = prepare(data, columns, self.absorb)
        chosen = inference or Cluster(prepared.frame.absorb[0], kind="CR0")
        is_used = prepared.is_treated & prepared.stage.is_identified
        averages = _averages(prepared.frame, is_used, prepared.weights, self.by)
        effects = np.where(is_used, prepared.stage.rest, 0.0)
        values = averages.weights.T @ effects
        residuals = effects[:, None] - self._means(prepared.frame, is_used, averages.weights, effects)
        psi = np.where(is_used[:, None], averages.weights * residuals, 0.0)
        fitted = prepared.stage.fitted
        psi[fitted] -= prepared.stage.carried(averages.weights) * prepared.stage.rest[fitted, None]
        fit = Fit(
            values=values,
            influence=DenseInfluence(psi),
            parameters=prepared.stage.parameters + len(values),
            groups=prepared.groups,
        )
        return Estimate(
            spec={"estimator": "Imputation", **asdict(self)},
            keys=averages.keys,
            values=values,
            uncertainty=chosen.infer(fit),
            sample=sample_of(prepared),
            checks=(*stage_checks(prepared, is_used), *self._pretrend(prepared, columns, inference, carry)),
            details=stage_details(prepared),
            fit=fit,
            inference=chosen,
        )

    def _means(self, frame: TwoWayFrame, used: Bools, weights: Floats, effects: Floats) -> Floats:
        r"""Return the mean around which each treated row's effect varies, weighted by :math:`v^2`."""
        kinds = [np.zeros(frame.design.n), frame.event_time, frame.design.first_treated]
        chosen = {"all": kinds[:1], "event_time": kinds[1:2], "cohort_time": kinds[1:]}[self.average_by]
        codes = np.unique(np.column_stack(chosen)[used], axis=0, return_inverse=True)[1].ravel()
        count = int(codes.max(initial=-1)) + 1
        square = weights[used] ** 2
        mass = grouped_sums(square, codes, count)
        total = grouped_sums(square * effects[used, None], codes, count)
        means = np.zeros_like(weights)
        if self.leave_one_out:
            others = mass[codes] - square
            own = total[codes] - square * effects[used, None]
            means[used] = np.divide(own, others, out=np.zeros_like(own), where=others > 0)
            return means
        means[used] = np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)[codes]
        return means

    def _pretrend(
        self,
        prepared: Prepared,
        columns: StaggeredColumns,
        inference: Inference | None,
        carry: tuple[str, ...],
    ) -> tuple[Check, ...]:
        if self.pretrends is None:
            return ()
        before = prepared.frame.event_time
        times = np.unique(before[np.isfinite(before) & (before < 0)])[::-1][: self.pretrends]
        leads = lead_effects(prepared.frame, columns, times.tolist(), inference, carry)
        test = leads.test(np.eye(len(leads.values)))
        law = f"F({test.df}, {test.df_denominator:g}) = {test.statistic:.4g}, p = {test.p_value:.3g}"
        detail = f"{len(times)} periods before treatment jointly zero among untreated rows: {law}"
        return (Check("pre-trend", bool(test.p_value >= 0.05), detail),)


@dataclass(frozen=True, slots=True)
class _Averages:
    weights: Floats
    keys: dict[str, tuple[Any, ...]]


def _averages(frame: TwoWayFrame, used: Bools, weights: Floats, by: By) -> _Averages:
    """Return the weight of each row in each mean, (n, m), and what the means are called."""
    design, label = frame.design, frame.design.timeline.label
    if not used.any():
        raise DesignError(
            "no treated row has a prediction from untreated ones",
            where=f"{design.n} rows",
            remedy="add periods before treatment, or units treated later",
        )
    if by == "static":
        kinds = np.where(used, 0.0, np.nan)
        keys: dict[str, tuple[Any, ...]] = {"term": ("att",)}
        levels = np.zeros(1)
    else:
        columns = {
            "event_time": frame.event_time,
            "group": design.first_treated,
            "time": design.timeline.values[design.period],
        }
        kinds = np.where(used, columns[by], np.nan)
        levels = np.unique(kinds[used])
        named = tuple(number(one) if by == "event_time" else label(one) for one in levels)
        keys = {"term": ("att",) * len(levels), by: named}
    shares = (kinds[:, None] == levels) * weights[:, None]
    return _Averages(shares / shares.sum(axis=0), keys)
