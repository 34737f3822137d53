"""Raw files that the run read."""

from __future__ import annotations

import math

from juntos_eval.reporting.report_input import ReportInput
from juntos_eval.reporting.table import Column, Number, Row, Table, both

__all__ = ["files_table"]


def files_table(content: ReportInput) -> Table:
    """Return survey, year, name, rows, bytes and hash of every raw file.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import files_table
    >>> len(files_table(example_input()).rows)
    1
    """
    columns = (
        Column(id="file", header=both("column.file")),
        Column(id="survey", header=both("column.survey")),
        Column(id="year", header=both("column.year")),
        Column(id="rows", header=both("column.rows"), kind="number"),
        Column(id="bytes", header=both("column.bytes"), kind="number"),
        Column(id="sha256", header=both("column.sha256")),
    )
    rows = (
        Row(
            (
                file.name,
                file.survey.upper(),
                "" if file.year is None else str(file.year),
                Number(math.nan if file.rows is None else file.rows, digits=0, why="missing.no_rows"),
                Number(file.size_bytes, digits=0),
                file.sha256,
            )
        )
        for file in content.run.input_files
    )
    return Table(columns=columns, rows=tuple(rows))
