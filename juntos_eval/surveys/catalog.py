"""What INEI publishes: which zip holds which module of which year, in which formats (``catalog_tables/``)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog_pack import LETTERS

__all__ = [
    "HOSTS",
    "PUBLISHED",
    "CatalogFile",
    "load_catalogue",
    "parse_years",
    "published",
    "table_text",
]

#: The portal and its older name; both serve the same paths.
HOSTS: Final = ("https://proyectos.inei.gob.pe", "https://iinei.inei.gob.pe")

#: Folder of a survey below the raw data -> its name in the tables.
PUBLISHED: Final = {
    "enaho": "ENAHO",
    "enaho_panel": "ENAHO_PANEL",
    "endes": "ENDES",
    "poverty_map": "MAPA_POBREZA",
}

_PATH: Final = "iinei/srienaho/descarga/{format}/{zip_name}"
_SUFFIXES: Final = {"STATA": ".dta", "SPSS": ".sav", "CSV": ".csv", "DBF": ".dbf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """One zip of the portal.

    Attributes
    ----------
    survey : str
        ``enaho enaho_panel endes poverty_map``.
    year : int
        Of a panel its last wave.
    period, code, module, title, file_format : str
        INEI's own period, survey code, module code and title; ``SPSS STATA CSV``.
    rows, variables : int or None
        As the portal's index counts them; not every zip's main file has that many.
    is_listed : bool
        Whether the portal listed it on the day of the crawl; else its address is built and may not exist.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog import published
    >>> file = published("enaho", years=(2024,), modules=("37",), formats=("STATA",))[0]
    >>> file.zip_name, file.rows
    ('966-Modulo37.zip', 33691)
    >>> file.address()
    'https://proyectos.inei.gob.pe/iinei/srienaho/descarga/STATA/966-Modulo37.zip'
    """

    survey: str
    year: int
    period: str
    code: str
    module: str
    title: str
    file_format: str
    rows: int | None
    variables: int | None
    is_listed: bool

    @property
    def zip_name(self) -> str:
        """Name of the zip on the portal."""
        return f"{self.code}-Modulo{self.module}.zip"

    @property
    def stored_name(self) -> str:
        """Name under which it is kept here: the portal gives the zips of all formats one name."""
        return f"{self.code}-Modulo{self.module}.{self.file_format}.zip"

    @property
    def suffix(self) -> str:
        """Suffix of the data files inside."""
        return _SUFFIXES[self.file_format]

    def address(self, host: str = HOSTS[0]) -> str:
        """Return where it is fetched from."""
        return f"{host}/{_PATH.format(format=self.file_format, zip_name=self.zip_name)}"


def published(
    survey: str | None = None,
    *,
    years: tuple[int, ...] = (),
    modules: tuple[str, ...] = (),
    formats: tuple[str, ...] = (),
) -> tuple[CatalogFile, ...]:
    """Return the zips of the catalogue, by survey, year, module and format.

    Parameters
    ----------
    survey : str, optional
    years, modules, formats : tuple, optional
        All where none is named. Modules with or without their leading zero.

    Returns
    -------
    tuple of CatalogFile

    Raises
    ------
    SourceError
        If the survey is none of them, or a year, module or format named is nowhere in it.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog import published
    >>> [file.code for file in published("enaho", years=(2004, 2025), modules=("34",), formats=("SPSS",))]
    ['280', '1031']
    """
    if survey is not None and survey not in PUBLISHED:
        raise SourceError(
            f"INEI's catalogue has no survey {survey!r}",
            remedy=f"one of {', '.join(PUBLISHED)}; young_lives is placed by hand",
        )
    of_survey = [file for file in load_catalogue() if survey in (None, file.survey)]
    wanted = {module.zfill(2) for module in modules}
    upper = tuple(name.upper() for name in formats)
    _refuse_unknown("year", years, {file.year for file in of_survey}, survey)
    _refuse_unknown("module", tuple(sorted(wanted)), {file.module for file in of_survey}, survey)
    _refuse_unknown("format", upper, {file.file_format for file in of_survey}, survey)
    return tuple(
        file
        for file in of_survey
        if (not years or file.year in years)
        and (not wanted or file.module in wanted)
        and (not upper or file.file_format in upper)
    )


def parse_years(text: str) -> tuple[int, ...]:
    """Read years such as ``2009-2013,2015``.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of int
        In order, each once.

    Raises
    ------
    SourceError
        If a part is neither a year nor a span of years.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog import parse_years
    >>> parse_years("2009-2011, 2015")
    (2009, 2010, 2011, 2015)
    """
    years: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"(\d{4})(?:\s*-\s*(\d{4}))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise SourceError(f"{part!r} is no year", remedy="write years as 2009-2013,2015")
        years.update(range(first, last + 1))
    return tuple(sorted(years))


@lru_cache
def load_catalogue() -> tuple[CatalogFile, ...]:
    """Read the packed tables: every zip, in the order of surveys, years, modules and formats.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog import load_catalogue
    >>> len(load_catalogue())
    2651
    """
    folders = {name: folder for folder, name in PUBLISHED.items()}
    editions = {(row["survey"], row["code"]): row for row in _table("editions.csv")}
    titles = {(row["survey"], row["module"]): row["title"] for row in _table("modules.csv")}
    formats = {letter: name for name, letter in LETTERS.items()}
    found = [
        CatalogFile(
            survey=folders[row["survey"]],
            year=int(editions[row["survey"], row["code"]]["year"]),
            period=editions[row["survey"], row["code"]]["period"],
            code=row["code"],
            module=row["module"],
            title=" ".join(titles[row["survey"], row["module"]].split()),
            file_format=formats[letter],
            rows=int(row["rows"]) if row["rows"] else None,
            variables=int(row["variables"]) if row["variables"] else None,
            is_listed=row["listing"] == "portal",
        )
        for row in _table("files.csv")
        for letter in row["formats"]
    ]
    order = list(PUBLISHED)
    return tuple(sorted(found, key=lambda file: (order.index(file.survey), file.year, int(file.code))))


def table_text(name: str) -> str:
    """Return the text of one of the packed tables."""
    return files("juntos_eval.surveys").joinpath("catalog_tables", name).read_text(encoding="utf-8")


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(table_text(name).splitlines()))


def _refuse_unknown(
    kind: str, named: tuple[object, ...], known: set[object] | set[int] | set[str], survey: str | None
) -> None:
    unknown = [str(name) for name in named if name not in known]
    if unknown:
        listed = ", ".join(str(name) for name in sorted(known, key=str))
        raise SourceError(
            f"The catalogue of {survey or 'INEI'} has no {kind} {', '.join(unknown)}",
            remedy=f"it has {listed}",
        )
