"""Synthetic runs: every estimate beside the effect that was planted."""

from __future__ import annotations

import math

from juntos_eval.reporting.judgement import covers
from juntos_eval.reporting.questions import questions
from juntos_eval.reporting.report_input import ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable
from juntos_eval.reporting.table import Absent, Cell, Column, Number, Row, Span, Table, both, level_label
from juntos_eval.reporting.tables.effects import unit_notes

__all__ = ["truth_table"]


def truth_table(content: ReportInput) -> Table:
    """Return estimate, planted effect, error, and whether the interval covers the effect.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import truth_table
    >>> [row.cells[5].en for row in truth_table(example_input()).rows if hasattr(row.cells[5], "en")]
    ['no', 'yes', 'yes']
    """
    columns = (
        Column(id="design", header=both("column.design")),
        Column(id="estimate", header=both("column.estimate"), kind="number"),
        Column(id="conf", header=level_label(content.headline_estimate.level), kind="interval"),
        Column(id="truth", header=both("column.truth"), kind="number"),
        Column(id="error", header=both("column.error"), kind="number"),
        Column(id="covers", header=both("column.covers")),
        Column(id="unit", header=both("column.unit"), is_csv_only=True),
        Column(id="record", header=both("column.what"), is_csv_only=True),
    )
    asked = questions(content)
    rows = tuple(
        Row(_cells(shown), group=question.title)
        for question in asked
        for shown in question.estimates
        if is_publishable(shown)
    )
    return Table(columns=columns, rows=rows, notes=unit_notes(asked))


def _cells(shown: ReportedEstimate) -> tuple[Cell, ...]:
    low, high = (Number(end, shown.unit, why="missing.no_error") for end in shown.interval)
    truth = math.nan if shown.truth is None else shown.truth
    is_covered = covers(shown.interval, shown.truth)
    answer: Cell = Absent("missing.no_truth")
    if is_covered is not None:
        answer = both("word.yes" if is_covered else "word.no")
    return (
        shown.labels["design"],
        Number(shown.value, shown.unit),
        Span(low, high),
        Number(truth, shown.unit, why="missing.no_truth"),
        Number(shown.value - truth, shown.unit, why="missing.no_truth"),
        answer,
        shown.unit,
        shown.id,
    )
