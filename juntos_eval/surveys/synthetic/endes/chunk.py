"""One chunk of a synthetic ENDES year: households, everyone in them, their outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.surveys.growth.reference import DAYS_A_MONTH
from juntos_eval.surveys.synthetic.endes.families import draw_homes, draw_members
from juntos_eval.surveys.synthetic.endes.outcomes import draw_checks, draw_growth, draw_violence
from juntos_eval.surveys.synthetic.endes.parameters import EndesModel

__all__ = ["Chunk", "Frame", "simulate_chunk"]

#: What the household says of each of its members.
OF_HOME = (
    "psu",
    "district",
    "hhid",
    "poverty_rate",
    "altitude_m",
    "is_rural",
    "mother_years",
    "hidden",
    "has_juntos",
    "is_eligible",
    "is_covered",
    "take_up_chance",
    "exposure_years",
    "first_treated",
    "weight",
    "month",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What holds for all years: districts with their entry, and their lasting random part.

    Attributes
    ----------
    districts : pandas.DataFrame
    noise : numpy.ndarray, shape (districts,)
    model : EndesModel
    """

    districts: pd.DataFrame
    noise: Floats
    model: EndesModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Tables of one chunk.

    Attributes
    ----------
    year : int
    model : EndesModel
    homes : pandas.DataFrame
        One row a selected household.
    members, women, violence, births, children : pandas.DataFrame
        Of interviewed households. ``violence`` are the women with V044 = 1, ``children`` those under five.
    """

    year: int
    model: EndesModel
    homes: pd.DataFrame
    members: pd.DataFrame
    women: pd.DataFrame
    violence: pd.DataFrame
    births: pd.DataFrame
    children: pd.DataFrame


def simulate_chunk(rng: np.random.Generator, frame: Frame, clusters: pd.DataFrame, *, year: int) -> Chunk:
    """Simulate the households of some clusters.

    Parameters
    ----------
    rng : numpy.random.Generator
    frame : Frame
    clusters : pandas.DataFrame
    year : int

    Returns
    -------
    Chunk
    """
    model = frame.model
    homes = draw_homes(rng, clusters, frame.districts, model, year)
    number = homes["psu"].astype(str).str.zfill(4) + homes["dwelling"].astype(str).str.zfill(3) + "01"
    homes["hhid"] = number.str.rjust(15)
    interviewed = homes[homes["is_interviewed"]].reset_index(drop=True)
    members = draw_members(rng, interviewed).join(interviewed[list(OF_HOME)], on="household")
    women = _women(rng, members, interviewed)
    asked = women[women["selection"] == 1].copy()
    partnered = asked[asked["union"] > 0]
    acts = draw_violence(rng, partnered, model, year=year, district=frame.noise)
    births = _births(members)
    births = births.join(draw_checks(rng, births, model, year=year))
    children = members[(members["role"] == "child") & (members["age_days"] < 60 * DAYS_A_MONTH)].copy()
    children = children.join(draw_growth(rng, children, model, year))
    return Chunk(
        year=year,
        model=model,
        homes=homes,
        members=members,
        women=women,
        violence=asked.join(acts),
        births=births,
        children=children,
    )


def _women(rng: np.random.Generator, members: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Women of 12 to 49; of each household its mother is selected for the module on violence."""
    women = members[members["is_female"] & members["age_years"].between(12, 49)].copy()
    n = len(women)
    is_mother = women["role"].eq("mother").to_numpy()
    has_partner = homes["has_partner"].to_numpy()[women["household"]]
    once = rng.random(n) < 0.85
    women["union"] = np.where(is_mother, np.where(has_partner, 1, np.where(once, 2, 0)), 0)
    kinds = rng.random(n)
    now = np.where(kinds < 0.3, 1, 2)
    formerly = np.where(kinds < 0.12, 3, np.where(kinds < 0.15, 4, 5))
    women["marital_status"] = np.where(women["union"] == 1, now, np.where(women["union"] == 2, formerly, 0))
    reached = rng.random(n)
    women["selection"] = np.where(is_mother, np.where(reached < 0.03, 2, np.where(reached < 0.05, 3, 1)), 0)
    women["is_interviewed"] = is_mother | (rng.random(n) > 0.04)
    women["partner_age"] = np.where(women["union"] > 0, np.clip(women["age_years"] + 3, 16, 80), np.nan)
    women["partner_education"] = np.where(women["union"] > 0, rng.integers(0, 4, n), np.nan)
    women["is_working"] = (rng.random(n) < 0.55).astype(float)
    children = members["role"].eq("child").groupby(members["household"]).sum()
    women["children"] = np.where(is_mother, women["household"].map(children).fillna(0), 0)
    return women


def _births(members: pd.DataFrame) -> pd.DataFrame:
    """Births of the mothers, the last one first."""
    births = members[members["role"] == "child"].copy()
    births = births.sort_values(["household", "age_days"], kind="stable")
    births["birth"] = births.groupby("household").cumcount() + 1
    total = births.groupby("household")["birth"].transform("max")
    births["birth_order"] = total + 1 - births["birth"]
    return births.sort_index()
