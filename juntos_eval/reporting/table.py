"""A table as values: what it says in either language, and nothing that would tell of a few households."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from juntos_eval.errors import SchemaError
from juntos_eval.reporting.language import DASH, LANGUAGES, Language, language
from juntos_eval.reporting.report_input import Label
from juntos_eval.reporting.suppression import THRESHOLD, is_small

__all__ = [
    "Absent",
    "Cell",
    "Column",
    "Count",
    "Grid",
    "Mark",
    "Number",
    "Row",
    "Shown",
    "Span",
    "Table",
    "both",
    "grid",
    "level_label",
]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def both(key: str, **values: str) -> Label:
    """Return a sentence of the locale in both languages.

    Parameters
    ----------
    key : str
    **values : str
        What fills its braces, the same in both languages.

    Returns
    -------
    Label

    Examples
    --------
    >>> from juntos_eval.reporting.table import both
    >>> both("word.no")
    Label(en='no', es='no')
    """
    return Label(language("en").say(key, **values), language("es").say(key, **values))


def level_label(level: float) -> Label:
    """Return the header of a column of intervals.

    Parameters
    ----------
    level : float
        Coverage.

    Returns
    -------
    Label

    Examples
    --------
    >>> from juntos_eval.reporting.table import level_label
    >>> level_label(0.95).en
    '95% CI'
    """
    headers = (
        words.say("column.interval", level=words.percent(level, 0)) for words in map(language, LANGUAGES)
    )
    return Label(*headers)


@dataclass(frozen=True, slots=True)
class Count:
    """Unweighted households or persons: a small one is shown as "<10" whatever happens.

    Attributes
    ----------
    value : int
    is_hidden : bool
        Hidden although not small, because a small one would follow from it by subtraction.

    Examples
    --------
    >>> from juntos_eval.reporting.table import Count
    >>> Count(4).shown is None, Count(40).shown
    (True, 40)
    """

    value: int
    is_hidden: bool = False

    @property
    def shown(self) -> int | None:
        """The number if it may be shown."""
        return None if self.is_hidden or is_small(self.value) else self.value


@dataclass(frozen=True, slots=True)
class Number:
    """A number, how to write it, and why it is missing where it is NaN.

    Attributes
    ----------
    value : float
    style : {"plain", "signed", "percent", "p", "share", "score"}
        The last two are differences on the scale of an outcome's unit.
    digits : int
        For plain and signed.
    why : str
        Locale key of the reason for a NaN.

    Examples
    --------
    >>> from juntos_eval.reporting.table import Number
    >>> Number(0.5).digits
    2
    """

    value: float
    style: Literal["plain", "signed", "percent", "p", "share", "score"] = "plain"
    digits: int = 2
    why: str = "missing.no_value"


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of two numbers.

    Attributes
    ----------
    low, high : Number

    Examples
    --------
    >>> from juntos_eval.reporting.table import Number, Span
    >>> Span(Number(0.0), Number(1.0)).high.value
    1.0
    """

    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a check passed.

    Attributes
    ----------
    passed : bool or None

    Examples
    --------
    >>> from juntos_eval.reporting.table import Mark
    >>> Mark(None).key
    'word.note'
    """

    passed: bool | None

    @property
    def key(self) -> str:
        """Locale key of the word."""
        return {True: "word.passed", False: "word.failed", None: "word.note"}[self.passed]


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing to show, and why.

    Attributes
    ----------
    why : str
        Locale key of the reason.

    Examples
    --------
    >>> from juntos_eval.reporting.table import Absent
    >>> Absent("missing.few").why
    'missing.few'
    """

    why: str


