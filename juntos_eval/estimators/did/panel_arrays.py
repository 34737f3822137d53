"""From a frame to units × periods: outcome, treatment at each time, weights, covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pandas import DataFrame

from juntos_eval.arrays import Codes, Floats, FrozenMapping, encode, frozen, grouped_sums
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups
from juntos_eval.estimators.design import Selection, require_frame, select
from juntos_eval.estimators.did.panel_frame import Columns, Units, groups_of_units, units_of
from juntos_eval.estimators.did.timeline import Timeline, read_timeline

__all__ = ["PanelArrays", "read_arrays"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelArrays:
    """A panel laid out as units × periods, with gaps.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (N, T)
        NaN where the unit has no complete row.
    treatment : numpy.ndarray, shape (N, T)
        NaN where the unit has no row at all.
    weights : numpy.ndarray, shape (N, T)
        Zero where the outcome is NaN.
    covariates : numpy.ndarray, shape (N, T, p)
    covariate_names : tuple of str, length p
    strata : numpy.ndarray of int64, shape (N,)
        Level of the columns whose units are compared with each other only; zeros without any.
    labels : tuple, length N
        Of the units, in order.
    timeline : Timeline
    groups : Mapping of str to Groups
        Of the units.
    rows : int
        Rows of the frame that were used.
    dropped : Mapping of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_arrays import read_arrays
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2, 1, 2], "d": [0, 1, 0, 0],
    ...                       "y": [1.0, 3.0, 1.0, None]})
    >>> read_arrays(frame, Columns(outcome="y", unit="id", time="year", treatment="d")).outcome.tolist()
    [[1.0, 3.0], [1.0, nan]]
    """

    outcome: Floats
    treatment: Floats
    weights: Floats
    covariates: Floats
    covariate_names: tuple[str, ...]
    strata: Codes
    labels: tuple[Any, ...]
    timeline: Timeline
    groups: Mapping[str, Groups]
    rows: int
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        for name in ("outcome", "treatment", "weights", "covariates"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "strata", frozen(self.strata, np.int64))
        for name in ("groups", "dropped"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))

    @property
    def units(self) -> int:
        """Number of units N."""
        return len(self.outcome)

    @property
    def periods(self) -> int:
        """Number of periods T."""
        return self.timeline.count


def read_arrays(
    data: DataFrame, columns: Columns, *, strata: tuple[str, ...] = (), panel: bool = True
) -> PanelArrays:
    """Read, check and lay out a panel whose treatment may change at any time.

    Units without any complete row are left out. Rows of weight zero are nowhere, not even in treatment.

    Parameters
    ----------
    data : pandas.DataFrame
    columns : Columns
        The treatment is numeric and never missing where there is a row.
    strata : tuple of str
        Columns that a unit keeps.
    panel : bool
        False: a unit may have several rows in a period (people of a district), which become their mean,
        with the sum of their weights.

    Returns
    -------
    PanelArrays

    Raises
    ------
    DesignError
        For columns that are not there or of the wrong kind, periods without an order, several rows of a
        unit in a period, groupings that change within a unit.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.panel_arrays import read_arrays
    >>> from juntos_eval.estimators.did.panel_frame import Columns
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2, 1, 2], "d": [0, 2, 0, 0],
    ...                       "y": [1.0, 3.0, 1.0, 2.0]})
    >>> read_arrays(frame, Columns(outcome="y", unit="id", time="year", treatment="d")).treatment.tolist()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    unit = str(columns.unit)
    require_frame(data)
    carried = tuple(dict.fromkeys((*strata, *columns.carry)))
    select(data, required=(columns.treatment,), carry=(unit, columns.time, *carried))
    chosen = select(
        data,
        numeric=(columns.outcome,),
        required=(columns.treatment,),
        covariates=columns.covariates,
        weights=columns.weights,
        carry=carried,
    )
    every, (timeline, period) = units_of(data[unit]), read_timeline(data[columns.time])
    kept, codes = np.unique(every.codes[chosen.rows], return_inverse=True)
    units = Units(codes=codes.astype(np.int64), labels=tuple(every.labels[one] for one in kept))
    place = units.codes * timeline.count + period[chosen.rows]
    size = units.count * timeline.count
    if panel:
        _refuse_repeated(every, period, timeline, columns)
    cells = _cells(chosen, columns, place, size)
    first = np.unique(units.codes, return_index=True)[1]
    groups = {name: groups_of_units(units, chosen.groups[name], first, name, unit) for name in carried}
    shape = (units.count, timeline.count)
    return PanelArrays(
        outcome=cells[:, 0].reshape(shape),
        treatment=_treatment(data, columns, every, kept, period, timeline),
        weights=np.where(np.isnan(cells[:, 0]), 0.0, cells[:, 1]).reshape(shape),
        covariates=cells[:, 2:].reshape((*shape, -1)) if size else np.zeros((*shape, 0)),
        covariate_names=chosen.covariate_names,
        strata=_strata(groups, strata, units.count),
        labels=units.labels,
        timeline=timeline,
        groups={name: groups[name] for name in columns.carry},
        rows=chosen.n,
        dropped=chosen.dropped,
    )


