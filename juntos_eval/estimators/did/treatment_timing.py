"""Who is treated from when on: cohorts, their sizes and their treatment over time, before any estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check
from juntos_eval.estimators.design import require_frame, select
from juntos_eval.estimators.did.panel_frame import Units, units_of
from juntos_eval.estimators.did.staggered import StaggeredColumns, levels_of, refuse_moving
from juntos_eval.estimators.did.timeline import Timeline, first_treated_values, number, read_timeline
from juntos_eval.estimators.did.treatment_timing_checks import Timing, timing_checks

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Rollout", "rollout"]

NEVER = "never"
_MARKS = {True: "passed", False: "FAILED", None: "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Cohorts by when they are first treated, in every period.

    Attributes
    ----------
    cohorts : tuple of str, length G
        In order; ``"never"`` last.
    periods : tuple of str, length T
    rows, units : numpy.ndarray of int64, shape (G, T)
        Seen in a cohort and period; units are NaN-free counts of distinct ones, rows where there is no unit.
    weight : numpy.ndarray, shape (G, T)
        Sum of the weights of the rows.
    treated_share : numpy.ndarray, shape (G, T)
        Share of the rows' weight that is treated: 0 or 1 where treatment stays; NaN where nobody is seen.
    event_time : numpy.ndarray, shape (G, T)
        Since treatment begins; minus infinity for never.
    sizes : numpy.ndarray of int64, shape (G,)
        Distinct units of a cohort, rows where there is no unit.
    has_units : bool
    is_panel : bool
        Whether no unit has several rows in a period.
    checks : tuple of Check
    details : Mapping
        Counts behind the checks.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import rollout
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "year": [2005, 2006] * 3,
    ...                       "start": [2006, 2006, 0, 0, 2006, 2006]})
    >>> found = rollout(frame, unit="id", time="year", first_treated="start")
    >>> found.cohorts, found.sizes.tolist(), found.treated_share.tolist()
    (('2006', 'never'), [2, 1], [[0.0, 1.0], [0.0, 0.0]])
    """

    cohorts: tuple[str, ...]
    periods: tuple[str, ...]
    rows: Codes
    units: Codes
    weight: Floats
    treated_share: Floats
    event_time: Floats
    sizes: Codes
    has_units: bool
    is_panel: bool
    checks: tuple[Check, ...]
    details: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name in ("rows", "units", "sizes"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        for name in ("weight", "treated_share", "event_time"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "checks", tuple(self.checks))
        object.__setattr__(self, "details", FrozenMapping(self.details))

    @property
    def is_never(self) -> Bools:
        """Which cohorts are never treated, shape (G,)."""
        return np.array([name == NEVER for name in self.cohorts])

    def tidy(self) -> DataFrame:
        """Return one row a cohort and period in which it is seen.

        The columns are group, time, event_time, units, rows, weight, treated_share.
        """
        group, time = np.nonzero(self.rows)
        return pd.DataFrame(
            {
                "group": [self.cohorts[at] for at in group],
                "time": [self.periods[at] for at in time],
                "event_time": [
                    number(one) if np.isfinite(one) else None for one in self.event_time[group, time]
                ],
                "units": self.units[group, time],
                "rows": self.rows[group, time],
                "weight": self.weight[group, time],
                "treated_share": self.treated_share[group, time],
            }
        )

    def by_cohort(self) -> DataFrame:
        """Return one row a cohort: sizes, share of the weight, and periods before and from treatment on."""
        seen = self.rows > 0
        after = seen & (self.event_time >= 0)
        weight = self.weight.sum(axis=1)
        return pd.DataFrame(
            {
                "group": self.cohorts,
                "units": self.sizes,
                "rows": self.rows.sum(axis=1),
                "share": weight / weight.sum(),
                "periods_before": (seen & ~after).sum(axis=1),
                "periods_treated": after.sum(axis=1),
            }
        )

    def by_period(self) -> DataFrame:
        """Return one row a period: units treated, not treated yet, and never treated; share treated."""
        never = self.is_never[:, None]
        after = self.event_time >= 0
        total = self.weight.sum(axis=0)
        treated = np.nansum(self.weight * self.treated_share, axis=0)
        return pd.DataFrame(
            {
                "time": self.periods,
                "treated": (self.units * after).sum(axis=0),
                "not_yet": (self.units * (~after & ~never)).sum(axis=0),
                "never": (self.units * never).sum(axis=0),
                "treated_share": np.divide(treated, total, out=np.full(len(total), np.nan), where=total > 0),
            }
        )

    def __repr__(self) -> str:
        lines = [f"[{_MARKS[check.passed]}] {check.name}: {check.detail}" for check in self.checks]
        return "\n".join([self._title(), self._shown().to_string(index=False), *lines])

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><b>{_MARKS[check.passed]}</b> {escape(check.name)}: {escape(check.detail)}</li>"
            for check in self.checks
        )
        table = self._shown().to_html(index=False, border=0)
        return f"<div><p><b>{escape(self._title())}</b></p>{table}<ul>{items}</ul></div>"

    def _title(self) -> str:
        what = "units" if self.has_units else "rows (no unit)"
        kind = "panel" if self.is_panel and self.has_units else "repeated cross-sections"
        return (
            f"Rollout: {len(self.cohorts)} cohorts of {int(self.sizes.sum()):,} {what}, "
            f"{len(self.periods)} periods, {int(self.rows.sum()):,} rows, {kind}"
        )

    def _shown(self) -> DataFrame:
        """Cohorts by period: units seen, marked where they are treated."""
        frame = self.by_cohort()
        frame["share"] = frame["share"].map("{:.1%}".format)
        for at, period in enumerate(self.periods):
            frame[period] = [
                _cell(int(count), float(share))
                for count, share in zip(self.units[:, at], self.treated_share[:, at], strict=True)
            ]
        return frame