Cell = Label | str | Count | Number | Span | Mark | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes
    ----------
    id : str
        Its name in the CSV file; an interval becomes ``<id>_low`` and ``<id>_high``.
    header : Label
    spanner : Label, optional
        Header above several columns.
    kind : {"text", "number", "interval"}
    is_csv_only : bool
        For machines: units, ids.

    Examples
    --------
    >>> from juntos_eval.reporting.table import Column, both
    >>> Column(id="n", header=both("column.n"), kind="number").is_csv_only
    False
    """

    id: str
    header: Label
    spanner: Label | None = None
    kind: Literal["text", "number", "interval"] = "text"
    is_csv_only: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row.

    Attributes
    ----------
    cells : tuple of Cell
    group : Label, optional
        Rows of one group stand together below its name.
    is_strong : bool

    Examples
    --------
    >>> from juntos_eval.reporting.table import Row
    >>> Row(("a",)).is_strong
    False
    """

    cells: tuple[Cell, ...]
    group: Label | None = None
    is_strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns, rows and notes.

    Attributes
    ----------
    columns : tuple of Column
        The first names the row.
    rows : tuple of Row
    notes : tuple of Label

    Raises
    ------
    SchemaError
        If a row has not one cell for each column, or a cell of another kind: bare numbers are refused, so
        that a count cannot slip past the rule on small cells.

    Examples
    --------
    >>> from juntos_eval.reporting.table import Column, Row, Table, both
    >>> Table(columns=(Column(id="what", header=both("column.what")),), rows=(Row((3,)),))
    Traceback (most recent call last):
        ...
    juntos_eval.errors.SchemaError: a row of a table does not fit its columns [row 1: (3,)]. Remedy: ...
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows, start=1):
            if len(row.cells) != len(self.columns) or not all(isinstance(cell, Cell) for cell in row.cells):
                raise SchemaError(
                    "a row of a table does not fit its columns",
                    where=f"row {place}: {row.cells}"[:200],
                    remedy="give one cell a column, and wrap numbers in Count or Number",
                )


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as text, with the letter of its footnote.

    Attributes
    ----------
    text : str
    mark : str

    Examples
    --------
    >>> from juntos_eval.reporting.table import Shown
    >>> Shown("–", "a").mark
    'a'
    """

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table in one language, ready to be set.

    Attributes
    ----------
    columns : tuple of Column
    headers : tuple of str
    spanners : tuple of str
        Empty where a column has none.
    rows : tuple of tuple of Shown
    groups : tuple of str
        Of each row; empty where it has none.
    strong : tuple of bool
    footnotes : tuple of (letter, text)
    notes : tuple of str

    Examples
    --------
    >>> from juntos_eval.reporting.table import Grid
    >>> Grid(columns=(), headers=(), spanners=(), rows=(), groups=(), strong=()).notes
    ()
    """

    columns: tuple[Column, ...]
    headers: tuple[str, ...]
    spanners: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    groups: tuple[str, ...]
    strong: tuple[bool, ...]
    footnotes: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())


def grid(table: Table, words: Language) -> Grid:
    """Return a table in one language; every dash has a footnote that says why.

    Parameters
    ----------
    table : Table
    words : Language

    Returns
    -------
    Grid

    Examples
    --------
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.table import Column, Count, Row, Table, both, grid
    >>> table = Table(columns=(Column(id="n", header=both("column.n")),), rows=(Row((Count(3),)),))
    >>> grid(table, language("en")).rows
    ((Shown(text='<10', mark='a'),),)
    """
    places = [place for place, column in enumerate(table.columns) if not column.is_csv_only]
    reasons: dict[str, str] = {}
    rows = tuple(tuple(_shown(row.cells[place], words, reasons) for place in places) for row in table.rows)
    columns = tuple(table.columns[place] for place in places)
    return Grid(
        columns=columns,
        headers=tuple(column.header.of(words.code) for column in columns),
        spanners=tuple(column.spanner.of(words.code) if column.spanner else "" for column in columns),
        rows=rows,
        groups=tuple(row.group.of(words.code) if row.group else "" for row in table.rows),
        strong=tuple(row.is_strong for row in table.rows),
        footnotes=tuple((letter, words.say(key)) for key, letter in reasons.items()),
        notes=tuple(note.of(words.code) for note in table.notes),
    )


def _shown(cell: Cell, words: Language, reasons: dict[str, str]) -> Shown:
    if isinstance(cell, Label | str):
        return Shown(cell if isinstance(cell, str) else cell.of(words.code))
    if isinstance(cell, Mark):
        return Shown(words.say(cell.key))
    reason = next(_reasons(cell), "")
    text = _written(cell, words)
    return Shown(text, reasons.setdefault(reason, _LETTERS[len(reasons)]) if reason else "")


def _reasons(cell: Count | Number | Span | Absent) -> Iterator[str]:
    if isinstance(cell, Absent):
        yield cell.why
    elif isinstance(cell, Count) and cell.shown is None:
        yield "missing.few"
    elif isinstance(cell, Number) and math.isnan(cell.value):
        yield cell.why
    elif isinstance(cell, Span):
        yield from (end.why for end in (cell.low, cell.high) if math.isnan(end.value))


def _written(cell: Count | Number | Span | Absent, words: Language) -> str:
    if isinstance(cell, Absent):
        return DASH
    if isinstance(cell, Number):
        return _number(cell, words)
    if isinstance(cell, Count):
        if cell.shown is not None:
            return words.integer(cell.shown)
        return f"<{THRESHOLD}" if is_small(cell.value) else DASH
    if math.isnan(cell.low.value) and math.isnan(cell.high.value):
        return DASH
    return words.span(_number(cell.low, words), _number(cell.high, words))


def _number(cell: Number, words: Language) -> str:
    if cell.style == "percent":
        return words.percent(cell.value, cell.digits)
    if cell.style == "p":
        return words.p_value(cell.value)
    if cell.style in ("share", "score"):
        return words.effect(cell.value, cell.style, is_signed=False)
    return words.decimal(cell.value, cell.digits, is_signed=cell.style == "signed")
