"""Raw gap and adjusted estimates side by side, with what each rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from juntos_eval.reporting.details import inference_label
from juntos_eval.reporting.judgement import balance_facts
from juntos_eval.reporting.questions import Question, headline_question, questions
from juntos_eval.reporting.report_input import RAW_GAP, Label, ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable, is_small
from juntos_eval.reporting.table import (
    Absent,
    Cell,
    Column,
    Count,
    Number,
    Row,
    Span,
    Table,
    both,
    level_label,
)

__all__ = ["effects_table", "headline_table", "unit_notes"]


def headline_table(content: ReportInput) -> Table:
    """Return every estimate of the headline question.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import headline_table
    >>> [row.cells[0].en for row in headline_table(example_input()).rows]
    ['raw gap', 'nearest neighbour', 'inverse probability']
    """
    return _table((headline_question(content),), content.headline)


def effects_table(content: ReportInput, study: str) -> Table:
    """Return every estimate of a study, one group of rows a question.

    Parameters
    ----------
    content : ReportInput
    study : str

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import effects_table
    >>> len(effects_table(example_input(), "entrants").rows)
    1
    """
    return _table(questions(content, study), content.headline)


def unit_notes(asked: Sequence[Question]) -> tuple[Label, ...]:
    """Return one note a unit that occurs.

    Parameters
    ----------
    asked : sequence of Question

    Returns
    -------
    tuple of Label

    Examples
    --------
    >>> from juntos_eval.reporting.tables.effects import unit_notes
    >>> unit_notes(())
    ()
    """
    units = dict.fromkeys(shown.unit for question in asked for shown in question.estimates)
    notes = []
    for unit in units:
        names = dict.fromkeys(
            question.label("outcome") for question in asked if question.estimates[0].unit == unit
        )
        name = both(f"unit.{unit}.axis")
        notes.append(
            Label(
                f"{', '.join(label.en for label in names)}: {name.en[0].lower()}{name.en[1:]}.",
                f"{', '.join(label.es for label in names)}: {name.es[0].lower()}{name.es[1:]}.",
            )
        )
    return tuple(note.capitalised for note in notes)


def _table(asked: Sequence[Question], headline: str) -> Table:
    shown = [estimate for question in asked for estimate in question.estimates]
    smd = both("column.smd")
    columns = (
        Column(id="design", header=both("column.design")),
        Column(id="estimate", header=both("column.estimate"), kind="number"),
        Column(id="std_error", header=both("column.std_error"), kind="number"),
        Column(id="conf", header=level_label(shown[0].level), kind="interval"),
        Column(id="p_value", header=both("column.p_value"), kind="number"),
        Column(id="n", header=both("column.n"), kind="number"),
        Column(id="treated", header=both("column.treated"), kind="number"),
        Column(id="effective_n", header=both("column.effective"), kind="number"),
        Column(id="max_smd_before", header=both("column.smd_before"), spanner=smd, kind="number"),
        Column(id="max_smd_after", header=both("column.smd_after"), spanner=smd, kind="number"),
        Column(id="inference", header=both("column.inference")),
        Column(id="inference_detail", header=both("column.inference"), is_csv_only=True),
        Column(id="unit", header=both("column.unit"), is_csv_only=True),
        Column(id="record", header=both("column.what"), is_csv_only=True),
    )
    rows = tuple(
        Row(_cells(estimate), group=question.title, is_strong=estimate.id == headline)
        for question in asked
        for estimate in question.estimates
    )
    return Table(columns=columns, rows=rows, notes=unit_notes(asked))


def _cells(shown: ReportedEstimate) -> tuple[Cell, ...]:
    return (
        shown.labels["design"],
        *(_numbers(shown) if is_publishable(shown) else (Absent("missing.few"),) * 4),
        *_sizes(shown),
        *_balance(shown),
        inference_label(shown.estimate.uncertainty.method),
        shown.estimate.uncertainty.method,
        shown.unit,
        shown.id,
    )


def _numbers(shown: ReportedEstimate) -> tuple[Cell, ...]:
    low, high = (Number(end, shown.unit, why="missing.no_error") for end in shown.interval)
    return (
        Number(shown.value, shown.unit),
        Number(shown.std_error, shown.unit, why="missing.no_error"),
        Span(low, high),
        Number(shown.p_value, "p", why="missing.no_error"),
    )


def _sizes(shown: ReportedEstimate) -> tuple[Cell, ...]:
    sample = shown.estimate.sample
    treated = sample.treated
    # n less a small arm would give the other arm away, and the other way round
    is_small_arm = treated is not None and (is_small(treated) or is_small(sample.rows - treated))
    effective = math.nan if sample.effective is None else sample.effective
    return (
        Count(sample.rows, is_hidden=is_small_arm),
        Absent("missing.no_value") if treated is None else Count(treated),
        Absent("missing.few") if is_small_arm else Number(effective, digits=0, why="missing.no_effective"),
    )


def _balance(shown: ReportedEstimate) -> tuple[Cell, ...]:
    facts = balance_facts(shown.balance)
    if facts is None:
        why = "missing.no_value" if shown.design == RAW_GAP else "missing.no_balance"
        return Absent(why), Absent(why)
    return Number(facts.before), Number(facts.after)
