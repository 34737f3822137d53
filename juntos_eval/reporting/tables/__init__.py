"""One function a table: from a report's input to the table's values."""

from juntos_eval.reporting.tables.balance import balance_table
from juntos_eval.reporting.tables.checks import checks_count_table, checks_table
from juntos_eval.reporting.tables.demonstration import demonstration_table
from juntos_eval.reporting.tables.effects import effects_table, headline_table
from juntos_eval.reporting.tables.files import files_table
from juntos_eval.reporting.tables.sensitivity import sensitivity_table
from juntos_eval.reporting.tables.survey import shares_table, tallies_table
from juntos_eval.reporting.tables.truth import truth_table

__all__ = [
    "balance_table",
    "checks_count_table",
    "checks_table",
    "demonstration_table",
    "effects_table",
    "files_table",
    "headline_table",
    "sensitivity_table",
    "shares_table",
    "tallies_table",
    "truth_table",
]
