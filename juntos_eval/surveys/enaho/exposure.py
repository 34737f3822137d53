r"""Months of a district's exposure to Juntos at the interview, from a table of entry dates.

For a row of district d interviewed in month t, and the district's entry month :math:`e_d`, exposure is
:math:`\max(t - e_d, 0)` months. A rollout table knows some entries to the month, some to the year, and of
some districts only that they were covered by a date. Each gives bounds:

=============== =================== ==================== =======================
entry known     least exposure      greatest exposure    ``months_of_exposure``
=============== =================== ==================== =======================
to the month    t - e               t - e                t - e
to the year     from December       from January         missing
covered by then t - that date       from the programme's missing
                                    first month
covered some    0                   from the programme's missing
time                                first month
not at all      missing             missing              missing
=============== =================== ==================== =======================

Clipped at 0. A district that is not in the table is *unknown*, not "never": no public list is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError

__all__ = ["PROGRAMME_START", "district_entries", "district_exposure"]

#: First transfers: September 2005 (pilot district Chuschi).
PROGRAMME_START: Final = "2005-09"
_BASES: Final = ("incorporation", "presence")


def district_entries(rollout: pd.DataFrame | Path | str) -> pd.DataFrame:
    """Return one row a district with the bounds of its entry month.

    Parameters
    ----------
    rollout : pandas.DataFrame or path of a CSV
        ``ubigeo`` and either ``entry_month`` (``2007-04`` or ``2007``), a user's calendar, or ``basis``
        (``incorporation`` or ``presence``) with ``date`` and ``not_before``, as in a table of press reports.
        A presence without a date, seen in ``not_before`` or later, bounds nothing but the programme's first
        month. A district may stand in several rows: the earliest entry wins, presence narrows nothing but
        the latest possible month.

    Returns
    -------
    pandas.DataFrame
        ``ubigeo entry_earliest entry_latest entry_basis``: months counted from January of year 0, ``month``,
        ``year`` or ``presence``.

    Raises
    ------
    SchemaError
        If columns are missing, a ubigeo is no code of six digits, or a date no month or year.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.exposure import district_entries
    >>> made = district_entries(pd.DataFrame({"ubigeo": ["050202"], "entry_month": ["2005-09"]}))
    >>> divmod(int(made["entry_earliest"].item()), 12), made["entry_basis"].item()
    ((2005, 8), 'month')
    """
    table = _as_frame(rollout)
    if "entry_month" in table:
        table = table.assign(basis="incorporation", date=table["entry_month"], not_before=None)
    lacking = [name for name in ("ubigeo", "basis", "date") if name not in table]
    if lacking:
        raise SchemaError(
            f"A rollout table lacks {', '.join(lacking)}",
            where=f"{len(table):,} rows",
            remedy="give ubigeo and entry_month, or ubigeo, basis, date and not_before",
        )
    table = table[table["ubigeo"].notna() & table["ubigeo"].astype("str").str.strip().ne("")]
    _check(table)
    rows = [
        _bounds(str(row.ubigeo), str(row.basis), row.date, getattr(row, "not_before", None))
        for row in table.itertuples()
    ]
    entries = pd.DataFrame(rows, columns=["ubigeo", "entry_earliest", "entry_latest", "entry_basis"])
    return _one_each(entries)


def _as_frame(rollout: pd.DataFrame | Path | str) -> pd.DataFrame:
    if isinstance(rollout, pd.DataFrame):
        return rollout.copy()
    path = Path(rollout)
    if not path.is_file():
        raise SchemaError("There is no rollout table", where=str(path), remedy="name a CSV or give a frame")
    return pd.read_csv(path, dtype=str)


def _check(table: pd.DataFrame) -> None:
    odd = int((~table["ubigeo"].astype("str").str.fullmatch(r"\d{6}")).sum())
    if odd:
        raise SchemaError(
            "Some ubigeos are no codes of six digits",
            where=f"rollout table, {odd:,} rows",
            remedy="read them as text: leading zeros count",
        )
    unknown = sorted(set(table["basis"].dropna()) - set(_BASES))
    if unknown or table["basis"].isna().any():
        raise SchemaError(
            f"The basis of an entry is one of {', '.join(_BASES)}, not {', '.join(unknown) or 'missing'}",
            where="rollout table",
            remedy="say whether a row dates the entry or only a presence",
        )


def _bounds(ubigeo: str, basis: str, date: object, not_before: object) -> tuple[str, float, float, str]:
    start = _months(PROGRAMME_START, ubigeo)[0]
    if basis == "presence":
        # "seen in 2012 or later" bounds the day it was seen, not the day it began
        is_open = _is_blank(date) and not _is_blank(not_before)
        latest = np.inf if is_open else _months(date, ubigeo)[1]
        return ubigeo, start, latest, "presence"
    earliest, latest = _months(date, ubigeo)
    return ubigeo, max(earliest, start), latest, "month" if earliest == latest else "year"


def _is_blank(value: object) -> bool:
    return value is None or str(value).strip() in {"", "nan", "None", "<NA>"}


def _months(date: object, ubigeo: str) -> tuple[float, float]:
    text = "" if _is_blank(date) else str(date).strip().removesuffix(".0")
    year, _, month = text[:7].partition("-")
    is_sound = (
        year.isdigit() and len(year) == 4 and (not month or (month.isdigit() and 1 <= int(month) <= 12))
    )
    if not is_sound:
        raise SchemaError(
            f"An entry is dated {text or 'nowhere'}, which is neither a month nor a year",
            where=f"rollout table, ubigeo {ubigeo}",
            remedy="write 2007-04 or 2007",
        )
    first = 12.0 * int(year)
    return (first + int(month) - 1, first + int(month) - 1) if month else (first, first + 11)


def _one_each(entries: pd.DataFrame) -> pd.DataFrame:
    """Dated entries win over presence; among them the earliest; presence still bounds the latest month."""
    bound = entries.groupby("ubigeo")["entry_latest"].min()
    rank = entries["entry_basis"].map({"month": 0, "year": 1, "presence": 2})
    best = (
        entries.assign(rank=rank).sort_values(["ubigeo", "rank", "entry_earliest"]).drop_duplicates("ubigeo")
    )
    latest = np.minimum(best["entry_latest"], best["ubigeo"].map(bound))
    best = best.assign(entry_latest=np.maximum(latest, best["entry_earliest"]))
    return best.drop(columns="rank").reset_index(drop=True)


def district_exposure(
    frame: pd.DataFrame,
    rollout: pd.DataFrame | Path | str,
    *,
    ubigeo: str = "ubigeo",
    year: str = "year",
    month: str = "month",
) -> pd.DataFrame:
    """Return each row's months of exposure to Juntos, with bounds where the entry is not known to the month.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with district, year and month of the interview.
    rollout : pandas.DataFrame or path of a CSV
        As for ``district_entries``.
    ubigeo, year, month : str
        Columns of ``frame``.

    Returns
    -------
    pandas.DataFrame
        With the rows of ``frame``: ``months_of_exposure months_least months_most is_exposed
        exposure_basis``; ``is_exposed`` is missing where the bounds do not decide.

    Raises
    ------
    SchemaError
        If a column is missing or the rollout table cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.exposure import district_exposure
    >>> homes = pd.DataFrame({"ubigeo": ["050202", "150101"], "year": 2007, "month": 3})
    >>> calendar = pd.DataFrame({"ubigeo": ["050202"], "entry_month": ["2005-09"]})
    >>> district_exposure(homes, calendar)["months_of_exposure"].tolist()
    [18.0, nan]
    """
    lacking = [name for name in (ubigeo, year, month) if name not in frame]
    if lacking:
        raise SchemaError(
            f"The rows lack {', '.join(lacking)}",
            where=f"{len(frame):,} rows",
            remedy="exposure is counted from the district and the month of the interview",
        )
    entries = district_entries(rollout).set_index("ubigeo")
    now = 12 * frame[year].astype("float64") + frame[month].astype("float64") - 1
    place = frame[ubigeo]
    least = (now - place.map(entries["entry_latest"])).clip(lower=0)
    most = (now - place.map(entries["entry_earliest"])).clip(lower=0)
    basis = place.map(entries["entry_basis"]).astype("object").fillna("unknown")
    is_exposed = least.gt(0).astype("boolean").mask(least.isna() | (least.eq(0) & most.gt(0)))
    return pd.DataFrame(
        {
            "months_of_exposure": least.where(least.eq(most)),
            "months_least": least,
            "months_most": most,
            "is_exposed": is_exposed,
            "exposure_basis": basis,
        },
        index=frame.index,
    )
