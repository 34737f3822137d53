"""Tables in HTML: escaped, with headers that a screen reader can follow."""

from __future__ import annotations

import re

import pytest

from juntos_eval.reporting.exhibits import EXHIBITS, Exhibit
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.markup import html_table
from juntos_eval.reporting.report_input import Label
from juntos_eval.reporting.table import Column, Count, Row, Table
from tests.reporting.simulated import report_input

HOSTILE = "<script>alert(1)</script>"


def test_nothing_from_the_data_becomes_markup() -> None:
    label = Label(HOSTILE, HOSTILE)
    columns = (
        Column(id="a", header=label, spanner=label),
        Column(id="b", header=label, spanner=label),
    )
    table = Table(
        columns=columns, rows=(Row((HOSTILE, label), group=label, is_strong=True), Row(("<b>", "&amp;")))
    )
    made = html_table(table, language("en"), name="x")
    assert "<script" not in made
    assert made.count("&lt;script&gt;") >= 5
    assert "<b>" not in made
    assert "&amp;amp;" in made


def test_footnotes_and_strength_are_markup() -> None:
    columns = (Column(id="a", header=Label("a", "a")), Column(id="n", header=Label("n", "n"), kind="number"))
    made = html_table(
        Table(columns=columns, rows=(Row(("x", Count(3)), is_strong=True),)), language("en"), name="x"
    )
    assert "<strong>&lt;10</strong><sup>a</sup>" in made
    assert not re.search("[\ue000-\uf8ff]", made)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("exhibit", [e for e in EXHIBITS if e.table], ids=lambda e: e.id)
def test_every_table_has_scoped_headers_and_own_ids(exhibit: Exhibit, code: str) -> None:
    assert exhibit.table is not None
    made = html_table(exhibit.table(report_input()), language(code), name=exhibit.id)
    assert made.startswith("<table")
    assert "<style" not in made
    assert all("scope=" in header for header in re.findall(r"<th [^>]*>", made))
    ids = re.findall(r'\bid="([^"]+)"', made)
    assert len(ids) == len(set(ids))
    for headers in re.findall(r'headers="([^"]*)"', made):
        assert set(headers.split()) <= set(ids)
