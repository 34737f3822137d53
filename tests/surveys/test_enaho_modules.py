"""ENAHO's small functions of schooling, work, hours, illness and prices on rows made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from juntos_eval.surveys.enaho.child_work import is_child_labour, is_domestic_labour
from juntos_eval.surveys.enaho.education import (
    grade_delay_years,
    is_attending_school,
    school_grade,
    years_of_schooling,
)
from juntos_eval.surveys.enaho.employment import received_juntos, weekly_hours
from juntos_eval.surveys.enaho.health import ticked
from juntos_eval.surveys.enaho.sumaria import real_spending, time_deflator

NONE = float("nan")


@pytest.mark.parametrize(
    ("level", "year", "grade", "years"),
    [
        ("none", NONE, NONE, 0),
        ("initial", 3, NONE, 1),
        ("primary_incomplete", 0, 4, 4),
        ("primary_incomplete", 3, NONE, 3),
        ("primary_incomplete", NONE, NONE, NONE),
        ("primary", 6, NONE, 7),
        ("secondary_incomplete", 2, NONE, 9),
        ("secondary", 5, NONE, 12),
        ("tertiary", 3, NONE, 15),
        ("university_incomplete", 1, NONE, 13),
        ("university", 5, NONE, 17),
        ("postgraduate", 2, NONE, 19),
        ("special", 1, NONE, NONE),
    ],
)
def test_years_of_schooling(level: str, year: float, grade: float, years: float) -> None:
    made = years_of_schooling(pd.Series([level]), pd.Series([year]), pd.Series([grade]))
    assert made.tolist() == pytest.approx([years], nan_ok=True)


@pytest.mark.parametrize(
    ("level", "year", "grade", "age", "delay"),
    [
        ("primary", 0, 1, 6, 0),
        ("primary", 0, 6, 11, 0),
        ("secondary", 1, NONE, 12, 0),
        ("secondary", 5, NONE, 18, 2),
        ("primary", 0, 2, 6, -1),
        ("primary", NONE, NONE, 8, NONE),
        ("initial", 3, NONE, 5, NONE),
        ("primary", 0, 9, 8, NONE),
    ],
)
def test_grade_for_age(level: str, year: float, grade: float, age: float, delay: float) -> None:
    grades = school_grade(pd.Series([level]), pd.Series([year]), pd.Series([grade]))
    assert grade_delay_years(pd.Series([float(age)]), grades).tolist() == pytest.approx([delay], nan_ok=True)


def test_those_not_enrolled_do_not_attend_and_those_not_asked_are_missing() -> None:
    enrolled = pd.Series([True, True, True, False, None], dtype="boolean")
    attends = pd.Series([True, False, None, None, True], dtype="boolean")
    assert is_attending_school(enrolled, attends).tolist() == [True, False, pd.NA, False, pd.NA]


@pytest.mark.parametrize(
    ("age", "hours", "is_labour"),
    [
        (4, 10, pd.NA),
        (5, 1, True),
        (11, NONE, True),
        (12, 13.9, False),
        (12, 14, True),
        (14, NONE, pd.NA),
        (15, 42.9, False),
        (17, 43, True),
        (18, 60, pd.NA),
        (NONE, 20, pd.NA),
    ],
)
def test_child_labour_by_age_and_hours(age: float, hours: float, is_labour: object) -> None:
    one = pd.Series([True], dtype="boolean")
    assert is_child_labour(pd.Series([float(age)]), one, pd.Series([hours])).tolist() == [is_labour]


def test_child_labour_needs_work_and_counts_hazard_at_every_age() -> None:
    age, hours = pd.Series([8.0, 8, 16, 16]), pd.Series([0.0, 30, 10, 10])
    works = pd.Series([False, None, True, True], dtype="boolean")
    hazard = pd.Series([False, False, True, None], dtype="boolean")
    assert is_child_labour(age, works, hours, hazard).tolist() == [False, pd.NA, True, False]


def test_domestic_labour_is_by_hours_to_fourteen() -> None:
    age, hours = pd.Series([5.0, 14, 14, 15, 4, 9]), pd.Series([21.0, 20.9, 21, 50, 30, NONE])
    assert is_domestic_labour(age, hours).tolist() == [True, False, True, False, pd.NA, pd.NA]


def test_hours_of_all_occupations() -> None:
    employed = pd.Series([True, True, False, None], dtype="boolean")
    main, other = pd.Series([48.0, NONE, NONE, 12]), pd.Series([NONE, 4, NONE, NONE])
    assert weekly_hours(employed, main, other).tolist() == pytest.approx([48, NONE, 0, NONE], nan_ok=True)


def test_a_file_without_hours_gives_no_zeros() -> None:
    employed, nothing = pd.Series([True, False], dtype="boolean"), pd.Series([NONE, NONE])
    assert weekly_hours(employed, nothing, nothing).isna().all()


def test_an_empty_transfer_is_no_only_where_the_item_is_a_box() -> None:
    answers = pd.Series([True, None], dtype="boolean")
    assert received_juntos(answers, 2006).tolist() == [True, False]
    assert received_juntos(answers, 2012).tolist() == [True, pd.NA]
    nobody = pd.Series([None, None], dtype="boolean")
    assert received_juntos(nobody, 2007).tolist() == [pd.NA, pd.NA], "a column of nothing is no evidence"


def test_an_empty_box_is_no_only_where_its_list_was_answered() -> None:
    box = pd.Series([None, None, False], dtype="boolean")
    assert ticked(box, pd.Series([True, False, True], dtype="boolean")).tolist() == [False, pd.NA, False]


def test_prices_of_callao_are_lima_s_unless_it_has_its_own() -> None:
    indices = pd.DataFrame(
        {"department": ["15", "08"], "deflator_year": [2012, 2012], "general": [0.8, 0.75]}
    )
    ubigeo = pd.Series(["070101", "150101", "080101", "250101"])
    assert time_deflator(ubigeo, 2012, indices).tolist() == pytest.approx([0.8, 0.8, 0.75, NONE], nan_ok=True)
    assert time_deflator(ubigeo, 2013, indices).isna().all()
    own = pd.concat([indices, indices.iloc[:1].assign(department="07", general=0.9)])
    assert time_deflator(ubigeo, 2012, own).tolist()[0] == 0.9


def test_real_spending_needs_both_deflators() -> None:
    made = real_spending(pd.Series([100.0, 100]), pd.Series([0.8, NONE]), pd.Series([0.5, 0.5]))
    assert made.tolist() == pytest.approx([250, NONE], nan_ok=True)