def _cells(chosen: Selection, columns: Columns, place: Codes, size: int) -> Floats:
    """Return outcome, weight and covariates of unit × period: means by weight, and the sum of weights."""
    values = np.column_stack([chosen.columns[columns.outcome], chosen.covariates])
    mass = np.bincount(place, weights=chosen.weights, minlength=size)
    if len(place) == np.count_nonzero(mass):  # one row each: no rounding by a mean
        cells = np.full((size, 2 + chosen.covariates.shape[1]), np.nan)
        cells[place, 0], cells[place, 2:] = values[:, 0], values[:, 1:]
    else:
        sums = grouped_sums(values * chosen.weights[:, None], place, size)
        means = sums / np.where(mass > 0, mass, np.nan)[:, None]
        cells = np.column_stack([means[:, 0], mass, means[:, 1:]])
    cells[:, 1] = mass
    return cells


def _treatment(
    data: DataFrame, columns: Columns, every: Units, kept: Codes, period: Codes, timeline: Timeline
) -> Floats:
    """Return the treatment of unit × period, of incomplete rows too; refuse one that differs within."""
    name = columns.treatment
    used = np.ones(len(data), dtype=np.bool_)
    if columns.weights is not None:
        used = data[columns.weights].to_numpy(np.float64) > 0
    dose = data[name].to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.full((every.count, timeline.count), np.nan)
    found[every.codes[used], period[used]] = dose[used]
    differs = used & (found[every.codes, period] != dose)
    if differs.any():
        at = int(np.flatnonzero(differs)[0])
        raise DesignError(
            f"the treatment '{name}' differs between rows of one unit and period",
            where=f"column '{name}', {int(differs.sum())} rows, e.g. {every.labels[every.codes[at]]} in "
            f"{timeline.labels[period[at]]}",
            remedy="treatment is of the unit: give all its rows of a period the same, or use finer units",
        )
    return np.asarray(found[kept])


def _strata(groups: Mapping[str, Groups], strata: tuple[str, ...], count: int) -> Codes:
    codes = np.zeros(count, dtype=np.int64)
    for name in strata:
        codes = encode(codes * groups[name].count + groups[name].codes)[0]
    return codes


def _refuse_repeated(units: Units, period: Codes, timeline: Timeline, columns: Columns) -> None:
    seen = np.bincount(units.codes * timeline.count + period, minlength=units.count * timeline.count)
    if seen.max() > 1:
        unit, at = divmod(int(seen.argmax()), timeline.count)
        raise DesignError(
            f"units have several rows in one period: {int((seen > 1).sum())} pairs of unit and period",
            where=f"columns '{columns.unit}' and '{columns.time}', e.g. {units.labels[unit]} in "
            f"{timeline.labels[at]} ({int(seen.max())} rows)",
            remedy="make a unit's row in a period unique, or set panel=False for people within units",
        )
