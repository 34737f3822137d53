"""The difference-in-differences of entrants: its means and its estimate."""

from __future__ import annotations

from typing import Literal

from juntos_eval.reporting.details import inference_label
from juntos_eval.reporting.report_input import ENTRANTS, Label, ReportedEstimate, ReportInput
from juntos_eval.reporting.suppression import is_publishable, is_small
from juntos_eval.reporting.table import Absent, Column, Count, Number, Row, Span, Table, both, level_label

__all__ = ["demonstration_table"]


def demonstration_table(content: ReportInput) -> Table:
    """Return means by group and wave, and below them the difference-in-differences.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import demonstration_table
    >>> len(demonstration_table(example_input()).rows)
    5
    """
    shown = [estimate for estimate in content.estimates if estimate.study == ENTRANTS]
    columns = (
        Column(id="what", header=both("column.what")),
        Column(id="year", header=both("column.year")),
        Column(id="value", header=both("column.estimate"), kind="number"),
        Column(id="std_error", header=both("column.std_error"), kind="number"),
        Column(id="conf", header=level_label(shown[0].level), kind="interval"),
        Column(id="n", header=both("column.n"), kind="number"),
        Column(id="inference", header=both("column.inference")),
        Column(id="inference_detail", header=both("column.inference"), is_csv_only=True),
        Column(id="unit", header=both("column.unit"), is_csv_only=True),
    )
    rows = tuple(row for estimate in shown for row in _rows(estimate))
    return Table(columns=columns, rows=rows)


def _rows(shown: ReportedEstimate) -> list[Row]:
    labels = {name: label.inline for name, label in shown.labels.items()}
    labels["outcome"] = shown.labels["outcome"].capitalised
    title = Label(
        f"{labels['outcome'].en}, {labels['population'].en}",
        f"{labels['outcome'].es}, {labels['population'].es}",
    )
    names = {"treated": both("legend.entrants"), "comparison": both("legend.never")}
    few = Absent("missing.few")
    rows = []
    for point in sorted(shown.trend, key=lambda point: (point.arm != "treated", point.time)):
        is_hidden = is_small(point.n)
        ends = [_mean(end, shown.unit) for end in (point.conf_low, point.conf_high)]
        rows.append(
            Row(
                (
                    names[point.arm],
                    str(point.time),
                    few if is_hidden else _mean(point.mean, shown.unit),
                    few if is_hidden else Number(point.std_error, shown.unit, why="missing.no_error"),
                    few if is_hidden else Span(*ends),
                    Count(point.n),
                    "",
                    "",
                    shown.unit,
                ),
                group=title,
            )
        )
    return [*rows, _effect_row(shown, title)]


def _mean(value: float, unit: str) -> Number:
    style: Literal["percent", "plain"] = "percent" if unit == "share" else "plain"
    return Number(value, style, 1 if unit == "share" else 2, "missing.no_error")


def _effect_row(shown: ReportedEstimate, title: Label) -> Row:
    few = Absent("missing.few")
    is_shown = is_publishable(shown)
    low, high = (Number(end, shown.unit, why="missing.no_error") for end in shown.interval)
    return Row(
        (
            shown.labels["design"],
            shown.year,
            Number(shown.value, shown.unit) if is_shown else few,
            Number(shown.std_error, shown.unit, why="missing.no_error") if is_shown else few,
            Span(low, high) if is_shown else few,
            Count(shown.estimate.sample.rows, is_hidden=not is_shown),
            inference_label(shown.estimate.uncertainty.method),
            shown.estimate.uncertainty.method,
            shown.unit,
        ),
        group=title,
        is_strong=True,
    )
