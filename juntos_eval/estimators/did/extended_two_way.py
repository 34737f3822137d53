"""Extended two-way fixed effects: cohort by period effects in one regression, averaged as one likes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.cell_effects import Cells, regress_on_cells
from juntos_eval.estimators.did.staggered import StaggeredColumns
from juntos_eval.estimators.did.timeline import number
from juntos_eval.estimators.did.two_way_frame import (
    COHORT,
    TwoWayFrame,
    regress_on,
    two_way_frame,
    with_keys,
)
from juntos_eval.estimators.did.untreated_stage import refuse_unknown
from juntos_eval.estimators.panel.regression_frame import names_of
from juntos_eval.inference.cluster import Cluster

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ExtendedTwoWay"]

By = Literal["simple", "group", "calendar", "event_time", "cell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedTwoWay:
    r"""Cohort by period effects in one regression (Wooldridge 2021).

    .. math:: y_{it} = \alpha_{g(i)} + \lambda_t + \sum_{g} \sum_{t \ge g} 1\{G_i = g\} 1\{T = t\}
              (\tau_{gt} + \dot x_{ig}'\delta_{gt}) + x_{i}'(\beta + \beta_g + \beta_t) + \varepsilon_{it}

    with :math:`\dot x_{ig}` covariates less their mean in the cohort. With ``control="never"`` the periods
    before treatment have effects of their own too, but the last one. In balanced panels without covariates
    the effects of ``control="not_yet"`` are those of :class:`Imputation`. An average is the mean over treated
    rows (by weight) of what they have; covariates' means are taken as fixed, as in R's etwfe.

    Parameters
    ----------
    outcome, time, first_treated, weights
        As in :class:`EventStudy`.
    unit : str, optional
        Errors are clustered by it by default.
    covariates : tuple of str
        Not moved by treatment; numbers or categories.
    absorb : tuple of str
        Effects instead of cohort and time, such as ``("unit", "time")``: the same estimates in balanced
        panels, others in unbalanced ones.
    control : {"not_yet", "never"}
    by : {"simple", "group", "calendar", "event_time", "cell"}
        Means over all treated rows, or by cohort, period, event time, or none.

    Raises
    ------
    DesignError
        As :class:`InteractionWeighted`.

    References
    ----------
    Wooldridge, J. M. (2021). Two-way fixed effects, the two-way Mundlak regression, and
    difference-in-differences estimators. Working paper, SSRN 3906345. (Sections 5 and 6.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import ExtendedTwoWay
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [1, 2, 3] * 3,
    ...                       "start": [3] * 3 + [0] * 6, "y": [1.0, 1, 4, 2, 2, 2.5, 3, 4, 4.5]})
    >>> found = ExtendedTwoWay(outcome="y", unit="id", time="year", first_treated="start").fit(frame)
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
    control: Literal["not_yet", "never"] = "not_yet"
    by: By = "simple"

    def __post_init__(self) -> None:
        for name in ("covariates", "absorb"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        refuse_unknown(
            "ExtendedTwoWay",
            control=(self.control, ("not_yet", "never")),
            by=(self.by, get_args(By)),
        )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default clustered by the unit, and by the cohort without one.
        carry : tuple of str

        Returns
        -------
        Estimate
            Row ``att``, or rows by ``group``, ``time``, ``event_time`` or all of them.
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
        frame = two_way_frame(data, columns, self.absorb)
        frame = frame.keep(~frame.is_always, "treated in the first period, without a period before")
        frame = replace(frame, absorb=self.absorb or (COHORT, self.time))
        saturated = self._saturated(frame)
        regressed = replace(columns, covariates=())
        kept = tuple(name for name in carried if name not in frame.absorb)
        if saturated.covariates:
            sloped = _with_slopes(frame, saturated.covariates)
            found = regress_on(sloped, regressed, saturated.indicators, chosen, kept)
        else:
            cells = Cells(
                names=tuple(cell.name for cell in saturated.cells), codes=saturated.codes(frame.design.n)
            )
            found = regress_on_cells(frame, regressed, cells, chosen, kept)
        weights, keys, lost = saturated.averages(frame, found, self.by)
        estimate = found.combine(weights, keys).with_inference(chosen)
        note = [Check("cells left out", False, f"not identified: {'; '.join(lost)}")] if lost else []
        shown = replace(estimate, checks=(*note, *found.checks))
        return with_keys(shown, {"estimator": "ExtendedTwoWay", **asdict(self)}, keys, frame)

    def _saturated(self, frame: TwoWayFrame) -> _Saturated:
        design = frame.design
        period = design.timeline.values[design.period]
        covariates = _demeaned(frame)
        cells, indicators = [], {}
        for cohort in design.cohorts:
            rows = design.first_treated == cohort
            seen = np.unique(period[rows])
            before = seen[seen < cohort]
            for time in seen:
                is_compared = time >= cohort or (self.control == "never" and time != before[-1])
                if is_compared:
                    here = rows & (period == time)
                    cell = _Cell(float(cohort), float(time), np.flatnonzero(here))
                    cells.append(cell)
                    if covariates:
                        indicators[cell.name] = here.astype(np.float64)
                    for name, column in covariates.items():
                        indicators[f"{cell.name}, {name}"] = here * column
        if self.control == "never" and not np.isinf(design.first_treated).any():
            raise DesignError(
                "there is no unit that is never treated",
                where=f"column '{self.first_treated}', {design.n} rows",
                remedy="set control='not_yet'",
            )
        return _Saturated(tuple(cells), indicators, covariates)


@dataclass(frozen=True, slots=True)
class _Cell:
    cohort: float
    time: float
    rows: Any

    @property
    def name(self) -> str:
        return f"cohort={self.cohort:.15g}, time={self.time:.15g}"


@dataclass(frozen=True, slots=True)
class _Saturated:
    """Cells, the regression's columns where there are covariates, and these less their means."""

    cells: tuple[_Cell, ...]
    indicators: dict[str, Floats]
    covariates: dict[str, Floats] = field(default_factory=dict)

    def codes(self, n: int) -> Codes:
        """Return the cell of each row, -1 for none."""
        found = np.full(n, -1, dtype=np.int64)
        for at, cell in enumerate(self.cells):
            found[cell.rows] = at
        return found

    def averages(
        self, frame: TwoWayFrame, found: Estimate, by: By
    ) -> tuple[Floats, dict[str, tuple[Any, ...]], list[str]]:
        """Return weights of the coefficients in each average, the keys, and cells without a coefficient."""
        place = {term: at for at, term in enumerate(found.keys["term"])}
        kept = [cell for cell in self.cells if cell.name in place]
        lost = [cell.name for cell in self.cells if cell.name not in place]
        levels, keys = _levels(frame, kept, by)
        weights = np.zeros((len(levels), len(found.values)))
        for row, members in zip(weights, levels, strict=True):
            total = sum(float(frame.design.weights[cell.rows].sum()) for cell in members)
            for cell in members:
                mass = frame.design.weights[cell.rows]
                row[place[cell.name]] = mass.sum() / total
                for name, column in self.covariates.items():
                    at = place.get(f"{cell.name}, {name}")
                    if at is not None:
                        row[at] = float(mass @ column[cell.rows]) / total
        return weights, keys, lost


def _levels(
    frame: TwoWayFrame, cells: list[_Cell], by: By
) -> tuple[list[list[_Cell]], dict[str, tuple[Any, ...]]]:
    label = frame.design.timeline.label
    after = [cell for cell in cells if cell.time >= cell.cohort]
    if not after:
        raise DesignError(
            "no treated period is left to estimate", where=f"{len(cells)} cells", remedy="add periods"
        )
    elapsed = frame.design.timeline.rounded(np.array([cell.time - cell.cohort for cell in cells]))
    since: dict[str, float] = dict(zip((cell.name for cell in cells), elapsed.tolist(), strict=True))
    if by == "simple":
        return [after], {"term": ("att",)}
    if by == "cell":
        keys: dict[str, tuple[Any, ...]] = {
            "term": ("att",) * len(cells),
            "group": tuple(label(cell.cohort) for cell in cells),
            "time": tuple(label(cell.time) for cell in cells),
            "event_time": tuple(number(since[cell.name]) for cell in cells),
        }
        return [[cell] for cell in cells], keys

    def of(cell: _Cell) -> float:
        if by in ("group", "calendar"):
            return cell.cohort if by == "group" else cell.time
        return since[cell.name]

    among = cells if by == "event_time" else after
    values = sorted({of(cell) for cell in among})
    named = tuple(number(one) if by == "event_time" else label(one) for one in values)
    key = "time" if by == "calendar" else by
    return [[cell for cell in among if of(cell) == one] for one in values], {
        "term": ("att",) * len(values),
        key: named,
    }


def _demeaned(frame: TwoWayFrame) -> dict[str, Floats]:
    """Return covariates less their weighted mean in the cohort."""
    design = frame.design
    found = {}
    for name, column in zip(design.covariate_names, design.covariates.T, strict=True):
        centred = np.array(column)
        for cohort in np.unique(design.first_treated):
            rows = design.first_treated == cohort
            centred[rows] -= np.average(column[rows], weights=design.weights[rows])
        found[name] = centred
    return found


def _with_slopes(frame: TwoWayFrame, covariates: dict[str, Floats]) -> TwoWayFrame:
    """Give each absorbed cohort and period a slope of every covariate."""
    if not covariates:
        return frame
    names = {name: f"slope of {name}".replace("[", " ").replace("]", "") for name in covariates}
    columns = dict(zip(names.values(), frame.design.covariates.T, strict=True))
    rows = frame.rows.assign(**columns)
    inside = ",".join(names.values())
    return replace(frame, rows=rows, absorb=tuple(f"{label}[{inside}]" for label in frame.absorb))
