"""The imputation estimator: untreated outcomes predicted from untreated rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, encode
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import TwoWayFrame
from juntos_eval.estimators.did.untreated_stage import (
    Prepared,
    columns_of,
    lead_effects,
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
        weights = averages.dense()
        values = averages.sums(effects)
        psi = np.zeros(weights.shape)
        rows, levels = averages.rows, averages.levels
        around = effects[rows] - self._means(prepared.frame, averages, effects[rows])
        psi[rows, levels] = averages.weights * around
        fitted = prepared.stage.fitted
        # rows that are fitted are untreated, so that none is among those averaged
        psi[fitted] = prepared.stage.carried(weights) * -prepared.stage.rest[fitted, None]
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

    def _means(self, frame: TwoWayFrame, averages: _Averages, effects: Floats) -> Floats:
        r"""Return the mean around which each averaged row's effect varies, weighted by :math:`v^2`."""
        rows = averages.rows
        kind = np.zeros(len(rows), np.int64)
        if self.average_by == "event_time":
            kind = encode(frame.event_time[rows])[0]
        elif self.average_by == "cohort_time":
            cohort = encode(frame.design.first_treated[rows])[0]
            kind = cohort * frame.design.timeline.count + frame.design.period[rows]
        codes = kind * averages.count + averages.levels
        square = averages.weights**2
        mass = np.bincount(codes, weights=square)[codes]
        total = np.bincount(codes, weights=square * effects)[codes]
        if self.leave_one_out:
            mass, total = mass - square, total - square * effects
        return np.asarray(np.divide(total, mass, out=np.zeros_like(total), where=mass > 0))

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
    """Means of rows, each of which belongs to one: rows, the mean's number, the row's weight in it."""

    rows: Codes
    levels: Codes
    weights: Floats
    keys: dict[str, tuple[Any, ...]]
    size: int

    @property
    def count(self) -> int:
        """Number of means."""
        return len(self.keys["term"])

    def sums(self, values: Floats) -> Floats:
        """Return the means of values (size,)."""
        weighted = self.weights * values[self.rows]
        return np.asarray(np.bincount(self.levels, weights=weighted, minlength=self.count), np.float64)

    def dense(self) -> Floats:
        """Return the weight of each row in each mean, (size, count)."""
        weights = np.zeros((self.size, self.count))
        weights[self.rows, self.levels] = self.weights
        return weights


def _averages(frame: TwoWayFrame, used: Bools, weights: Floats, by: By) -> _Averages:
    """Return which rows are averaged, with which weights, and what the means are called."""
    design, label = frame.design, frame.design.timeline.label
    rows = np.flatnonzero(used).astype(np.int64)
    if not len(rows):
        raise DesignError(
            "no treated row has a prediction from untreated ones",
            where=f"{design.n} rows",
            remedy="add periods before treatment, or units treated later",
        )
    if by == "static":
        keys: dict[str, tuple[Any, ...]] = {"term": ("att",)}
        levels = np.zeros(len(rows), np.int64)
    else:
        columns = {
            "event_time": frame.event_time,
            "group": design.first_treated,
            "time": design.timeline.values[design.period],
        }
        levels, found = encode(columns[by][rows])
        named = tuple(number(one) if by == "event_time" else label(one) for one in found)
        keys = {"term": ("att",) * len(found), by: named}
    totals = np.bincount(levels, weights=weights[rows])
    return _Averages(rows, levels, weights[rows] / totals[levels], keys, design.n)
