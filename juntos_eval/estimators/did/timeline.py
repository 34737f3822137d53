"""The periods of a design on a scale, and when each row's unit is first treated on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas import Series

from juntos_eval.arrays import Codes, Floats, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimators.did.periods import in_order

__all__ = ["Timeline", "first_treated_values", "number", "read_timeline"]

NEVER = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Periods in order, with their distance.

    Attributes
    ----------
    labels : tuple of str, length T
    values : numpy.ndarray, shape (T,)
        The periods themselves where they are numbers, so that event times are in their unit; else 0 … T-1.
    has_numbers : bool
        Whether the values are the periods' own numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.timeline import read_timeline
    >>> timeline, codes = read_timeline(pd.Series([2016, 2009, 2013], name="year"))
    >>> timeline.values.tolist(), codes.tolist()
    ([2009.0, 2013.0, 2016.0], [2, 0, 1])
    """

    labels: tuple[str, ...]
    values: Floats
    has_numbers: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))

    @property
    def count(self) -> int:
        """Number of periods."""
        return len(self.values)

    def rounded(self, elapsed: Floats) -> Floats:
        """Return lengths of time without what fractions of a year lose as floating numbers.

        They are rounded to a thousandth of the shortest time between periods, or less.
        """
        gap = float(np.diff(self.values).min())
        return np.round(elapsed, 3 + max(0, int(np.ceil(-np.log10(gap)))))

    def label(self, value: float) -> Any:
        """Return a point of the scale as tables name it: a whole number where it is one, else a label."""
        if self.has_numbers:
            return int(value) if float(value).is_integer() else float(value)
        at = int(value)
        return self.labels[at] if 0 <= at < self.count else str(at)


def read_timeline(time: Series[Any]) -> tuple[Timeline, Codes]:
    """Order the periods of a column.

    Parameters
    ----------
    time : pandas.Series
        Numbers, dates, periods, an ordered category, or text that is a number.

    Returns
    -------
    Timeline
    numpy.ndarray of int64, shape (n,)
        Position of each row's period.

    Raises
    ------
    DesignError
        For labels without an order, missing periods, or a single period.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.timeline import read_timeline
    >>> read_timeline(pd.Series(["2009", "2011"], name="year"))[0].values.tolist()
    [2009.0, 2011.0]
    """
    ordered = in_order(time)
    missing = int(ordered.isna().sum())
    if missing:
        raise DesignError(
            f"the column '{time.name}' has missing values",
            where=f"column '{time.name}', {missing} of {len(time)} rows",
            remedy="give every row its period or leave the rows out",
        )
    codes, found = pd.factorize(ordered, sort=True)
    if len(found) < 2:
        raise DesignError(
            "a design over time needs two periods or more",
            where=f"column '{time.name}': {', '.join(map(str, found)) or 'no period'}",
            remedy="check the column of periods and which rows were left out",
        )
    has_numbers = pd.api.types.is_numeric_dtype(ordered.dtype)
    values = np.asarray(found, dtype=np.float64) if has_numbers else np.arange(len(found), dtype=np.float64)
    timeline = Timeline(labels=tuple(str(one) for one in found), values=values, has_numbers=has_numbers)
    return timeline, codes.astype(np.int64)


def first_treated_values(column: Series[Any], time: Series[Any], timeline: Timeline) -> Floats:
    """Return when each row's unit is first treated, on the scale of the timeline; infinite for never.

    Never is a missing value, an infinite one, zero where no period is zero or less, or a date after the
    last period, since no treatment is seen then.

    Parameters
    ----------
    column : pandas.Series
        In the unit of the periods.
    time : pandas.Series
        The column of periods, for its type.
    timeline : Timeline

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    DesignError
        If the column cannot be compared with the periods.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.timeline import first_treated_values, read_timeline
    >>> year = pd.Series([2009, 2011, 2013], name="year")
    >>> start = pd.Series([0, 2011, 2015], name="start")
    >>> first_treated_values(start, year, read_timeline(year)[0]).tolist()
    [inf, 2011.0, inf]
    """
    values = _own_numbers(column) if timeline.has_numbers else _positions(column, time)
    never = np.isnan(values) | np.isinf(values) | (values > timeline.values[-1])
    if timeline.has_numbers:
        zero = values == 0
        if zero.any() and timeline.values[0] <= 0:
            raise DesignError(
                f"zero in '{column.name}' may mean never or a period",
                where=f"column '{column.name}', {int(zero.sum())} rows; the first period is "
                f"{timeline.labels[0]}",
                remedy="leave the column missing for units that are never treated, or count periods from 1",
            )
        never |= zero
    return np.where(never, NEVER, values)


def _own_numbers(column: Series[Any]) -> Floats:
    if pd.api.types.is_integer_dtype(column.dtype) or pd.api.types.is_float_dtype(column.dtype):
        return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    numbers = pd.to_numeric(column.astype("object"), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    strange = np.isnan(numbers) & column.notna().to_numpy()
    if strange.any():
        raise _not_comparable(column, int(strange.sum()), "numbers, as the periods are")
    return np.asarray(numbers)


def _positions(column: Series[Any], time: Series[Any]) -> Floats:
    """Position of the first period that is not before the treatment begins."""
    ordered = in_order(time)
    periods = pd.Index(pd.factorize(ordered, sort=True)[1])
    if isinstance(ordered.dtype, pd.CategoricalDtype):
        known = {str(label): at for at, label in enumerate(periods)}
        found = column.map(lambda label: known.get(str(label), np.nan), na_action="ignore")
        values = found.to_numpy(np.float64, na_value=np.nan)
        strange = np.isnan(values) & column.notna().to_numpy()
        if strange.any():
            raise _not_comparable(column, int(strange.sum()), "labels of the periods")
        return np.asarray(values)
    try:
        dates = column.astype(ordered.dtype) if not isinstance(ordered.dtype, np.dtype) else column
        if isinstance(ordered.dtype, np.dtype) and ordered.dtype.kind == "M":
            dates = pd.to_datetime(column)
        present = dates.notna().to_numpy()
        values = np.full(len(column), np.nan)
        values[present] = periods.searchsorted(pd.Index(dates[present]), side="left")
    except (TypeError, ValueError) as error:
        raise _not_comparable(column, len(column), f"of the type of '{time.name}'") from error
    return values


def _not_comparable(column: Series[Any], rows: int, wanted: str) -> DesignError:
    return DesignError(
        f"'{column.name}' cannot be compared with the periods",
        where=f"column '{column.name}' of type {column.dtype}, {rows} rows",
        remedy=f"give {wanted}; leave it missing for units that are never treated",
    )


def number(value: float) -> int | float:
    """Return a whole number as one, for keys and labels.

    Parameters
    ----------
    value : float

    Returns
    -------
    int or float

    Examples
    --------
    >>> from juntos_eval.estimators.did.timeline import number
    >>> number(2.0), number(0.5)
    (2, 0.5)
    """
    return int(value) if float(value).is_integer() else float(value)
