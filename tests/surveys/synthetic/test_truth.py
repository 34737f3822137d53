"""The truth is what a sound estimator finds and a naive one does not; a hidden trait breaks the sound one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError, SchemaError, SourceError
from juntos_eval.surveys.synthetic import (
    Population,
    StructuralModel,
    SyntheticTruth,
    Wave,
    read_truth,
    simulate_population,
    write_synthetic,
)
from juntos_eval.surveys.synthetic.outcomes import NO, YES
from juntos_eval.surveys.synthetic.planting import GROUPS, find_truth, in_group, score_chances

YEARS = (2024, 2025)
HOUSEHOLDS = 33_700


def truth_of(population: Population, households: int = HOUSEHOLDS) -> SyntheticTruth:
    return find_truth(population, households=households, years=YEARS, with_food=(2025,))


@pytest.fixture(scope="module")
def truth(population: Population) -> SyntheticTruth:
    return truth_of(population)


def covariates(home: pd.DataFrame) -> Floats:
    numbers = home[
        [
            "poverty_rate",
            "altitude_m",
            "members_0_5",
            "members_6_11",
            "members_12_18",
            "members_19_64",
            "head_age_years",
            "head_is_female",
            "head_is_cohabiting",
        ]
    ].to_numpy(dtype=float)
    places = pd.get_dummies(home[["dominio", "estrato"]].astype(str), drop_first=True).to_numpy(dtype=float)
    scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    return np.column_stack([np.ones(len(home)), scaled, places])


def logit_chances(x: Floats, treated: Floats, weights: Floats) -> Floats:
    coefficients = np.zeros(x.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-x @ coefficients))
        hessian = (x * (weights * chance * (1 - chance))[:, None]).T @ x
        coefficients += np.linalg.solve(hessian, x.T @ (weights * (treated - chance)))
    return np.asarray(1 / (1 + np.exp(-x @ coefficients)))


def weighted_gap(home: pd.DataFrame, treated: Bools, outcome: Floats, weights: Floats) -> tuple[float, float]:
    """Inverse-probability weighted effect on the treated, and its standard error by cluster."""
    weights = weights / weights.mean()
    is_treated = treated.astype(float)
    chance = logit_chances(covariates(home), is_treated, weights)
    one, zero = weights * is_treated, weights * (1 - is_treated) * chance / (1 - chance)
    mean_one, mean_zero = (one @ outcome) / one.sum(), (zero @ outcome) / zero.sum()
    influence = one * (outcome - mean_one) / one.sum() - zero * (outcome - mean_zero) / zero.sum()
    totals = np.bincount(home["cluster"], weights=influence)
    return float(mean_one - mean_zero), float(np.sqrt((totals**2).sum()))


def estimates(population: Population) -> Iterator[tuple[str, int, float, float]]:
    """Outcome, year, estimate and standard error of the effects of the study, from what a file shows."""
    for wave in population.waves:
        home = wave.households
        in_study = (home["has_answered_programmes"] & home["has_member_under_19"]).to_numpy(dtype=bool)
        for group in GROUPS:
            outcome, children = shares(wave, group)
            keep = in_study & (children > 0)
            yield (
                f"working_share_{group}",
                wave.year,
                *weighted_gap(
                    home[keep],
                    home["has_juntos"].to_numpy(dtype=bool)[keep],
                    outcome[keep],
                    (home["weight"].to_numpy() * children)[keep],
                ),
            )
    answers = home[[f"fies_{item}" for item in range(1, 9)]].to_numpy()
    keep = in_study & np.isin(answers, (YES, NO)).all(axis=1)
    score = (answers == YES).sum(axis=1).astype(float)
    treated = home["has_juntos"].to_numpy(dtype=bool)
    weights = home["weight"].to_numpy(dtype=float)
    yield "fies_raw_score", 2025, *weighted_gap(home[keep], treated[keep], score[keep], weights[keep])


def shares(wave: Wave, group: str) -> tuple[Floats, Floats]:
    children = wave.children.loc[in_group(wave.children, group)]
    n = len(wave.households)
    count = np.bincount(children["household"], minlength=n).astype(float)
    working = np.bincount(children["household"], weights=children["works"], minlength=n)
    return working / np.maximum(count, 1), count


def test_juntos_lowers_child_work_by_the_points_intended_and_more_at_older_ages(
    truth: SyntheticTruth,
) -> None:
    for year in YEARS:
        assert truth.effect("working_share_5_13", year).value == pytest.approx(-0.04, abs=0.01)
        assert truth.effect("working_share_14_17", year).value == pytest.approx(-0.06, abs=0.01)
        girls, boys = (truth.effect(f"working_share_14_17_{who}", year).value for who in ("girls", "boys"))
        assert girls < boys < 0
    assert truth.effect("fies_raw_score", 2025).value == pytest.approx(-0.4, abs=0.1)
    assert truth.effect("is_food_insecure", 2025).value < -0.03
    assert truth.effect("working_share_5_17", 2025, "att_entrants").value < -0.02


def test_the_naive_gap_has_the_wrong_sign_for_work_and_food(truth: SyntheticTruth) -> None:
    for planted in truth.effects:
        if planted.estimand == "att" and not planted.outcome.startswith("housework"):
            assert planted.value < 0 < planted.naive_gap, planted.outcome


def test_there_is_a_truth_for_every_outcome_of_the_study(truth: SyntheticTruth) -> None:
    listed = {(planted.outcome, planted.year, planted.estimand) for planted in truth.effects}
    assert len(listed) == len(truth.effects)
    for group in GROUPS:
        for year in YEARS:
            assert {
                (f"working_share_{group}", year, "att"),
                (f"housework_only_share_{group}", year, "att"),
            } <= listed
        assert (f"working_share_{group}", 2025, "att_entrants") in listed
    assert {("fies_raw_score", 2025, "att"), ("is_food_insecure", 2025, "att")} <= listed


def test_weighting_by_the_observed_covariates_finds_what_was_planted(
    population: Population, truth: SyntheticTruth
) -> None:
    distances = []
    for outcome, year, estimate, error in estimates(population):
        planted = truth.effect(outcome, year)
        distances.append((estimate - planted.value) / error)
        assert abs(distances[-1]) < 3, (outcome, year, estimate, planted.value, error)
        assert planted.naive_gap - planted.value > 4 * error, outcome
    assert abs(np.mean(distances)) < 1


@pytest.mark.slow
def test_over_many_draws_weighting_is_unbiased() -> None:
    distances = []
    for seed in range(12):
        drawn = simulate_population(seed=seed, households=HOUSEHOLDS)
        planted = truth_of(drawn)
        distances.append(
            [
                (estimate - planted.effect(outcome, year).value) / error
                for outcome, year, estimate, error in estimates(drawn)
            ]
        )
    # A mean of twelve distances of standard deviation one: three of its own standard errors.
    assert np.abs(np.mean(distances, axis=0)).max() < 3 / math.sqrt(12)
    assert 0.5 < float(np.std(distances)) < 1.3


def test_a_hidden_trait_breaks_the_same_estimator() -> None:
    drawn = simulate_population(seed=11, households=HOUSEHOLDS, model=StructuralModel(hidden_confounding=1.0))
    planted = truth_of(drawn)
    for outcome, year, estimate, error in estimates(drawn):
        effect = planted.effect(outcome, year)
        assert effect.value < 0
        assert estimate - effect.value > 3 * error, (outcome, year)


def test_trends_of_entrants_are_parallel_given_the_covariates() -> None:
    """With a strong planted effect the weighted difference-in-differences of entrants finds it."""
    model = StructuralModel(work_effect_5_13=-1.5, work_effect_14_17=-1.5, entry_intercept=-3.4)
    drawn = simulate_population(seed=5, households=HOUSEHOLDS, model=model)
    first, second = drawn.waves
    before, children = shares(first, "5_17")
    after, later_children = shares(second, "5_17")
    links = (
        first.households[["conglome", "vivienda", "hogar"]]
        .reset_index(names="row_0")
        .merge(
            second.households[["conglome", "vivienda", "hogar", "is_same_family"]].reset_index(names="row_1"),
            on=["conglome", "vivienda", "hogar"],
        )
    )
    row_0, row_1 = links["row_0"].to_numpy(), links["row_1"].to_numpy()
    keep = links["is_same_family"].to_numpy() & (children[row_0] > 0) & (later_children[row_1] > 0)
    keep &= ~first.households["has_juntos"].to_numpy(dtype=bool)[row_0]
    row_0, row_1 = row_0[keep], row_1[keep]
    entered = second.households["has_juntos"].to_numpy(dtype=bool)[row_1]
    home = second.households.iloc[row_1].reset_index(drop=True)
    weights = first.households["weight"].to_numpy()[row_0] * children[row_0]
    estimate, error = weighted_gap(home, entered, after[row_1] - before[row_0], weights)
    planted = truth_of(drawn).effect("working_share_5_17", 2025, "att_entrants")
    assert planted.value < -0.1
    assert abs(estimate - planted.population) < 3 * error
    assert estimate < -3 * error


def test_without_a_planted_shift_every_effect_is_nought() -> None:
    model = StructuralModel(work_effect_5_13=0, work_effect_14_17=0, housework_effect=0, food_effect=0)
    for planted in truth_of(simulate_population(seed=1, households=800, model=model), 800).effects:
        if not math.isnan(planted.value):
            assert planted.value == pytest.approx(0, abs=1e-12), planted.outcome


def test_the_sample_effect_scatters_closely_about_its_expectation(truth: SyntheticTruth) -> None:
    for planted in truth.effects:
        if planted.estimand == "att":
            assert planted.value == pytest.approx(planted.population, rel=0.15), planted.outcome


def test_chances_of_raw_scores_are_those_of_all_answer_patterns() -> None:
    theta, severities = np.array([0.3]), np.array([-1.0, 0.5, 2.0])
    yes = 1 / (1 + np.exp(-(theta - severities)))
    by_pattern = np.zeros(4)
    for pattern in np.ndindex(2, 2, 2):
        by_pattern[sum(pattern)] += np.prod(np.where(pattern, yes, 1 - yes))
    np.testing.assert_allclose(score_chances(theta, severities)[0], by_pattern, rtol=1e-12)


def test_the_record_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    written = write_synthetic(tmp_path, seed=4, households=400)
    read = read_truth(tmp_path)
    assert read.to_json() == written.to_json()
    assert read.parameters["hidden_confounding"] == 0.0
    assert (read.seed, read.version, read.households, read.years) == (4, "1", 400, YEARS)


def test_an_effect_on_nobody_is_missing_and_null_in_the_record(truth: SyntheticTruth) -> None:
    nobody = replace(truth.effects[0], value=float("nan"), treated_households=0)
    record = replace(truth, effects=(nobody,)).to_json()
    assert '"value": null' in record
    assert math.isnan(SyntheticTruth.from_json(record).effects[0].value)


def test_what_was_not_planted_or_cannot_be_read_is_said(truth: SyntheticTruth, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No att was planted for school_attendance in 2025"):
        truth.effect("school_attendance", 2025)
    with pytest.raises(SourceError, match="No planted truth"):
        read_truth(tmp_path)
    with pytest.raises(SchemaError, match="no record"):
        SyntheticTruth.from_json("{}")
    with pytest.raises(SchemaError, match="version 0"):
        SyntheticTruth.from_json(truth.to_json().replace('"version": "1"', '"version": "0"'))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"food_severities": (0.0, 1.0)}, "eight items"),
        ({"hidden_confounding": float("nan")}, "finite"),
        ({"food_spread": -1.0}, "negative"),
    ],
)
def test_parameters_out_of_range_are_refused(
    arguments: dict[str, float | tuple[float, ...]], says: str
) -> None:
    with pytest.raises(DesignError, match=says):
        StructuralModel(**arguments)  # type: ignore[arg-type]
