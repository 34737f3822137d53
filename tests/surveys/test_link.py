"""Households of two years: linked by key, kept only where three checks say that they are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import (
    build_households,
    clean_districts,
    clean_members,
    clean_programmes,
    link_households,
)
from juntos_eval.surveys.provenance import CleanTable
from tests.surveys.invented import RawSurvey


@pytest.fixture
def years(make_survey: Callable[..., RawSurvey]) -> tuple[RawSurvey, RawSurvey]:
    """Two years of the same households; in the second all are a year older."""
    first, second = make_survey(2024), make_survey(2025)
    second.members.loc[second.members["P203"] == "1", "P208A"] = "42"
    return first, second


def households(raw: RawFolder, year: int) -> CleanTable:
    return build_households(
        clean_members(raw, year), clean_programmes(raw, year), districts=clean_districts(raw)
    )


def link(years: tuple[RawSurvey, RawSurvey], folder: Path) -> CleanTable:
    years[0].write(folder)
    raw = years[1].write(folder)
    return link_households(households(raw, 2024), households(raw, 2025))


def test_all_households_link_where_nothing_differs(
    years: tuple[RawSurvey, RawSurvey], tmp_path: Path
) -> None:
    made = link(years, tmp_path)
    assert made.provenance.dropped == {}
    assert made.provenance.notes["households linked by key"] == 60
    assert len(made.frame) == 120
    assert made.frame["year"].tolist() == [2024, 2025] * 60
    assert made.frame.groupby("household_id")["year"].nunique().eq(2).all()
    assert "poverty_rate" in made.frame
    assert "fies_category" not in made.frame


def test_each_failing_check_drops_the_pair_and_is_counted(
    years: tuple[RawSurvey, RawSurvey], tmp_path: Path
) -> None:
    heads = years[1].members.index[years[1].members["P203"] == "1"]
    years[1].members.loc[heads[:3], "P207"] = "2"
    years[1].members.loc[heads[2:5], "P208A"] = "44"
    years[1].members.loc[heads[5:6], "P208A"] = "40"
    years[1].members.loc[heads[6:7], "P208A"] = "43"
    is_moved = years[1].programmes["VIVIENDA"].eq("034") & years[1].programmes["CONGLOME"].eq("015013")
    years[1].programmes.loc[is_moved, "UBIGEO"] = "010101"
    years[1].programmes = years[1].programmes.iloc[:59]
    made = link(years, tmp_path)
    assert made.provenance.notes == {
        "households linked by key": 59,
        "district differs": 1,
        "head's sex differs": 3,
        "head's age not 0 to 2 years more": 4,
    }
    assert made.provenance.dropped == {
        "not interviewed in 2025": 1,
        "district differs": 2,
        "head's sex differs": 6,
        "head's age not 0 to 2 years more": 6,
    }
    assert len(made.frame) == 2 * (59 - 1 - 3 - 3)


def test_a_household_without_a_head_does_not_pass(years: tuple[RawSurvey, RawSurvey], tmp_path: Path) -> None:
    years[0].members.loc[[0], "P203"] = "7"
    assert len(link(years, tmp_path).frame) == 118


def test_years_must_come_in_order(years: tuple[RawSurvey, RawSurvey], tmp_path: Path) -> None:
    years[0].write(tmp_path)
    raw = years[1].write(tmp_path)
    with pytest.raises(SchemaError, match="later year: 2025 and 2024"):
        link_households(households(raw, 2025), households(raw, 2024))


def test_no_link_at_all_is_an_error(years: tuple[RawSurvey, RawSurvey], tmp_path: Path) -> None:
    for table in (years[1].members, years[1].programmes):
        table["CONGLOME"] = "9" + table["CONGLOME"].str[1:]
    with pytest.raises(SchemaError, match="No household links the two years"):
        link(years, tmp_path)
