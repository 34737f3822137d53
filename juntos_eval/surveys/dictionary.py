"""The READMEs of ``data_raw`` and ``data_clean``, generated from what the package declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
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

## How to get them

```
juntos-eval catalog              # what INEI publishes, what is on disk, what each cited study used
juntos-eval fetch enaho --years 2009-2013 --modules 02,34,37
juntos-eval fetch young_lives    # says how to register and where to put the zips: nothing is fetched
juntos-eval doctor               # what is missing, stale, cut, damaged or of another edition
```

`fetch` goes on where it broke, keeps the zips in `zips/`, and writes the sha256 of every zip and data file
into `fetched.json` on first sight: a file that INEI issues anew under the same address is named, and replaces
nothing unless you say so. The panel (`enaho_panel`) and the poverty maps (`poverty_map`) are fetched the same
way; `docs/surveys.md` tells more.

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
counts in `source.toml`, which are those of the issue seen: INEI re-issues files silently, and a file with
fewer rows than announced is taken for half-copied. Each clean table's provenance holds the sha256 of the
files read.

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
    >>> "2024 966, 2025 1031" in data_raw_readme()
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
        yield f"- Get it: `juntos-eval fetch {source.name} --years … --modules …`"
        codes = (f"{year} {facts['code']}" for year, facts in source.years.items() if facts.get("code"))
        yield f"- Codes of the years: {', '.join(codes)}. Formats: {_formats(source)}."
    yield ""
    yield "| table | years mapped | file | module | rows of the issues seen |"
    yield "|---|---|---|---|---|"
    yield from (_table_row(source, table) for table in source.tables.values())
    yield ""


def _formats(source: SurveySource) -> str:
    """Say since when each format is published."""
    years: dict[str, list[str]] = {}
    for year, facts in source.years.items():
        for name in facts["formats"] if year != UNDATED else ():
            years.setdefault(name, []).append(year)
    return ", ".join(f"{name} {_span(of)}" for name, of in years.items())


def _years(source: SurveySource, table: TableSource) -> list[str]:
    codebook = load_codebook(source.name)
    columns = [column for column in codebook.columns if column.table == table.name]
    return [year for year in codebook.years if any(year in column.raw for column in columns)]


def _span(labels: list[str]) -> str:
    """Return years as 2004-2012, 2014; the words for a table without a date as they are."""
    spans: list[list[str]] = []
    for label in labels:
        follows = (
            spans and label.isdigit() and spans[-1][-1].isdigit() and int(label) == int(spans[-1][-1]) + 1
        )
        if follows:
            spans[-1].append(label)
        else:
            spans.append([label])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def _table_row(source: SurveySource, table: TableSource) -> str:
    years = _years(source, table)
    optional = " (optional)" if table.is_optional else ""
    modules = dict.fromkeys(source.module(table.name, None if y == UNDATED else int(y)) for y in years)
    module = " ".join([" / ".join(filter(None, modules)), table.title]).strip()
    if table.producer != source.producer:
        module += f". {table.producer}"
    rows = sorted(table.rows.values())
    seen = f"{rows[0]:,} to {rows[-1]:,}" if len(rows) > 1 else f"{rows[0]:,}" if rows else ""
    return f"| {table.name}{optional} | {_span(years)} | {_file_names(table)} | {module} | {seen} |"


def _file_names(table: TableSource) -> str:
    """Return each stem once, with the suffixes it may have."""
    suffixes: dict[str, list[str]] = {}
    for name in table.file_names:
        path = PurePosixPath(name)
        suffixes.setdefault(path.stem, []).append(path.suffix)
    by_suffixes: dict[str, list[str]] = {}
    for stem, of in suffixes.items():
        by_suffixes.setdefault(" ".join(of), []).append(f"`{stem}`")
    return "; ".join(f"{' or '.join(stems)} ({of})" for of, stems in by_suffixes.items())


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
