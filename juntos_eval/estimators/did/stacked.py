"""Stacked event study: each cohort with its clean controls in a window, one below the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Groups, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import COHORT, TwoWayFrame, two_way_frame, with_keys
from juntos_eval.estimators.did.untreated_stage import refuse_unknown
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Stacked"]

STACK = "stack (cohort of the window)"
POSITION = "position in the data"
WEIGHT = "weight in the stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacked:
    r"""Event study on stacks of cohorts with clean controls (Cengiz et al. 2019; Wing et al. 2024).

    For each cohort a stack holds its rows within the window around its treatment, and those of units that
    are not treated before the window ends. With indicators of being the stack's cohort,

    .. math:: y_{ist} = \alpha_{is} + \lambda_{ts} + \sum_{e \ne r} \beta_e D_{is} 1\{t - g_s = e\}
              + \varepsilon_{ist}.

    Unweighted, stacks count by a variance that the regression chooses, and :math:`\beta_e` is no average
    effect. With ``aggregate="cohort"`` controls count so that every stack has the share of its cohort among
    the treated: the estimate is then the average effect on the treated of the stacked cohorts.

    Parameters
    ----------
    outcome, time, first_treated, unit, covariates, weights, reference
        As in :class:`EventStudy`.
    before, after : float
        Event times of the window: ``-before`` to ``after``.
    aggregate : {"none", "cohort", "population"}
        No weights; controls weighted to the cohorts' number of rows; or to their weight among all
        (``weights``, population sizes).
    controls : {"not_yet", "never"}
        Who is clean: not treated before the window ends, or never.

    Raises
    ------
    DesignError
        If no cohort has the whole window in the data.

    References
    ----------
    Cengiz, D., Dube, A., Lindner, A., & Zipperer, B. (2019). The effect of minimum wages on low-wage jobs.
    *Quarterly Journal of Economics*, 134(3), 1405-1454. (Appendix D.)
    Wing, C., Freedman, S. M., & Hollingsworth, A. (2024). Stacked difference-in-differences. NBER Working
    Paper 32054. (Section 4: corrective weights.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import Stacked
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> stacked = Stacked(outcome="y", unit="id", time="year", first_treated="start", before=2, after=0)
    >>> stacked.fit(frame).values.round(6).tolist()
    [0.5, 2.5]
    """

    outcome: str
    time: str
    first_treated: str
    before: float
    after: float
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    reference: float = -1
    aggregate: Literal["none", "cohort", "population"] = "none"
    controls: Literal["not_yet", "never"] = "not_yet"

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", names_of(self.covariates))
        refuse_unknown(
            "Stacked",
            aggregate=(self.aggregate, ("none", "cohort", "population")),
            controls=(self.controls, ("not_yet", "never")),
        )
        if self.before <= 0 or self.after < 0 or not -self.before <= self.reference < 0:
            raise DesignError(
                "the window has a period before treatment, the treatment, and the reference",
                where=f"before={self.before:g}, after={self.after:g}, reference={self.reference:g}",
                remedy="give before above 0, after of at least 0, and a reference in the window",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the unit, which stands in several stacks.
        carry : tuple of str

        Returns
        -------
        Estimate
            Rows ``att`` by ``event_time``. In the fit a row of the data has the influence of all its stacks.
        """
        chosen = inference or Cluster(self.unit or COHORT, kind="CR1S")
        carried = groups_to_carry(chosen, carry)
        columns = StaggeredColumns(
            outcome=self.outcome,
            time=self.time,
            first_treated=self.first_treated,
            unit=self.unit,
            covariates=self.covariates,
            weights=self.weights,
            carry=tuple(name for name in carried if name != COHORT),
        )
        frame = two_way_frame(data, columns, ())
        stacks, left_out = self._stacks(frame)
        indicators = self._indicators(stacks, float(frame.design.timeline.rounded(np.array(self.reference))))
        has_weights = self.weights is not None or self.aggregate != "none"
        found = FixedEffects(
            outcome=self.outcome,
            covariates=(*indicators, *self.covariates),
            absorb=(f"{self.unit or COHORT}^{STACK}", f"{self.time}^{STACK}"),
            weights=WEIGHT if has_weights else None,
            # a unit seen once in a stack says nothing, and would only count as a row
            singletons="drop",
        ).fit(
            stacks.assign(**indicators),
            inference=Cluster(self.unit or COHORT, kind="CR1S"),
            carry=(POSITION,),
        )
        at = [place for place, term in enumerate(found.keys["term"]) if term in indicators]
        events = [float(str(found.keys["term"][place]).partition("=")[2]) for place in at]
        keys = {"term": ("att",) * len(at), "event_time": tuple(number(one) for one in events)}
        stacked = found.combine(np.eye(len(found.values))[at], keys)
        estimate = replace(stacked, fit=_by_row(stacked, frame, columns), inference=chosen)
        if inference is not None:
            estimate = estimate.with_inference(inference)
        count = stacks[STACK].nunique()
        notes = [Check("stacks", None, f"{count} cohorts, {len(stacks)} rows; a unit may stand in several")]
        if left_out:
            names = ", ".join(str(frame.design.timeline.label(one)) for one in left_out)
            notes.append(Check("cohorts left out", False, f"no whole window or no controls: {names}"))
        shown = with_keys(estimate, {"estimator": "Stacked", **asdict(self)}, keys, frame)
        details = {**shown.details, "stacked_rows": found.sample.rows}
        sample = replace(shown.sample, rows=frame.design.n)
        return replace(shown, checks=(*notes, *shown.checks), sample=sample, details=details)

    def _stacks(self, frame: TwoWayFrame) -> tuple[DataFrame, list[float]]:
        design, times = frame.design, frame.design.timeline.values
        period, first = times[design.period], design.first_treated
        parts, left_out = [], []
        before, after = design.timeline.rounded(np.array([-self.before, self.after]))
        for cohort in design.cohorts:
            reach = design.timeline.rounded(times - cohort)
            if reach[0] > before or reach[-1] < after:
                left_out.append(float(cohort))
                continue
            elapsed = design.timeline.rounded(period - cohort)
            inside = (elapsed >= before) & (elapsed <= after)
            clean = np.isinf(first) if self.controls == "never" else first > cohort + self.after
            rows = inside & ((first == cohort) | clean)
            is_cohort = first[rows] == cohort
            if is_cohort.all() or not is_cohort.any():
                left_out.append(float(cohort))
                continue
            part = frame.rows[rows].assign(
                **{STACK: float(cohort), "is stack's cohort": is_cohort, "event time": elapsed[rows]}
            )
            part[WEIGHT], part[POSITION] = design.weights[rows], np.flatnonzero(rows)
            parts.append(part)
        if not parts:
            raise DesignError(
                "no cohort has the whole window and clean controls in the data",
                where=f"-{self.before:g} to {self.after:g}; periods {design.timeline.labels[0]} to "
                f"{design.timeline.labels[-1]}, {len(design.cohorts)} cohorts",
                remedy="choose a shorter window",
            )
        stacks = pd.concat(parts, ignore_index=True)
        if self.aggregate != "none":
            stacks[WEIGHT] = stacks[WEIGHT] * self._corrective(stacks)
        return stacks, left_out

    def _corrective(self, stacks: DataFrame) -> Floats:
        r"""Return 1 for the treated and :math:`\frac{N^D_s / N^D}{N^C_s / N^C}` for a stack's controls."""
        size = stacks[WEIGHT] if self.aggregate == "population" else pd.Series(1.0, index=stacks.index)
        is_cohort = stacks["is stack's cohort"].to_numpy(dtype=np.bool_)
        key = [stacks[STACK], stacks["event time"]]
        treated = size.where(is_cohort, 0.0)
        control = size.where(~is_cohort, 0.0)
        at = stacks["event time"]
        share_treated = treated.groupby(key).transform("sum") / treated.groupby(at).transform("sum")
        share_control = control.groupby(key).transform("sum") / control.groupby(at).transform("sum")
        return np.where(is_cohort, 1.0, (share_treated / share_control).to_numpy())

    def _indicators(self, stacks: DataFrame, reference: float) -> dict[str, Floats]:
        is_cohort = stacks["is stack's cohort"].to_numpy(dtype=np.bool_)
        events = stacks["event time"].to_numpy(dtype=np.float64)
        return {
            f"event_time={one:.15g}": ((events == one) & is_cohort).astype(np.float64)
            for one in np.unique(events[is_cohort])
            if one != reference
        }


def _by_row(stacked: Estimate, frame: TwoWayFrame, columns: StaggeredColumns) -> Fit:
    """Add up what a row of the data does in all its stacks."""
    fit, units = stacked.fit, frame.design.units
    if fit is None:
        raise DesignError("a regression came without its fit", where="Stacked")
    place = fit.groups[POSITION]
    rows = np.array([int(level) for level in place.levels])[place.codes]
    groups = dict(frame.design.groups)
    if units is not None:
        groups[str(columns.unit)] = Groups(units.codes, tuple(str(one) for one in units.labels))
    else:
        codes, levels = pd.factorize(frame.rows[COHORT], sort=True)
        groups[COHORT] = Groups(codes, tuple(str(one) for one in levels))
    return Fit(
        values=fit.values,
        influence=DenseInfluence(grouped_sums(fit.influence.dense(), rows, frame.design.n)),
        parameters=fit.parameters,
        groups=groups,
    )