def _cell(count: int, share: float) -> str:
    if not count:
        return "·"
    mark = "" if share == 0 else "*" if share == 1 else f" ({share:.0%}*)"
    return f"{count:,}{mark}"


def rollout(
    data: DataFrame,
    *,
    time: str,
    first_treated: str | None = None,
    treatment: str | None = None,
    unit: str | None = None,
    weights: str | None = None,
) -> Rollout:
    """Describe a staggered design: who is treated from when on, and what that allows to be estimated.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a unit and period, or people of units (districts, say) in repeated cross-sections.
    time : str
        Periods: numbers, dates, or an ordered category.
    first_treated : str, optional
        Period in which a unit's treatment begins, as in :class:`GroupTime`.
    treatment : str, optional
        Instead of it, the treatment of each row, zero where there is none: cohorts are units first seen with
        treatment in the same period, and treatment that switches off is found.
    unit : str, optional
        Needed with ``treatment``.
    weights : str, optional

    Returns
    -------
    Rollout
        With a table, and checks that name what estimators cannot do with the design.

    Raises
    ------
    DesignError
        If not one of ``first_treated`` and ``treatment`` is given, for columns that cannot be used, and
        where the period of first treatment changes within a unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import rollout
    >>> frame = pd.DataFrame({"id": [1] * 3 + [2] * 3, "year": [1, 2, 3] * 2, "d": [0, 1, 0, 0, 0, 0]})
    >>> found = rollout(frame, unit="id", time="year", treatment="d")
    >>> [check.name for check in found.checks if check.passed is False]
    ['single-unit cohorts', 'treatment switches off']
    """
    _refuse_unclear(first_treated, treatment, unit)
    require_frame(data)
    if first_treated is not None and first_treated not in data.columns:
        select(data, carry=(first_treated,))  # says what there is
    chosen = select(
        data,
        required=(treatment,) if treatment else (),
        weights=weights,
        carry=tuple(name for name in (time, first_treated, unit) if name and name != first_treated),
    )
    rows = data.iloc[chosen.rows]
    timeline, period = read_timeline(rows[time])
    units = None if unit is None else units_of(rows[unit])
    if first_treated is not None:
        start = first_treated_values(rows[first_treated], rows[time], timeline)
        after_last = int((_late(rows[first_treated]) & np.isinf(start)).sum())
        if units is not None:
            refuse_moving(
                start, units, StaggeredColumns(outcome="", time=time, first_treated=first_treated, unit=unit)
            )
        is_treated = timeline.values[period] >= start
    else:
        is_treated = chosen.columns[str(treatment)] != 0
        start = _first_seen(is_treated, period, units, timeline)
        after_last = 0
    timing = Timing(
        start=start,
        period=period,
        is_treated=np.asarray(is_treated),
        dose=chosen.columns[treatment] if treatment else np.asarray(is_treated, np.float64),
        units=units,
        timeline=timeline,
        after_last=after_last,
    )
    return _described(timing, chosen.weights)


