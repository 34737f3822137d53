"""Several estimates side by side, as text, HTML, LaTeX, Typst, CSV and Word, with what each rests on."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import Any, Final, Literal

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.reporting.csv import guarded
from juntos_eval.reporting.language import Language, language
from juntos_eval.reporting.latex import escaped

__all__ = ["RegressionTable", "table"]

Shown = Literal["std_error", "interval", "statistic", "p_value"]
_LAYOUTS: Final = ("std_error", "interval", "statistic", "p_value")
_TYPST: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\#$*_`<>@[]\"'~=/-+"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionTable:
    """A table of text cells, ready to be written in any format.

    Attributes
    ----------
    title : str
    heads : tuple of str
        One a column of numbers.
    body : tuple of (str, tuple of str)
        Label and cells of the rows of coefficients; what stands below a coefficient has no label.
    foot : tuple of (str, tuple of str)
        Rows below the line: effects, weights, rows, R², first stage.
    notes : tuple of str

    Examples
    --------
    >>> from juntos_eval.reporting.regression_table import RegressionTable
    >>> print(RegressionTable(title="", heads=("(1)",), body=(("d", ("1.0",)),), foot=(), notes=()).text())
       (1)
    ------
    d  1.0
    """

    title: str
    heads: tuple[str, ...]
    body: tuple[tuple[str, tuple[str, ...]], ...]
    foot: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def text(self) -> str:
        """Return the table as text of fixed width."""
        lines = [("", self.heads), *self.body, *self.foot]
        first = max(len(label) for label, _ in lines)
        widths = [max(len(cells[j]) for _, cells in lines) for j in range(len(self.heads))]

        def line(label: str, cells: Sequence[str]) -> str:
            shown = (cell.center(width) for cell, width in zip(cells, widths, strict=True))
            return "  ".join([label.ljust(first), *shown]).rstrip()

        rule = "-" * (first + sum(width + 2 for width in widths))
        rows = [line("", self.heads), rule, *(line(*row) for row in self.body)]
        rows += [rule, *(line(*row) for row in self.foot)] if self.foot else []
        rows += [rule, *self.notes] if self.notes else []
        return "\n".join([self.title, *rows] if self.title else rows)

    def html(self) -> str:
        """Return the table as HTML; every text in it is escaped."""
        heads = "".join(f"<th scope='col'>{escape(head)}</th>" for head in self.heads)

        def part(rows: Sequence[tuple[str, tuple[str, ...]]]) -> str:
            return "".join(
                f"<tr><th scope='row' style='text-align:left'>{escape(label)}</th>"
                + "".join(f"<td style='text-align:center'>{escape(cell)}</td>" for cell in cells)
                + "</tr>"
                for label, cells in rows
            )

        notes = "<br>".join(escape(note) for note in self.notes)
        return (
            f"<table><caption>{escape(self.title)}</caption><thead><tr><td></td>{heads}</tr></thead>"
            f"<tbody>{part(self.body)}</tbody><tbody style='border-top:1px solid'>{part(self.foot)}</tbody>"
            f"<tfoot><tr><td colspan='{len(self.heads) + 1}'>{notes}</td></tr></tfoot></table>"
        )

    def latex(self) -> str:
        """Return the table as LaTeX with booktabs."""

        def row(label: str, cells: Sequence[str]) -> str:
            return " & ".join(escaped(cell) for cell in (label, *cells)) + r" \\"

        columns = len(self.heads)
        lines = [r"\begin{table}", r"\centering"]
        lines += [rf"\caption{{{escaped(self.title)}}}"] if self.title else []
        lines += [
            rf"\begin{{tabular}}{{l*{{{columns}}}{{c}}}}",
            r"\toprule",
            row("", self.heads),
            r"\midrule",
        ]
        lines += [row(*entry) for entry in self.body]
        lines += [r"\midrule", *(row(*entry) for entry in self.foot)] if self.foot else []
        lines += [r"\bottomrule", r"\end{tabular}"]
        lines += [rf"\par\footnotesize {escaped(note)}" for note in self.notes]
        return "\n".join([*lines, r"\end{table}"])

    def typst(self) -> str:
        """Return the table as Typst."""

        def row(label: str, cells: Sequence[str]) -> str:
            return "  " + " ".join(f"[{cell.translate(_TYPST)}]," for cell in (label, *cells))

        lines = [f"#figure(caption: [{self.title.translate(_TYPST)}], table("]
        lines += [f"  columns: {len(self.heads) + 1}, stroke: none,", "  table.hline(),", row("", self.heads)]
        lines += ["  table.hline(),", *(row(*entry) for entry in self.body)]
        lines += ["  table.hline(),", *(row(*entry) for entry in self.foot)] if self.foot else []
        notes = [f"#text(size: 0.8em)[{note.translate(_TYPST)}]" for note in self.notes]
        return "\n".join([*lines, "  table.hline(),", "))", *notes])

    def csv(self) -> str:
        """Return the table as CSV in which no cell can become a formula of a spreadsheet."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        for label, cells in [("", self.heads), *self.body, *self.foot, *((note, ()) for note in self.notes)]:
            writer.writerow([guarded(entry) for entry in (label, *cells)])
        return buffer.getvalue()

    def docx(self) -> bytes:
        """Return the table as the bytes of a Word document."""
        # Word is asked for seldom, and its library is not light
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        document = Document()
        if self.title:
            document.add_paragraph(self.title, style="Caption")
        rows = [("", self.heads), *self.body, *self.foot]
        grid = document.add_table(rows=len(rows), cols=len(self.heads) + 1, style="Light List")
        for line, (label, cells) in zip(grid.rows, rows, strict=True):
            for cell, entry in zip(line.cells, (label, *cells), strict=True):
                cell.text = entry
            for cell in line.cells[1:]:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        for note in self.notes:
            document.add_paragraph(note)
        stream = io.BytesIO()
        document.save(stream)
        return stream.getvalue()


