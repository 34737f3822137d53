"""Draws of take-up, answers, child work and food insecurity (the equations stand in ``population``)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from juntos_eval.arrays import Codes, Floats
from juntos_eval.surveys.synthetic.families import PANEL
from juntos_eval.surveys.synthetic.parameters import (
    NO_PROGRAMME_ANSWER,
    TAKE_UP_BY_DOMAIN,
    TAKE_UP_BY_STRATUM,
    WORK_BY_DOMAIN,
    StructuralModel,
)

__all__ = ["draw_answers", "draw_child_work", "draw_food_insecurity", "draw_take_up", "take_up_index"]

# A household that does not answer module 700 seldom answers the FIES; the others nearly always do.
NO_FOOD_ANSWER_WITHOUT: Final = 0.39
NO_FOOD_ANSWER_WITH: Final = 0.004
DO_NOT_KNOW_SHARE: Final = 0.0024
REFUSED_SHARE: Final = 0.0005

YES, NO, DO_NOT_KNOW, REFUSED, NO_ANSWER = range(5)


def by_code(values: tuple[float, ...], codes: pd.Series) -> Floats:
    """Look up a number by INEI's code (1, 2, ...)."""
    looked_up: Floats = np.asarray(values)[codes.to_numpy() - 1]
    return looked_up


def take_up_index(model: StructuralModel, households: pd.DataFrame) -> Floats:
    """Return the index of take-up in the first wave, in logits, hidden trait included.

    Parameters
    ----------
    model : StructuralModel
    households : pandas.DataFrame

    Returns
    -------
    numpy.ndarray, shape (households,)
    """
    place = (
        by_code(TAKE_UP_BY_DOMAIN, households["dominio"])
        + by_code(TAKE_UP_BY_STRATUM, households["estrato"])
        + 4.2 * households["poverty_rate"]
        + 0.1 * households["altitude_m"] / 1000
    )
    family = (
        0.22 * households["members_under_19"]
        + 0.06 * households["members_19_64"]
        - 0.012 * (households["head_age_years"] - 45)
        + 0.15 * households["head_is_cohabiting"]
        - 0.10 * households["head_is_female"]
    )
    eligible = model.take_up_intercept + family
    level = eligible.where(households["has_member_under_19"], model.take_up_without_children)
    return np.asarray(place + level + model.hidden_confounding * households["hidden"], dtype=float)


def draw_take_up(
    rng: np.random.Generator, model: StructuralModel, waves: list[pd.DataFrame]
) -> list[pd.DataFrame]:
    """Draw Juntos in the first wave, and stayers, entrants and newcomers in the second.

    Parameters
    ----------
    rng : numpy.random.Generator
    model : StructuralModel
    waves : list of pandas.DataFrame
        Households of both waves.

    Returns
    -------
    list of pandas.DataFrame
        With ``juntos_chance`` (given the covariates, before the first draw), ``has_juntos``, ``had_juntos``
        (of a household seen before; NaN for others) and ``entry_chance``.
    """
    first, second = waves
    chance_0 = expit(take_up_index(model, first))
    has_0 = rng.random(len(first)) < chance_0
    index = take_up_index(model, second)
    fresh_chance = expit(index + model.take_up_trend)
    entry_chance = expit(index - model.take_up_intercept + model.entry_intercept)
    position = pd.Series(np.arange(len(first)), index=first["family"])
    row = position.reindex(second["family"]).to_numpy()
    seen = second["is_same_family"].to_numpy()
    before = np.full(len(second), np.nan)
    chance_before = np.zeros(len(second))
    before[seen] = has_0[row[seen].astype(int)]
    chance_before[seen] = chance_0[row[seen].astype(int)]
    u = rng.random(len(second))
    has_1 = np.where(seen, (before == 1) | (u < entry_chance), u < fresh_chance)
    chance_1 = np.where(seen, chance_before + (1 - chance_before) * entry_chance, fresh_chance)
    return [
        first.assign(juntos_chance=chance_0, has_juntos=has_0, had_juntos=np.nan, entry_chance=np.nan),
        second.assign(juntos_chance=chance_1, has_juntos=has_1, had_juntos=before, entry_chance=entry_chance),
    ]


def draw_answers(rng: np.random.Generator, households: pd.DataFrame) -> pd.DataFrame:
    """Draw who answers module 700 and the FIES: rarely missing but in the largest cities, and lasting.

    Parameters
    ----------
    rng : numpy.random.Generator
    households : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        With ``has_answered_programmes`` and ``has_answered_food``.
    """
    n = len(households)
    willingness = 0.8 * households["answer_noise"].to_numpy() + 0.6 * rng.standard_normal(n)
    answered = willingness > ndtri(by_code(NO_PROGRAMME_ANSWER, households["estrato"]))
    is_silent = rng.random(n) < np.where(answered, NO_FOOD_ANSWER_WITH, NO_FOOD_ANSWER_WITHOUT)
    return households.assign(has_answered_programmes=answered, has_answered_food=~is_silent)


