"""Who is compared with whom, on tables small enough to check by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.studies.comparison import HEADLINE, Comparison, Text, designs
from juntos_eval.studies.demonstration import EntrantsDemonstration
from juntos_eval.studies.juntos_households import STUDY, WALL_MATERIALS, prepare
from juntos_eval.surveys.codebook import load_codebook

WORK = Comparison(
    id="works_2025",
    year=2025,
    outcome="working_share",
    treatment="has_juntos",
    covariates=("x",),
    weights="weight",
    people="children",
    labels=FrozenMapping({"outcome": Text(en="a", es="b"), "population": Text(en="c", es="d")}),
)


@pytest.fixture
def households() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "has_juntos": pd.array([True, False, None, True, False, True], dtype="boolean"),
            "has_member_under_19": [True, True, True, False, True, True],
            "children": [2, 1, 3, 0, 0, 1],
            "working_share": [0.5, 0.0, 1.0, np.nan, np.nan, np.nan],
            "weight": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
            "x": 1.0,
        }
    )


def test_each_household_is_left_out_once_and_counted(households: pd.DataFrame) -> None:
    sample, dropped = WORK.sample(households)
    assert sample.index.tolist() == [0, 1]
    assert dropped == {
        "did not answer the module of social programmes": 1,
        "no member under 19": 1,
        "nobody of the group who was asked": 1,
        "outcome not known": 1,
        "a covariate not known": 0,
    }
    assert len(sample) + sum(dropped.values()) == len(households)


def test_every_design_has_the_rows_whose_covariates_are_known(households: pd.DataFrame) -> None:
    sample, dropped = WORK.sample(households.assign(x=[1.0, np.nan, 1.0, 1.0, 1.0, 1.0]))
    assert sample.index.tolist() == [0]
    assert dropped["a covariate not known"] == 1


def test_a_household_counts_as_often_as_it_has_children(households: pd.DataFrame) -> None:
    sample, _ = WORK.sample(households)
    assert sample["analysis_weight"].tolist() == [20.0, 20.0]


def test_a_household_outcome_counts_households(households: pd.DataFrame) -> None:
    sample, dropped = dataclasses.replace(WORK, people=None).sample(households)
    assert sample["analysis_weight"].tolist() == [10.0, 20.0]
    assert "nobody of the group who was asked" not in dropped


def test_the_table_is_left_as_it_was(households: pd.DataFrame) -> None:
    before = households.copy(deep=True)
    WORK.sample(households)
    pd.testing.assert_frame_equal(households, before)


def test_nobody_left_is_an_error_that_counts_why(households: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="did not answer the module of social programmes: 6"):
        WORK.sample(households.assign(has_juntos=pd.array([None] * 6, dtype="boolean")))


def test_covariates_are_those_that_the_table_has() -> None:
    part = dataclasses.replace(WORK, dwelling=("wall", "floor"), instead=("altitude",))
    assert part.adjusted_for(pd.DataFrame(columns=["x", "wall", "floor"])).covariates == (
        "x",
        "wall",
        "floor",
    )
    assert part.adjusted_for(pd.DataFrame(columns=["x", "wall"])).covariates == ("x", "altitude")


def test_all_designs_share_outcome_treatment_and_weights() -> None:
    for estimator in designs(WORK).values():
        spec = dataclasses.asdict(estimator)  # type: ignore[call-overload]
        assert (spec["outcome"], spec["treatment"], spec["weights"]) == (
            "working_share",
            "has_juntos",
            "analysis_weight",
        )
    assert HEADLINE in designs(WORK)


def test_the_study_speaks_two_languages_everywhere() -> None:
    labels = [part.labels for part in STUDY.comparisons] + [part.labels for part in STUDY.demonstrations]
    texts = [text for named in labels for text in named.values()]
    assert all(text.en and text.es and text.en != text.es for text in texts)


def test_joined_walls_cover_every_declared_wall() -> None:
    declared = {code.value for code in load_codebook("enaho").codes_of("dwellings", "wall")}
    assert set(WALL_MATERIALS) == declared


def test_prepared_columns_are_missing_where_their_source_is() -> None:
    frame = pd.DataFrame(
        {
            "head_marital_status": ["single", None, "cohabiting"],
            "poverty_rate": [0.2, 0.4, None],
            "fies_category": ["food_secure_or_mild", None, "severe"],
            "floor": ["earth", "cement", None],
            "wall": ["adobe", None, "brick_or_block"],
        }
    )
    made = prepare(frame)
    assert made["head_has_partner"].tolist() == pytest.approx([0.0, np.nan, 1.0], nan_ok=True)
    assert made["is_food_insecure"].tolist() == pytest.approx([0.0, np.nan, 1.0], nan_ok=True)
    assert made["has_earth_floor"].tolist() == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert made["wall_material"].isna().tolist() == [False, True, False]
    assert made["wall_material"].iloc[[0, 2]].tolist() == ["earth", "brick"]


@pytest.fixture
def demonstration() -> EntrantsDemonstration:
    return EntrantsDemonstration(
        id="entrants",
        outcome="working_share",
        people="children",
        treatment="has_juntos",
        covariates=("x",),
        weights="weight",
    )


@pytest.fixture
def linked() -> pd.DataFrame:
    first = [False, False, True, None, False]
    second = [True, False, True, False, False]
    rows = [
        {
            "household_id": f"h{number}",
            "year": year,
            "has_juntos": status,
            "working_share": np.nan if (number, year) == (4, 2025) else 0.5,
            "children": number + 1 if year == 2024 else 9,
            "weight": 10.0 if year == 2024 else 99.0,
            "x": 1.0,
        }
        for year, wave in ((2024, first), (2025, second))
        for number, status in enumerate(wave)
    ]
    return pd.DataFrame(rows).astype({"has_juntos": "boolean"})


def test_entrants_are_out_then_in_and_the_others_stay_out(
    demonstration: EntrantsDemonstration, linked: pd.DataFrame
) -> None:
    sample, dropped = demonstration.sample(linked)
    assert sample.groupby("household_id")["is_entrant"].first().to_dict() == {"h0": 1, "h1": 0}
    assert sample.groupby("household_id").size().to_dict() == {"h0": 2, "h1": 2}
    assert dropped == {
        "status not known in both waves": 1,
        "in the programme in the first wave": 1,
        "nobody of the group who was asked in both waves": 1,
    }


def test_weights_are_of_the_first_wave(demonstration: EntrantsDemonstration, linked: pd.DataFrame) -> None:
    sample, _ = demonstration.sample(linked)
    assert sample.groupby("household_id")["analysis_weight"].unique().map(list).to_dict() == {
        "h0": [10.0],
        "h1": [20.0],
    }


def test_no_entrant_is_an_error(demonstration: EntrantsDemonstration, linked: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="entrants"):
        demonstration.sample(linked[linked["household_id"] != "h0"])


def test_one_wave_is_an_error(demonstration: EntrantsDemonstration, linked: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="exactly two waves"):
        demonstration.sample(linked[linked["year"] == 2024])
