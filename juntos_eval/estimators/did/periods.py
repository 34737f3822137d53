"""Periods in their order, whatever they are called."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas import Series

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups

__all__ = ["in_order", "two_periods"]


def in_order(time: Series[Any]) -> Series[Any]:
    """Return the periods as something whose sorted order is that of time.

    Parameters
    ----------
    time : pandas.Series
        Numbers, dates, periods, booleans, an ordered category, or text that is a number.

    Returns
    -------
    pandas.Series

    Raises
    ------
    DesignError
        For labels without an order: that of the alphabet would put "post" before "pre".

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did.periods import in_order
    >>> in_order(pd.Series(["9", "10"])).tolist()
    [9, 10]
    """
    types = pd.api.types
    dtype = time.dtype
    if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered:
        return time
    if (
        types.is_numeric_dtype(dtype)
        or types.is_datetime64_any_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype)
    ):
        return time
    if types.infer_dtype(time, skipna=True) in ("date", "datetime", "period"):
        return time
    numbers = pd.to_numeric(time.astype("object"), errors="coerce")
    if (numbers.isna() & time.notna()).any():
        labels = ", ".join(sorted({str(label) for label in time.dropna().unique()})[:6])
        raise DesignError(
            f"it cannot be told which period of '{time.name}' comes first",
            where=f"column '{time.name}' of type {dtype}: {labels}",
            remedy="use numbers, dates or an ordered category",
        )
    return numbers


def two_periods(time: str, found: Groups) -> tuple[str, str]:
    """Return the labels of the first and the second of two periods.

    Parameters
    ----------
    time : str
        Name of the column, for the error.
    found : Groups
        Periods of the rows, in order.

    Returns
    -------
    tuple of str

    Raises
    ------
    DesignError
        For other than two.

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.did.periods import two_periods
    >>> two_periods("year", Groups([0, 1], ("2024", "2025")))
    ('2024', '2025')
    """
    if found.count != 2:
        shown = ", ".join(found.levels[:10]) + (" …" if found.count > 10 else "")
        raise DesignError(
            f"two periods are compared, and the data have {found.count}",
            where=f"column '{time}': {shown}",
            remedy="keep the rows of two periods, the earlier one before the treatment",
        )
    return found.levels[0], found.levels[1]
