"""At real size the margins lie near the real ones, so that a synthetic run exercises what a real one does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from juntos_eval.surveys.synthetic import Population, Wave, simulate_population
from juntos_eval.surveys.synthetic.families import PANEL
from juntos_eval.surveys.synthetic.outcomes import DO_NOT_KNOW, NO, REFUSED, YES

# Calibration: weighted national margins of 2024-25, rounded to the point. Tolerances are a point for the
# share of Juntos, three for child work, two and a half for the FIES items.
CHILD_WORK = (("5_13", 5, 13, 0.14), ("14_17", 14, 17, 0.24))
FOOD_ITEM_SHARES = (0.51, 0.43, 0.41, 0.19, 0.30, 0.13, 0.12, 0.05)


def weighted(values: pd.Series, weights: pd.Series) -> float:
    return float(np.average(values.to_numpy(dtype=float), weights=weights.to_numpy(dtype=float)))


@pytest.mark.parametrize("wave", [0, 1])
def test_the_design_is_that_of_the_survey(population: Population, wave: int) -> None:
    home = population.waves[wave].households
    assert len(home) == 33_700
    assert 5_300 < home["conglome"].nunique() < 5_450
    assert 1_200 < home["district"].nunique() < 1_400
    strata = home.groupby(["dominio", "estrato"])["conglome"].nunique()
    assert len(strata) == 51
    assert strata.min() >= 2
    assert home.groupby("conglome")[["weight", "month", "ubigeo", "estrato"]].nunique().max().eq(1).all()
    assert home["weight"].sum() == pytest.approx(10.5e6, rel=0.05)
    assert home["weight"].std() / home["weight"].mean() > 0.7


@pytest.mark.parametrize("wave", [0, 1])
def test_juntos_reaches_an_eighth_of_those_who_answer_mostly_rural_families_with_children(
    population: Population, wave: int
) -> None:
    home = population.waves[wave].households
    answered = home[home["has_answered_programmes"]]
    assert len(answered) / len(home) == pytest.approx(0.932, abs=0.01)
    assert weighted(answered["has_juntos"], answered["weight"]) == pytest.approx(0.12, abs=0.01)
    by_place = {
        rural: weighted(part["has_juntos"], part["weight"]) for rural, part in answered.groupby("is_rural")
    }
    assert by_place[True] == pytest.approx(0.28, abs=0.03)
    assert by_place[False] == pytest.approx(0.073, abs=0.015)
    by_family = answered.groupby("has_member_under_19")["has_juntos"].mean()
    assert by_family[True] == pytest.approx(0.25, abs=0.03)
    assert by_family[False] == pytest.approx(0.022, abs=0.01)


@pytest.mark.parametrize("wave", [0, 1])
@pytest.mark.parametrize(("group", "low", "high", "share"), CHILD_WORK)
def test_child_work_is_as_frequent_as_in_the_survey(
    population: Population, wave: int, group: str, low: int, high: int, share: float
) -> None:
    simulated = population.waves[wave]
    children = simulated.children.loc[simulated.children["age_years"].between(low, high)]
    weights = simulated.households["weight"].iloc[children["household"]]
    assert weighted(children["works"], weights) == pytest.approx(share, abs=0.03), group
    rural = simulated.households["is_rural"].to_numpy()[children["household"]]
    by_place = children.groupby(rural)["works"].mean()
    assert by_place[True] > 3 * by_place[False]


@pytest.mark.parametrize("wave", [0, 1])
def test_members_are_as_many_and_as_old_as_in_the_survey(population: Population, wave: int) -> None:
    lines = population.waves[wave].members
    people = lines[lines["relation"] != PANEL]
    assert len(people) / 33_700 == pytest.approx(3.35, abs=0.15)
    assert 1 - len(people) / len(lines) == pytest.approx(0.037, abs=0.007)
    assert people["age_years"].between(5, 17).mean() == pytest.approx(0.235, abs=0.02)
    assert people["is_member"].mean() == pytest.approx(0.967, abs=0.01)
    heads = people[people["relation"] == 1]
    assert heads["age_years"].mean() == pytest.approx(54, abs=1.5)
    assert heads["is_female"].mean() == pytest.approx(0.36, abs=0.02)


def test_food_answers_have_the_survey_s_shares_and_a_few_that_are_no_answer(population: Population) -> None:
    home = population.waves[1].households
    answers = home[[f"fies_{item}" for item in range(1, 9)]]
    answered = home["has_answered_food"]
    assert answered.mean() == pytest.approx(0.97, abs=0.006)
    for share, (name, answer) in zip(FOOD_ITEM_SHARES, answers[answered].items(), strict=True):
        known = answer.isin([YES, NO])
        of_known = weighted(answer[known] == YES, home["weight"][answered][known])
        assert of_known == pytest.approx(share, abs=0.025), name
    is_spoilt = answers.isin([DO_NOT_KNOW, REFUSED]).any(axis=1) & answered
    assert is_spoilt.mean() == pytest.approx(0.02, abs=0.005)


def test_a_quarter_of_the_households_can_be_linked_and_a_few_links_are_false(population: Population) -> None:
    keys = ["conglome", "vivienda", "hogar"]
    before, after = (wave.households for wave in population.waves)
    links = before.merge(after, on=keys, suffixes=("_0", "_1"))
    assert len(links) == pytest.approx(9_100, abs=350)
    assert (links["ubigeo_0"] == links["ubigeo_1"]).all()
    assert (links["head_is_female_0"] == links["head_is_female_1"]).mean() == pytest.approx(0.957, abs=0.01)
    older = links["head_age_years_1"] - links["head_age_years_0"]
    assert older.between(0, 2).mean() == pytest.approx(0.92, abs=0.015)
    both = links["has_answered_programmes_0"] & links["has_answered_programmes_1"]
    entered = both & ~links["has_juntos_0"] & links["has_juntos_1"]
    assert entered.sum() == pytest.approx(316, abs=70)
    same = links[links["is_same_family_1"]]
    assert not (same["has_juntos_0"] & ~same["has_juntos_1"]).any()


def test_there_is_overlap_among_families_with_children(population: Population) -> None:
    home = population.waves[1].households
    chance = home.loc[home["has_member_under_19"], "juntos_chance"]
    treated = home.loc[home["has_member_under_19"], "has_juntos"].astype(bool)
    assert (chance > 0.95).mean() < 0.005
    odds = (chance / (1 - chance))[~treated]
    assert odds.sum() ** 2 / (odds**2).sum() > 2_000


def test_the_poorer_the_district_the_more_juntos(population: Population) -> None:
    home = population.waves[0].households
    by_poverty = home.groupby(pd.cut(home["poverty_rate"], [0, 0.1, 0.2, 0.3, 0.4, 0.9]))["has_juntos"].mean()
    assert by_poverty.is_monotonic_increasing


def test_whatever_is_not_drawn_from_treatment_does_not_change_with_the_planted_effect() -> None:
    from juntos_eval.surveys.synthetic import StructuralModel

    plain = simulate_population(seed=3, households=400)
    strong = simulate_population(seed=3, households=400, model=StructuralModel(work_effect_5_13=-3.0))

    def same(read: str, column: str) -> bool:
        return all(
            getattr(a, read)[column].equals(getattr(b, read)[column])
            for a, b in zip(plain.waves, strong.waves, strict=True)
        )

    assert same("households", "has_juntos")
    assert same("children", "work_0")
    assert not same("children", "work_1")


@pytest.mark.parametrize("households", [300, 1_000])
def test_small_samples_keep_two_clusters_a_stratum(households: int) -> None:
    wave: Wave = simulate_population(seed=2, households=households).waves[0]
    clusters = wave.households.groupby(["dominio", "estrato"])["conglome"].nunique()
    assert len(wave.households) == households
    assert clusters.min() >= 2
