"""From raw files to ENAHO's clean tables, on an invented survey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, SchemaError, SourceError
from juntos_eval.numerics.rasch import fit_rasch
from juntos_eval.surveys.enaho import (
    clean_districts,
    clean_dwellings,
    clean_food_security,
    clean_members,
    clean_programmes,
)
from tests.surveys.invented import RawSurvey, as_stata


def test_members_drop_former_panel_members_and_count_them(survey: RawSurvey, tmp_path: Path) -> None:
    made = clean_members(survey.write(tmp_path), 2025)
    panel = int((survey.members["P203"] == "0").sum())
    assert panel == 20
    assert made.provenance.dropped == {"former panel member, not in the household now": panel}
    assert made.provenance.rows_in == len(survey.members)
    assert len(made.frame) == len(survey.members) - panel
    assert made.frame["is_member"].sum() == 240
    assert not made.frame.loc[made.frame["relation"] == "domestic_worker", "is_member"].any()


def test_child_work_of_members_follows_the_raw_answers(survey: RawSurvey, tmp_path: Path) -> None:
    frame = clean_members(survey.write(tmp_path), 2025).frame
    listed = survey.members[survey.members["P203"] != "0"]
    works = listed["P210"].eq("1") | listed["T211"].isin(list("1234567"))
    asked = listed["P210"].ne("")
    np.testing.assert_array_equal(frame["is_working_child"].notna(), asked)
    np.testing.assert_array_equal(frame["is_working_child"].dropna().astype(bool), works[asked])
    assert frame["is_doing_housework_only"].sum() == listed["T211"].eq("8").sum() > 0


def test_a_stata_file_and_a_csv_file_of_the_same_answers_give_the_same_table(
    survey: RawSurvey, tmp_path: Path
) -> None:
    from_csv = survey.write(tmp_path / "csv")
    folder = tmp_path / "dta" / "enaho" / "2025"
    folder.mkdir(parents=True)
    (tmp_path / "dta" / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    for name, module in (("members", 200), ("programmes", 700)):
        as_stata(getattr(survey, name)).to_stata(
            folder / f"enaho01-2025-{module}.dta", write_index=False, version=118
        )
    from_stata = type(from_csv).at(tmp_path / "dta")
    for cleaner in (clean_members, clean_programmes):
        pd.testing.assert_frame_equal(cleaner(from_csv, 2025).frame, cleaner(from_stata, 2025).frame)


def test_programmes_keep_households_that_did_not_answer(survey: RawSurvey, tmp_path: Path) -> None:
    frame = clean_programmes(survey.write(tmp_path), 2025).frame
    assert len(frame) == 60
    assert (~frame["has_answered_programmes"]).sum() == 6
    assert frame.loc[~frame["has_answered_programmes"], "has_juntos"].isna().all()
    assert frame["has_juntos"].sum() == (survey.programmes["P710$04"] == "1").sum()
    assert frame["has_school_meals"].dropna().all()
    assert frame["psu"].equals(frame["conglome"])


@pytest.mark.parametrize("year", [2024, 2025])
def test_a_file_in_which_nobody_has_juntos_is_refused(
    make_survey: Callable[..., RawSurvey], tmp_path: Path, year: int
) -> None:
    survey = make_survey(year)
    answers = survey.programmes["P710$04"]
    survey.programmes["P710$04"] = answers.where(answers != "1", "0")
    raw = survey.write(tmp_path)
    with pytest.raises(SchemaError, match=r"P710\$04|p710_04") as error:
        clean_programmes(raw, year)
    assert f"0 yes of {(answers != '').sum()} answers in {len(answers)} rows" in str(error.value)
    assert survey.files["programmes"].name in str(error.value)


def test_a_programme_that_a_year_lacks_is_missing(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes = survey.programmes.drop(columns=["P710$05", "P701$03", "P701$04"])
    frame = clean_programmes(survey.write(tmp_path), 2025).frame
    assert frame["has_pension65"].isna().all()
    assert frame["has_school_meals"].isna().all()


def test_food_security_is_the_rasch_scale_of_the_answers(survey: RawSurvey, tmp_path: Path) -> None:
    made = clean_food_security(survey.write(tmp_path), 2025)
    answers = survey.food_security[[f"P130_{item}" for item in range(1, 9)]]
    values = answers.replace({"1": 1.0, "2": 0.0, "3": np.nan, "4": np.nan, "": np.nan}).astype(float)
    weights = np.asarray(survey.food_security["FACTOR07"], dtype=np.float64)
    scale = fit_rasch(values.to_numpy(), weights)
    assert made.provenance.details["fies_scale"]["severities"] == scale.severities.tolist()
    scores = values.sum(axis=1, skipna=False)
    np.testing.assert_array_equal(made.frame["fies_raw_score"], scores)
    for row, score in enumerate(scores):
        parameter = made.frame["fies_parameter"].iloc[row]
        assert np.isnan(parameter) if np.isnan(score) else parameter == scale.person_parameters[int(score)]
    assert made.frame["fies_category"].isna().sum() == scores.isna().sum() == 3
    assert made.provenance.notes["households where nobody answered the eight questions"] == 1
    assert made.provenance.notes["households with some but not all answers"] == 2


def test_food_security_that_does_not_vary_has_no_scale(survey: RawSurvey, tmp_path: Path) -> None:
    survey.food_security["P130_8"] = "2"
    with pytest.raises(DesignError, match="Items 8 were affirmed by all or by none"):
        clean_food_security(survey.write(tmp_path), 2025)


def test_dwellings_without_leading_zeros_match_their_households(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    made = clean_dwellings(raw, 2025)
    households = clean_programmes(raw, 2025).frame["household_id"]
    assert len(made.frame) == 55
    assert made.frame["household_id"].isin(households).all()
    assert made.provenance.notes["conglome: leading zeros restored"] == 55
    assert made.frame["has_sewer"].tolist()[:2] == [True, False]
    assert made.frame["has_piped_water"].all()
    pd.testing.assert_series_equal(made.frame["is_overcrowded"], made.frame["nbi_2"], check_names=False)
    assert set(made.frame["wall"]) == {"adobe"}


def test_districts_hold_shares_and_drop_the_row_without_code(survey: RawSurvey, tmp_path: Path) -> None:
    made = clean_districts(survey.write(tmp_path))
    assert made.frame["poverty_rate"].eq(0.25).all()
    assert made.frame["district"].str.startswith("DISTRITO Ñ").all()
    assert made.provenance.dropped == {"rows without a key": 1}


def test_the_text_of_districts_in_another_encoding_is_refused(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    survey.districts.to_csv(survey.files["districts"], index=False, encoding="latin-1")
    with pytest.raises(SourceError, match=r"not in the encoding declared.*ubigeo_distrito\.csv"):
        clean_districts(raw)


def test_ages_out_of_range_break_the_schema(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members.loc[[0, 4], "P208A"] = "999"
    with pytest.raises(SchemaError, match=r"age_years is not at most 120 \(2 rows\).*Enaho01-2025-200\.csv"):
        clean_members(survey.write(tmp_path), 2025)


def test_a_member_without_sex_breaks_the_schema(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members.loc[[2], "P207"] = ""
    with pytest.raises(SchemaError, match=r"sex is missing \(1 rows\)"):
        clean_members(survey.write(tmp_path), 2025)


def test_missing_file_names_the_file_the_folder_and_the_way(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    survey.files["members"].unlink()
    with pytest.raises(SourceError, match="members file of enaho 2025 is missing") as caught:
        clean_members(raw, 2025)
    assert "enaho01-2025-200.csv" in str(caught.value)
    assert "data_raw/README.md" in str(caught.value)


def test_two_years_have_tables_of_the_same_form(
    make_survey: Callable[..., RawSurvey], tmp_path: Path
) -> None:
    first = make_survey(2024).write(tmp_path)
    make_survey(2025).write(tmp_path)
    for cleaner in (clean_members, clean_programmes):
        frames = [cleaner(first, year).frame for year in (2024, 2025)]
        pd.testing.assert_series_equal(frames[0].dtypes, frames[1].dtypes)
