"""Interview dates as each format writes them, and months between dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.convert import as_text

__all__ = ["DAYS_A_MONTH", "as_dates", "interview_dates", "iso_text", "months_between"]

#: How the constructed panel makes months of days: ``agemon = days / (365/12)``.
DAYS_A_MONTH: Final = 365 / 12

_STATA_EPOCH: Final = pd.Timestamp("1960-01-01")
_SPSS_EPOCH: Final = pd.Timestamp("1582-10-14")
_ISO: Final = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}")
_NAMED: Final = re.compile(r"^\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{4}")
_NUMERIC: Final = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


def interview_dates(series: pd.Series, *, where: str) -> pd.Series:
    """Return dates whatever wrote them.

    Numbers are Stata's days since 1960 or, from ten million on, SPSS's seconds since 1582. Text is ISO, the
    day with a named month, or three numbers: a column where some first number exceeds 12 is day-month-year,
    one where some second number does is month-day-year, and a column that leaves it open is refused.

    Parameters
    ----------
    series : pandas.Series
    where : str

    Returns
    -------
    pandas.Series of datetime64
        Missing where the field is empty.

    Raises
    ------
    SchemaError
        If a value is no date, or day and month cannot be told apart.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.dates import interview_dates
    >>> interview_dates(pd.Series(["25/10/2009 00:00", "03/11/2009"]), where="a.tab").dt.month.tolist()
    [10, 11]
    >>> interview_dates(pd.Series([18195.0]), where="a.dta").dt.strftime("%Y-%m-%d").tolist()
    ['2009-10-25']
    """
    if pd.api.types.is_datetime64_any_dtype(series):
        return pd.to_datetime(series).dt.as_unit("s").dt.normalize()
    if pd.api.types.is_numeric_dtype(series):
        return _from_numbers(pd.to_numeric(series).astype("float64"))
    text = as_text(series.map(_as_iso)).replace("NaT", None)
    known = text.dropna()
    if known.str.fullmatch(r"\d+(\.\d+)?").all() and len(known):
        return _from_numbers(pd.to_numeric(text).astype("float64"))
    dates = pd.Series(pd.NaT, index=series.index, dtype="datetime64[s]", name=series.name)
    dates.loc[known.index] = known.map(_reader(known, where))
    return dates


def _as_iso(value: object) -> object:
    """Give dates that a reader has made already as text."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _from_numbers(numbers: pd.Series) -> pd.Series:
    is_spss = numbers.max() > 1e7
    epoch, unit = (_SPSS_EPOCH, "s") if is_spss else (_STATA_EPOCH, "D")
    seconds = numbers * (1 if unit == "s" else 86_400)
    return (epoch + pd.to_timedelta(seconds, unit="s")).dt.as_unit("s").dt.normalize()


def _reader(known: pd.Series, where: str) -> Callable[[str], pd.Timestamp]:
    parts = known.str.extract(_NUMERIC).astype("float64")
    is_numeric = parts[0].notna()
    odd = int((~(is_numeric | known.str.match(_ISO) | known.str.match(_NAMED))).sum())
    if odd:
        raise SchemaError(
            "Some interview dates are no dates",
            where=f"{where}, {odd:,} rows",
            remedy="look at the column; write dates as 2009-10-25",
        )
    has_late_first, has_late_second = bool((parts[0] > 12).any()), bool((parts[1] > 12).any())
    if is_numeric.any() and has_late_first is has_late_second:
        raise SchemaError(
            "Day and month of the interview cannot be told apart",
            where=f"{where}, {int(is_numeric.sum()):,} rows",
            remedy="write dates as 2009-10-25",
        )

    def read(text: str) -> pd.Timestamp:
        match = _NUMERIC.match(text)
        if match is None:
            iso = _ISO.match(text)
            return pd.Timestamp(iso.group() if iso else text[:11])
        first, second, year = (int(part) for part in match.groups())
        day, month = (first, second) if has_late_first else (second, first)
        return pd.Timestamp(year=year, month=month, day=day)

    return read


def months_between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return months from one date to another by the panel's own month of 365/12 days.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.dates import months_between
    >>> dates = [pd.Series(pd.to_datetime([day])) for day in ("2006-01-01", "2007-01-01")]
    >>> months_between(*dates).tolist()
    [12.0]
    """
    return (end - start).dt.total_seconds() / 86_400 / DAYS_A_MONTH


def iso_text(dates: pd.Series) -> pd.Series:
    """Return dates as text 2009-10-25, the form in which clean tables hold them.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.dates import iso_text
    >>> iso_text(pd.Series(pd.to_datetime(["2009-10-25", None]))).tolist()
    ['2009-10-25', nan]
    """
    text: pd.Series = dates.dt.strftime("%Y-%m-%d").astype("str")
    return text


def as_dates(text: pd.Series) -> pd.Series:
    """Return the dates of a clean table's text.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.dates import as_dates
    >>> as_dates(pd.Series(["2009-10-25"])).dt.year.tolist()
    [2009]
    """
    dates: pd.Series = pd.to_datetime(text, format="%Y-%m-%d").dt.as_unit("s")
    return dates
