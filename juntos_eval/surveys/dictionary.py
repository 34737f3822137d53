"""The READMEs of ``data_raw`` and ``data_clean``, generated from what the package declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from juntos_eval.paths import write_atomically
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho import household_schema, schema
from juntos_eval.surveys.enaho.dictionary import ENAHO_MODULES
from juntos_eval.surveys.endes.dictionary import ENDES_TABLES
from juntos_eval.surveys.geo.clean import DISTRICTS
from juntos_eval.surveys.schema import Field, TableSchema
from juntos_eval.surveys.source import SURVEYS, UNDATED, SurveySource, TableSource, load_source
from juntos_eval.surveys.young_lives.dictionary import YOUNG_LIVES_TABLES, raw_section

__all__ = ["data_clean_readme", "data_raw_readme", "write_readmes"]

#: (file name pattern below data_clean/<run>/, schema) of every clean table.
TABLES: Final[tuple[tuple[str, TableSchema], ...]] = (
    ("enaho/members_<year>.parquet", schema.MEMBERS),
    ("enaho/programmes_<year>.parquet", schema.PROGRAMMES),
    ("enaho/food_security_<year>.parquet", schema.FOOD_SECURITY),
    ("enaho/dwellings_<year>.parquet", schema.DWELLINGS),
    ("geo/districts.parquet", DISTRICTS),
    (
        "enaho/households_<year>.parquet",
        household_schema.households_schema(frozenset(household_schema.OPTIONAL)),
    ),
    (
        "enaho/linked_households.parquet",
        household_schema.households_schema(frozenset({"districts"}), name="linked_households"),
    ),
    *ENAHO_MODULES,
    *ENDES_TABLES,
    *YOUNG_LIVES_TABLES,
)

_RAW_INTRODUCTION: Final = """\
# Raw data

Generated from `juntos_eval/surveys/*/source.toml` (`python -m juntos_eval.surveys.dictionary`); do not edit.

Raw files are read as published and never changed. Nothing in this folder but this page is in git: survey
microdata are not redistributed. Without them the report runs on synthetic files, and says so on every page.

## Where files go

`<folder>/<survey>/<year>/<file>`, upper and lower case of file names being one; name the folder with
`make report DATA_RAW=<folder>`. Where files lie elsewhere, name a TOML instead; its paths are relative to it:

```toml
[enaho.2024]
members = "somewhere/enaho01-2024-200.dta"
programmes = "somewhere/enaho01-2024-700.dta"
[geo]
districts = "elsewhere/ubigeo_distrito.csv"
```

Such a TOML, or a `manifest.toml` in the folder, may state what is known of the files. It wins over the row
counts below, which are those of the issue seen: INEI re-issues files silently, and a file with fewer rows
than announced is taken for half-copied. Each clean table's provenance holds the sha256 of the files read.

```toml
synthetic = false
[files."enaho/2024/enaho01-2024-200.dta"]
rows = 117721
bytes = 19450120
sha256 = "the 64 characters"
```
"""

_CLEAN_INTRODUCTION: Final = """\
# Data dictionary of the clean tables

Generated from the schemas in `juntos_eval/surveys` (`python -m juntos_eval.surveys.dictionary`); do not edit.

Clean tables lie in `data_clean/<run>/` (run `real` or `synthetic-data`), are built by the pipeline and are
not in git. Beside each `<table>.parquet` stands `<table>.provenance.json`: input files with sha256, versions,
rows in and out, rows dropped by reason, counts of what was repaired or left unmatched.