def table(
    estimates: Sequence[Estimate],
    *,
    columns: Sequence[str] = (),
    terms: Sequence[str] | Mapping[str, str] | None = None,
    layout: Sequence[Shown] = ("std_error",),
    stars: Sequence[float] = (),
    level: float = 0.95,
    **style: Any,
) -> RegressionTable:
    """Set estimates side by side.

    Below the coefficients stand absorbed effects, weights, rows, R² and the first stage, where there are any;
    the notes say by which inference, small-sample rule and degrees of freedom each column is.

    Parameters
    ----------
    estimates : sequence of Estimate
    columns : sequence of str
        Head of each; numbers and outcomes by default.
    terms : sequence of str or mapping of str to str, optional
        Terms to show, in this order, or their labels; all by default.
    layout : sequence of {"std_error", "interval", "statistic", "p_value"}
        What stands below each estimate, in this order.
    stars : sequence of float
        p values below which a star is added, e.g. ``(0.1, 0.05, 0.01)``; none by default.
    level : float
        Of intervals.
    **style
        ``title`` (text), ``digits`` (default 3) and ``words`` ("en" or "es").

    Returns
    -------
    RegressionTable

    Raises
    ------
    DesignError
        For no estimate, heads that do not match, or choices that there are not.

    Examples
    --------
    >>> import numpy as np, pandas as pd, juntos_eval as je
    >>> frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "d": [0, 0, 1, 1]})
    >>> shown = je.table([je.MeanDifference(outcome="y", treatment="d").fit(frame)], digits=2)
    >>> print(shown.text().splitlines()[2])
    difference     2.00
    """
    unknown = sorted(set(style) - {"title", "digits", "words"}) + sorted(set(layout) - set(_LAYOUTS))
    if not estimates or (columns and len(columns) != len(estimates)) or unknown:
        raise DesignError(
            "a table needs estimates, a head for each or none, and choices that there are",
            where=f"{len(estimates)} estimates, {len(columns)} heads, unknown {', '.join(unknown) or 'none'}",
            remedy=f"layout of {', '.join(_LAYOUTS)}; style of title, digits, words",
        )
    words, digits = language(style.get("words", "en")), int(style.get("digits", 3))
    labelled = [dict(zip(_labels(each), range(len(each.values)), strict=True)) for each in estimates]
    every = list(dict.fromkeys(label for each in labelled for label in each))
    shown = every if terms is None else list(terms)
    absent = [term for term in shown if term not in every]
    if absent:
        raise DesignError(
            f"no estimate has the terms {', '.join(absent)}",
            where=f"terms: {', '.join(every)}"[:200],
            remedy="name terms that one of the estimates has",
        )
    names = dict(terms) if isinstance(terms, Mapping) else {}
    body = [
        row
        for term in shown
        for row in _rows_of(
            names.get(term, term),
            [
                _cells(e, at.get(term), layout, stars, (level, digits, words))
                for e, at in zip(estimates, labelled, strict=True)
            ],
        )
    ]
    return RegressionTable(
        title=str(style.get("title", "")),
        heads=tuple(columns) or tuple(_head(position, each) for position, each in enumerate(estimates, 1)),
        body=tuple(body),
        foot=tuple(_foot(estimates, words, digits)),
        notes=tuple(_notes(estimates, layout, stars, level, words)),
    )


