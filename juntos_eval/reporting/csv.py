"""Tables as CSV: numbers stay numbers, and no cell can become a formula of a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Final

from juntos_eval.reporting.language import language
from juntos_eval.reporting.report_input import Label
from juntos_eval.reporting.table import Absent, Cell, Count, Mark, Number, Row, Span, Table

__all__ = ["csv_text", "guarded"]

# what spreadsheets take for the beginning of a formula or of another cell
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")


def guarded(text: str) -> str:
    r"""Return text that no spreadsheet takes for a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With an apostrophe before what begins with ``= + - @``, a tab or a line break, blanks left aside;
        every line break as ``\n``.

    References
    ----------
    OWASP Foundation, "CSV Injection".

    Examples
    --------
    >>> from juntos_eval.reporting.csv import guarded
    >>> guarded("=1+1"), guarded("a-b")
    ("'=1+1", 'a-b')
    """
    # a lone carriage return is quoted by no writer and ends a row for some readers
    line = text.replace("\r\n", "\n").replace("\r", "\n")
    is_formula = line.startswith(_FORMULA) or line.lstrip().startswith(_FORMULA)
    return f"'{line}" if is_formula else line


def csv_text(table: Table, *, is_synthetic: bool) -> str:
    """Return a table as CSV in English, with unrounded scales: shares between 0 and 1.

    Parameters
    ----------
    table : Table
    is_synthetic : bool
        Whether every row says SYNTHETIC DATA.

    Returns
    -------
    str
        Missing numbers are empty and the last column, ``note``, says why.

    Examples
    --------
    >>> from juntos_eval.reporting.csv import csv_text
    >>> from juntos_eval.reporting.table import Column, Number, Row, Table, both
    >>> table = Table(columns=(Column(id="p", header=both("column.p_value"), kind="number"),),
    ...               rows=(Row((Number(-0.25),)),))
    >>> csv_text(table, is_synthetic=False).split()
    ['p,note', '-0.25,']
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    has_groups = any(row.group for row in table.rows)
    heads = [name for column in table.columns for name in _names(column.id, column.kind)]
    writer.writerow([*(["data"] if is_synthetic else []), *(["group"] if has_groups else []), *heads, "note"])
    for row in table.rows:
        first = [language("en").say("word.synthetic")] if is_synthetic else []
        if has_groups:
            first.append(guarded(row.group.en) if row.group else "")
        fields = [
            field
            for cell, column in zip(row.cells, table.columns, strict=True)
            for field in _fields(cell, is_interval=column.kind == "interval")
        ]
        writer.writerow([*first, *fields, guarded("; ".join(_why(row)))])
    return buffer.getvalue()


def _names(column: str, kind: str) -> list[str]:
    return [f"{column}_low", f"{column}_high"] if kind == "interval" else [column]


def _fields(cell: Cell, *, is_interval: bool) -> list[str | int | float]:
    if isinstance(cell, Span):
        return [_plain(cell.low), _plain(cell.high)]
    field = _field(cell)
    # an absent interval still has two ends
    return [field, field] if is_interval else [field]


def _field(cell: Cell) -> str | int | float:
    if isinstance(cell, Absent):
        return ""
    if isinstance(cell, Count):
        return "" if cell.shown is None else cell.shown
    if isinstance(cell, Number):
        return _plain(cell)
    if isinstance(cell, Mark):
        return language("en").say(cell.key).lower()
    return guarded(cell.en if isinstance(cell, Label) else str(cell))


def _plain(number: Number) -> str | int | float:
    if math.isnan(number.value):
        return ""
    value = float(f"{number.value:.8g}")
    return int(value) if number.digits == 0 and value.is_integer() else value


def _why(row: Row) -> Iterator[str]:
    found: dict[str, None] = {}
    for cell in row.cells:
        for part in (cell.low, cell.high) if isinstance(cell, Span) else (cell,):
            if isinstance(part, Absent) or (isinstance(part, Number) and math.isnan(part.value)):
                found.setdefault(part.why)
            elif isinstance(part, Count) and part.shown is None:
                found.setdefault("missing.few")
    return (language("en").say(key) for key in found)