Which raw column each comes from, year by year, stands in `juntos_eval/surveys/*/columns.csv`; what its codes
mean, in `codes.csv`. `category` holds the labels listed. What is missing is missing, never zero.
"""


def data_raw_readme() -> str:
    """Return the page on raw data: who publishes it, under which terms, where, and how it is laid out.

    Examples
    --------
    >>> from juntos_eval.surveys.dictionary import data_raw_readme
    >>> "966-Modulo02.zip" in data_raw_readme()
    True
    """
    sections = ["\n".join(_survey_section(load_source(survey))) for survey in SURVEYS]
    return "\n".join([_RAW_INTRODUCTION, *sections, raw_section()])


def data_clean_readme() -> str:
    """Return the dictionary of the clean tables, every column in English and Spanish.

    Examples
    --------
    >>> from juntos_eval.surveys.dictionary import data_clean_readme
    >>> "`working_share_14_17_girls`" in data_clean_readme()
    True
    """
    sections = ["\n".join(_table_section(path, table)) for path, table in TABLES]
    return "\n".join([_CLEAN_INTRODUCTION, *sections])


def write_readmes(root: Path) -> tuple[Path, Path]:
    """Write both pages below the project's folder.

    Parameters
    ----------
    root : Path

    Returns
    -------
    tuple of Path

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.dictionary import write_readmes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.parent.name for path in write_readmes(Path(folder))]
    ['data_raw', 'data_clean']
    """
    return (
        write_atomically(root / "data_raw" / "README.md", data_raw_readme()),
        write_atomically(root / "data_clean" / "README.md", data_clean_readme()),
    )


def _survey_section(source: SurveySource) -> Iterator[str]:
    yield f"## {source.title}\n"
    yield f"- Producer: {source.producer}"
    yield f"- Terms: {source.licence}"
    yield f"- Cite: {source.citation}"
    if source.url:
        yield f"- Address: `{source.url}` (no login; it can change; seen {source.seen})"
    yield ""
    yield "| table | year | file | module | rows seen | zip |"
    yield "|---|---|---|---|---|---|"
    for table in source.tables.values():
        for label in _years(source, table):
            yield _file_row(source, table, label)
    yield ""


def _years(source: SurveySource, table: TableSource) -> list[str]:
    codebook = load_codebook(source.name)
    columns = [column for column in codebook.columns if column.table == table.name]
    return [year for year in codebook.years if any(year in column.raw for column in columns)]


def _file_row(source: SurveySource, table: TableSource, label: str) -> str:
    year = None if label == UNDATED else int(label)
    names = " or ".join(f"`{name}`" for name in table.names(year))
    is_third_party = table.producer != source.producer
    formats = source.years[label]["formats"]
    address = "" if is_third_party else source.address(table.name, year, formats[0])
    origin = table.producer if is_third_party else f"`{address.rsplit('/', 1)[-1]}`" if address else ""
    optional = " (optional)" if table.is_optional else ""
    rows = table.rows.get(label)
    module = f"{source.module(table.name, year)} {table.title}".strip()
    return (
        f"| {table.name}{optional} | {label} | {names} | {module} "
        f"| {f'{rows:,}' if rows is not None else ''} | {origin} |"
    )


def _table_section(path: str, table: TableSchema) -> Iterator[str]:
    yield f"## `{path}`\n"
    key = " + ".join(f"`{name}`" for name in table.key)
    yield f"{table.description}. *{table.description_es}.* Key: {key}.\n"
    yield "| column | type | what it is | qué es | values |"
    yield "|---|---|---|---|---|"
    yield from (_column_row(field) for field in table.fields)
    yield ""


def _column_row(field: Field) -> str:
    kind = f"{field.dtype}{', may be missing' if field.is_nullable else ''}"
    return f"| `{field.name}` | {kind} | {field.description} | {field.description_es} | {_values(field)} |"


def _values(field: Field) -> str:
    if field.labels:
        return ", ".join(f"`{label}`" for label in field.labels)
    if field.width is not None:
        return f"{field.width} characters"
    limits = {"from": field.minimum, "to": field.maximum}
    span = " ".join(
        f"{word} {value:g}" for word, value in limits.items() if value is not None and value > 1e-9
    )
    return " ".join(part for part in (field.unit, span) if part)


if __name__ == "__main__":
    write_readmes(Path.cwd())
