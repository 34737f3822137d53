"""The analysis table against a plain recount, and what it does with rows that do not match."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho import (
    build_households,
    clean_districts,
    clean_dwellings,
    clean_food_security,
    clean_members,
    clean_programmes,
)
from juntos_eval.surveys.enaho.groups import CHILD_GROUPS, MEMBER_GROUPS
from juntos_eval.surveys.provenance import CleanTable
from tests.surveys.invented import RawSurvey


def build(survey: RawSurvey, folder: Path) -> CleanTable:
    raw = survey.write(folder)
    return build_households(
        clean_members(raw, 2025),
        clean_programmes(raw, 2025),
        districts=clean_districts(raw),
        food_security=clean_food_security(raw, 2025),
        dwellings=clean_dwellings(raw, 2025),
    )


def test_counts_and_shares_equal_a_plain_recount(survey: RawSurvey, tmp_path: Path) -> None:
    households = build(survey, tmp_path).frame.set_index("household_id")
    members = clean_members(survey.write(tmp_path), 2025).frame
    for household, lines in members.groupby("household_id"):
        row = households.loc[household]
        people = [line for line in lines.to_dict("records") if line["is_member"]]
        for suffix, youngest, oldest, _, _ in MEMBER_GROUPS:
            assert row[f"members{suffix}"] == sum(youngest <= p["age_years"] <= oldest for p in people)
        for group in CHILD_GROUPS:
            children = [
                p
                for p in people
                if group.youngest <= p["age_years"] <= group.oldest
                and p["is_working_child"] is not pd.NA
                and group.sex in {None, p["sex"]}
            ]
            assert row[f"children_{group.name}"] == len(children)
            share = np.mean([p["is_working_child"] for p in children]) if children else np.nan
            assert row[f"working_share_{group.name}"] == pytest.approx(share, nan_ok=True)
            only = np.mean([p["is_doing_housework_only"] for p in children]) if children else np.nan
            assert row[f"housework_only_share_{group.name}"] == pytest.approx(only, nan_ok=True)


def test_children_who_are_no_members_are_not_counted(survey: RawSurvey, tmp_path: Path) -> None:
    households = build(survey, tmp_path).frame
    assert (survey.members["P203"].eq("8") & survey.members["P210"].ne("")).sum() == 40
    assert households["children_14_17_girls"].eq(0).all()
    assert households["working_share_14_17_girls"].isna().all()
    assert households["children_5_17"].eq(2).all()


def test_heads_are_described(survey: RawSurvey, tmp_path: Path) -> None:
    households = build(survey, tmp_path).frame
    assert households["head_age_years"].eq(41).all()
    assert households["head_sex"].eq("male").all()
    assert households["head_marital_status"].eq("married").all()
    assert households["has_member_under_19"].all()


def test_two_heads_are_refused_and_none_is_noted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.members.loc[[0], "P203"] = "7"
    made = build(survey, tmp_path / "a")
    assert made.provenance.notes["households without a head"] == 1
    assert made.frame["head_sex"].isna().sum() == 1
    survey.members.loc[[0, 1], "P203"] = "1"
    with pytest.raises(SchemaError, match=r"more than one head.*1 households"):
        build(survey, tmp_path / "b")


def test_household_in_700_without_members_is_dropped_and_counted(survey: RawSurvey, tmp_path: Path) -> None:
    lonely = survey.programmes["CONGLOME"].iloc[0]
    survey.members = survey.members[survey.members["CONGLOME"] != lonely]
    made = build(survey, tmp_path)
    assert made.provenance.dropped == {"household without a member line": 4}
    assert (made.provenance.rows_in, made.provenance.rows_out) == (60, 56)


def test_members_without_a_household_in_700_are_noted(survey: RawSurvey, tmp_path: Path) -> None:
    survey.programmes = survey.programmes.iloc[1:]
    made = build(survey, tmp_path)
    assert made.provenance.notes["member lines without a household in module 700"] == 4
    assert len(made.frame) == 59


def test_few_households_outside_the_district_table_are_counted_and_many_are_fatal(
    make_survey: Callable[..., RawSurvey], tmp_path: Path
) -> None:
    survey = make_survey(households=300)
    survey.districts = survey.districts.iloc[1:]
    made = build(survey, tmp_path)
    assert made.provenance.notes["households without a match in districts"] == 12
    assert made.frame["district_altitude_m"].isna().sum() == 12
    survey.districts = survey.districts.iloc[1:]
    with pytest.raises(SchemaError, match="24 of 300 households lie in no district"):
        build(survey, tmp_path)


def test_households_without_a_dwelling_are_noted_and_missing(survey: RawSurvey, tmp_path: Path) -> None:
    made = build(survey, tmp_path)
    assert made.provenance.notes["households without a match in dwellings"] == 5
    assert made.frame["wall"].isna().sum() == 5
    assert made.provenance.details["fies_scale"]["is_equated_to_fao"] is False
    assert len(made.provenance.inputs) == 5
    assert made.provenance.is_synthetic


def test_columns_are_those_of_the_tables_given(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    bare = build_households(clean_members(raw, 2025), clean_programmes(raw, 2025)).frame
    full = build(survey, tmp_path).frame
    assert not {"poverty_rate", "fies_category", "wall"} & set(bare.columns)
    assert {"poverty_rate", "fies_category", "wall"} < set(full.columns)
    pd.testing.assert_frame_equal(full[list(bare.columns)], bare)


def test_tables_of_different_years_are_refused(make_survey: Callable[..., RawSurvey], tmp_path: Path) -> None:
    make_survey(2024).write(tmp_path)
    raw = make_survey(2025).write(tmp_path)
    with pytest.raises(SchemaError, match="different years: 2024, 2025"):
        build_households(clean_members(raw, 2024), clean_programmes(raw, 2025))


def test_the_inputs_are_left_as_they_were(survey: RawSurvey, tmp_path: Path) -> None:
    raw = survey.write(tmp_path)
    members, programmes = clean_members(raw, 2025), clean_programmes(raw, 2025)
    copies = members.frame.copy(), programmes.frame.copy()
    build_households(members, programmes)
    pd.testing.assert_frame_equal(members.frame, copies[0])
    pd.testing.assert_frame_equal(programmes.frame, copies[1])
