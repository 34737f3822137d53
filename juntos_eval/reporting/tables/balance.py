"""Balance of every covariate in the headline question, by design."""

from __future__ import annotations

import math

from juntos_eval.reporting.questions import headline_question
from juntos_eval.reporting.report_input import BalanceRow, ReportedEstimate, ReportInput
from juntos_eval.reporting.table import Cell, Column, Number, Row, Table, both

__all__ = ["balance_table"]


def balance_table(content: ReportInput) -> Table:
    """Return mean differences, variance ratios and distances of distributions, before and after.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import balance_table
    >>> [row.cells[0].en for row in balance_table(example_input()).rows]
    ['rural', 'age', 'rural', 'age']
    """
    spanners = {
        "smd": both("column.smd_group"),
        "variance_ratio": both("column.variance_group"),
        "ks": both("column.ks_group"),
    }
    measures = tuple(
        Column(id=f"{measure}_{when}", header=both(f"word.{when}"), spanner=spanner, kind="number")
        for measure, spanner in spanners.items()
        for when in ("before", "after")
    )
    columns = (
        Column(id="covariate", header=both("column.covariate")),
        *measures,
        Column(id="name", header=both("column.what"), is_csv_only=True),
    )
    rows = tuple(
        Row(_cells(row), group=shown.labels["design"])
        for shown in headline_question(content).adjusted
        for row in _ordered(shown)
    )
    return Table(columns=columns, rows=rows)


def _ordered(shown: ReportedEstimate) -> list[BalanceRow]:
    return sorted(shown.balance, key=lambda row: -_size(row.smd_before))


def _size(value: float) -> float:
    return -1.0 if math.isnan(value) else abs(value)


def _cells(row: BalanceRow) -> tuple[Cell, ...]:
    return (
        row.label,
        Number(row.smd_before, "signed"),
        Number(row.smd_after, "signed"),
        Number(row.variance_ratio_before, why="missing.binary"),
        Number(row.variance_ratio_after, why="missing.binary"),
        Number(row.ks_before),
        Number(row.ks_after),
        row.covariate,
    )
