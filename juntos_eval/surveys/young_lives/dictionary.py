"""Young Lives in the READMEs of ``data_raw`` and ``data_clean``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from juntos_eval.surveys.schema import TableSchema
from juntos_eval.surveys.young_lives import schema_tables
from juntos_eval.surveys.young_lives.schema import CHILDREN_PANEL
from juntos_eval.surveys.young_lives.study_files import load_deposit

__all__ = ["YOUNG_LIVES_TABLES", "raw_section"]

#: (file name below data_clean/<run>/, schema) of every clean table.
YOUNG_LIVES_TABLES: Final[tuple[tuple[str, TableSchema], ...]] = tuple(
    (f"young_lives/{schema.name}.parquet", schema)
    for schema in (
        CHILDREN_PANEL,
        schema_tables.JUNTOS_STATUS,
        schema_tables.CHILD_WORK,
        schema_tables.TESTS,
        schema_tables.SIBLINGS,
        schema_tables.COMMUNITY_EXPOSURE,
        schema_tables.ATTRITION,
    )
)


def raw_section() -> str:
    """Return the section on Young Lives of the page on raw data: how to register, and where each file goes.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.dictionary import raw_section
    >>> "peru_constructed" in raw_section()
    True
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    deposit = load_deposit()
    facts = deposit.facts
    yield f"## {facts['title']}\n"
    yield f"- Producer: {facts['producer']}"
    yield f"- Terms: {facts['licence']}"
    yield f"- Cite: {facts['citation']}"
    yield f"- How to get it: {facts['register']}. Nothing is fetched by this package."
    yield (
        "- Where it goes: `<folder>/young_lives/`, the zips as they come (`UKDA-<SN>-stata.zip`, `-spss`, "
        "`-tab`) or unpacked, in any folder without another study's number. A file is found by "
        "its name; Stata is preferred to SPSS to tab. In a TOML, `[young_lives.3]` lists files of round 3 "
        "by table, `[young_lives]` those of every round.\n"
    )
    yield "| table | round | study (SN) | file | rows seen |"
    yield "|---|---|---|---|---|"
    for file in deposit.files:
        when = "all" if file.round is None else str(file.round)
        rows = f"{file.rows:,}" if file.rows is not None else ""
        yield f"| {file.table} | {when} | {file.study} | `{file.folder}/{file.stem}` | {rows} |"
    yield ""
