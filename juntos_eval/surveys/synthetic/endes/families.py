"""Families of synthetic ENDES households: members, mothers and children, births of the last five years."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.surveys.synthetic.endes.parameters import EndesModel

__all__ = ["draw_homes", "draw_members"]

NOT_INTERVIEWED: Final = 0.09
MOST_CHILDREN: Final = 6


def draw_homes(
    rng: np.random.Generator, clusters: pd.DataFrame, districts: pd.DataFrame, model: EndesModel, year: int
) -> pd.DataFrame:
    """Draw one row a selected household: place, composition, wealth, eligibility, take-up.

    Parameters
    ----------
    rng : numpy.random.Generator
    clusters : pandas.DataFrame
        Some of a year's clusters.
    districts : pandas.DataFrame
    model : EndesModel
    year : int

    Returns
    -------
    pandas.DataFrame
    """
    homes = clusters.loc[clusters.index.repeat(clusters["size"])].reset_index(drop=True)
    n = len(homes)
    place = districts.iloc[homes["district"].to_numpy()].reset_index(drop=True)
    homes = homes.assign(
        dwelling=homes.groupby("psu").cumcount() * 3 + 1,
        is_interviewed=rng.random(n) > NOT_INTERVIEWED,
        poverty_rate=place["poverty_rate"],
        altitude_m=place["altitude_m"],
        first_treated=place["first_treated"],
        region=place["code"].astype(int),
        ubigeo=place["ubigeo"],
        dominio=place["dominio"],
        latitude=place["latitude"],
        longitude=place["longitude"],
        hidden=rng.standard_normal(n),
    )
    rural = homes["is_rural"].to_numpy(dtype=float)
    poverty = homes["poverty_rate"].to_numpy()
    homes["has_partner"] = rng.random(n) < 0.72
    homes["head_is_female"] = np.where(homes["has_partner"], rng.random(n) < 0.18, rng.random(n) < 0.55)
    homes["mother_age"] = np.clip(rng.normal(33, 8.5, n), 16, 49).astype(int)
    children = rng.poisson(1.1 + 0.5 * rural + 1.0 * poverty)
    homes["children"] = np.minimum(children, np.minimum(MOST_CHILDREN, (homes["mother_age"] - 15) // 2))
    homes["mother_years"] = np.clip(np.round(rng.normal(10.5 - 3.5 * rural - 4 * poverty, 3, n)), 0, 16)
    score = -2.2 * poverty - 0.9 * rural + 0.09 * (homes["mother_years"] - 9) + 0.6 * rng.standard_normal(n)
    homes["wealth_score"] = score - 0.3 * model.hidden_confounding * homes["hidden"]
    homes["wealth_quintile"] = 1 + np.searchsorted([-1.65, -0.95, -0.45, 0.05], homes["wealth_score"])
    return _with_juntos(rng, homes, model, year)


def _with_juntos(rng: np.random.Generator, homes: pd.DataFrame, model: EndesModel, year: int) -> pd.DataFrame:
    """Eligible: a poor household with a child; affiliated: eligible, its district covered, and willing."""
    n = len(homes)
    eligible = homes["wealth_quintile"].le(2) & homes["children"].gt(0)
    covered = homes["first_treated"].gt(0) & homes["first_treated"].le(year)
    pull = np.log(model.take_up / (1 - model.take_up)) - 0.5 * (homes["wealth_score"] + 1.8)
    pull = pull + model.hidden_confounding * homes["hidden"]
    chance = 1 / (1 + np.exp(-pull))
    has = eligible & covered & (rng.random(n) < chance)
    years = np.where(covered, year - homes["first_treated"], 0)
    lag = np.floor(rng.exponential(8.0, n))
    months = np.where(has, np.maximum(12 * years + 6 - lag, 1), np.nan)
    return homes.assign(
        is_eligible=eligible,
        is_covered=covered,
        take_up_chance=np.where(eligible & covered, chance, 0.0),
        has_juntos=has,
        exposure_years=years.astype(float),
        juntos_months=months,
    )


def draw_members(rng: np.random.Generator, homes: pd.DataFrame) -> pd.DataFrame:
    """Draw one row a member of an interviewed household: head first, then the partner, then children.

    Parameters
    ----------
    rng : numpy.random.Generator
    homes : pandas.DataFrame
        From ``draw_homes``; rows of those interviewed carry ``household``.

    Returns
    -------
    pandas.DataFrame
        ``household line role is_female age_years age_days mother_line slept_here``; ``role`` is ``mother``,
        ``father`` or ``child``.
    """
    count = len(homes)
    has_partner = homes["has_partner"].to_numpy()
    parts = [_adults(rng, homes, has_partner)]
    number = homes["children"].to_numpy()
    home = np.repeat(np.arange(count), number)
    within = np.arange(len(home)) - np.repeat(np.cumsum(number) - number, number)
    mother_age = homes["mother_age"].to_numpy()[home]
    age_days = _child_ages(rng, within, mother_age)
    parts.append(
        pd.DataFrame(
            {
                "household": home,
                "order": 2 + within,
                "role": "child",
                "is_female": rng.random(len(home)) < 0.49,
                "age_days": age_days,
                "age_years": (age_days // 365.25).astype(int),
            }
        )
    )
    members = pd.concat(parts, ignore_index=True).sort_values(["household", "order"], ignore_index=True)
    members["line"] = members.groupby("household").cumcount() + 1
    mothers = members.loc[members["role"] == "mother"].set_index("household")["line"]
    members["mother_line"] = np.where(
        members["role"] == "child", members["household"].map(mothers).fillna(0), 0
    ).astype(int)
    members["slept_here"] = rng.random(len(members)) < 0.955
    return members


def _adults(rng: np.random.Generator, homes: pd.DataFrame, has_partner: np.ndarray) -> pd.DataFrame:
    """Draw a mother in every household and her partner where there is one; the head is the first line."""
    count = len(homes)
    head_is_female = homes["head_is_female"].to_numpy() | ~has_partner
    mother = pd.DataFrame(
        {
            "household": np.arange(count),
            "order": np.where(head_is_female, 0, 1),
            "role": "mother",
            "is_female": True,
            "age_years": homes["mother_age"].to_numpy(),
        }
    )
    age = np.clip(homes["mother_age"].to_numpy() + rng.normal(3, 4, count), 16, 80).astype(int)
    father = pd.DataFrame(
        {
            "household": np.arange(count),
            "order": np.where(head_is_female, 1, 0),
            "role": "father",
            "is_female": False,
            "age_years": age,
        }
    )
    return pd.concat([mother, father[has_partner]], ignore_index=True)


def _child_ages(rng: np.random.Generator, within: np.ndarray, mother_age: np.ndarray) -> Floats:
    """Ages in days, the oldest child first within a household, two years apart or so, under the mother's."""
    youngest = rng.uniform(0, 6.5, len(within))
    gap = 2.1 * within
    most = np.maximum(mother_age - 15.0, 0.5)
    return np.floor(np.clip(youngest + gap, 0.02, most) * 365.25)
