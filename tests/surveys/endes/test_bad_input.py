"""Every fault of a raw file that could give a wrong number gives our own error instead."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.surveys import endes
from juntos_eval.surveys.provenance import CleanTable
from tests.surveys.endes.conftest import YEAR, Change, Damaged

Cleaner = Callable[..., CleanTable]


def put(column: str, value: str, rows: int = 3) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[:rows], column] = value
        return frame

    return change


def drop(*columns: str) -> Change:
    return lambda frame: frame.drop(columns=list(columns))


def moved(column: str) -> Change:
    """Keys of other households, as another year would have."""
    return lambda frame: frame.assign(**{column: "9" + frame[column].str.strip()})


def other_year(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="ID1").assign(HV007="2017")


def of_heads(frame: pd.DataFrame) -> pd.DataFrame:
    """Every child under the line of a head."""
    return frame.assign(HC0="1").drop_duplicates(["HHID", "HC0"])


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(2)])


FAULTS: list[tuple[str, str, Change, Cleaner, str]] = [
    ("weights missing", "RECH0", put("HV005", ""), endes.clean_households, "Weights must be positive"),
    ("weights negative", "RECH0", put("HV005", "-5"), endes.clean_households, "3 negative"),
    ("weights zero", "RECH0", put("HV005", "0", 10**6), endes.clean_households, "0 positive"),
    ("weights text", "RECH0", put("HV005", "1,5"), endes.clean_households, "no numbers"),
    (
        "zero weight of an interviewed household",
        "RECH0",
        put("HV005", "0", 300),
        endes.clean_persons,
        "different years",
    ),
    ("key column gone", "RECH0", drop("HHID"), endes.clean_households, r"hhid \(HHID\)"),
    ("psu missing", "RECH0", put("HV001", ""), endes.clean_households, "missing or no whole numbers"),
    ("stratum missing", "RECH0", put("HV022", ""), endes.clean_households, "missing or no whole numbers"),
    ("index of a birth missing", "REC21", put("BIDX", "", 1), endes.clean_births, "key is missing"),
    ("household without a key", "RECH0", put("HHID", "", 2), endes.clean_households, "key is missing"),
    ("woman without a key", "REC84DV", put("CASEID", " ", 2), endes.clean_violence, "key is missing"),
    ("psu gone", "RECH0", drop("HV001"), endes.clean_households, r"psu \(HV001\)"),
    ("household twice", "RECH0", twice, endes.clean_households, "stand in more than one row"),
    ("dwelling twice", "RECH23", twice, endes.clean_households, "stand in more than one row"),
    ("unknown region", "RECH0", put("HV024", "26"), endes.clean_households, "codes are unknown: 26"),
    ("unknown area", "RECH0", put("HV025", "3"), endes.clean_households, "codes are unknown: 3"),
    ("unknown wealth", "RECH23", put("HV270", "7"), endes.clean_households, "codes are unknown: 7"),
    (
        "unknown Juntos answer",
        "Programas Sociales x Hogar",
        put("QH95", "5"),
        endes.clean_households,
        "unknown: 5",
    ),
    ("other year by ID1", "RECH0", put("ID1", "2017", 10**6), endes.clean_households, "not of 2018"),
    ("other year by HV007", "RECH0", other_year, endes.clean_households, "interviews are of 2017"),
    (
        "dwellings of another year",
        "RECH23",
        moved("HHID"),
        endes.clean_households,
        "different years or issues",
    ),
    (
        "programmes of another year",
        "Programas Sociales x Hogar",
        moved("HHID"),
        endes.clean_households,
        "different years or issues",
    ),
    ("persons of another year", "RECH1", moved("HHID"), endes.clean_persons, "different years or issues"),
    ("person twice", "RECH1", twice, endes.clean_persons, "stand in more than one row"),
    ("line zero", "RECH1", put("HVIDX", "0", 1), endes.clean_persons, "no whole number from 1 to 99"),
    (
        "line with a decimal",
        "RECH1",
        put("HVIDX", "1.5", 1),
        endes.clean_persons,
        "no whole number from 1 to 99",
    ),
    ("unknown relation", "RECH1", put("HV101", "77"), endes.clean_persons, "codes are unknown: 77"),
    ("impossible age", "RECH1", put("HV105", "-1"), endes.clean_persons, "age_years is not at least 0"),
    ("child twice", "RECH6", twice, endes.clean_children, "stand in more than one row"),
    ("children of another year", "RECH6", moved("HHID"), endes.clean_children, "different years or issues"),
    ("lines of adults", "RECH6", of_heads, endes.clean_children, "over six in RECH1"),
    (
        "no scores and no measures",
        "RECH6",
        drop("HC70", "HC3"),
        endes.clean_children,
        "neither scores of INEI",
    ),
    (
        "flag that nobody documents",
        "RECH6",
        put("HC70", "9991"),
        endes.clean_children,
        "flags that nobody documents: 9991",
    ),
    ("unknown anaemia", "RECH6", put("HC57", "6"), endes.clean_children, "codes are unknown: 6"),
    ("woman twice", "REC0111", twice, endes.clean_women, "stand in more than one row"),
    (
        "cut CASEID",
        "REC0111",
        lambda frame: frame.assign(CASEID=frame["CASEID"] + "x"),
        endes.clean_women,
        "no line number",
    ),
    (
        "woman of impossible age",
        "REC0111",
        put("V012", "77"),
        endes.clean_women,
        "age_years is not at most 49",
    ),
    ("union twice", "RE516171", twice, endes.clean_women, "stand in more than one row"),
    ("unions of another year", "RE516171", moved("CASEID"), endes.clean_women, "different years or issues"),
    ("unknown selection", "REC0111", put("V044", "4"), endes.clean_women, "codes are unknown: 4"),
    ("birth twice", "REC21", twice, endes.clean_births, "stand in more than one row"),
    ("births of other women", "REC21", moved("CASEID"), endes.clean_births, "different years or issues"),
    (
        "prenatal care of other births",
        "REC41",
        moved("CASEID"),
        endes.clean_births,
        "different years or issues",
    ),
    (
        "birth after the interview",
        "REC21",
        put("B2", "2030"),
        endes.clean_births,
        "months_ago is not at least 0",
    ),
    ("act gone", "REC84DV", drop("D105A"), endes.clean_violence, r"physical_a \(D105A\)"),
    ("unknown answer to an act", "REC84DV", put("D105C", "6"), endes.clean_violence, "codes are unknown: 6"),
    ("violence twice", "REC84DV", twice, endes.clean_violence, "stand in more than one row"),
    (
        "violence of another year",
        "REC84DV",
        moved("CASEID"),
        endes.clean_violence,
        "different years or issues",
    ),
    ("negative weight of the module", "REC84DV", put("D005", "-3"), endes.clean_violence, "3 negative"),
]


@pytest.mark.parametrize(
    ("stem", "change", "clean", "message"),
    [fault[1:] for fault in FAULTS],
    ids=[fault[0] for fault in FAULTS],
)
def test_a_fault_is_told(damaged: Damaged, stem: str, change: Change, clean: Cleaner, message: str) -> None:
    damaged.change(stem, change)
    with pytest.raises(SchemaError, match=message):
        clean(damaged.raw, YEAR)


@pytest.mark.parametrize(
    ("stem", "clean"),
    [
        ("RECH0", endes.clean_households),
        ("RECH23", endes.clean_households),
        ("RECH1", endes.clean_persons),
        ("RECH6", endes.clean_children),
        ("REC0111", endes.clean_women),
        ("REC84DV", endes.clean_violence),
    ],
)
def test_a_missing_file_is_told(damaged: Damaged, stem: str, clean: Cleaner) -> None:
    damaged.path(stem).unlink()
    with pytest.raises(SourceError, match=r"file of endes 2018 is missing.*put "):
        clean(damaged.raw, YEAR)


def test_a_web_page_under_the_name_of_data_is_told(damaged: Damaged) -> None:
    damaged.path("RECH6").write_text("<!DOCTYPE html><html></html>", encoding="utf-8")
    with pytest.raises(SourceError, match="web page"):
        endes.clean_children(damaged.raw, YEAR)


def test_files_without_a_survivor_of_the_join_are_counted(damaged: Damaged) -> None:
    """One child in several hundred without a person is dropped and told; more is an error."""
    damaged.change("RECH6", put("HC0", "24", 1))
    children = endes.clean_children(damaged.raw, YEAR)
    assert dict(children.provenance.dropped) == {"no person of this key in an interviewed household": 1}
    assert len(children.frame) == children.provenance.rows_in - 1


def test_without_the_files_of_women_violence_says_by_which_rule_it_counts(damaged: Damaged) -> None:
    for stem in ("REC0111", "RE516171"):
        damaged.path(stem).unlink()
    table = endes.clean_violence(damaged.raw, YEAR)
    assert str(table.provenance.details["sample"]).startswith("whoever answered")
    assert (table.frame["is_in_sample"] == table.frame["has_answered"]).all()
    assert table.provenance.details["weight"] == "violence_weight"


def test_without_programmes_juntos_is_missing_and_never_false(damaged: Damaged) -> None:
    damaged.path("Programas Sociales x Hogar").unlink()
    homes = endes.clean_households(damaged.raw, YEAR)
    assert homes.frame["has_juntos"].isna().all()
    assert homes.frame["juntos_months"].isna().all()
    assert "no file of social programmes" in str(homes.provenance.details["juntos"])


def test_keys_that_lost_their_spaces_are_the_same_keys(damaged: Damaged) -> None:
    before = endes.clean_women(damaged.raw, YEAR).frame
    damaged.change("REC0111", lambda frame: frame.assign(CASEID=frame["CASEID"].str.strip()))
    pd.testing.assert_frame_equal(endes.clean_women(damaged.raw, YEAR).frame, before)


@pytest.mark.parametrize("year", [2016, 2013, 2025])
def test_programmes_of_undocumented_years_are_refused(damaged: Damaged, year: int) -> None:
    from juntos_eval.surveys.harmonise import open_table

    with pytest.raises(SchemaError, match=r"not documented|has no map"):
        open_table(damaged.raw, survey="endes", table="programmes", year=year)


def test_summaries_of_inei_that_disagree_with_the_acts_are_counted(damaged: Damaged) -> None:
    sound = endes.clean_violence(damaged.raw, YEAR).provenance.notes
    note = "has_sexual_violence_ever: INEI's summary says otherwise"
    assert note not in sound

    def turn(frame: pd.DataFrame) -> pd.DataFrame:
        answered = frame.index[frame["D108"].ne("")][:5]
        frame.loc[answered, "D108"] = frame.loc[answered, "D108"].map({"0": "1", "1": "0"})
        return frame

    damaged.change("REC84DV", turn)
    assert endes.clean_violence(damaged.raw, YEAR).provenance.notes[note] == 5


def test_files_may_hold_women_who_were_not_interviewed_to_the_end(damaged: Damaged) -> None:
    """REC0111, REC21 and RE223132 list women whose interview has no weight: dropped and counted, no error."""
    before = endes.clean_women(damaged.raw, YEAR)
    births = endes.clean_births(damaged.raw, YEAR)

    def without_weight(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.index[frame["V005"].ne("0")][:200]
        frame.loc[rows[:100], "V005"] = "0"
        frame.loc[rows[100:], ["V005", "V106", "V190"]] = ""
        return frame

    damaged.change("REC0111", without_weight)
    women = endes.clean_women(damaged.raw, YEAR)
    assert len(women.frame) == len(before.frame) - 200
    after = endes.clean_births(damaged.raw, YEAR)
    assert len(after.frame) + sum(after.provenance.dropped.values()) == after.provenance.rows_in
    assert len(after.frame) < len(births.frame)
