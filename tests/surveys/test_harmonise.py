"""Names, codes, keys and weights: what the declared tables do not name raises, with a count and no record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.surveys.codebook import Code
from juntos_eval.surveys.convert import as_codes, as_key, as_number
from juntos_eval.surveys.harmonise import Harmonised, has_table, open_table
from tests.surveys.invented import YEAR, RawSurvey


def opened(survey: RawSurvey, folder: Path, table: str = "programmes") -> Harmonised:
    return open_table(survey.write(folder), survey="enaho", table=table, year=survey.year)


@pytest.mark.parametrize("name", ["aÑo", "AÑO", "a—o", "A\ufffdO", "AÃ\u2018O", "año"])
def test_mangled_year_column_is_found(name: str, survey: RawSurvey, tmp_path: Path) -> None:
    survey.encoding = "utf-8"
    survey.programmes = survey.programmes.rename(columns={YEAR: name})
    assert opened(survey, tmp_path).frame["year"].eq(2025).all()


def test_two_columns_that_could_be_the_year_are_refused(survey: RawSurvey, tmp_path: Path) -> None:
    survey.encoding = "utf-8"
    survey.programmes = survey.programmes.rename(columns={YEAR: "a—o"}).assign(apo="1")
    with pytest.raises(SchemaError, match="2 columns could be year"):
        opened(survey, tmp_path)


def test_dollar_is_underscore_and_case_is_free(survey: RawSurvey, tmp_path: Path) -> None:
    expected = opened(survey, tmp_path / "a").frame
    survey.programmes = survey.programmes.rename(columns={"P710$04": "p710_04", "FACTOR07": "Factor07"})
    pd.testing.assert_frame_equal(opened(survey, tmp_path / "b").frame, expected)


def test_unmapped_needed_column_is_named(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes = survey.programmes.rename(columns={"P710$04": "P710$99"})
    with pytest.raises(SchemaError, match=r"1 needed columns are not in the file: has_juntos \(P710\$04\)"):
        opened(survey, tmp_path)


def test_a_column_that_is_not_needed_may_be_absent(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes = survey.programmes.drop(columns="P710$05")
    assert "has_pension65" not in opened(survey, tmp_path).frame


def test_unknown_code_is_named_with_its_count(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members.loc[[0, 1, 2], "P203"] = "17"
    with pytest.raises(SchemaError, match=r"17 \(3 rows\).*column P203, 3 rows.*codes\.csv"):
        opened(survey, tmp_path, "members")


def test_year_without_a_map_is_refused_before_any_file_is_read(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    with pytest.raises(SchemaError, match=r"The year 2003 has no map of columns.*mapped years: 2004, 2005"):
        open_table(raw, survey="enaho", table="members", year=2003)
    with pytest.raises(SchemaError, match="mapped years: 2025"):
        open_table(raw, survey="enaho", table="food_security", year=2024)


def test_file_of_another_year_is_refused(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members[YEAR] = "2023"
    with pytest.raises(SchemaError, match="not of 2025: its year column says 2023"):
        opened(survey, tmp_path, "members")


def test_duplicate_household_keys_are_counted_and_not_shown(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes = pd.concat([survey.programmes, survey.programmes.head(2)])
    with pytest.raises(SchemaError, match=r"2 keys stand in more than one row.*4 rows") as caught:
        opened(survey, tmp_path)
    assert "15000" not in str(caught.value)


def test_duplicate_person_keys_are_counted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members = pd.concat([survey.members, survey.members.iloc[[4]]])
    with pytest.raises(SchemaError, match=r"1 keys .*codperso.* 2 rows"):
        opened(survey, tmp_path, "members")


@pytest.mark.parametrize(("value", "problem"), [("", "missing"), ("-3.5", "negative"), ("0", "zero")])
def test_weights_that_are_not_positive_are_counted(
    value: str, problem: str, survey: RawSurvey, tmp_path: Path
) -> None:
    survey.programmes.loc[[3, 7], "FACTOR07"] = value
    with pytest.raises(SchemaError, match=rf"2 {problem} \[.*column FACTOR07, 2 rows"):
        opened(survey, tmp_path)


def test_keys_without_leading_zeros_are_restored_and_counted(survey: RawSurvey, tmp_path: Path) -> None:
    expected = opened(survey, tmp_path / "a").frame
    for name in ("CONGLOME", "VIVIENDA", "UBIGEO"):
        survey.programmes[name] = survey.programmes[name].str.lstrip("0")
    found = opened(survey, tmp_path / "b")
    pd.testing.assert_frame_equal(found.frame, expected)
    assert found.notes["conglome: leading zeros restored"] == 60
    assert found.notes["vivienda: leading zeros restored"] == 60


def test_keys_too_wide_are_counted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes.loc[[0, 5], "UBIGEO"] = "0101010"
    with pytest.raises(SchemaError, match=r"up to 7 characters, declared are 6.*column UBIGEO, 2 rows"):
        opened(survey, tmp_path)


def test_missing_and_odd_keys_are_counted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes.loc[[0], "HOGAR"] = ""
    with pytest.raises(SchemaError, match=r"A key is missing.*column HOGAR, 1 rows"):
        opened(survey, tmp_path / "a")
    survey.programmes.loc[[0], "HOGAR"] = "1A"
    with pytest.raises(SchemaError, match=r"other than digits.*column HOGAR, 1 rows"):
        opened(survey, tmp_path / "b")


def test_text_in_a_number_is_counted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members.loc[[0, 1], "P208A"] = "forty"
    with pytest.raises(SchemaError, match=r"no numbers.*column P208A, 2 rows"):
        opened(survey, tmp_path, "members")


def test_answers_that_are_no_answers_are_missing_and_counted(survey: RawSurvey, tmp_path: Path) -> None:
    found = opened(survey, tmp_path, "food_security")
    assert found.notes["fies_3: do_not_know"] == 1
    assert found.notes["fies_7: refused"] == 1
    assert found.frame["fies_3"].isna().sum() == 2


def test_rows_beyond_those_of_the_issue_seen_are_noted(
    make_survey: Callable[..., RawSurvey], tmp_path: Path
) -> None:
    survey = make_survey()
    survey.is_synthetic = False
    raw = survey.write(tmp_path)
    with pytest.raises(SourceError, match="half-copied: 60 rows, expected 33,702"):
        open_table(raw, survey="enaho", table="programmes", year=2025)
    (tmp_path / "manifest.toml").write_text(
        '[files."enaho/2025/Enaho01-2025-700.csv"]\nrows = 58\n', encoding="utf-8"
    )
    found = open_table(type(raw).at(tmp_path), survey="enaho", table="programmes", year=2025)
    assert found.notes["rows beyond those of the issue seen"] == 2
    assert not found.is_synthetic


def test_rows_without_a_key_are_dropped_where_the_publisher_has_such(
    survey: RawSurvey, tmp_path: Path
) -> None:
    found = open_table(survey.write(tmp_path), survey="geo", table="districts", year=None)
    assert len(found.frame) == 5
    assert found.provenance(survey="geo", year=None).dropped == {"rows without a key": 1}


def test_has_table_says_what_is_mapped_and_there(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    assert has_table(raw, survey="enaho", table="dwellings", year=2025)
    assert not has_table(raw, survey="enaho", table="dwellings", year=2024)
    assert not has_table(raw, survey="enaho", table="members", year=2024)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 999_999), min_size=1, max_size=20))
def test_a_key_is_the_same_as_number_float_or_text(numbers: list[int]) -> None:
    expected = [f"{number:06d}" for number in numbers]
    forms = (numbers, [float(number) for number in numbers], [str(number) for number in numbers], expected)
    for form in forms:
        key, _ = as_key(pd.Series(form), width=6, where="x")
        assert key.tolist() == expected


@settings(max_examples=40)
@given(st.lists(st.sampled_from([1, 2, 3, None]), min_size=1, max_size=20))
def test_a_code_is_the_same_as_number_or_text(answers: list[int | None]) -> None:
    codes = tuple(
        Code(code=code, value=value, is_missing=value == "refused", label_es="")
        for code, value in ((1, "yes"), (2, "no"), (3, "refused"))
    )
    names = {1: "yes", 2: "no"}
    expected = [names.get(answer) if answer else None for answer in answers]
    forms = (
        pd.Series(answers, dtype="float64"),
        pd.Series([f"0{answer}" if answer else " " for answer in answers], dtype="str"),
    )
    for form in forms:
        labels, set_missing = as_codes(form, codes, where="x")
        assert [None if pd.isna(label) else label for label in labels] == expected
        assert set_missing.get("refused", 0) == answers.count(3)


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(SchemaError, match="no numbers"):
        as_number(pd.Series([1.0, np.inf]), where="x")
