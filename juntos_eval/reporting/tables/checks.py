"""What was checked beside the numbers."""

from __future__ import annotations

from collections import Counter

from juntos_eval.reporting.details import check_label, detail_label
from juntos_eval.reporting.questions import headline_question, questions
from juntos_eval.reporting.report_input import Label, ReportInput
from juntos_eval.reporting.suppression import redacted
from juntos_eval.reporting.table import Column, Mark, Number, Row, Table, both

__all__ = ["checks_count_table", "checks_table"]


def checks_table(content: ReportInput) -> Table:
    """Return every check beside the headline question, by design.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import checks_table
    >>> checks_table(example_input()).rows[0].cells[2].en
    '<10 of 110 treated rows off support'
    """
    columns = (
        Column(id="check", header=both("column.check")),
        Column(id="result", header=both("column.result")),
        Column(id="detail", header=both("column.detail")),
    )
    question = headline_question(content)
    shown = [*([question.raw] if question.raw else []), *question.adjusted]
    rows = tuple(
        Row(
            (check_label(check.name), Mark(check.passed), detail_label(redacted(check.detail))),
            group=estimate.labels["design"],
            is_strong=check.passed is False,
        )
        for estimate in shown
        for check in estimate.estimate.checks
    )
    return Table(columns=columns, rows=rows)


def checks_count_table(content: ReportInput) -> Table:
    """Return how often each check passed, by design, over all questions.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import checks_count_table
    >>> len(checks_count_table(example_input()).rows)
    2
    """
    columns = (
        Column(id="check", header=both("column.check")),
        Column(id="passed", header=both("column.passed"), kind="number"),
        Column(id="failed", header=both("column.failed"), kind="number"),
        Column(id="noted", header=both("column.noted"), kind="number"),
    )
    designs: dict[str, Label] = {}
    results: dict[tuple[str, str], Counter[bool | None]] = {}
    for question in questions(content):
        for shown in question.estimates:
            designs.setdefault(shown.design, shown.labels["design"])
            for check in shown.estimate.checks:
                results.setdefault((shown.design, check.name), Counter())[check.passed] += 1
    rows = tuple(
        Row(
            (
                check_label(name),
                # estimates are counted here, not households
                *(Number(counts[result], digits=0) for result in (True, False, None)),
            ),
            group=label,
            is_strong=counts[False] > 0,
        )
        for design, label in designs.items()
        for (owner, name), counts in results.items()
        if owner == design
    )
    return Table(columns=columns, rows=rows)
