"""LaTeX in which nothing from the data becomes a command."""

from __future__ import annotations

import re

import pytest

from juntos_eval.reporting.exhibits import EXHIBITS
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.latex import escaped, latex_text
from juntos_eval.reporting.table import Column, Row, Table, both
from tests.reporting.simulated import report_input

COMMANDS = {
    "addlinespace", "begin", "bottomrule", "caption", "centering", "cmidrule", "end", "footnotesize",
    "label", "linewidth", "midrule", "multicolumn", "par", "small", "smallskip", "textbf", "textit",
    "textless", "textbar", "textgreater", "textsuperscript", "toprule", "Gamma", "geq", "leq",
    "textquotesingle",
    "begingroup", "endgroup", "textquotedbl", "raggedright", "arraybackslash", "endhead",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("50% & $x_1$ #2 ~ ^", r"50\% \& \$x\_1\$ \#2 \textasciitilde{} \textasciicircum{}"),
        ("−0,5 – <10 ≥ Γ", r"$-$0,5 -- \textless{}10 $\geq$ $\Gamma$"),
        ("12\u202f000\u00a0%", r"12\,000~\%"),
        ("niñas, «sí»", r"niñas, \guillemotleft{}sí\guillemotright{}"),
        ("a\nb", "a b"),
    ],
)
def test_characters_are_set_as_they_are(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_hostile_cell_is_text() -> None:
    column = Column(id="a", header=both("column.what"))
    table = Table(columns=(column,), rows=(Row((r"\write18{rm -rf x} & \\",)),))
    made = latex_text(table, language("en"), title="t", label="l", is_synthetic=False)
    body = made.split(r"\midrule")[1].split(r"\bottomrule")[0].strip()
    assert body == r"\textbackslash{}write18\{rm -rf x\} \& \textbackslash{}\textbackslash{} \\"


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("exhibit", [e for e in EXHIBITS if e.table], ids=lambda e: e.id)
def test_every_table_is_balanced_and_uses_known_commands(exhibit: object, code: str) -> None:
    table = exhibit.table(report_input())  # type: ignore[attr-defined]
    made = latex_text(table, language(code), title="Title", label="x", is_synthetic=True)
    assert language(code).say("word.synthetic") in made
    assert made.count("{") - made.count(r"\{") == made.count("}") - made.count(r"\}")
    assert re.findall(r"\\begin\{(\w+)\}", made)[::-1] != []
    opened, closed = re.findall(r"\\begin\{(\w+)\}", made), re.findall(r"\\end\{(\w+)\}", made)
    assert sorted(opened) == sorted(closed)
    assert set(re.findall(r"\\([A-Za-z]+)", made)) <= COMMANDS
    columns = sum(not column.is_csv_only for column in table.columns)
    rows = [line for line in made.splitlines() if line.endswith(r" \\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows if "cmidrule" not in line} == {columns - 1}


def test_long_tables_break_across_pages() -> None:
    column = Column(id="a", header=both("column.what"))
    table = Table(columns=(column,), rows=tuple(Row((str(n),)) for n in range(60)))
    made = latex_text(table, language("en"), title="t", label="l", is_synthetic=False)
    assert r"\begin{longtable}" in made
    assert made.index(r"\midrule") < made.index(r"\endhead") < made.index("0 ")


def test_long_texts_are_broken_into_lines() -> None:
    columns = tuple(Column(id=name, header=both("column.what")) for name in ("a", "b"))
    table = Table(columns=columns, rows=(Row(("x", "word " * 40)),))
    made = latex_text(table, language("en"), title="t", label="l", is_synthetic=False)
    assert r"\begin{tabular}{l>{\raggedright\arraybackslash}p{0.5\linewidth}}" in made