def _labels(estimate: Estimate) -> list[str]:
    others = list(estimate.keys)[1:]
    rows = zip(*estimate.keys.values(), strict=True)
    return [
        ", ".join([str(row[0]), *(f"{name} {value}" for name, value in zip(others, row[1:], strict=True))])
        for row in rows
    ]


def _head(position: int, estimate: Estimate) -> str:
    outcome = str(estimate.spec.get("outcome", ""))
    return f"({position}) {outcome}".rstrip()


def _rows_of(label: str, cells: Sequence[Sequence[str]]) -> list[tuple[str, tuple[str, ...]]]:
    lines = zip_longest(*cells, fillvalue="")
    return [(label if not place else "", tuple(line)) for place, line in enumerate(lines)]


def _cells(
    estimate: Estimate,
    row: int | None,
    layout: Sequence[Shown],
    stars: Sequence[float],
    style: tuple[float, int, Language],
) -> list[str]:
    level, digits, words = style
    if row is None:
        return [""] * (1 + len(layout))
    p_value = float(estimate.p_values()[row])
    marks = "*" * sum(p_value < limit for limit in stars)
    cells = [words.decimal(float(estimate.values[row]), digits) + marks]
    for kind in layout:
        if kind == "interval":
            low, high = (words.decimal(float(end), digits) for end in estimate.interval(level)[row])
            cells.append(words.span(low, high))
        elif kind == "p_value":
            cells.append(
                "p " + (words.p_value(p_value) if math.isfinite(p_value) else words.decimal(np.nan, 3))
            )
        else:
            error = float(estimate.uncertainty.std_error[row])
            value = error if kind == "std_error" else float(estimate.values[row]) / error if error else np.nan
            shown = words.decimal(value, digits)
            cells.append(f"({shown})" if kind == "std_error" else f"t {shown}")
    return cells


def _foot(estimates: Sequence[Estimate], words: Language, digits: int) -> list[tuple[str, tuple[str, ...]]]:
    def say(key: str) -> str:
        return words.say(f"regression_table.{key}")

    absorbed = list(dict.fromkeys(name for each in estimates for name in each.spec.get("absorb") or ()))
    rows = [
        (
            f"{say('effects')} {name}",
            [say("yes" if name in (e.spec.get("absorb") or ()) else "no") for e in estimates],
        )
        for name in absorbed
    ]
    if any(each.spec.get("weights") for each in estimates):
        rows.append((say("weights"), [str(each.spec.get("weights") or say("no")) for each in estimates]))
    rows.append((say("rows"), [words.integer(each.sample.rows) for each in estimates]))
    for name, read in (
        ("r2", lambda e: e.details.get("r2")),
        ("r2_within", lambda e: e.details.get("r2_within") if e.spec.get("absorb") else None),
        ("r2_adjusted", _adjusted_r2),
        ("first_stage", _first_stage_f),
    ):
        found = [read(each) for each in estimates]
        if any(value is not None for value in found):
            rows.append((say(name), ["" if v is None else words.decimal(float(v), digits) for v in found]))
    rows.append((say("method"), [str(each.spec.get("estimator", "")) for each in estimates]))
    return [(label, tuple(cells)) for label, cells in rows]


def _adjusted_r2(estimate: Estimate) -> float | None:
    r2, fit = estimate.details.get("r2"), estimate.fit
    if r2 is None or fit is None or fit.n <= fit.parameters:
        return None
    return 1.0 - (1.0 - float(r2)) * (fit.n - 1) / (fit.n - fit.parameters)


def _first_stage_f(estimate: Estimate) -> float | None:
    strength = estimate.details.get("strength")
    return strength.get("kleibergen_paap_f") if isinstance(strength, Mapping) else None


def _notes(
    estimates: Sequence[Estimate],
    layout: Sequence[Shown],
    stars: Sequence[float],
    level: float,
    words: Language,
) -> list[str]:
    below = [words.say(f"regression_table.{kind}", level=words.percent(level, 0)) for kind in layout]
    notes = [words.say("regression_table.below", parts=words.listed(below))] if below else []
    methods: dict[str, list[str]] = {}
    for position, each in enumerate(estimates, 1):
        df = each.uncertainty.df
        law = "normal" if math.isinf(df) else f"t({words.decimal(df, 0 if float(df).is_integer() else 1)})"
        methods.setdefault(f"{each.uncertainty.method}; {law}", []).append(f"({position})")
    notes += [
        words.say("regression_table.inference", columns=words.listed(places), method=method)
        for method, places in methods.items()
    ]
    if stars:
        limits = sorted(stars, reverse=True)
        shown = ", ".join(f"{'*' * place} p < {limit:g}" for place, limit in enumerate(limits, 1))
        notes.append(shown.replace(".", ",") if words.code == "es" else shown)
    return notes
