"""From a year's raw names, codes and types to canonical columns; whatever is not declared raises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import Code, Column, load_codebook
from juntos_eval.surveys.provenance import InputFile
from juntos_eval.surveys.read import RawTable
from juntos_eval.surveys.source import load_source, read_table_source

__all__ = [
    "WITHOUT_KEY",
    "Harmonised",
    "as_codes",
    "as_key",
    "as_number",
    "as_weight",
    "harmonise",
    "open_table",
]

#: The note of rows taken out because the publisher gave them no key.
WITHOUT_KEY: Final = "rows without a key"

# `aÑo` arrives as aÑo, AÑO, a—o, A\ufffdO, or as UTF-8 read byte by byte
_YEAR: Final = re.compile(r"^a.{1,3}o$")


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
    """

    frame: pd.DataFrame
    source: InputFile
    notes: FrozenMapping[str, int]


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
    """
    load_codebook(survey).columns_of(table, year)
    return harmonise(
        read_table_source(raw, survey=survey, table=table, year=year), survey=survey, table=table, year=year
    )


def harmonise(raw: RawTable, *, survey: str, table: str, year: int | None) -> Harmonised:
    """Give a raw table its canonical names, labels and types.

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
    """
    codebook, source = load_codebook(survey), load_source(survey).table(table)
    columns = codebook.columns_of(table, year)
    where = raw.path.name
    raw_names = _match_names(list(raw.frame.columns), columns, year, where)
    notes: Counter[str] = Counter()
    frame = pd.DataFrame(index=raw.frame.index)
    for column in columns:
        if column.name in raw_names:
            place = f"{where}, column {raw_names[column.name]}"
            series = raw.frame[raw_names[column.name]]
            codes = codebook.codes_of(table, column.name)
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
    label = "undated" if year is None else str(year)
    by_normal: dict[str, list[str]] = {}
    for name in raw_names:
        by_normal.setdefault(_normal(name), []).append(name)
    found: dict[str, str] = {}
    lost: list[str] = []
    for column in columns:
        wanted = column.raw[label]
        matches = by_normal.get(_normal(wanted), [])
        if column.name == "year" and not matches:
            matches = [name for name in raw_names if _YEAR.match(name.lower())]
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


def _normal(name: str) -> str:
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


def as_text(series: pd.Series, *, where: str = "") -> pd.Series:
    """Return stripped text; an empty one is missing."""
    del where
    text = series.astype("string").str.strip()
    return text.mask(text.eq("").fillna(value=False)).astype("str")


def as_key(series: pd.Series, *, width: int, where: str, is_needed: bool = True) -> tuple[pd.Series, int]:
    """Return a key as text of the declared width, and how many were narrower.

    Parameters
    ----------
    series : pandas.Series
        Text or numbers: a spreadsheet or a third party may have eaten the leading zeros.
    width : int
    where : str
    is_needed : bool
        Whether a missing key is an error.

    Returns
    -------
    key : pandas.Series of str
    padded : int

    Raises
    ------
    SchemaError
        If a key is wider than declared, holds something other than digits, or is needed and missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.harmonise import as_key
    >>> key, padded = as_key(pd.Series([15009, 104521]), width=6, where="a.csv")
    >>> key.tolist(), padded
    (['015009', '104521'], 1)
    """
    text = _as_digits(series)
    missing = int(text.isna().sum())
    if missing and is_needed:
        raise SchemaError(
            "A key is missing", where=f"{where}, {missing:,} rows", remedy="fetch the file again"
        )
    lengths = text.str.len()
    wide = int((lengths > width).sum())
    if wide:
        raise SchemaError(
            f"Keys have up to {int(lengths.max())} characters, declared are {width}",
            where=f"{where}, {wide:,} rows",
            remedy="the file is of another release or was altered: check its width in columns.csv",
        )
    odd = int((~text.dropna().str.fullmatch(r"\d+")).sum())
    if odd:
        raise SchemaError(
            "Keys hold something other than digits",
            where=f"{where}, {odd:,} rows",
            remedy="a spreadsheet may have altered them: fetch the file again",
        )
    return text.str.zfill(width), int((lengths < width).sum())


def _as_digits(series: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(series):
        numbers = pd.to_numeric(series).astype("float64")
        whole = numbers.dropna()
        if (whole % 1 == 0).all():
            return numbers.astype("Int64").astype("string").astype("str")
    return as_text(series).str.replace(r"\.0+$", "", regex=True)


def as_number(series: pd.Series, *, where: str) -> pd.Series:
    """Return numbers as float; what is neither a number nor empty raises.

    Raises
    ------
    SchemaError
        With the count of such values.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.harmonise import as_number
    >>> as_number(pd.Series(["4", " ", None]), where="a.csv").tolist()
    [4.0, nan, nan]
    """
    values = series if pd.api.types.is_numeric_dtype(series) else as_text(series)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    odd = int((numbers.isna() & values.notna()).sum())
    if odd or np.isinf(numbers).any():
        raise SchemaError(
            "Some values are no numbers",
            where=f"{where}, {odd or int(np.isinf(numbers).sum()):,} rows",
            remedy="look for decimal commas or text in the column",
        )
    return numbers


def as_weight(series: pd.Series, *, where: str) -> pd.Series:
    """Return expansion factors, all positive.

    Raises
    ------
    SchemaError
        If some are missing, negative or zero: a row that stands for nobody was not drawn into the sample.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.harmonise import as_weight
    >>> as_weight(pd.Series(["87.28"]), where="a.csv").tolist()
    [87.28]
    """
    weights = as_number(series, where=where)
    problems = {
        "missing": int(weights.isna().sum()),
        "negative": int((weights < 0).sum()),
        "zero": int((weights == 0).sum()),
    }
    found = [f"{rows:,} {problem}" for problem, rows in problems.items() if rows]
    if found:
        raise SchemaError(
            f"Weights must be positive: {', '.join(found)}",
            where=f"{where}, {sum(problems.values()):,} rows",
            remedy="use the file as published; rows outside the sample must be taken out before",
        )
    return weights


def as_codes(series: pd.Series, codes: tuple[Code, ...], *, where: str) -> tuple[pd.Series, dict[str, int]]:
    """Return a category labelled by the code table, and how many answers were no answer.

    Parameters
    ----------
    series : pandas.Series
        Codes as numbers or text, with or without leading zeros.
    codes : tuple of Code
    where : str

    Returns
    -------
    labels : pandas.Series of category
        Missing where the field is empty or the code's status is missing.
    set_missing : dict
        Label of a code of status missing -> rows.

    Raises
    ------
    SchemaError
        If a code is not in the table, with the code and its count.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> from juntos_eval.surveys.harmonise import as_codes
    >>> yes_no = load_codebook("enaho").codes_of("food_security", "fies_1")
    >>> labels, set_missing = as_codes(pd.Series(["1", "02", "3", ""]), yes_no, where="a.csv")
    >>> labels.tolist(), set_missing
    (['yes', 'no', nan, nan], {'do_not_know': 1})
    """
    numbers = as_number(series, where=where)
    counts = numbers.value_counts()
    known = {float(code.code): code for code in codes}
    unknown = {value: rows for value, rows in counts.items() if value not in known}
    if unknown:
        listed = ", ".join(f"{value:g} ({rows:,} rows)" for value, rows in sorted(unknown.items())[:10])
        raise SchemaError(
            f"{len(unknown)} codes are unknown: {listed}",
            where=f"{where}, {sum(unknown.values()):,} rows",
            remedy="add them to codes.csv with the text of INEI's dictionary",
        )
    good = [code for code in codes if not code.is_missing]
    position = {float(code.code): place for place, code in enumerate(good)}
    places = numbers.map(position).fillna(-1).astype("int64").tolist()
    labels = pd.Categorical.from_codes(places, categories=pd.Index([code.value for code in good]))
    set_missing = {
        code.value: int(counts[float(code.code)])
        for code in codes
        if code.is_missing and float(code.code) in counts
    }
    return pd.Series(labels, index=series.index, name=series.name), set_missing


def _check_year(frame: pd.DataFrame, year: int | None, where: str) -> None:
    if year is None:
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
