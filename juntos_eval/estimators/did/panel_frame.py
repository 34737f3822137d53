"""From a frame to two periods as arrays: one row a unit in a panel, one row an observation otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.estimators.design import Selection, require_frame, select, zero_one
from juntos_eval.estimators.did.periods import in_order, two_periods

__all__ = [
    "Columns",
    "TwoPeriods",
    "Units",
    "groups_of_units",
    "kept_groups",
    "read_cross_sections",
    "read_panel",
    "units_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns of a two-period design.

    Examples
    --------
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> Columns(outcome="y", time="year", treatment="treated", unit="id").covariates
    ()
    """

    outcome: str
    time: str
    treatment: str
    unit: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    carry: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column, each once."""
        optional = tuple(name for name in (self.unit, self.weights) if name is not None)
        named = (self.outcome, self.time, self.treatment, *optional, *self.covariates, *self.carry)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Which unit each row is of: codes 0 … count-1 in the order of the labels.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.did.panel_frame import Units
    >>> Units(codes=np.array([0, 1, 0]), labels=("a", "b")).count
    2
    """

    codes: Codes
    labels: Any

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeriods:
    """Two groups in two periods.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
        In a panel the change of the outcome of each unit.
    after : numpy.ndarray of bool, shape (n,), or None
        Rows of the second period; None in a panel.
    treated : numpy.ndarray of bool, shape (n,)
        Whether the unit belongs to the treated group, in both periods.
    covariates : numpy.ndarray, shape (n, p)
    covariate_names : tuple of str, length p
    weights : numpy.ndarray, shape (n,)
    units : Units or None
        Unit of each row where units may recur (cross-sections with a unit column).
    groups : Mapping of str to Groups
        Of the n rows, or of the units where there are ``units``.
    periods : tuple of str
        Labels of the first and of the second period.
    rule : str
        How the treatment column was read.
    rows : int
        Rows of the frame that were used.
    dropped : Mapping of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_frame import Columns, read_panel
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [0, 1, 0, 1], "d": [0, 1, 0, 0],
    ...                       "y": [1.0, 3.0, 1.0, 2.0]})
    >>> read_panel(frame, Columns(outcome="y", time="year", treatment="d", unit="id")).outcome.tolist()
    [2.0, 1.0]
    """

    outcome: Floats
    after: Bools | None
    treated: Bools
    covariates: Floats
    covariate_names: tuple[str, ...]
    weights: Floats
    units: Units | None
    groups: Mapping[str, Groups]
    periods: tuple[str, str]
    rule: str
    rows: int
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        for name in ("groups", "dropped"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))


def read_panel(data: DataFrame, columns: Columns) -> TwoPeriods:
    """Pair the two rows of each unit: covariates, weights and groupings are those of its first period.

    Units whose other row is missing or incomplete are left out and counted. The treatment may mark the
    treated group in both periods, or the treated state (0 in the first period, 1 in the second).

    Parameters
    ----------
    data : pandas.DataFrame
    columns : Columns

    Returns
    -------
    TwoPeriods
        One row a unit, in the order of the units' labels.

    Raises
    ------
    DesignError
        For other than two periods, several rows of a unit in one period, a treatment that is switched off
        or coded in both ways, and groupings that change within a unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_frame import Columns, read_panel
    >>> frame = pd.DataFrame({"id": ["a", "a", "b", "b", "c"], "year": [0, 1, 0, 1, 0],
    ...                       "d": [1, 1, 0, 0, 0], "y": [1.0, 3.0, 1.0, 2.0, 5.0]})
    >>> read_panel(frame, Columns(outcome="y", time="year", treatment="d", unit="id")).dropped
    {'unit without a complete row in the other period': 1}
    """
    unit, frame = str(columns.unit), _wanted(data, columns)
    keys = select(frame, carry=(columns.time, *columns.carry)).groups
    periods = two_periods(columns.time, keys[columns.time])
    units, is_late = units_of(frame[unit]), keys[columns.time].codes == 1
    _refuse_repeated(columns, units, is_late, periods)
    early = _select_period(frame, columns, ~is_late, columns.covariates, columns.weights)
    late = _select_period(frame, columns, is_late, (), None)
    rows_early, rows_late = np.flatnonzero(~is_late)[early.rows], np.flatnonzero(is_late)[late.rows]
    at_early, at_late = _pair(units.codes[rows_early], units.codes[rows_late], units.count)
    if not len(at_early):
        raise DesignError(
            "no unit has a complete row in both periods",
            where=f"column '{unit}': {early.n} complete rows in {periods[0]}, {late.n} in {periods[1]}",
            remedy="check that units keep their identifier; set panel=False if they are different ones",
        )
    before, after = early.columns[columns.treatment][at_early], late.columns[columns.treatment][at_late]
    treated, rule = _treated_group(before, after, columns)
    return TwoPeriods(
        outcome=late.columns[columns.outcome][at_late] - early.columns[columns.outcome][at_early],
        after=None,
        treated=treated,
        covariates=early.covariates[at_early],
        covariate_names=early.covariate_names,
        weights=early.weights[at_early],
        units=None,
        groups={
            name: groups_of_units(units, keys[name], rows_early[at_early], name, unit)
            for name in columns.carry
        },
        periods=periods,
        rule=rule,
        rows=2 * len(at_early),
        dropped=_count_dropped(early, late, len(at_early)),
    )


