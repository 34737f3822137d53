"""From a frame to a staggered design as arrays: who is first treated when, seen in which periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.estimators.design import Selection, require_frame, select
from juntos_eval.estimators.did.panel_frame import Units, groups_of_units, units_of
from juntos_eval.estimators.did.timeline import Timeline, first_treated_values, read_timeline

__all__ = ["Staggered", "StaggeredColumns", "levels_of", "read_staggered", "refuse_moving", "refuse_repeated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredColumns:
    """Names of the columns of a staggered design.

    Examples
    --------
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns
    >>> StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id").covariates
    ()
    """

    outcome: str
    time: str
    first_treated: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    carry: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column, each once."""
        optional = tuple(name for name in (self.unit, self.weights) if name is not None)
        named = (self.outcome, self.time, self.first_treated, *optional, *self.covariates, *self.carry)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Staggered:
    """Rows of a design in which treatment begins at different times and stays.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
    period : numpy.ndarray of int64, shape (n,)
        Position of the row's period in the timeline.
    first_treated : numpy.ndarray, shape (n,)
        On the timeline's scale; infinite for never.
    covariates : numpy.ndarray, shape (n, p)
    covariate_names : tuple of str, length p
    weights : numpy.ndarray, shape (n,)
    units : Units or None
        Unit of each row; None for cross-sections without one.
    groups : Mapping of str to Groups
        Of the n rows.
    timeline : Timeline
    rows : numpy.ndarray of int64, shape (n,)
        Positions in the frame.
    dropped : Mapping of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2, 1, 2], "start": [2, 2, 0, 0],
    ...                       "y": [1.0, 3.0, 1.0, 2.0]})
    >>> columns = StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id")
    >>> read_staggered(frame, columns).cohorts.tolist()
    [2.0]
    """

    outcome: Floats
    period: Codes
    first_treated: Floats
    covariates: Floats
    covariate_names: tuple[str, ...]
    weights: Floats
    units: Units | None
    groups: Mapping[str, Groups]
    timeline: Timeline
    rows: Codes
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        for name in ("outcome", "first_treated", "covariates", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("period", "rows"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        for name in ("groups", "dropped"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.outcome)

    @property
    def cohorts(self) -> Floats:
        """When units are first treated, in order, without never."""
        found = np.asarray(pd.unique(self.first_treated))
        return np.sort(found[np.isfinite(found)])

    def of_units(self, columns: StaggeredColumns) -> dict[str, Groups]:
        """Return the carried groupings of the units, in the order of their labels.

        Parameters
        ----------
        columns : StaggeredColumns

        Returns
        -------
        dict of str to Groups

        Raises
        ------
        DesignError
            If a grouping changes within a unit.
        """
        if self.units is None or not self.groups:
            return dict(self.groups)
        first = np.unique(self.units.codes, return_index=True)[1]
        return {
            name: groups_of_units(self.units, groups, first, name, str(columns.unit))
            for name, groups in self.groups.items()
        }


def levels_of(values: Floats) -> tuple[Codes, Floats]:
    """Return codes 0 … L-1 in the order of the values, and the L values: quick where they are few.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
    numpy.ndarray, shape (L,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.staggered import levels_of
    >>> codes, levels = levels_of(np.array([2.0, -np.inf, 2.0]))
    >>> codes.tolist(), levels.tolist()
    ([1, 0, 1], [-inf, 2.0])
    """
    codes, levels = pd.factorize(values, sort=True)
    return codes.astype(np.int64), np.asarray(levels, dtype=np.float64)


def read_staggered(data: DataFrame, columns: StaggeredColumns, *, extra: tuple[str, ...] = ()) -> Staggered:
    """Read, check and encode a staggered design.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a unit and period in a panel, one row an observation in cross-sections.
    columns : StaggeredColumns
    extra : tuple of str
        Further columns in which a row must be complete, such as those of effects to absorb.

    Returns
    -------
    Staggered

    Raises
    ------
    DesignError
        For columns that are not there or of the wrong kind, periods without an order, a single period,
        a first treatment that changes within a unit, or nobody who is ever treated.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered
    >>> frame = pd.DataFrame({"year": [1, 2, 1, 2], "start": [2, 2, 0, 0], "y": [1.0, 3.0, None, 2.0]})
    >>> columns = StaggeredColumns(outcome="y", time="year", first_treated="start")
    >>> dict(read_staggered(frame, columns).dropped)
    {'y missing': 1}
    """
    frame = _wanted(data, columns, extra)
    timeline, period = read_timeline(frame[columns.time])
    first_treated = first_treated_values(frame[columns.first_treated], frame[columns.time], timeline)
    chosen = select(
        frame,
        numeric=(columns.outcome,),
        covariates=columns.covariates,
        weights=columns.weights,
        carry=columns.carry,
    )
    if extra:
        complete = frame[list(extra)].iloc[chosen.rows].notna().all(axis=1).to_numpy()
        chosen = _complete(chosen, complete)
    first_treated = first_treated[chosen.rows]
    if not np.isfinite(first_treated).any():
        raise DesignError(
            "nobody is treated within the periods of the data",
            where=f"column '{columns.first_treated}', {chosen.n} rows, periods {timeline.labels[0]} to "
            f"{timeline.labels[-1]}",
            remedy="check the unit of the column: it holds the period in which treatment begins",
        )
    units = None
    if columns.unit is not None:
        units = units_of(frame[columns.unit].iloc[chosen.rows])
        refuse_moving(first_treated, units, columns)
    return Staggered(
        outcome=chosen.columns[columns.outcome],
        period=period[chosen.rows],
        first_treated=first_treated,
        covariates=chosen.covariates,
        covariate_names=chosen.covariate_names,
        weights=chosen.weights,
        units=units,
        groups=chosen.groups,
        timeline=timeline,
        rows=chosen.rows,
        dropped=chosen.dropped,
    )


def _wanted(data: DataFrame, columns: StaggeredColumns, extra: tuple[str, ...]) -> DataFrame:
    require_frame(data)
    wanted = (*columns.wanted, *extra)
    absent = [name for name in wanted if name not in data.columns]
    if absent:
        select(data, carry=absent)  # says which, and what there is
    frame = data.loc[:, data.columns.isin(wanted)]
    if frame.columns.duplicated().any():
        select(frame, carry=wanted)
    return frame


def _complete(chosen: Selection, complete: Bools) -> Selection:
    """Leave out rows without one of the further columns."""
    if complete.all():
        return chosen
    lost = int((~complete).sum())
    return replace(
        chosen,
        columns={name: values[complete] for name, values in chosen.columns.items()},
        covariates=chosen.covariates[complete],
        weights=chosen.weights[complete],
        groups={name: Groups(way.codes[complete], way.levels) for name, way in chosen.groups.items()},
        rows=chosen.rows[complete],
        dropped={**chosen.dropped, "absorbed effect missing": lost},
    )


def refuse_moving(first_treated: Floats, units: Units, columns: StaggeredColumns) -> None:
    """Refuse units whose treatment begins in several periods.

    Parameters
    ----------
    first_treated : numpy.ndarray, shape (n,)
    units : Units
    columns : StaggeredColumns

    Raises
    ------
    DesignError
        That names one of them, and the estimator for treatment that switches off.
    """
    by_unit = np.empty(units.count)
    by_unit[units.codes] = first_treated
    moved = by_unit[units.codes] != first_treated
    if moved.any():
        guilty = np.unique(units.codes[moved])
        raise DesignError(
            f"'{columns.first_treated}' changes within units",
            where=f"columns '{columns.first_treated}' and '{columns.unit}', {len(guilty)} of {units.count} "
            f"units, e.g. {units.labels[guilty[0]]}",
            remedy="give each unit the one period in which its treatment begins; where treatment switches "
            "off, use Intertemporal",
        )


def refuse_repeated(design: Staggered, columns: StaggeredColumns) -> None:
    """Refuse units with several rows in a period.

    Parameters
    ----------
    design : Staggered
        With units.
    columns : StaggeredColumns

    Raises
    ------
    DesignError
        That names the first of them.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.staggered import StaggeredColumns, read_staggered, refuse_repeated
    >>> frame = pd.DataFrame({"id": [1, 1, 2], "year": [1, 2, 1], "start": [2, 2, 0], "y": [1.0, 3.0, 1.0]})
    >>> columns = StaggeredColumns(outcome="y", time="year", first_treated="start", unit="id")
    >>> refuse_repeated(read_staggered(frame, columns), columns)
    """
    units = design.units
    if units is None:
        return
    periods = design.timeline.count
    counts = np.bincount(units.codes * periods + design.period, minlength=units.count * periods)
    seen = counts.reshape(units.count, periods)
    if seen.max() > 1:
        unit, at = divmod(int(seen.argmax()), periods)
        raise DesignError(
            f"units have several rows in one period: {int((seen > 1).sum())} pairs of unit and period",
            where=f"columns '{columns.unit}' and '{columns.time}', e.g. {units.labels[unit]} in "
            f"{design.timeline.labels[at]} ({int(seen[unit, at])} rows)",
            remedy="make a unit's row in a period unique, or set panel=False for cross-sections",
        )
