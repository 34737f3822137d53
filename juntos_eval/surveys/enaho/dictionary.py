"""The clean tables of ENAHO's modules that the data dictionary lists, beside those of the main job."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.enaho.child_work import CHILD_WORK
from juntos_eval.surveys.enaho.education import EDUCATION
from juntos_eval.surveys.enaho.employment import EMPLOYMENT
from juntos_eval.surveys.enaho.health import HEALTH
from juntos_eval.surveys.enaho.housing import HOUSING
from juntos_eval.surveys.enaho.sumaria import PRICE_INDICES, SUMARIA
from juntos_eval.surveys.schema import TableSchema

__all__ = ["ENAHO_MODULES"]

#: (file name pattern below data_clean/<run>/, schema).
ENAHO_MODULES: Final[tuple[tuple[str, TableSchema], ...]] = (
    *(
        (f"enaho/{table.name}_<year>.parquet", table)
        for table in (SUMARIA, EDUCATION, EMPLOYMENT, HEALTH, HOUSING, CHILD_WORK)
    ),
    ("geo/deflators.parquet", PRICE_INDICES),
)