def read_cross_sections(data: DataFrame, columns: Columns) -> TwoPeriods:
    """Take the rows of two periods as they are: the treatment marks the treated group in both.

    Parameters
    ----------
    data : pandas.DataFrame
    columns : Columns
        Where there is a unit, its rows belong together in the influence, and groupings may not change
        within it.

    Returns
    -------
    TwoPeriods

    Raises
    ------
    DesignError
        For other than two periods, an empty cell of group and period, and groupings that change within a
        unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_frame import Columns, read_cross_sections
    >>> frame = pd.DataFrame({"year": [0, 1, 0, 1], "d": [1, 1, 0, 0], "y": [1.0, 3.0, 1.0, 2.0]})
    >>> read_cross_sections(frame, Columns(outcome="y", time="year", treatment="d")).after.tolist()
    [False, True, False, True]
    """
    frame = _wanted(data, columns)
    chosen = select(
        frame,
        numeric=(columns.outcome,),
        required=(columns.treatment,),
        covariates=columns.covariates,
        weights=columns.weights,
        carry=(columns.time, *columns.carry),
    )
    keys = chosen.groups
    periods = two_periods(columns.time, keys[columns.time])
    after = keys[columns.time].codes == 1
    treated = zero_one(chosen.columns[columns.treatment], columns.treatment)
    _refuse_empty_cells(treated, after, columns, periods)
    units, groups = None, {name: keys[name] for name in columns.carry}
    if columns.unit is not None:
        units = units_of(frame[columns.unit].iloc[chosen.rows])
        first = np.unique(units.codes, return_index=True)[1]
        groups = {
            name: groups_of_units(units, keys[name], first, name, columns.unit) for name in columns.carry
        }
    return TwoPeriods(
        outcome=chosen.columns[columns.outcome],
        after=after,
        treated=treated,
        covariates=chosen.covariates,
        covariate_names=chosen.covariate_names,
        weights=chosen.weights,
        units=units,
        groups=groups,
        periods=periods,
        rule="group: 1 in both periods for the treated group",
        rows=chosen.n,
        dropped=chosen.dropped,
    )


def _wanted(data: DataFrame, columns: Columns) -> DataFrame:
    """Return the columns in question; those that are not there are named by ``select``."""
    require_frame(data)
    absent = [name for name in columns.wanted if name not in data.columns]
    if absent:
        select(data, carry=absent)
    frame = data.loc[:, data.columns.isin(columns.wanted)]
    if frame.columns.duplicated().any():
        select(frame, carry=columns.wanted)
    return frame.assign(**{columns.time: in_order(frame[columns.time])})


def _select_period(
    frame: DataFrame, columns: Columns, here: Bools, covariates: tuple[str, ...], weights: str | None
) -> Selection:
    needed = [columns.outcome, columns.treatment, *covariates, *([weights] if weights else [])]
    return select(
        frame.loc[here, list(dict.fromkeys(needed))],
        numeric=(columns.outcome,),
        required=(columns.treatment,),
        covariates=covariates,
        weights=weights,
    )


def units_of(column: Series[Any]) -> Units:
    """Encode a column of units.

    Parameters
    ----------
    column : pandas.Series

    Returns
    -------
    Units

    Raises
    ------
    DesignError
        If a row has no unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_frame import units_of
    >>> units_of(pd.Series(["b", "a"], name="id")).codes.tolist()
    [1, 0]
    """
    missing = int(column.isna().sum())
    if missing:
        raise DesignError(
            f"the column '{column.name}' has missing values",
            where=f"column '{column.name}', {missing} of {len(column)} rows",
            remedy="give every row its unit or leave the rows out",
        )
    codes, labels = pd.factorize(column, sort=True)
    return Units(codes=codes, labels=labels)


