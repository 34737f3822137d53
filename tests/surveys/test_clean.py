"""Each variable's function by itself, on every case that the questionnaire allows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho import clean, food_security

FLAGS = (True, False, None)


def booleans(values: list[bool | None]) -> pd.Series:
    return pd.Series(values, dtype="boolean")


def known(series: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in series]


def test_residence_by_every_answer() -> None:
    cases = list(product((True, False), FLAGS, FLAGS))
    found = clean.is_resident(*(booleans([case[place] for case in cases]) for place in range(3)))
    for (is_member, is_absent, is_present), value in zip(cases, known(found), strict=True):
        if is_member:
            assert value == (None if is_absent is None else not is_absent)
        else:
            assert value == is_present


@pytest.mark.parametrize("code", load_codebook("enaho").codes_of("members", "main_activity"))
def test_child_work_by_every_task(code: object) -> None:
    task = str(getattr(code, "value", ""))
    number = int(getattr(code, "code", 0))
    worked, activity = booleans([True, False, None]), pd.Series([task] * 3, dtype="category")
    is_work = number <= 7 or number == 12
    assert known(clean.is_working_child(worked, activity)) == [True, is_work, None]
    assert known(clean.is_doing_housework_only(worked, activity)) == [False, number == 8, None]


def test_child_work_is_missing_where_the_task_is() -> None:
    worked, activity = booleans([True, False, None]), pd.Series([None] * 3, dtype="category")
    assert known(clean.is_working_child(worked, activity)) == [True, None, None]
    assert known(clean.is_doing_housework_only(worked, activity)) == [False, None, None]


def test_rural_is_the_three_smallest_strata() -> None:
    labels = pd.Series([code.value for code in load_codebook("enaho").codes_of("members", "estrato")])
    assert clean.is_rural(labels).tolist() == [False] * 5 + [True] * 3


def test_strata_are_codes_of_domain_and_size() -> None:
    codebook = load_codebook("enaho")
    domains = [code.value for code in codebook.codes_of("members", "dominio")]
    sizes = [code.value for code in codebook.codes_of("members", "estrato")]
    pairs = list(product(domains, sizes))
    found = clean.stratum(pd.Series([pair[0] for pair in pairs]), pd.Series([pair[1] for pair in pairs]))
    assert found.tolist() == [f"{domain}-{size}" for domain, size in product(range(1, 9), range(1, 9))]


def test_identifiers_name_household_and_person() -> None:
    keys = pd.DataFrame({"conglome": ["000001"], "vivienda": ["002"], "hogar": ["11"], "codperso": ["04"]})
    assert clean.household_id(keys).tolist() == ["000001-002-11"]
    assert clean.person_id(keys).tolist() == ["000001-002-11-04"]


def test_the_recoded_task_wins_over_the_answer() -> None:
    answered = pd.Series(["other", "services", None, "other"], dtype="category")
    recoded = pd.Series(["working", "services", None, None], dtype="category")
    assert known(clean.main_activity(answered, recoded)) == ["working", "services", None, "other"]


def test_categories_by_the_two_thresholds() -> None:
    severities = np.array([-3.0, -2.0, -1.5, 0.5, -0.5, 1.5, 2.0, 3.0])
    parameters = pd.Series([-0.51, -0.5, 2.99, 3.0, np.nan])
    assert known(food_security.categories(parameters, severities)) == [
        "food_secure_or_mild",
        "moderate",
        "moderate",
        "severe",
        None,
    ]
