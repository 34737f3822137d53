"""Juntos by each source and the agreement of sources; exposure from tables of entry dates."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho.exposure import district_entries, district_exposure
from juntos_eval.surveys.enaho.juntos_status import cross_check, juntos_sources, juntos_status


def test_each_source_covers_the_years_whose_raw_name_is_mapped() -> None:
    codebook = load_codebook("enaho")
    raw_names = {"received_juntos": "juntos_transfer"}
    for (table, column), rows in juntos_sources().groupby(["table", "column"]):
        mapped = codebook.column(str(table), raw_names.get(str(column), str(column)))
        spans = rows[["first_year", "last_year"]].to_numpy(dtype=int).tolist()
        covered = {year for first, last in spans for year in range(first, last + 1)}
        assert covered == {int(year) for year in (*mapped.raw, *mapped.undocumented)}, table


@pytest.mark.parametrize(
    ("year", "sources"),
    [
        (2004, []),
        (2005, []),
        (2006, ["income", "transfer"]),
        (2009, ["income", "transfer"]),
        (2012, ["income", "transfer", "item"]),
        (2021, ["income", "income_with_records", "transfer", "item"]),
    ],
)
def test_sources_of_a_year(year: int, sources: list[str]) -> None:
    assert juntos_sources(year)["source"].tolist() == sources


def test_the_reference_period_of_the_item_changes() -> None:
    item = juntos_sources().query("source == 'item'").set_index("first_year")["period_en"]
    assert item.loc[2014] == "last three months"
    assert item.loc[2020] == "last three years"


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    income = pd.DataFrame({"household_id": list("abcd"), "has_juntos_income": [True, False, None, False]})
    people = pd.DataFrame(
        {"household_id": list("aabcee"), "received_juntos": [False, True, False, None, None, False]}
    )
    item = pd.DataFrame({"household_id": list("abcd"), "has_juntos": [True, True, True, None]})
    return {
        "sumaria": income.astype({"has_juntos_income": "boolean"}),
        "employment": people.astype({"received_juntos": "boolean"}),
        "programmes": item.astype({"has_juntos": "boolean"}),
    }


def test_status_takes_any_member_and_prefers_income(tables: dict[str, pd.DataFrame]) -> None:
    made = juntos_status(2018, **tables).set_index("household_id")
    assert made["by_transfer"].tolist() == [True, False, pd.NA, pd.NA, False]
    assert made["juntos_source"].tolist() == ["income", "income", "item", "income", "transfer"]
    assert made["has_juntos"].tolist() == [True, False, True, False, False]


def test_cross_check_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    checked = cross_check(juntos_status(2018, **tables)).set_index(["first", "second"])
    row = {name: checked[name].loc["income", "item"] for name in checked}
    assert row["households"] == 2
    assert (row["share_first"], row["share_second"], row["both"]) == (0.5, 1.0, 0.5)
    assert (row["only_first"], row["only_second"], row["agreement"]) == (0, 0.5, 0.5)
    assert row["kappa"] == pytest.approx(0)
    weights = pd.Series({"a": 3.0, "b": 1.0})
    weighted = cross_check(juntos_status(2018, **tables), weights).set_index(["first", "second"])
    assert weighted.loc[("income", "item"), "agreement"] == 0.75


def test_a_source_is_refused_in_a_year_in_which_it_says_something_else(
    tables: dict[str, pd.DataFrame],
) -> None:
    with pytest.raises(SchemaError, match="2008 has no Juntos source in item"):
        juntos_status(2008, programmes=tables["programmes"])
    with pytest.raises(SchemaError, match="2005 has no Juntos source in transfer"):
        juntos_status(2005, employment=tables["employment"])
    with pytest.raises(SchemaError, match="No table was given"):
        juntos_status(2018)
    with pytest.raises(SchemaError, match="1 households stand twice"):
        juntos_status(2018, sumaria=pd.concat([tables["sumaria"], tables["sumaria"].iloc[:1]]))


HOMES = pd.DataFrame(
    {
        "ubigeo": ["050202", "050202", "050114", "100101", "150101", None],
        "year": [2005, 2007, 2006, 2013, 2010, 2010],
        "month": [3, 3, 6, 1, 5, 5],
    }
)
ROLLOUT = pd.DataFrame(
    {
        "ubigeo": ["050202", "050114", "100101", None],
        "basis": ["incorporation", "incorporation", "presence", "presence"],
        "date": ["2005-09", "2005", "2012-06", "2012"],
        "not_before": [None, None, None, None],
    }
)


def test_exposure_by_hand() -> None:
    made = district_exposure(HOMES, ROLLOUT)
    assert made["months_of_exposure"].tolist()[:2] == [0, 18]
    # the year 2005 alone: from September (the programme's first month) or from December
    bounds = made[["months_least", "months_most"]].to_numpy()
    assert bounds[2].tolist() == [6, 9]
    assert made["months_of_exposure"].isna()[2]
    assert bounds[3].tolist() == [7, 88]
    assert made["is_exposed"].tolist() == [False, True, True, True, pd.NA, pd.NA]
    assert made["exposure_basis"].tolist() == ["month", "month", "year", "presence", "unknown", "unknown"]


def test_a_presence_later_than_the_interview_decides_nothing() -> None:
    homes = HOMES.iloc[[3]].assign(year=2010)
    made = district_exposure(homes, ROLLOUT)
    assert made["is_exposed"].isna().all()
    assert made[["months_least", "months_most"]].to_numpy().tolist() == [[0, 52]]


def test_dated_entries_win_over_presence_and_the_earliest_over_later_ones() -> None:
    rows = pd.DataFrame(
        {
            "ubigeo": ["010101"] * 3,
            "basis": ["presence", "incorporation", "incorporation"],
            "date": ["2012-01", "2011-10", "2013"],
            "not_before": [None] * 3,
        }
    )
    made = district_entries(rows).iloc[0]
    assert (made["entry_earliest"], made["entry_latest"], made["entry_basis"]) == (24141, 24141, "month")


@pytest.mark.parametrize(
    ("rollout", "message"),
    [
        ({"ubigeo": ["10101"], "entry_month": ["2007-01"]}, "six digits"),
        ({"ubigeo": ["010101"], "entry_month": ["spring"]}, "neither a month nor a year"),
        ({"ubigeo": ["010101"], "entry_month": ["2007-13"]}, "neither a month nor a year"),
        ({"ubigeo": ["010101"]}, "lacks basis, date"),
        ({"ubigeo": ["010101"], "basis": ["rumour"], "date": ["2007"]}, "not rumour"),
    ],
)
def test_tables_that_date_nothing_are_refused(rollout: dict[str, list[str]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        district_exposure(HOMES, pd.DataFrame(rollout))


def test_missing_columns_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="The rows lack month"):
        district_exposure(HOMES.drop(columns="month"), ROLLOUT)
    with pytest.raises(SchemaError, match="There is no rollout table"):
        district_exposure(HOMES, tmp_path / "rollout.csv")


def test_the_rollout_of_the_evidence_is_read_as_it_stands(shared_data: Path) -> None:
    path = shared_data.parent / "evidence" / "programme" / "rollout.csv"
    if not path.is_file():
        pytest.skip(f"no rollout table at {path}")
    entries = district_entries(path)
    assert entries["entry_basis"].value_counts().to_dict() == {"presence": 58, "month": 14, "year": 1}
    # seen covered in 2012 or later: whether before an interview of 2013, nobody knows
    huanuco = district_exposure(HOMES.iloc[[3]].assign(ubigeo="100201"), path)
    assert huanuco[["months_least", "months_most"]].to_numpy().tolist() == [[0, 88]]
    assert huanuco["is_exposed"].isna().all()
    made = district_exposure(HOMES, path)
    assert made["months_of_exposure"].tolist()[:2] == [0, 18]
