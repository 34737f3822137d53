"""How much hidden bias would change the findings."""

from __future__ import annotations

import math

import numpy as np

from juntos_eval.reporting.questions import questions
from juntos_eval.reporting.report_input import Label, ReportedEstimate, ReportInput, Sensitivity
from juntos_eval.reporting.suppression import is_publishable
from juntos_eval.reporting.table import Cell, Column, Number, Row, Span, Table, both

__all__ = ["sensitivity_table"]

#: Values of gamma that are printed where they were computed; all of them stand in the record.
_SHOWN = (1.0, 1.25, 1.5, 2.0, 3.0)


def sensitivity_table(content: ReportInput) -> Table:
    """Return Rosenbaum bounds, critical gamma and E-values of every estimate that has them.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import sensitivity_table
    >>> [row.cells[0] for row in sensitivity_table(example_input()).rows]
    ['1.00', '1.50', '2.00']
    """
    columns = (
        Column(id="gamma", header=both("column.gamma")),
        Column(id="p_upper", header=both("column.p_upper"), kind="number"),
        Column(id="hodges_lehmann", header=both("column.hl"), kind="interval"),
        Column(id="critical_gamma", header=both("column.critical"), kind="number"),
        Column(id="e_value", header=both("column.e_value"), kind="number"),
        Column(id="e_value_limit", header=both("column.e_value_limit"), kind="number"),
        Column(id="method", header=both("column.test")),
        Column(id="record", header=both("column.what"), is_csv_only=True),
    )
    rows = tuple(
        row
        for question in questions(content)
        for shown in question.estimates
        if shown.sensitivity is not None and is_publishable(shown)
        for row in _rows(shown, shown.sensitivity)
    )
    return Table(columns=columns, rows=rows)


def _rows(shown: ReportedEstimate, sensitivity: Sensitivity) -> list[Row]:
    is_wanted = np.isclose(sensitivity.gamma[:, None], _SHOWN).any(axis=1)
    wanted = [int(place) for place in np.flatnonzero(is_wanted)] or [0]
    labels = {name: label.inline for name, label in shown.labels.items()}
    labels["outcome"] = shown.labels["outcome"].capitalised
    title = Label(
        f"{labels['outcome'].en}, {labels['population'].en}, {shown.year} ({labels['design'].en})",
        f"{labels['outcome'].es}, {labels['population'].es}, {shown.year} ({labels['design'].es})",
    )
    return [
        Row(_cells(sensitivity, place, shown, is_first=place == wanted[0]), group=title) for place in wanted
    ]


def _cells(
    sensitivity: Sensitivity, place: int, shown: ReportedEstimate, *, is_first: bool
) -> tuple[Cell, ...]:
    bounds = (float(sensitivity.hl_low[place]), float(sensitivity.hl_high[place]))
    whole: tuple[Cell, ...] = ("", "", "", "")
    if is_first:
        critical = sensitivity.critical_gamma
        beyond = f">{sensitivity.gamma.max():g}"
        whole = (
            beyond if math.isinf(critical) else Number(critical, why="missing.no_sensitivity"),
            Number(sensitivity.e_value, why="missing.no_sensitivity"),
            Number(sensitivity.e_value_limit, why="missing.no_sensitivity"),
            sensitivity.method,
        )
    low, high = (Number(bound, shown.unit, why="missing.no_bounds") for bound in bounds)
    return (
        f"{sensitivity.gamma[place]:.2f}",
        Number(float(sensitivity.p_upper[place]), "p"),
        Span(low, high),
        *whole,
        shown.id,
    )
