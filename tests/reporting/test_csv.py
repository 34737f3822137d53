"""CSV that a spreadsheet cannot be tricked by, and in which numbers are numbers."""

from __future__ import annotations

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juntos_eval.reporting.csv import csv_text, guarded
from juntos_eval.reporting.report_input import Label
from juntos_eval.reporting.table import Absent, Column, Count, Mark, Number, Row, Span, Table, both

DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1")


def table(*rows: Row) -> Table:
    columns = (
        Column(id="name", header=both("column.what")),
        Column(id="value", header=both("column.estimate"), kind="number"),
        Column(id="conf", header=both("column.estimate"), kind="interval"),
    )
    return Table(columns=columns, rows=rows)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_looks_like_a_formula_is_disarmed(text: str) -> None:
    shown = "'" + text.replace("\r", "\n")
    assert guarded(text) == shown
    made = csv_text(
        table(Row((text, Number(1.0), Absent("missing.few")), group=Label(text, text))), is_synthetic=False
    )
    row = read(made)[0]
    assert row["name"] == shown
    assert row["group"] == shown


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    shown = guarded(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    line = text.replace("\r\n", "\n").replace("\r", "\n")
    assert shown in (line, f"'{line}")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back(text: str) -> None:
    row = read(csv_text(table(Row((text, Number(1.0), Absent("missing.few")))), is_synthetic=False))[0]
    assert row["name"] == guarded(text)


def test_numbers_stay_numbers() -> None:
    span = Span(Number(-0.3), Number(0.25))
    made = csv_text(table(Row(("a", Number(-0.123456789012), span))), is_synthetic=False)
    assert made.splitlines() == ["name,value,conf_low,conf_high,note", "a,-0.12345679,-0.3,0.25,"]


def test_counts_are_whole_and_marks_are_words() -> None:
    made = csv_text(table(Row(("a", Count(40), Mark(passed=False)))), is_synthetic=False)
    assert made.splitlines()[1] == "a,40,failed,failed,"
    whole = csv_text(table(Row(("a", Number(33_000, digits=0), Absent("missing.few")))), is_synthetic=False)
    assert ",33000," in whole.splitlines()[1]


def test_missing_is_empty_with_its_reason_never_zero() -> None:
    rows = (
        Row(("a", Number(math.nan, why="missing.no_error"), Absent("missing.few"))),
        Row(("b", Count(3), Span(Number(math.nan), Number(math.nan)))),
    )
    first, second = read(csv_text(table(*rows), is_synthetic=False))
    assert (first["value"], first["conf_low"], first["conf_high"]) == ("", "", "")
    assert "no standard error is known" in first["note"]
    assert "fewer than 10" in first["note"]
    assert second["value"] == ""
    assert "0" not in (second["value"], second["conf_low"])


def test_synthetic_is_said_in_every_row() -> None:
    made = csv_text(table(Row(("a", Number(1.0), Absent("missing.few")))), is_synthetic=True)
    assert read(made)[0]["data"] == "SYNTHETIC DATA"
    assert (
        "data"
        not in read(csv_text(table(Row(("a", Number(1.0), Absent("missing.few")))), is_synthetic=False))[0]
    )
