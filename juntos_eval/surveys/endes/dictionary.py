"""The clean tables of ENDES, for the data dictionary."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.endes import schema, women_schema
from juntos_eval.surveys.schema import TableSchema

__all__ = ["ENDES_TABLES"]

#: (file name pattern below data_clean/<run>/, schema) of every clean table.
ENDES_TABLES: Final[tuple[tuple[str, TableSchema], ...]] = tuple(
    (f"endes/{table.name}_<year>.parquet", table)
    for table in (
        schema.HOUSEHOLDS,
        schema.PERSONS,
        schema.CHILDREN,
        women_schema.WOMEN,
        women_schema.BIRTHS,
        women_schema.VIOLENCE,
        women_schema.HEALTH,
    )
)
