"""Who published a survey, where, under which terms, and what its files are called (``source.toml``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.paths import Expectation, RawFolder
from juntos_eval.surveys.extract import ANY_DATA, MemberRule
from juntos_eval.surveys.read import RawTable, read_raw
from juntos_eval.surveys.read_delimited import TextRules

__all__ = [
    "SURVEYS",
    "UNDATED",
    "SurveySource",
    "TableSource",
    "find_table",
    "load_source",
    "read_table_source",
    "year_label",
    "zipped_rule",
]

SURVEYS: Final = ("enaho", "endes", "geo")

#: The year of a table without one, in ``columns.csv`` and ``source.toml``.
UNDATED: Final = "undated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """One raw table of a survey.

    Attributes
    ----------
    name : str
        Canonical name of the table.
    module, title, producer : str
        INEI's module code and title; who made the file.
    key : tuple of str
        Canonical columns that name a row.
    weight : str or None
        Canonical name of the expansion factor.
    file_names : tuple of str
        With ``{year}``; the preferred first.
    rows : FrozenMapping of str to int
        Year -> rows of the issue seen.
    is_optional : bool
        Whether the analysis goes on without it.
    has_rows_without_key : bool
        Whether the publisher leaves the key of some rows empty; they are dropped and counted.

    Examples
    --------
    >>> from juntos_eval.surveys.source import load_source
    >>> load_source("enaho").tables["members"].key
    ('conglome', 'vivienda', 'hogar', 'codperso')
    """

    name: str
    module: str
    title: str
    producer: str
    key: tuple[str, ...]
    weight: str | None
    file_names: tuple[str, ...]
    rows: FrozenMapping[str, int]
    is_optional: bool
    has_rows_without_key: bool

    def names(self, year: int | None) -> tuple[str, ...]:
        """File names of one year."""
        return tuple(name.format(year=year_label(year)) for name in self.file_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySource:
    """A survey: its producer, terms, years and tables.

    Attributes
    ----------
    name, title, producer, licence, citation, url : str
        The citation has ``{year}`` and ``{module}``; the url ``{format}``, ``{code}`` and ``{module}``.
    seen : str
        Date of the catalogue that the urls and row counts come from.
    rules : TextRules
        Encodings and missing fields of its text files.
    years : FrozenMapping of str to Mapping
        Year -> ``code`` of the survey at INEI and the ``formats`` published.
    tables : FrozenMapping of str to TableSource

    Examples
    --------
    >>> from juntos_eval.surveys.source import load_source
    >>> load_source("enaho").address("members", 2024, "STATA").rsplit("/", 1)[-1]
    '966-Modulo02.zip'
    """

    name: str
    title: str
    producer: str
    licence: str
    citation: str
    url: str
    seen: str
    rules: TextRules
    years: FrozenMapping[str, Mapping[str, Any]]
    tables: FrozenMapping[str, TableSource]

    def table(self, name: str) -> TableSource:
        """Return one table's source.

        Raises
        ------
        SchemaError
            If the survey declares no such table.
        """
        if name not in self.tables:
            raise SchemaError(
                f"{self.name} declares no table {name!r}",
                where=f"surveys/{self.name}/source.toml",
                remedy=f"one of {', '.join(sorted(self.tables))}",
            )
        return self.tables[name]

    def module(self, table: str, year: int | None) -> str:
        """Return INEI's module code of a table in a year; a year may have renumbered its modules."""
        code = self.table(table).module
        renumbered = self.years.get(year_label(year), {}).get("modules", {})
        return str(renumbered.get(code, code))

    def address(self, table: str, year: int | None, file_format: str) -> str:
        """Return the url of the zip that holds a table, "" where none is known."""
        facts = self.years.get(year_label(year), {})
        module = self.module(table, year)
        if not module:
            return ""
        return self.url.format(format=file_format, code=facts.get("code", ""), module=module)

    def cite(self, table: str, year: int | None) -> str:
        """Return the citation of a table."""
        module = self.module(table, year) or self.table(table).title
        return self.citation.format(year=year_label(year), module=module)


def year_label(year: int | None) -> str:
    """Return the year as ``columns.csv`` and ``source.toml`` write it.

    Examples
    --------
    >>> from juntos_eval.surveys.source import year_label
    >>> year_label(2024), year_label(None)
    ('2024', 'undated')
    """
    return UNDATED if year is None else str(year)


