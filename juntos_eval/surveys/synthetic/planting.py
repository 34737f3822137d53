"""Work out the planted effect of every outcome from the potential outcomes that no file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping
from juntos_eval.errors import DesignError
from juntos_eval.numerics.rasch import fit_rasch
from juntos_eval.surveys.enaho.food_security import categories
from juntos_eval.surveys.enaho.schema import FIES_CATEGORIES
from juntos_eval.surveys.synthetic.outcomes import NO, YES
from juntos_eval.surveys.synthetic.population import Population, Wave
from juntos_eval.surveys.synthetic.truth import TRUTH_VERSION, PlantedEffect, SyntheticTruth

__all__ = ["GROUPS", "find_truth", "in_group", "score_chances"]

#: Group of children -> youngest, oldest, and whether girls (None: both).
GROUPS: Final[FrozenMapping[str, tuple[int, int, bool | None]]] = FrozenMapping(
    {
        "5_17": (5, 17, None),
        "5_13": (5, 13, None),
        "5_13_girls": (5, 13, True),
        "5_13_boys": (5, 13, False),
        "14_17": (14, 17, None),
        "14_17_girls": (14, 17, True),
        "14_17_boys": (14, 17, False),
    }
)
CHILD_OUTCOMES: Final = (
    ("working_share", "work", "works"),
    ("housework_only_share", "housework", "does_housework_only"),
)


def find_truth(
    population: Population, *, households: int, years: tuple[int, ...], with_food: tuple[int, ...]
) -> SyntheticTruth:
    """Work out every planted effect of the years written.

    Parameters
    ----------
    population : Population
    households : int
    years : tuple of int
    with_food : tuple of int
        Years whose module 130 is written.

    Returns
    -------
    SyntheticTruth
    """
    waves = [wave for wave in population.waves if wave.year in years]
    effects: list[PlantedEffect] = []
    for wave in waves:
        effects += _child_effects(wave)
        if wave.year in with_food:
            effects += _food_effects(wave, np.asarray(population.model.food_severities))
    links = _links(*waves) if len(waves) == 2 else None
    if links is not None:
        effects += _entrant_effects(waves[0], waves[1], links)
    return SyntheticTruth(
        seed=population.seed,
        version=TRUTH_VERSION,
        households=households,
        years=tuple(wave.year for wave in waves),
        linkable_households=0 if links is None else len(links),
        parameters=FrozenMapping(population.model.record()),
        effects=tuple(effects),
    )


def _mean(values: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total > 0 else float("nan")


def in_group(children: pd.DataFrame, group: str) -> Bools:
    """Return which children belong to a group of ``GROUPS``; only household members count."""
    low, high, girls = GROUPS[group]
    age = children["age_years"].to_numpy()
    inside = children["is_member"].to_numpy() & (age >= low) & (age <= high)
    return inside if girls is None else inside & (children["is_female"].to_numpy() == girls)


def _child_effects(wave: Wave) -> Iterator[PlantedEffect]:
    home = wave.households
    is_in_study = (home["has_answered_programmes"] & home["has_member_under_19"]).to_numpy(dtype=bool)
    for group in GROUPS:
        keep = in_group(wave.children, group) & is_in_study[wave.children["household"]]
        children = wave.children.loc[keep]
        household = children["household"].to_numpy()
        for outcome, potential, realised in CHILD_OUTCOMES:
            yield _effect(
                f"{outcome}_{group}",
                wave,
                household,
                effect=(children[f"{potential}_1"] - children[f"{potential}_0"]).to_numpy(),
                observed=children[realised].to_numpy(dtype=float),
            )


def _effect(outcome: str, wave: Wave, household: Codes, *, effect: Floats, observed: Floats) -> PlantedEffect:
    """Average one row a child (or household) over the treated; ``household`` says whose row it is."""
    home = wave.households
    weight = home["weight"].to_numpy()[household]
    is_treated = home["has_juntos"].to_numpy(dtype=bool)[household]
    chance = home["juntos_chance"].to_numpy()[household]
    rows_of_household = np.bincount(household, minlength=len(home))[household]
    counts_children = "_share_" in outcome
    return PlantedEffect(
        outcome=outcome,
        year=wave.year,
        estimand="att",
        value=_mean(effect, weight * is_treated),
        population=_mean(effect, weight * chance),
        household_value=_mean(effect, weight * is_treated / rows_of_household),
        naive_gap=_mean(observed, weight * is_treated) - _mean(observed, weight * ~is_treated),
        treated_households=len(np.unique(household[is_treated])),
        treated_children=int(is_treated.sum()) if counts_children else 0,
    )


def score_chances(theta: Floats, severities: Floats) -> Floats:
    """Chance of each raw score 0-8 of a Rasch model, by adding one item after the other; shape (n, 9)."""
    says_yes = expit(theta[:, None] - severities)
    chances = np.zeros((len(theta), len(severities) + 1))
    chances[:, 0] = 1.0
    for item in range(len(severities)):
        step = chances[:, :-1] * says_yes[:, item : item + 1]
        chances *= 1 - says_yes[:, item : item + 1]
        chances[:, 1:] += step
    return chances


def _food_effects(wave: Wave, severities: Floats) -> Iterator[PlantedEffect]:
    home = wave.households
    answers = home[[f"fies_{j}" for j in range(1, 9)]].to_numpy()
    is_complete = np.isin(answers, (YES, NO)).all(axis=1)
    is_in_study = is_complete & (home["has_answered_programmes"] & home["has_member_under_19"]).to_numpy(
        dtype=bool
    )
    household = np.flatnonzero(is_in_study)
    raw_score = (answers[household] == YES).sum(axis=1)
    chance_1 = score_chances(wave.food["theta_1"].to_numpy()[household], severities)
    chance_0 = score_chances(wave.food["theta_0"].to_numpy()[household], severities)
    difference = chance_1 - chance_0
    yield _effect(
        "fies_raw_score",
        wave,
        household,
        effect=difference @ np.arange(9.0),
        observed=raw_score.astype(float),
    )
    cut = _food_insecure_from(answers[is_complete], home["weight"].to_numpy()[is_complete])
    if cut is not None:
        yield _effect(
            "is_food_insecure",
            wave,
            household,
            effect=difference[:, cut:].sum(axis=1),
            observed=(raw_score >= cut).astype(float),
        )


def _food_insecure_from(answers: Codes, weights: Floats) -> int | None:
    """Return the raw score from which the survey's own scale calls a household moderately insecure.

    It is the scale that the clean layer will fit to the same answers; None where they are too few for one.
    """
    try:
        scale = fit_rasch((answers == YES).astype(float), weights)
    except DesignError:
        return None
    called = categories(pd.Series(scale.person_parameters), scale.severities)
    return int((called == FIES_CATEGORIES[0]).sum())


def _links(first: Wave, second: Wave) -> pd.DataFrame:
    """Rows of both waves that share a household key, with the checks that a careful analyst applies."""
    keys = ["conglome", "vivienda", "hogar"]
    columns = [*keys, "ubigeo", "head_is_female", "head_age_years", "has_answered_programmes", "has_juntos"]
    before = first.households[columns].assign(row=np.arange(len(first.households)))
    after = second.households[columns].assign(row=np.arange(len(second.households)))
    links = before.merge(after, on=keys, suffixes=("_0", "_1"), validate="one_to_one")
    return links.assign(
        is_credible=(links["ubigeo_0"] == links["ubigeo_1"])
        & (links["head_is_female_0"] == links["head_is_female_1"])
        & (links["head_age_years_1"] - links["head_age_years_0"]).between(0, 2)
    )


def _entrant_effects(first: Wave, second: Wave, links: pd.DataFrame) -> Iterator[PlantedEffect]:
    usable = links["is_credible"] & links["has_answered_programmes_0"] & links["has_answered_programmes_1"]
    usable &= ~links["has_juntos_0"].astype(bool)
    links = links.loc[usable]
    is_entrant = links["has_juntos_1"].to_numpy(dtype=bool)
    row_0, row_1 = links["row_0"].to_numpy(), links["row_1"].to_numpy()
    weight = first.households["weight"].to_numpy()[row_0]
    chance = second.households["entry_chance"].fillna(0.0).to_numpy()[row_1]
    for group in GROUPS:
        before, count_0 = _household_means(first, group, "works")
        after, count_1 = _household_means(second, group, "works")
        gain, _ = _household_means(second, group, "gain")
        both = (count_0[row_0] > 0) & (count_1[row_1] > 0)
        # Each household counts as often as it had children in the first wave.
        people = np.where(both, weight * count_0[row_0], 0.0)
        change, effect = (np.nan_to_num(values) for values in (after[row_1] - before[row_0], gain[row_1]))
        yield PlantedEffect(
            outcome=f"working_share_{group}",
            year=second.year,
            estimand="att_entrants",
            value=_mean(effect, people * is_entrant),
            population=_mean(effect, people * chance),
            household_value=_mean(effect, weight * (both & is_entrant)),
            naive_gap=_mean(change, people * is_entrant) - _mean(change, people * ~is_entrant),
            treated_households=int((both & is_entrant).sum()),
            treated_children=int((count_0[row_0] * (both & is_entrant)).sum()),
        )


def _household_means(wave: Wave, group: str, column: str) -> tuple[Floats, Floats]:
    """Mean over a household's children of the group (NaN without any), and their number."""
    children = wave.children.loc[in_group(wave.children, group)]
    if column == "gain":
        values = (children["work_1"] - children["work_0"]).to_numpy()
    else:
        values = children[column].to_numpy(dtype=float)
    household, n = children["household"].to_numpy(), len(wave.households)
    count = np.bincount(household, minlength=n).astype(float)
    total = np.bincount(household, weights=values, minlength=n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0), count
