"""Tables as LaTeX with booktabs, in either language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from juntos_eval.reporting.language import Language
from juntos_eval.reporting.table import Grid, Shown, Table, grid

__all__ = ["escaped", "latex_text"]

_ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": r"{[}",
    "]": r"{]}",
    "–": "--",
    "—": "---",
    "−": r"$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "Γ": r"$\Gamma$",
    "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}",
    "“": "``",
    "”": "''",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "’": "'",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\n": " ",
    "\r": " ",
    "\t": " ",
}
_TRANSLATION: Final = str.maketrans(_ESCAPES)
#: Longer tables break across pages.
_LONG_ROWS: Final = 40
#: Longer texts are broken into lines; a hash is not.
_LONG_TEXT: Final = 64


def escaped(text: str) -> str:
    r"""Return text that LaTeX sets as it is.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.latex import escaped
    >>> print(escaped(r"50% of \input{x} & $y_1$ − z"))
    50\% of \textbackslash{}input\{x\} \& \$y\_1\$ $-$ z
    """
    return text.translate(_TRANSLATION)


def latex_text(table: Table, words: Language, *, title: str, label: str, is_synthetic: bool) -> str:
    r"""Return a table as LaTeX; the preamble needs booktabs, longtable, array and textcomp.

    Parameters
    ----------
    table : Table
    words : Language
    title : str
    label : str
        For ``\ref``.
    is_synthetic : bool
        Whether the caption says so.

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.latex import latex_text
    >>> from juntos_eval.reporting.language import language
    >>> from juntos_eval.reporting.table import Column, Row, Table, both
    >>> table = Table(columns=(Column(id="a", header=both("column.what")),), rows=(Row(("50%",)),))
    >>> print(latex_text(table, language("en"), title="T", label="t", is_synthetic=True).split(chr(10))[2])
    \caption{T (SYNTHETIC DATA)}\label{tab:t}
    """
    shown = grid(table, words)
    caption = f"{title} ({words.say('word.synthetic')})" if is_synthetic else title
    head = [rf"\caption{{{escaped(caption)}}}\label{{tab:{label}}}"]
    body = [*_header(shown), *_body(shown), r"\bottomrule"]
    notes = list(_notes(shown))
    layout = "".join(_alignments(shown))
    if len(shown.rows) > _LONG_ROWS:
        # longtable wants the end of its caption's line
        opening = [r"\begingroup\small", rf"\begin{{longtable}}{{{layout}}}", head[0] + r"\\"]
        repeated = [*_header(shown), r"\endhead"]
        lines = [*opening, *repeated, *_body(shown), r"\bottomrule", r"\end{longtable}", *notes, r"\endgroup"]
    else:
        opening = [r"\begin{table}[htbp]", r"\centering\small", *head, rf"\begin{{tabular}}{{{layout}}}"]
        lines = [*opening, *body, r"\end{tabular}", *notes, r"\end{table}"]
    return "\n".join(lines) + "\n"


def _alignments(shown: Grid) -> Iterator[str]:
    for place, column in enumerate(shown.columns):
        longest = max((len(row[place].text) for row in shown.rows), default=0)
        if column.kind != "text":
            yield "r"
        elif place and longest > _LONG_TEXT:
            yield r">{\raggedright\arraybackslash}p{0.5\linewidth}"
        else:
            yield "l"


def _header(shown: Grid) -> Iterator[str]:
    yield r"\toprule"
    if any(shown.spanners):
        cells, rules, first = [], [], 1
        for spanner, members in groupby(shown.spanners):
            width = len(list(members))
            if spanner:
                cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(spanner)}}}")
                rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
            else:
                cells += [""] * width
            first += width
        yield " & ".join(cells) + r" \\"
        yield "".join(rules)
    yield " & ".join(escaped(header) for header in shown.headers) + r" \\"
    yield r"\midrule"


def _body(shown: Grid) -> Iterator[str]:
    above = ""
    for number, (cells, group, is_strong) in enumerate(
        zip(shown.rows, shown.groups, shown.strong, strict=True)
    ):
        if group != above:
            if number:
                yield r"\addlinespace"
            yield rf"\multicolumn{{{len(shown.columns)}}}{{l}}{{\textit{{{escaped(group)}}}}} \\"
            above = group
        yield " & ".join(_cell(cell, is_strong=is_strong) for cell in cells) + r" \\"


def _cell(cell: Shown, *, is_strong: bool) -> str:
    text = escaped(cell.text)
    text = rf"\textbf{{{text}}}" if is_strong and text else text
    return text + (rf"\textsuperscript{{{cell.mark}}}" if cell.mark else "")


def _notes(shown: Grid) -> Iterator[str]:
    texts = [rf"\textsuperscript{{{letter}}} {escaped(text)}." for letter, text in shown.footnotes]
    texts += [escaped(note) for note in shown.notes]
    if texts:
        yield r"\par\smallskip\begin{minipage}{0.95\linewidth}\footnotesize"
        yield r"\\ ".join(texts)
        yield r"\end{minipage}"
