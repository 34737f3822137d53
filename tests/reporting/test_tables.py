"""What tables say: numbers of the estimates, a reason for every dash, and no small cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.reporting.csv import csv_text
from juntos_eval.reporting.language import LANGUAGES, language
from juntos_eval.reporting.report_input import Label, ReportInput, Tally
from juntos_eval.reporting.table import Column, Count, Mark, Number, Row, Span, Table, both, grid
from juntos_eval.reporting.tables import (
    balance_table,
    checks_count_table,
    checks_table,
    demonstration_table,
    effects_table,
    files_table,
    headline_table,
    sensitivity_table,
    shares_table,
    tallies_table,
    truth_table,
)
from tests.reporting.simulated import estimate, report_input

MAKERS: list[Callable[[ReportInput], Table]] = [
    files_table,
    tallies_table,
    shares_table,
    headline_table,
    balance_table,
    sensitivity_table,
    checks_table,
    checks_count_table,
    demonstration_table,
    truth_table,
]


@pytest.fixture(scope="module")
def content() -> ReportInput:
    return report_input()


def records(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(table, is_synthetic=True))))


def first_column(table: Table) -> list[str]:
    return [row[0].text for row in grid(table, language("en")).rows]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_dash_has_its_reason(
    maker: Callable[[ReportInput], Table], code: str, content: ReportInput
) -> None:
    shown = grid(maker(content), language(code))
    assert shown.rows
    letters = {letter for letter, _ in shown.footnotes}
    for row in shown.rows:
        for cell in row:
            if cell.text in ("–", "<10"):
                assert cell.mark in letters
            assert "nan" not in cell.text


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_every_row_of_a_synthetic_csv_says_so(
    maker: Callable[[ReportInput], Table], content: ReportInput
) -> None:
    assert {row["data"] for row in records(maker(content))} == {"SYNTHETIC DATA"}


def test_headline_table_holds_the_estimates(content: ReportInput) -> None:
    rows = records(headline_table(content))
    shown = [s for s in content.estimates if s.population == "age_5_13" and s.year == "2025"]
    shown = [s for s in shown if s.study == "child_work"]
    assert [row["record"] for row in rows] == [s.id for s in shown]
    for row, entry in zip(rows, shown, strict=True):
        assert float(row["estimate"]) == pytest.approx(entry.value)
        assert float(row["std_error"]) == pytest.approx(entry.std_error)
        assert (float(row["conf_low"]), float(row["conf_high"])) == pytest.approx(entry.interval)
        assert int(row["n"]) == 12_000
        assert int(row["treated"]) == 900
        assert row["inference"].startswith("survey design")
        assert row["unit"] == "share"
    assert rows[0]["effective_n"] == ""
    assert "not defined without weights or matching" in rows[0]["note"]
    assert float(rows[1]["max_smd_after"]) <= 0.09


def test_headline_row_is_strong_and_effects_are_in_points(content: ReportInput) -> None:
    shown = grid(headline_table(content), language("es"))
    assert shown.strong.count(True) == 1
    assert shown.rows[shown.strong.index(True)][1].text == "−1,2"
    assert shown.rows[0][3].text == "[16,9; 23,1]"


def test_effects_table_has_every_question_of_a_study(content: ReportInput) -> None:
    assert len(effects_table(content, "child_work").rows) == 84
    assert len(effects_table(content, "food_insecurity").rows) == 14
    assert len(effects_table(content, "food_insecurity").notes) == 2


def test_estimates_on_few_are_not_shown(content: ReportInput) -> None:
    few = tuple(
        replace(s, estimate=estimate(0.4321, 0.01, treated=6, rows=300)) if s.id == content.headline else s
        for s in content.estimates
    )
    table = headline_table(replace(content, estimates=few))
    row = next(row for row in records(table) if row["record"] == content.headline)
    assert [row[name] for name in ("estimate", "conf_low", "treated", "n", "effective_n")] == [""] * 5
    assert "fewer than 10" in row["note"]
    text = csv_text(table, is_synthetic=True)
    assert "0.4321" not in text
    cells = [cell.text for cell in grid(table, language("en")).rows[1]]
    assert "<10" in cells
    assert "300" not in cells


def test_counts_hide_what_subtraction_would_reveal(content: ReportInput) -> None:
    rows = records(tallies_table(content))
    dropped = {
        row["what"]: row["count"]
        for row in rows
        if row["year"] == "2024" and row["group"].startswith("Rows left")
    }
    assert dropped == {"no member under 19": "9000", "district unknown": "", "head's age missing": ""}


def test_a_single_small_count_hides_its_complement(content: ReportInput) -> None:
    tallies = tuple(
        Tally(topic="answered", label=Label(name, name), year="2024", count=count)
        for name, count in (("yes", 33_000), ("no", 4))
    )
    made = replace(content, survey=replace(content.survey, tallies=tallies))
    assert [row["count"] for row in records(tallies_table(made))] == ["", ""]


def test_shares_of_few_are_hidden_with_their_complement(content: ReportInput) -> None:
    shares = tuple(
        replace(share, count=5, base=4_010) if share.category == "severe" and share.arm == "juntos" else share
        for share in content.survey.shares
    )
    made = replace(content, survey=replace(content.survey, shares=shares))
    rows = [
        row for row in records(shares_table(made)) if row["arm"] == "with Juntos" and row["year"] == "2025"
    ]
    hidden = {row["category"] for row in rows if row["share"] == ""}
    assert hidden == {"severe", "moderate"}
    assert all(row["conf_low"] == "" for row in rows if row["category"] in hidden)


def test_a_share_near_the_whole_is_hidden_too(content: ReportInput) -> None:
    share = replace(content.survey.shares[0], count=30_995, base=31_000)
    made = replace(content, survey=replace(content.survey, shares=(share,)))
    assert records(shares_table(made))[0]["share"] == ""


def test_checks_are_told_without_few(content: ReportInput) -> None:
    details = [row["detail"] for row in records(checks_table(content))]
    assert "<10 of 900 treated rows off support within a caliper of 0.2" in details
    counts = records(checks_count_table(content))
    assert {row["passed"] for row in counts if row["check"] == "overlap"} == {"14"}
    assert {row["noted"] for row in counts if row["check"] == "score"} == {"14"}


def test_balance_of_the_headline_by_design_largest_first(content: ReportInput) -> None:
    rows = records(balance_table(content))
    assert len(rows) == 6 * 16
    sizes = [abs(float(row["smd_before"])) for row in rows[:16]]
    assert sizes == sorted(sizes, reverse=True)
    assert any("binary covariate" in row["note"] for row in rows)


def test_sensitivity_shows_selected_gammas_and_an_open_end(content: ReportInput) -> None:
    rows = records(sensitivity_table(content))
    assert [row["gamma"] for row in rows[:4]] == ["1.00", "1.50", "2.00", "3.00"]
    assert float(rows[0]["critical_gamma"]) == pytest.approx(1.42)
    main = content.headline_estimate
    assert main.sensitivity is not None
    endless = replace(main, sensitivity=replace(main.sensitivity, critical_gamma=math.inf))
    made = replace(content, estimates=tuple(endless if s is main else s for s in content.estimates))
    cells = [row[3].text for row in grid(sensitivity_table(made), language("en")).rows]
    assert ">3" in cells


def test_demonstration_shows_means_and_difference(content: ReportInput) -> None:
    rows = records(demonstration_table(content))
    assert [row["year"] for row in rows] == ["2024", "2025", "2024", "2025", "2024-2025"]
    assert float(rows[0]["value"]) == pytest.approx(0.31)
    assert float(rows[-1]["value"]) == pytest.approx(-0.015)
    assert "" not in {row["conf_low"] for row in rows}


def test_truth_stands_beside_every_estimate(content: ReportInput) -> None:
    rows = records(truth_table(content))
    assert len(rows) == len(content.estimates)
    for row, shown in zip(rows, sorted(content.estimates, key=lambda s: s.id), strict=False):
        assert row["truth"] != ""
        assert row["covers"] in ("yes", "no")
        assert shown.truth is not None
    for row in rows:
        low, high, truth = (float(row[name]) for name in ("conf_low", "conf_high", "truth"))
        assert row["covers"] == ("yes" if low <= truth <= high else "no")
        assert float(row["error"]) == pytest.approx(float(row["estimate"]) - truth, abs=1e-7)


def test_bare_numbers_are_refused() -> None:
    column = Column(id="n", header=both("column.n"))
    for cell in (3, 3.0, None):
        with pytest.raises(SchemaError, match="does not fit its columns"):
            Table(columns=(column,), rows=(Row((cell,)),))  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="does not fit its columns"):
        Table(columns=(column,), rows=(Row(("a", "b")),))


def test_one_letter_a_reason() -> None:
    columns = tuple(Column(id=name, header=both("column.n"), kind="number") for name in "abc")
    nothing = Number(math.nan, why="missing.no_error")
    rows = (Row((nothing, Count(3), nothing)), Row((Number(0.0), Count(0), Span(nothing, nothing))))
    table = Table(columns=columns, rows=rows)
    shown = grid(table, language("en"))
    assert [cell.mark for row in shown.rows for cell in row] == ["a", "b", "a", "", "", "a"]
    assert [cell.text for cell in shown.rows[1][:2]] == ["0.00", "0"]
    assert [letter for letter, _ in shown.footnotes] == ["a", "b"]


def test_marks_are_words() -> None:
    assert [language("es").say(Mark(passed).key) for passed in (True, False, None)] == [
        "pasa",
        "NO PASA",
        "nota",
    ]
