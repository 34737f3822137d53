"""From a year's raw names, codes and types to canonical columns; whatever is not declared raises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import Code, Column, load_codebook
from juntos_eval.surveys.convert import as_codes, as_key, as_number, as_text, as_weight
from juntos_eval.surveys.provenance import InputFile, Provenance
from juntos_eval.surveys.read import RawTable
from juntos_eval.surveys.source import find_table, load_source, read_table_source, year_label

__all__ = ["WITHOUT_KEY", "Harmonised", "harmonise", "has_table", "normal_name", "open_table"]

#: The note of rows taken out because the publisher gave them no key.
WITHOUT_KEY: Final = "rows without a key"

# `aÑo` arrives as aÑo, AÑO, a—o, A\ufffdO, or as UTF-8 read byte by byte
YEAR_COLUMN: Final = re.compile(r"^a.{1,3}o$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonised:
    """A raw table under canonical names.

    Attributes
    ----------
    frame : pandas.DataFrame
        Keys zero-padded text; codes categories labelled by ``codes.csv``; numbers and weights float.
    source : InputFile
        The file it came from.
    notes : FrozenMapping of str to int
        What was repaired or set missing, with counts.
    is_synthetic : bool
        Whether the raw folder says that no record is real.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.arrays import FrozenMapping
    >>> from juntos_eval.surveys.harmonise import Harmonised
    >>> from juntos_eval.surveys.provenance import InputFile
    >>> file = InputFile(name="a.csv", sha256="…", size_bytes=10, rows=3, encoding="utf-8")
    >>> opened = Harmonised(frame=pd.DataFrame(), source=file, notes=FrozenMapping())
    >>> opened.provenance(survey="enaho", year=2025, dropped={"former member": 1}).rows_in
    3
    """

    frame: pd.DataFrame
    source: InputFile
    notes: FrozenMapping[str, int]
    is_synthetic: bool = False

    def provenance(
        self, *, survey: str, year: int | None, dropped: Mapping[str, int] | None = None
    ) -> Provenance:
        """Open the account of the table to be made of this file.

        Parameters
        ----------
        survey : str
        year : int or None
        dropped : Mapping of str to int, optional
            Rows that cleaning takes out, by reason; rows without a key are added.

        Returns
        -------
        Provenance
        """
        reasons = {reason: rows for reason, rows in (dropped or {}).items() if rows}
        if WITHOUT_KEY in self.notes:
            reasons[WITHOUT_KEY] = self.notes[WITHOUT_KEY]
        return Provenance(
            survey=survey,
            table="",
            year=year,
            inputs=(self.source,),
            rows_in=self.source.rows,
            rows_out=0,
            dropped=reasons,
            notes=self.notes,
            is_synthetic=self.is_synthetic,
        )


def open_table(raw: RawFolder, *, survey: str, table: str, year: int | None) -> Harmonised:
    """Read and harmonise one table: the way from a raw folder to canonical columns.

    Parameters
    ----------
    raw : RawFolder
    survey, table : str
    year : int or None
        None for a table without a date.

    Returns
    -------
    Harmonised

    Raises
    ------
    SourceError
        If the file is missing or not whole.
    SchemaError
        If the year has no map, or the content breaks it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.harmonise import open_table
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     opened = open_table(RawFolder.at(folder), survey="enaho", table="members", year=2025)
    >>> opened.frame["sex"].cat.categories.tolist(), opened.is_synthetic
    (['male', 'female'], True)
    """
    declared = load_codebook(survey).columns_of(table, year)
    label = year_label(year)
    known = {normal_name(column.raw[label]) for column in declared}
    table_read = read_table_source(
        raw,
        survey=survey,
        table=table,
        year=year,
        # the year's own column arrives mangled, a different way each time
        needs=tuple(column.raw[label] for column in declared if column.is_needed and column.name != "year"),
        columns=lambda name: normal_name(name) in known or YEAR_COLUMN.match(name.lower()) is not None,
    )
    opened = harmonise(table_read, survey=survey, table=table, year=year)
    return replace(opened, is_synthetic=raw.is_synthetic)


def has_table(raw: RawFolder, *, survey: str, table: str, year: int | None) -> bool:
    """Return whether a year of a table is both mapped and there.

    Parameters
    ----------
    raw : RawFolder
    survey, table : str
    year : int or None

    Returns
    -------
    bool

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.harmonise import has_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     has_table(RawFolder.at(folder), survey="enaho", table="dwellings", year=2025)
    False
    """
    if not load_codebook(survey).maps(table, year):
        return False
    return find_table(raw, survey=survey, table=table, year=year) is not None


def harmonise(raw: RawTable, *, survey: str, table: str, year: int | None) -> Harmonised:
    r"""Give a raw table its canonical names, labels and types.

    Parameters
    ----------
    raw : RawTable
    survey, table : str
    year : int or None

    Returns
    -------
    Harmonised

    Raises
    ------
    SchemaError
        On a year without a map, a needed column that is not there, an unknown code, a key wider than declared
        or repeated, a weight that is missing or not positive. Messages count rows; they show no record.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.harmonise import harmonise
    >>> from juntos_eval.surveys.read import read_raw
    >>> header = "inei,departamento,provincia,distrito,altitude,latitude,longitude,idh_2019,"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "districts.csv"
    ...     _ = path.write_text(f"{header}pct_pobreza_total,pct_pobreza_extrema\n10101,A,B,C,1,2,3,.5,9,1\n")
    ...     made = harmonise(read_raw(path), survey="geo", table="districts", year=None)
    >>> made.frame["ubigeo"].tolist(), dict(made.notes)
    (['010101'], {'ubigeo: leading zeros restored': 1})
    """
    codebook, source = load_codebook(survey), load_source(survey).table(table)
    columns = codebook.columns_of(table, year)
    where = raw.path.name
    raw_names = _match_names(list(raw.frame.columns), columns, year, where)
    notes: Counter[str] = Counter(
        {
            f"{column.name}: not in the file": len(raw.frame)
            for column in columns
            if column.name not in raw_names
        }
    )
    for column in codebook.columns:
        if column.table == table and year_label(year) in column.undocumented:
            notes[f"{column.name}: not documented for {year_label(year)}"] = len(raw.frame)
    frame = pd.DataFrame(index=raw.frame.index)
    for column in columns:
        if column.name in raw_names:
            place = f"{where}, column {raw_names[column.name]}"
            series = raw.frame[raw_names[column.name]]
            codes = codebook.codes_of(table, column.name, year)
            is_key = column.name in source.key and not source.has_rows_without_key
            frame[column.name] = _convert(series, column, codes, place, notes, needs_key=is_key)
    _check_year(frame, year, where)
    frame = _drop_without_key(frame, source.key, notes)
    _check_unique(frame, source.key, where)
    if raw.expected_rows is not None and len(frame) > raw.expected_rows:
        notes["rows beyond those of the issue seen"] = len(frame) - raw.expected_rows
    return Harmonised(frame=frame, source=InputFile.of(raw), notes=FrozenMapping(notes))


def _match_names(
    raw_names: list[str], columns: tuple[Column, ...], year: int | None, where: str
) -> dict[str, str]:
    label = year_label(year)
    by_normal: dict[str, list[str]] = {}
    for name in raw_names:
        by_normal.setdefault(normal_name(name), []).append(name)
    found: dict[str, str] = {}
    lost: list[str] = []
    for column in columns:
        wanted = column.raw[label]
        matches = by_normal.get(normal_name(wanted), [])
        if column.name == "year" and not matches:
            matches = [name for name in raw_names if YEAR_COLUMN.match(name.lower())]
        if len(matches) > 1:
            raise SchemaError(
                f"{len(matches)} columns could be {column.name}: {', '.join(matches)}",
                where=where,
                remedy="rename or drop all but one",
            )
        if matches:
            found[column.name] = matches[0]
        elif column.is_needed:
            lost.append(f"{column.name} ({wanted})")
    if lost:
        raise SchemaError(
            f"{len(lost)} needed columns are not in the file: {', '.join(lost)}",
            where=f"{where}, {len(raw_names)} columns",
            remedy=f"is it the right module? If a release renamed them, correct {label} in columns.csv",
        )
    return found


def normal_name(name: str) -> str:
    """Return a raw column's name without what differs between formats of a release: case and the dollar sign.

    Examples
    --------
    >>> from juntos_eval.surveys.harmonise import normal_name
    >>> normal_name("P710$04")
    'p710_04'
    """
    return name.strip().lower().replace("$", "_")


def _convert(
    series: pd.Series,
    column: Column,
    codes: tuple[Code, ...],
    where: str,
    notes: Counter[str],
    *,
    needs_key: bool,
) -> pd.Series:
    if column.kind == "key":
        converted, padded = as_key(series, width=column.width or 0, where=where, is_needed=needs_key)
        notes.update({f"{column.name}: leading zeros restored": padded} if padded else {})
        return converted
    if column.kind == "code":
        converted, set_missing = as_codes(series, codes, where=where)
        notes.update({f"{column.name}: {value}": rows for value, rows in set_missing.items()})
        return converted
    as_kind: Mapping[str, Callable[..., pd.Series]] = {
        "number": as_number,
        "weight": as_weight,
        "text": as_text,
    }
    return as_kind[column.kind](series, where=where)


def _check_year(frame: pd.DataFrame, year: int | None, where: str) -> None:
    if year is None or "year" not in frame:
        return
    other = frame["year"][frame["year"].ne(year)]
    if len(other):
        found = ", ".join(f"{value:g}" for value in sorted(other.dropna().unique())[:5]) or "none"
        raise SchemaError(
            f"The file is not of {year}: its year column says {found}",
            where=f"{where}, {len(other):,} rows",
            remedy="put each file into the folder of its own year",
        )


def _drop_without_key(frame: pd.DataFrame, key: tuple[str, ...], notes: Counter[str]) -> pd.DataFrame:
    has_key = frame[list(key)].notna().all(axis=1)
    if has_key.all():
        return frame
    notes[WITHOUT_KEY] = int((~has_key).sum())
    return frame[has_key]


def _check_unique(frame: pd.DataFrame, key: tuple[str, ...], where: str) -> None:
    keys = frame[list(key)]
    repeated = keys.duplicated(keep=False)
    if repeated.any():
        distinct = len(keys[repeated].drop_duplicates())
        raise SchemaError(
            f"{distinct:,} keys stand in more than one row: {' + '.join(key)} must name one",
            where=f"{where}, {int(repeated.sum()):,} rows",
            remedy="the file was concatenated twice or merged wrongly: use it as published",
        )
