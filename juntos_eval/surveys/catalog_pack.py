"""A catalogue of one row a file to four small tables without repetition, and back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from juntos_eval.errors import SchemaError

__all__ = ["LETTERS", "TABLES", "expand_catalogue", "pack_catalogue"]

#: Format -> its letter in ``files.csv``.
LETTERS: Final = {"SPSS": "S", "STATA": "T", "CSV": "C", "DBF": "D"}

TABLES: Final = ("editions.csv", "modules.csv", "files.csv")
_UNLISTED_PERIOD: Final = "Anual"
_URL: Final = "https://proyectos.inei.gob.pe/iinei/srienaho/descarga/{format}/{code}-Modulo{module}.zip"


def pack_catalogue(rows: Sequence[Mapping[str, str]], origins: Mapping[str, str]) -> dict[str, str]:
    """Turn a catalogue (one row a survey, year, module and format) into the text of three tables.

    Parameters
    ----------
    rows : sequence of Mapping
        Columns of the crawl: ``survey year period survey_code module module_name format url n_rows_index
        n_vars_index source status``.
    origins : Mapping
        Status -> short name of where the row comes from (``origins.csv``).

    Returns
    -------
    dict of str to str
        File name -> CSV.

    Raises
    ------
    SchemaError
        If the packed tables would not give the rows back.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog_pack import expand_catalogue, pack_catalogue
    >>> base = "https://proyectos.inei.gob.pe/iinei/srienaho/descarga"
    >>> row = dict(survey="ENAHO", year="2004", period="Anual", survey_code="280", module="02",
    ...            module_name="Miembros", format="SPSS", url=f"{base}/SPSS/280-Modulo02.zip",
    ...            n_rows_index="91861", n_vars_index="32", source="crawl", status="listed")
    >>> packed = pack_catalogue([row], {"listed": "portal"})
    >>> packed["files.csv"].splitlines()[1]
    'ENAHO,280,02,S,91861,32,portal'
    """
    editions: dict[tuple[str, str], tuple[str, str]] = {}
    modules: dict[tuple[str, str], str] = {}
    files: dict[tuple[str, ...], str] = {}
    for row in rows:
        listing, edition = origins[row["status"]], (row["survey"], row["survey_code"])
        if listing == "portal" or edition not in editions:
            editions[edition] = (row["year"], row["period"])
        if row["module_name"] or (row["survey"], row["module"]) not in modules:
            modules[row["survey"], row["module"]] = row["module_name"]
        facts = (*edition, row["module"], row["n_rows_index"], row["n_vars_index"], listing)
        files[facts] = files.get(facts, "") + LETTERS[row["format"]]
    packed = {
        "editions.csv": _text(
            ("survey", "code", "year", "period"), ((*key, *of) for key, of in editions.items())
        ),
        "modules.csv": _text(("survey", "module", "title"), ((*key, of) for key, of in modules.items())),
        "files.csv": _text(
            ("survey", "code", "module", "formats", "rows", "variables", "listing"),
            ((key[0], key[1], key[2], letters, key[3], key[4], key[5]) for key, letters in files.items()),
        ),
    }
    sources = {origins[row["status"]]: (row["source"], row["status"]) for row in rows}
    back = sorted(tuple(row.items()) for row in expand_catalogue(packed, sources))
    given = sorted(tuple((name, row[name]) for name in _COLUMNS) for row in rows)
    if back != given:
        differing = len(set(back) ^ set(given))
        raise SchemaError(
            "The packed catalogue would not give its rows back",
            where=f"{differing:,} rows differ",
            remedy="a code or a module stands for two things: widen the keys of catalog_pack",
        )
    return packed


def expand_catalogue(
    packed: Mapping[str, str], sources: Mapping[str, tuple[str, str]]
) -> Iterator[dict[str, str]]:
    """Give the rows of the crawl back.

    Parameters
    ----------
    packed : Mapping
        What ``pack_catalogue`` made.
    sources : Mapping
        Listing -> (source, status).
    """
    editions = {(row["survey"], row["code"]): row for row in _rows(packed["editions.csv"])}
    titles = {(row["survey"], row["module"]): row["title"] for row in _rows(packed["modules.csv"])}
    formats = {letter: name for name, letter in LETTERS.items()}
    for row in _rows(packed["files.csv"]):
        edition = editions[row["survey"], row["code"]]
        is_listed = row["listing"] == "portal"
        source, status = sources[row["listing"]]
        for letter in row["formats"]:
            yield {
                "survey": row["survey"],
                "year": edition["year"],
                "period": edition["period"] if is_listed else _UNLISTED_PERIOD,
                "survey_code": row["code"],
                "module": row["module"],
                "module_name": titles[row["survey"], row["module"]] if is_listed else "",
                "format": formats[letter],
                "url": _URL.format(format=formats[letter], code=row["code"], module=row["module"]),
                "n_rows_index": row["rows"],
                "n_vars_index": row["variables"],
                "source": source,
                "status": status,
            }


_COLUMNS: Final = (
    "survey", "year", "period", "survey_code", "module", "module_name", "format", "url",
    "n_rows_index", "n_vars_index", "source", "status",
)  # fmt: skip


def _rows(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(text))


def _text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return made.getvalue()