@lru_cache
def load_source(survey: str) -> SurveySource:
    """Read the ``source.toml`` of a survey.

    Raises
    ------
    SchemaError
        If there is no such survey.

    Examples
    --------
    >>> from juntos_eval.surveys.source import load_source
    >>> load_source("geo").licence
    'MIT'
    """
    if survey not in SURVEYS:
        raise SchemaError(f"There is no survey {survey!r}", remedy=f"one of {', '.join(SURVEYS)}")
    text = files("juntos_eval.surveys").joinpath(survey, "source.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    facts = content["survey"]
    return SurveySource(
        name=facts["name"],
        title=facts["title"],
        producer=facts["producer"],
        licence=facts["licence"],
        citation=facts["citation"],
        url=facts["url"],
        seen=str(facts["seen"]),
        rules=TextRules(encodings=tuple(facts["encodings"]), missing=tuple(facts["missing"])),
        years=FrozenMapping(facts["years"]),
        tables=FrozenMapping(
            {name: _table(name, table, facts["producer"]) for name, table in content["tables"].items()}
        ),
    )


def _table(name: str, facts: Mapping[str, Any], producer: str) -> TableSource:
    return TableSource(
        name=name,
        module=facts["module"],
        title=facts["title"],
        producer=facts.get("producer", producer),
        key=tuple(facts["key"]),
        weight=facts.get("weight"),
        file_names=tuple(facts["files"]),
        rows=FrozenMapping(facts.get("rows", {})),
        is_optional=facts.get("is_optional", False),
        has_rows_without_key=facts.get("has_rows_without_key", False),
    )


def find_table(raw: RawFolder, *, survey: str, table: str, year: int | None) -> Path | None:
    """Return the raw file of a table: the data file itself, else the publisher's zip in its place.

    Parameters
    ----------
    raw : RawFolder
    survey, table : str
    year : int or None
        None for tables without a date.

    Returns
    -------
    Path or None

    Raises
    ------
    SourceError
        If a listed file does not exist, or two differ in nothing but upper and lower case.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.source import find_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     year = Path(folder) / "enaho" / "2024"
    ...     year.mkdir(parents=True)
    ...     (year / "966-Modulo02.zip").touch()
    ...     find_table(RawFolder.at(folder), survey="enaho", table="members", year=2024).name
    '966-Modulo02.zip'
    """
    source = load_source(survey)
    facts = source.table(table)
    zipped = source.address(table, year, "").rpartition("/")[2]
    # what somebody else made of a module is not in the publisher's zip
    has_zip = zipped.endswith(".zip") and facts.producer == source.producer
    names = (*facts.names(year), *((zipped,) if has_zip else ()))
    return raw.find(survey=survey, year=year, table=table, names=names)


def zipped_rule(facts: TableSource, year: int | None, needs: tuple[str, ...]) -> MemberRule:
    """Return which member of the publisher's zip holds a table: by name, or by the variables it must have.

    Parameters
    ----------
    facts : TableSource
    year : int or None
    needs : tuple of str
        Raw names of the needed columns.

    Examples
    --------
    >>> from juntos_eval.surveys.source import load_source, zipped_rule
    >>> rule = zipped_rule(load_source("enaho").table("sumaria"), 2019, ("pobreza",))
    >>> rule.rank("687-Modulo34/sumaria-2019.dta"), rule.rank("Diccionario.pdf")
    (0, None)
    """
    exact = tuple(re.escape(name) for name in facts.names(year))
    return MemberRule(patterns=(*exact, *(ANY_DATA.patterns if needs else ())), needs=needs)


def read_table_source(
    raw: RawFolder,
    *,
    survey: str,
    table: str,
    year: int | None,
    needs: tuple[str, ...] = (),
    columns: Callable[[str], bool] | None = None,
) -> RawTable:
    """Find the raw file of a table and read it, as written.

    The publisher's own zip, laid into the year's folder, is read as it is: the member is the one that has the
    table's name, or the variables that it must have.

    Parameters
    ----------
    raw : RawFolder
    survey, table : str
    year : int or None
        None for tables without a date.
    needs : tuple of str
        Raw names without which a member of a zip is another table.
    columns : callable, optional
        Says of a raw name whether to read it; every column without it.

    Returns
    -------
    RawTable

    Raises
    ------
    SourceError
        If the file is missing, half-copied, or not what it should be.

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.source import read_table_source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_table_source(RawFolder.at(folder), survey="enaho", table="members", year=2024)
    Traceback (most recent call last):
    ...
    juntos_eval.errors.SourceError: The members file of enaho 2024 is missing ...
    """
    source = load_source(survey)
    facts = source.table(table)
    path = find_table(raw, survey=survey, table=table, year=year)
    if path is None:
        names = " or ".join(facts.names(year))
        raise SourceError(
            f"The {table} file of {survey} {year_label(year)} is missing",
            where=str(raw.root / survey / str(year) if year is not None else raw.root / survey),
            remedy=f"put {names} there; data_raw/README.md says how to get it",
        )
    return read_raw(
        path,
        rules=source.rules,
        expected=_expectation(raw, facts, path, year),
        member=zipped_rule(facts, year, needs),
        columns=columns,
    )


def _expectation(raw: RawFolder, facts: TableSource, path: Any, year: int | None) -> Expectation:
    if path in raw.expected:
        return raw.expected[path]
    return Expectation(rows=None if raw.is_synthetic else facts.rows.get(year_label(year)))
