"""One file beside another: each row finds at most one, and those that find none are few and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.harmonise import WITHOUT_KEY, Harmonised, has_table, open_table
from juntos_eval.surveys.provenance import CleanTable, Provenance

__all__ = ["MOST_UNMATCHED", "Account", "attach", "open_endes", "open_optional", "without_match"]

#: Share of rows without a partner from which two files are taken to be of different years or issues.
MOST_UNMATCHED: Final = 0.01

SURVEY: Final = "endes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a clean table of several files must tell of them.

    Attributes
    ----------
    first : Harmonised
        The file that gives the rows.
    others : tuple of Harmonised or CleanTable
    dropped, notes : Mapping of str to int
    details : Mapping of str to Any
    """

    first: Harmonised
    others: tuple[Harmonised | CleanTable, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def provenance(self, year: int) -> Provenance:
        """Open the provenance of the table, every file among its inputs."""
        own = self.first.provenance(survey=SURVEY, year=year, dropped=self.dropped)
        inputs = list(own.inputs)
        notes = dict(own.notes)
        for other in self.others:
            files = (other.source,) if isinstance(other, Harmonised) else other.provenance.inputs
            inputs += [file for file in files if file not in inputs]
            if isinstance(other, Harmonised):
                notes |= {f"{other.source.name}, {note}": rows for note, rows in other.notes.items()}
        notes |= {note: rows for note, rows in self.notes.items() if rows}
        return replace(own, inputs=tuple(inputs), notes=notes, details=dict(self.details))


def open_endes(raw: RawFolder, table: str, year: int) -> Harmonised:
    """Open a table whose every row must have its key.

    Parameters
    ----------
    raw : RawFolder
    table : str
    year : int

    Returns
    -------
    Harmonised

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared, or a row has no key.
    """
    opened = open_table(raw, survey=SURVEY, table=table, year=year)
    lost = opened.notes.get(WITHOUT_KEY, 0)
    if lost:
        raise SchemaError(
            "A key is missing", where=f"{opened.source.name}, {lost:,} rows", remedy="fetch the file again"
        )
    return opened


def open_optional(raw: RawFolder, table: str, year: int) -> Harmonised | None:
    """Open a table that a year, or the folder, may lack.

    Parameters
    ----------
    raw : RawFolder
    table : str
    year : int

    Returns
    -------
    Harmonised or None
        None where the year has no map of the table, or its file is not there.
    """
    if not load_codebook(SURVEY).maps(table, year):
        return None
    if not has_table(raw, survey=SURVEY, table=table, year=year):
        return None
    return open_endes(raw, table, year)


def attach(left: pd.DataFrame, right: pd.DataFrame, *, on: str, what: str, where: str) -> pd.DataFrame:
    """Bring the columns of another table beside each row, by a key that names one row there.

    Parameters
    ----------
    left, right : pandas.DataFrame
        ``right`` has the key and the columns to bring, none of which ``left`` has.
    on : str
    what, where : str
        What ``right`` holds and which file it came from, for messages.

    Returns
    -------
    pandas.DataFrame
        The rows of ``left`` in their order, never more of them.

    Raises
    ------
    SchemaError
        If the key names several rows of ``right``: the merge would multiply rows; or both have a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.join import attach
    >>> children, homes = pd.DataFrame({"h": ["b", "a"]}), pd.DataFrame({"h": ["a"], "area": ["urban"]})
    >>> attach(children, homes, on="h", what="households", where="RECH0.dta")["area"].tolist()
    [nan, 'urban']
    """
    repeated = int(right[on].duplicated(keep=False).sum())
    if repeated:
        raise SchemaError(
            f"{on} names several rows of the {what}: joining them would multiply rows",
            where=f"{where}, {repeated:,} rows",
            remedy="the file was concatenated twice or merged wrongly: use it as published",
        )
    both = sorted((set(left.columns) & set(right.columns)) - {on})
    if both:
        raise SchemaError(
            f"Both tables have {', '.join(both)}", where=where, remedy="bring only columns that are new"
        )
    return left.merge(right, on=on, how="left", validate="many_to_one", sort=False).set_axis(left.index)


def without_match(keys: pd.Series, known: pd.Series, *, what: str, where: str) -> pd.Series:
    """Return which rows have no partner, as long as they are few.

    Parameters
    ----------
    keys : pandas.Series
        Of the rows.
    known : pandas.Series
        Of the partners.
    what, where : str
        What the partners are, and which files meet here.

    Returns
    -------
    pandas.Series of bool

    Raises
    ------
    SchemaError
        If more than one in a hundred have none: the files are of two years, or of two issues.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.endes.join import without_match
    >>> without_match(pd.Series(["a"]), pd.Series(["a", "b"]), what="household", where="RECH1").tolist()
    [False]
    """
    lost = ~keys.isin(known)
    if lost.mean() > MOST_UNMATCHED:
        raise SchemaError(
            f"{lost.mean():.1%} of the rows have no {what}: the files are of different years or issues",
            where=f"{where}, {int(lost.sum()):,} of {len(lost):,} rows",
            remedy="put the files of one year and one issue into the year's folder",
        )
    return lost
