"""The tables that map a survey to this package: ``columns.csv`` (name x year -> raw) and ``codes.csv``."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.surveys.source import UNDATED, year_label

__all__ = ["KINDS", "Code", "Codebook", "Column", "load_codebook"]

KINDS: Final = ("key", "code", "number", "weight", "text")

#: In ``codes.csv``: the codes hold in every table that has the column.
EVERY_TABLE: Final = "*"

#: In ``columns.csv``: the year's raw name, or what its codes mean, stands in no document seen.
UNDOCUMENTED: Final = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A canonical column and what each year calls it.

    Attributes
    ----------
    table, name : str
    kind : str
        ``key`` (zero-padded text), ``code`` (mapped by ``codes.csv``), ``number``, ``weight``, ``text``.
    is_needed : bool
        Whether a year without it is an error.
    width : int or None
        Characters of a key.
    unit, label_en, label_es, note : str
    raw : FrozenMapping of str to str
        Year -> raw name, for the years that have the column.
    undocumented : tuple of str
        Years whose raw name, or codes, nobody has seen documented (``?``).

    Examples
    --------
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> load_codebook("enaho").column("programmes", "has_juntos").raw["2025"]
    'P710$04'
    """

    table: str
    name: str
    kind: str
    is_needed: bool
    width: int | None
    unit: str
    label_en: str
    label_es: str
    note: str
    raw: FrozenMapping[str, str]
    undocumented: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a code of a categorical answer means.

    Attributes
    ----------
    code : int
    value : str
        The label used in clean tables.
    is_missing : bool
        Whether the answer is no answer (does not know, refused).
    label_es : str
        INEI's text.
    first_year, last_year : int
        The years in which the code means this (``years`` in ``codes.csv``: ``2004-2011``, ``2012-``).

    Examples
    --------
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> load_codebook("enaho").codes_of("food_security", "fies_1")[2].is_missing
    True
    """

    code: int
    value: str
    is_missing: bool
    label_es: str
    first_year: int = 0
    last_year: int = 9999

    def holds_in(self, year: int | None) -> bool:
        """Tell whether the code has this meaning in a year; in any, where no year is given."""
        return year is None or self.first_year <= year <= self.last_year


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """Columns and codes of one survey.

    Attributes
    ----------
    survey : str
    years : tuple of str
        Columns of ``columns.csv`` that are years.
    columns : tuple of Column
    codes : FrozenMapping of (table, column) to tuple of Code

    Examples
    --------
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> [code.value for code in load_codebook("enaho").codes_of("members", "sex")]
    ['male', 'female']
    """

    survey: str
    years: tuple[str, ...]
    columns: tuple[Column, ...]
    codes: FrozenMapping[tuple[str, str], tuple[Code, ...]]

    def column(self, table: str, name: str) -> Column:
        """Return one column, whatever the year.

        Raises
        ------
        SchemaError
            If it is not declared.
        """
        for column in self.columns:
            if (column.table, column.name) == (table, name):
                return column
        raise SchemaError(
            f"{table} declares no column {name!r}",
            where=f"surveys/{self.survey}/columns.csv",
            remedy="add its row",
        )

    def maps(self, table: str, year: int | None) -> bool:
        """Tell whether a table has a map of columns for a year that lacks no needed one."""
        label = year_label(year)
        of_table = [column for column in self.columns if column.table == table]
        is_mapped = any(label in column.raw for column in of_table)
        return is_mapped and not any(label in column.undocumented for column in of_table if column.is_needed)

    def columns_of(self, table: str, year: int | None) -> tuple[Column, ...]:
        """Return the columns that a table has in a year.

        Raises
        ------
        SchemaError
            If the year has no map, or a needed column none in that year.
        """
        label = year_label(year)
        of_table = [column for column in self.columns if column.table == table]
        mapped = tuple(column for column in of_table if label in column.raw)
        where = f"surveys/{self.survey}/columns.csv, table {table}"
        unseen = [column.name for column in of_table if column.is_needed and label in column.undocumented]
        if unseen:
            raise SchemaError(
                f"What {label} calls {len(unseen)} needed columns is not documented: {', '.join(unseen)}",
                where=where,
                remedy=f"look at the file of {label} and write its raw names over the ? in column {label}",
            )
        if not mapped:
            known = sorted({known for column in of_table for known in column.raw})
            raise SchemaError(
                f"The year {label} has no map of columns",
                where=where,
                remedy=f"add a column {label} with the raw names; mapped years: {', '.join(known) or 'none'}",
            )
        unmapped = [column.name for column in of_table if column.is_needed and label not in column.raw]
        if unmapped:
            raise SchemaError(
                f"{len(unmapped)} needed columns have no raw name in {label}: {', '.join(unmapped)}",
                where=where,
                remedy=f"write their raw names in column {label}",
            )
        return mapped

    def codes_of(self, table: str, name: str, year: int | None = None) -> tuple[Code, ...]:
        """Return the codes of a column in a year, in all years without one, in the order of ``codes.csv``."""
        own = self.codes.get((table, name))
        codes = own if own is not None else self.codes.get((EVERY_TABLE, name), ())
        return tuple(code for code in codes if code.holds_in(year))

    def labels_of(self, table: str, name: str) -> tuple[str, ...]:
        """Return the labels that answers can have in some year, each once."""
        codes = self.codes_of(table, name)
        return tuple(dict.fromkeys(code.value for code in codes if not code.is_missing))


@lru_cache
def load_codebook(survey: str) -> Codebook:
    """Read and check ``columns.csv`` and ``codes.csv`` of a survey.

    Parameters
    ----------
    survey : str

    Returns
    -------
    Codebook

    Raises
    ------
    SchemaError
        If a table contradicts itself: an unknown kind, a key without width, a code column without codes.

    Examples
    --------
    >>> from juntos_eval.surveys.codebook import load_codebook
    >>> load_codebook("enaho").years[:2]
    ('2004', '2005')
    """
    folder = files("juntos_eval.surveys").joinpath(survey)
    return parse_codebook(
        survey,
        folder.joinpath("columns.csv").read_text(encoding="utf-8"),
        folder.joinpath("codes.csv").read_text(encoding="utf-8"),
    )


def parse_codebook(survey: str, columns_csv: str, codes_csv: str) -> Codebook:
    r"""Make a codebook of the two texts; ``load_codebook`` finds them.

    Examples
    --------
    >>> from juntos_eval.surveys.codebook import parse_codebook
    >>> columns = "table,name,kind,is_needed,width,unit,label_en,label_es,note,2025\n"
    >>> codes = "table,name,code,value,status,label_es\n"
    >>> parse_codebook("x", columns + "t,age,number,1,,years,Age,Edad,,P208A\n", codes).years
    ('2025',)
    """
    rows = list(csv.DictReader(columns_csv.splitlines()))
    years = tuple(name for name in (rows[0] if rows else {}) if name.isdigit() or name == UNDATED)
    codebook = Codebook(
        survey=survey,
        years=years,
        columns=tuple(_column(row, years) for row in rows),
        codes=_codes(csv.DictReader(codes_csv.splitlines())),
    )
    problems = list(_problems(codebook))
    if problems:
        raise SchemaError(
            f"The tables of columns and codes contradict themselves: {'; '.join(problems)}",
            where=f"surveys/{survey}",
            remedy="correct the row named",
        )
    return codebook


def _column(row: dict[str, str], years: tuple[str, ...]) -> Column:
    return Column(
        table=row["table"],
        name=row["name"],
        kind=row["kind"],
        is_needed=row["is_needed"] == "1",
        width=int(row["width"]) if row["width"] else None,
        unit=row["unit"],
        label_en=row["label_en"],
        label_es=row["label_es"],
        note=row["note"],
        raw=FrozenMapping({year: row[year] for year in years if row[year] not in {"", UNDOCUMENTED}}),
        undocumented=tuple(year for year in years if row[year] == UNDOCUMENTED),
    )


def _codes(rows: Iterable[dict[str, str]]) -> FrozenMapping[tuple[str, str], tuple[Code, ...]]:
    found: dict[tuple[str, str], list[Code]] = {}
    for row in rows:
        first, _, last = (row.get("years") or "").partition("-")
        code = Code(
            code=int(row["code"]),
            value=row["value"],
            is_missing=row["status"] == "missing",
            label_es=row["label_es"],
            first_year=int(first or 0),
            last_year=int(last or 9999),
        )
        found.setdefault((row["table"], row["name"]), []).append(code)
    return FrozenMapping({key: tuple(codes) for key, codes in found.items()})


def _problems(codebook: Codebook) -> Iterable[str]:
    names = Counter((column.table, column.name) for column in codebook.columns)
    yield from (f"{table}.{name} stands {n} times" for (table, name), n in names.items() if n > 1)
    for column in codebook.columns:
        place = f"{column.table}.{column.name}"
        if column.kind not in KINDS:
            yield f"{place} is of the unknown kind {column.kind!r}"
        if column.kind == "key" and column.width is None:
            yield f"{place} is a key without width"
        if column.kind == "code" and not codebook.codes_of(column.table, column.name):
            yield f"{place} has no codes"
    for (table, name), codes in codebook.codes.items():
        for row, code in enumerate(codes):
            overlap = [
                other
                for other in codes[:row]
                if other.code == code.code
                and other.first_year <= code.last_year
                and code.first_year <= other.last_year
            ]
            if overlap:
                yield f"{table}.{name} has the code {code.code} twice in one year"
