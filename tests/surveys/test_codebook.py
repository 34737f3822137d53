"""The declared tables: consistent with themselves, with the source file, and refused when they are not."""

from __future__ import annotations

import re

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import load_codebook, parse_codebook
from juntos_eval.surveys.source import SURVEYS, load_source

HEADER = "table,name,kind,is_needed,width,unit,label_en,label_es,note,2024,2025\n"
CODES = "table,name,code,value,status,label_es\n"


@pytest.mark.parametrize("survey", SURVEYS)
def test_source_and_codebook_speak_of_the_same_tables(survey: str) -> None:
    codebook, source = load_codebook(survey), load_source(survey)
    assert {column.table for column in codebook.columns} == set(source.tables)
    for table in source.tables.values():
        names = {column.name for column in codebook.columns if column.table == table.name}
        assert set(table.key) <= names
        assert table.weight is None or table.weight in names
        years = {year for c in codebook.columns if c.table == table.name for year in c.raw}
        assert set(table.rows) <= years, "rows of a year without a map"


@pytest.mark.parametrize("survey", SURVEYS)
def test_every_label_and_code_is_complete(survey: str) -> None:
    codebook = load_codebook(survey)
    for column in codebook.columns:
        assert column.label_en, column.name
        assert column.label_es, column.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
    for (_, name), codes in codebook.codes.items():
        assert all(code.value and code.label_es for code in codes), name
        for year in range(2004, 2026):
            held = [code for code in codes if code.holds_in(year)]
            assert len({code.code for code in held}) == len(held), (name, year)


def test_a_label_has_one_code_a_year_but_for_boxes_ticked_with_their_number() -> None:
    codebook = load_codebook("enaho")
    for (table, name), codes in codebook.codes.items():
        for year in range(2004, 2026):
            held = [code.value for code in codes if code.holds_in(year)]
            is_box = table == "health" and (year in (2012, 2013, 2014) or name.startswith("insured"))
            assert is_box or len(set(held)) == len(held), (table, name, year)


def test_the_juntos_item_is_the_one_of_the_year_map() -> None:
    juntos = load_codebook("enaho").column("programmes", "has_juntos")
    assert juntos.raw["2024"] == "p710_04"
    assert juntos.raw["2025"] == "P710$04"
    assert {juntos.raw[year] for year in ("2012", "2013")} == {"p710_03"}
    assert {juntos.raw[str(year)] for year in range(2014, 2025)} == {"p710_04"}
    assert not set(juntos.raw) & {str(year) for year in range(2004, 2012)}


def test_the_transfer_of_module_500_is_juntos_only_where_its_label_says_so() -> None:
    transfer = load_codebook("enaho").column("employment", "juntos_transfer")
    assert {transfer.raw[str(year)].lower() for year in (2006, 2007, 2008)} == {"indjun"}
    assert {name.lower() for year, name in transfer.raw.items() if int(year) >= 2009} == {"p5566a"}
    assert not {"2004", "2005"} & set(transfer.raw)
    assert transfer.undocumented == ("2017",)


def test_what_nobody_documented_raises_when_it_is_needed() -> None:
    codebook = load_codebook("enaho")
    with pytest.raises(SchemaError, match=r"What 2022 calls .* is not documented: .*had_none"):
        codebook.columns_of("health", 2022)
    assert not codebook.maps("health", 2022)
    assert codebook.maps("health", 2023)
    rows = "t,a,text,1,,,A,A,,a,A\nt,b,text,0,,,B,B,,b,?"
    small = parse_codebook("enaho", HEADER + rows, CODES)
    assert [column.name for column in small.columns_of("t", 2025)] == ["a"]


def test_codes_change_their_meaning_with_the_year() -> None:
    codebook = load_codebook("enaho")

    def meaning(table: str, name: str, code: int, year: int) -> str:
        return next(c.value for c in codebook.codes_of(table, name, year) if c.code == code)

    assert [meaning("members", "main_activity", 9, year) for year in (2011, 2012)] == [
        "other",
        "studying_only",
    ]
    assert [meaning("housing", "wall", 4, year) for year in (2006, 2007)] == ["cane_with_mud", "rammed_earth"]
    assert [meaning("housing", "toilet", 3, year) for year in (2011, 2012, 2018)] == [
        "septic_tank",
        "latrine",
        "latrine_treated",
    ]
    assert [meaning("housing", "water_source", 6, year) for year in (2017, 2018)] == [
        "river_or_spring",
        "spring",
    ]


def test_addresses_and_citations() -> None:
    source = load_source("enaho")
    assert source.address("programmes", 2025, "CSV") == (
        "https://proyectos.inei.gob.pe/iinei/srienaho/descarga/CSV/1031-Modulo37.zip"
    )
    assert source.address("food_security", 2025, "CSV") == ""
    assert "2025, módulo 37" in source.cite("programmes", 2025)
    assert load_source("geo").address("districts", None, "CSV") == ""


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("t,a,ket,1,,,A,A,,a,A", "unknown kind 'ket'"),
        ("t,a,key,1,,,A,A,,a,A", "key without width"),
        ("t,a,code,1,,,A,A,,a,A", "has no codes"),
        ("t,a,text,1,,,A,A,,a,A\nt,a,text,1,,,A,A,,b,B", "stands 2 times"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(row: str, problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        parse_codebook("enaho", HEADER + row, CODES)


def test_a_code_twice_is_refused() -> None:
    row = "t,a,code,1,,,A,A,,a,A"
    codes = CODES + "t,a,1,yes,good,si\nt,a,1,no,good,no\n"
    with pytest.raises(SchemaError, match="code 1 twice in one year"):
        parse_codebook("enaho", HEADER + row, codes)


def test_a_needed_column_without_a_raw_name_in_a_mapped_year_is_named() -> None:
    rows = "t,a,text,1,,,A,A,,a,A\nt,b,text,1,,,B,B,,b,"
    codebook = parse_codebook("enaho", HEADER + rows, CODES)
    assert [column.name for column in codebook.columns_of("t", 2024)] == ["a", "b"]
    with pytest.raises(SchemaError, match="no raw name in 2025: b"):
        codebook.columns_of("t", 2025)


def test_adding_a_year_is_adding_a_column() -> None:
    header = HEADER.replace("2025", "2025,2026")
    codebook = parse_codebook("enaho", header + "t,a,text,1,,,A,A,,a,A,A26", CODES)
    assert codebook.years == ("2024", "2025", "2026")
    assert codebook.columns_of("t", 2026)[0].raw["2026"] == "A26"


def test_unknown_surveys_tables_and_columns_are_refused() -> None:
    with pytest.raises(SchemaError, match="no survey 'census'"):
        load_source("census")
    with pytest.raises(SchemaError, match="no table 'income'"):
        load_source("enaho").table("income")
    with pytest.raises(SchemaError, match="no column 'wage'"):
        load_codebook("enaho").column("members", "wage")