def draw_child_work(
    rng: np.random.Generator,
    model: StructuralModel,
    households: pd.DataFrame,
    members: pd.DataFrame,
    *,
    trend: float,
    cluster_noise: Floats,
) -> pd.DataFrame:
    """Draw both potential outcomes and the realised ones of every child of 5 to 17.

    Parameters
    ----------
    rng : numpy.random.Generator
    model : StructuralModel
    households, members : pandas.DataFrame
    trend : float
        Shift of the index in this wave.
    cluster_noise : numpy.ndarray, shape (clusters,)

    Returns
    -------
    pandas.DataFrame
        See ``Wave.children``.
    """
    line = np.flatnonzero((members["relation"] != PANEL) & members["age_years"].between(5, 17))
    people = members.iloc[line]
    home = households.iloc[people["household"].to_numpy()].reset_index(drop=True)
    age = people["age_years"].to_numpy(dtype=float)
    is_girl = people["is_female"].to_numpy(dtype=float)
    index = (
        _work_index(model, home, age, is_girl)
        + trend
        + model.cluster_spread * cluster_noise[home["cluster"].to_numpy()]
    )
    work = expit(index), expit(index + model.work_effect(age, is_girl))
    only_house = _housework_index(model, home["month"].to_numpy(), age, is_girl)
    house = expit(only_house), expit(only_house + model.housework_effect)
    is_treated = home["has_juntos"].to_numpy(dtype=bool)
    works = rng.random(len(line)) < np.where(is_treated, work[1], work[0])
    does_housework = ~works & (rng.random(len(line)) < np.where(is_treated, house[1], house[0]))
    return pd.DataFrame(
        {
            "line": line,
            "household": people["household"].to_numpy(),
            "age_years": age,
            "is_female": is_girl > 0,
            "is_member": people["is_member"].to_numpy(dtype=bool),
            "work_0": work[0],
            "work_1": work[1],
            "housework_0": (1 - work[0]) * house[0],
            "housework_1": (1 - work[1]) * house[1],
            "works": works,
            "does_housework_only": does_housework,
        }
    )


def _work_index(model: StructuralModel, home: pd.DataFrame, age: Floats, is_girl: Floats) -> Floats:
    years = age - 11
    altitude_km = home["altitude_m"] / 1000
    return np.asarray(
        model.work_intercept
        + by_code(WORK_BY_DOMAIN, home["dominio"])
        + 0.21 * years
        - 0.016 * years**2
        - 0.2 * is_girl
        + 1.1 * home["is_rural"]
        + 4.5 * home["poverty_rate"]
        + 0.05 * altitude_km
        + 0.15 * home["is_rural"] * altitude_km
        + model.household_spread * home["work_noise"]
        + model.hidden_confounding * home["hidden"],
        dtype=float,
    )


def _housework_index(model: StructuralModel, month: Codes, age: Floats, is_girl: Floats) -> Floats:
    holidays = np.select([month <= 2, month == 3], [2.0, 1.2], 0.0)
    return np.asarray(model.housework_intercept + 0.1 * (age - 11) + 0.45 * is_girl + holidays)


def draw_food_insecurity(
    rng: np.random.Generator, model: StructuralModel, households: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the person parameters of both potential outcomes, and the answers to the eight items.

    Parameters
    ----------
    rng : numpy.random.Generator
    model : StructuralModel
    households : pandas.DataFrame

    Returns
    -------
    food : pandas.DataFrame
        ``theta_0 theta_1``.
    households : pandas.DataFrame
        With ``fies_1 ... fies_8``, positions in (yes, no, does not know, refused, no answer).
    """
    n = len(households)
    theta = np.asarray(
        model.food_intercept
        + 3.5 * households["poverty_rate"]
        + 0.9 * households["is_rural"]
        + 0.15 * households["members_under_19"]
        + 0.5 * households["poverty_noise"]
        + model.food_spread * rng.standard_normal(n)
        + model.hidden_confounding * households["hidden"],
        dtype=float,
    )
    food = pd.DataFrame({"theta_0": theta, "theta_1": theta + model.food_effect})
    realised = np.where(households["has_juntos"], food["theta_1"], food["theta_0"])
    severities = np.asarray(model.food_severities)
    says_yes = rng.random((n, 8)) < expit(realised[:, None] - severities)
    spoilt = rng.random((n, 8))
    answer = np.where(says_yes, YES, NO)
    answer = np.where(spoilt < DO_NOT_KNOW_SHARE + REFUSED_SHARE, DO_NOT_KNOW, answer)
    answer = np.where(spoilt < REFUSED_SHARE, REFUSED, answer)
    answer = np.where(households["has_answered_food"].to_numpy()[:, None], answer, NO_ANSWER)
    return food, households.assign(**{f"fies_{j + 1}": answer[:, j] for j in range(8)})