def _refuse_repeated(columns: Columns, units: Units, is_late: Bools, periods: tuple[str, str]) -> None:
    seen = np.bincount(units.codes * 2 + is_late, minlength=2 * units.count)
    if seen.max() > 1:
        first = int(seen.argmax())
        raise DesignError(
            f"units have several rows in one period: {int((seen > 1).sum())} pairs of unit and period",
            where=f"columns '{columns.unit}' and '{columns.time}', e.g. {units.labels[first // 2]} in "
            f"{periods[first % 2]} ({int(seen[first])} rows)",
            remedy="make a unit's row in a period unique, or set panel=False for cross-sections",
        )


def _pair(early: Codes, late: Codes, units: int) -> tuple[Codes, Codes]:
    """Return positions of the two rows of each unit that has both, in the order of the units."""
    at_early, at_late = np.full(units, -1), np.full(units, -1)
    at_early[early], at_late[late] = np.arange(len(early)), np.arange(len(late))
    both = (at_early >= 0) & (at_late >= 0)
    return at_early[both], at_late[both]


def _treated_group(before: Floats, after: Floats, columns: Columns) -> tuple[Bools, str]:
    where = f"columns '{columns.treatment}' and '{columns.unit}'"
    zero_one(np.concatenate([before, after]), columns.treatment)
    if (before > after).any():
        raise DesignError(
            "the treatment is switched off between the periods",
            where=f"{where}, {int((before > after).sum())} units go from 1 to 0",
            remedy="leave these units out, or use an estimator for treatments that switch",
        )
    switched, always = before < after, (before == 1) & (after == 1)
    if switched.any() and always.any():
        raise DesignError(
            "some units are treated in both periods and others in the second only",
            where=f"{where}, {int(always.sum())} and {int(switched.sum())} units",
            remedy="code the group (1 in both periods) or the state (0, then 1); leave always treated out",
        )
    rule = "state: 0 before and 1 after" if switched.any() else "group: 1 in both periods"
    return zero_one(after, columns.treatment), f"{rule} for the treated group"


def groups_of_units(units: Units, grouping: Groups, rows: Codes, name: str, unit: str) -> Groups:
    """Return the grouping of the units that the rows stand for, once it is known to be one of units.

    Parameters
    ----------
    units : Units
        Of all rows.
    grouping : Groups
        Of all rows.
    rows : numpy.ndarray of int64
        A row of each unit that is wanted.
    name, unit : str
        Columns, for the error.

    Returns
    -------
    Groups

    Raises
    ------
    DesignError
        If the grouping changes within a unit.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.did.panel_frame import Units, groups_of_units
    >>> units = Units(codes=np.array([0, 0, 1]), labels=("a", "b"))
    >>> groups_of_units(units, Groups([1, 1, 0], ("x", "y")), np.array([0, 2]), "district", "id").codes
    array([1, 0])
    """
    by_unit = np.full(units.count, -1)
    by_unit[units.codes] = grouping.codes
    moved = by_unit[units.codes] != grouping.codes
    if moved.any():
        count = len(np.unique(units.codes[moved]))
        raise DesignError(
            f"the grouping '{name}' changes within units",
            where=f"column '{name}', {count} of {units.count} units of '{unit}' are in several groups",
            remedy="carry a grouping that a unit keeps, such as its value in the first period",
        )
    kept, codes = np.unique(grouping.codes[rows], return_inverse=True)
    return Groups(codes, tuple(grouping.levels[code] for code in kept))


def _refuse_empty_cells(treated: Bools, after: Bools, columns: Columns, periods: tuple[str, str]) -> None:
    for group, word in ((treated, "treated"), (~treated, "untreated")):
        for here, period in ((~after, periods[0]), (after, periods[1])):
            if not (group & here).any():
                raise DesignError(
                    f"there is no {word} row in period {period}",
                    where=f"columns '{columns.treatment}' and '{columns.time}', {len(treated)} rows",
                    remedy="in cross-sections the treatment must mark the treated group in both periods",
                )


def _count_dropped(early: Selection, late: Selection, units: int) -> dict[str, int]:
    dropped: dict[str, int] = {}
    for part in (early, late):
        for reason, count in part.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    alone = early.n + late.n - 2 * units
    if alone:
        dropped["unit without a complete row in the other period"] = alone
    return dropped


def kept_groups(groups: Groups, kept: Codes | Bools) -> Groups:
    """Return the grouping of the units that are kept, without levels that nobody has any more.

    Parameters
    ----------
    groups : Groups
    kept : numpy.ndarray
        Positions, or a mark for each.

    Returns
    -------
    Groups

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.did.panel_frame import kept_groups
    >>> kept_groups(Groups([0, 1, 2], ("a", "b", "c")), np.array([0, 2])).levels
    ('a', 'c')
    """
    found, codes = np.unique(groups.codes[kept], return_inverse=True)
    return Groups(codes, tuple(groups.levels[level] for level in found))