def _refuse_unclear(first_treated: str | None, treatment: str | None, unit: str | None) -> None:
    if (first_treated is None) == (treatment is None):
        raise DesignError(
            "a rollout is told by the period of first treatment or by the treatment of each row",
            where=f"first_treated={first_treated!r}, treatment={treatment!r}",
            remedy="give one of them",
        )
    if treatment is not None and unit is None:
        raise DesignError(
            "when treatment begins for a unit cannot be told without the unit",
            where="unit=None",
            remedy="name the unit's column, or give first_treated",
        )


def _late(column: Any) -> Bools:
    """Mark rows that name a period, though later than any seen."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(np.float64, na_value=np.nan)
        return np.asarray(np.isfinite(values) & (values != 0))
    return np.asarray(column.notna().to_numpy())


def _first_seen(is_treated: Bools, period: Codes, units: Units | None, timeline: Timeline) -> Floats:
    """Return the first period in which each row's unit is treated, infinite for never."""
    if units is None:
        raise DesignError("cohorts need the unit", where="unit=None", remedy="name the unit's column")
    first = np.full(units.count, timeline.count, dtype=np.int64)
    np.minimum.at(first, units.codes[is_treated], period[is_treated])
    return np.append(timeline.values, np.inf)[first][units.codes]


def _described(timing: Timing, weights: Floats) -> Rollout:
    timeline, period = timing.timeline, timing.period
    codes, starts = levels_of(timing.start)
    shape = (len(starts), timeline.count)
    cell = codes * timeline.count + period
    size = shape[0] * shape[1]
    rows = np.bincount(cell, minlength=size)
    weight = np.bincount(cell, weights=weights, minlength=size)
    treated = np.bincount(cell, weights=weights * timing.is_treated, minlength=size)
    units, sizes = rows, np.bincount(codes, minlength=len(starts))
    if timing.units is not None:
        place = np.unique(timing.units.codes * timeline.count + period)
        cohort = np.zeros(timing.units.count, dtype=np.int64)
        cohort[timing.units.codes] = codes
        of_unit, at = np.divmod(place, timeline.count)
        units = np.bincount(cohort[of_unit] * timeline.count + at, minlength=size)
        sizes = np.bincount(cohort, minlength=len(starts))
    share = np.divide(treated, weight, out=np.full(size, np.nan), where=weight > 0).reshape(shape)
    elapsed = np.where(np.isinf(starts)[:, None], -np.inf, timeline.values - starts[:, None])
    checks, details = timing_checks(timing, starts, rows.reshape(shape), sizes)
    return Rollout(
        cohorts=tuple(NEVER if np.isinf(one) else str(timeline.label(one)) for one in starts),
        periods=timeline.labels,
        rows=rows.reshape(shape),
        units=units.reshape(shape),
        weight=np.asarray(weight.reshape(shape), np.float64),
        treated_share=np.clip(share, 0.0, 1.0),
        event_time=np.where(np.isfinite(elapsed), timeline.rounded(elapsed), elapsed),
        sizes=sizes,
        has_units=timing.units is not None,
        is_panel=bool(details["is_panel"]),
        checks=checks,
        details=details,
    )
