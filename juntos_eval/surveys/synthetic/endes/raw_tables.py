"""From a chunk to raw tables: INEI's codes under canonical names, keys as INEI writes them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.growth import anaemia_level, growth_scores
from juntos_eval.surveys.growth.reference import DAYS_A_MONTH
from juntos_eval.surveys.synthetic.endes.chunk import Chunk
from juntos_eval.surveys.synthetic.endes.outcomes import ACT_CHANCES

__all__ = ["raw_tables"]

MILLION: Final = 1_000_000

#: INEI wrote the woman's line with a zero before it in these years.
ZERO_PADDED: Final = (2011, 2012)

#: INEI's summaries of acts, ever.
SUMMARIES: Final = {
    "inei_less_severe": ("physical_a", "physical_b", "physical_c", "physical_d", "physical_j"),
    "inei_severe": ("physical_e", "physical_f", "physical_g"),
    "inei_sexual": ("sexual_h", "sexual_i"),
    "inei_emotional": ("emotional_a", "emotional_b", "emotional_d"),
}


def raw_tables(rng: np.random.Generator, chunk: Chunk) -> dict[str, pd.DataFrame]:
    """Return every raw table of a chunk; columns that a year does not have are dropped when it is written.

    Parameters
    ----------
    rng : numpy.random.Generator
    chunk : Chunk

    Returns
    -------
    dict of str to pandas.DataFrame
    """
    return {
        "households": _households(chunk),
        "dwellings": _dwellings(rng, chunk),
        "persons": _persons(chunk),
        "children": _children(rng, chunk),
        "programmes": _programmes(rng, chunk),
        "health": _health(rng, chunk),
    } | _of_women(rng, chunk)


def _case(people: pd.DataFrame, year: int, line: str = "line") -> pd.Series:
    number = people[line].astype(int).astype(str)
    return people["hhid"] + (" " + number.str.zfill(2) if year in ZERO_PADDED else number.str.rjust(3))


def _weight(weight: pd.Series) -> np.ndarray:
    return np.maximum(np.round(weight.to_numpy() * MILLION), 1)


def _households(chunk: Chunk) -> pd.DataFrame:
    homes = chunk.homes
    size = chunk.members.groupby("hhid").size()
    return pd.DataFrame(
        {
            "hhid": homes["hhid"],
            "year": chunk.year,
            "interview_year": chunk.year,
            "interview_month": homes["month"],
            "psu": homes["psu"],
            "dwelling": homes["dwelling"],
            "household_number": 1,
            "household_weight": np.where(homes["is_interviewed"], _weight(homes["weight"]), 0),
            "members": homes["hhid"].map(size),
            "stratum": homes["stratum"],
            "region": homes["region"],
            "area": np.where(homes["is_rural"], 2, 1),
            "altitude_m": homes["altitude_m"].round(),
            "longitude": homes["longitude"].round(5),
            "latitude": homes["latitude"].round(5),
            "ubigeo": homes["ubigeo"].astype(int),
        }
    )


def _dwellings(rng: np.random.Generator, chunk: Chunk) -> pd.DataFrame:
    homes = chunk.homes
    n = len(homes)
    poverty = homes["poverty_rate"].to_numpy() + 0.15 * homes["is_rural"]
    code = homes["ubigeo"].astype(int)
    natural = np.where(homes["region"].isin([15, 7]), 1, np.where(homes["dominio"] <= 3, 2, 3))
    natural = np.where(homes["dominio"] == 7, 4, natural)
    inside = rng.random((n, 2)) < np.clip(1.1 - 1.5 * np.asarray(poverty)[:, None], 0.05, 0.98)
    frame = pd.DataFrame(
        {
            "natural_region": natural,
            "province_code": code // 100 % 100,
            "district_code": code % 100,
            "water_code": np.where(inside[:, 0], 11, rng.choice([12, 13, 21, 43, 61], n)),
            "toilet_code": np.where(inside[:, 1], 11, rng.choice([12, 21, 22, 23, 32], n)),
            "has_electricity": (rng.random(n) < 0.98 - 0.2 * poverty).astype(float),
            "floor_code": rng.choice([11, 34, 35], n),
            "wall_code": rng.choice([12, 22, 31], n),
            "roof_code": rng.choice([12, 31, 33], n),
            "fuel_code": rng.choice([2, 5, 8], n),
            "sleeping_rooms": rng.integers(1, 5, n),
            "wealth_quintile": homes["wealth_quintile"],
            "wealth_score": (homes["wealth_score"] * 100_000).round(),
            "has_juntos": np.where(homes["has_juntos"], 1, 2),
        }
    )
    asked = homes["is_interviewed"].to_numpy()
    told = ["natural_region", "province_code", "district_code"]
    frame = frame.astype("float64")
    frame.loc[~asked, [name for name in frame if name not in told]] = np.nan
    return frame.assign(hhid=homes["hhid"])


def _persons(chunk: Chunk) -> pd.DataFrame:
    people = chunk.members
    is_child = people["role"].eq("child").to_numpy()
    age = people["age_years"].to_numpy()
    first = people["line"].eq(1).to_numpy()
    years = np.where(is_child, np.clip(age - 6, 0, 14), people["mother_years"])
    level = np.searchsorted([1, 6, 7, 11, 12], years, side="right")
    return pd.DataFrame(
        {
            "hhid": people["hhid"],
            "line": people["line"],
            "relation": np.where(first, 1, np.where(is_child, 3, 2)),
            "slept_here": people["slept_here"].astype(int),
            "sex": np.where(people["is_female"], 2, 1),
            "age_years": np.minimum(age, 97),
            "education_years": years,
            "education_level": level,
            "marital_status": np.where(age < 12, np.nan, np.where(is_child, 0, 2)),
        }
    )


def _children(rng: np.random.Generator, chunk: Chunk) -> pd.DataFrame:
    missing, misread = chunk.model.missing_measure, chunk.model.misread_measure
    children = chunk.children
    n = len(children)
    height, weight = children["height_cm"].to_numpy().copy(), children["weight_kg"].to_numpy().copy()
    draw = rng.random(n)
    is_missing, is_misread = draw < missing, (draw >= missing) & (draw < missing + misread)
    height[is_misread] = np.round(height[is_misread] * 1.6, 1)
    age = children["age_days"].to_numpy()
    scores = growth_scores(
        age_days=age, is_female=children["is_female"].astype(float), weight_kg=weight, height_cm=height
    )
    flag = np.nan if chunk.year >= 2020 else 9999.0
    z = {}
    for name in ("haz", "waz", "whz", "baz"):
        own = getattr(scores, name)
        value = np.where(own.reason == 0, np.round(100 * own.z), np.where(own.reason == 3, 9996.0, 9998.0))
        z[f"inei_{name}"] = np.where(is_missing, flag, value)
    any_flag = is_misread & ~is_missing
    z = {name: np.where(any_flag, 9998.0, value) for name, value in z.items()}
    months = np.floor(age / DAYS_A_MONTH)
    return pd.DataFrame(
        {
            "hhid": children["hhid"],
            "line": children["line"],
            "age_months": months,
            "weight_hg": np.where(is_missing, 9994, np.round(10 * weight)),
            "height_mm": np.where(is_missing, 9994, np.round(10 * height)),
            "measured_position": np.where(is_missing, 0, np.where(age < 731, 1, 2)),
            "sex": np.where(children["is_female"], 2, 1),
            **z,
            **_blood(children, months, is_missing),
            "mother_line": children["mother_line"],
            "measurement_weight": np.round(
                children["weight"] * MILLION * np.exp(0.05 * rng.standard_normal(n))
            )
            + 1,
        }
    )


def _blood(children: pd.DataFrame, months: np.ndarray, is_missing: np.ndarray) -> dict[str, np.ndarray]:
    feet = children["altitude_m"].round().to_numpy() * 0.0032808
    rise = np.where(children["altitude_m"].round() < 1000, 0.0, -0.032 * feet + 0.022 * feet**2)
    read = children["haemoglobin"].to_numpy()
    adjusted = np.round(read - rise, 1)
    untaken = is_missing | (months < 6)
    return {
        "haemoglobin": np.where(untaken, 994, np.round(10 * read)),
        "adjusted_haemoglobin": np.where(untaken, 994, np.round(10 * adjusted)),
        "anaemia": np.where(untaken, np.nan, anaemia_level(adjusted, age_months=months)),
    }


def _of_women(rng: np.random.Generator, chunk: Chunk) -> dict[str, pd.DataFrame]:
    women = chunk.women
    case = _case(women, chunk.year)
    interviewed = women["is_interviewed"].to_numpy()
    own = pd.DataFrame(
        {
            "caseid": case,
            "year": chunk.year,
            "psu": women["psu"],
            "woman_weight": np.where(interviewed, _weight(women["weight"] * 1.02), 0),
            "interview_month": women["month"],
            "interview_year": chunk.year,
            "age_years": women["age_years"],
            "stratum": women["household"].map(_stratum(chunk)),
            "region": women["household"].map(_stratum(chunk, "region")),
            "area": np.where(women["is_rural"], 2, 1),
            "violence_selection": women["selection"],
            "education_level": np.searchsorted([1, 7, 12], women["mother_years"], side="right"),
            "wealth_quintile": women["household"].map(_stratum(chunk, "wealth_quintile")),
            "ubigeo": women["household"].map(_stratum(chunk, "ubigeo")).astype(int),
        }
    )
    asked = women[interviewed]
    case = case[interviewed]
    tongue = np.where(rng.random(len(asked)) < 0.2 + 0.5 * asked["poverty_rate"], 1, 10)
    made = {
        "women": own,
        "women_local": pd.DataFrame(
            {
                "caseid": case,
                "natural_region": 3,
                "mother_tongue_code": tongue,
                "has_juntos": asked["has_juntos"].astype(int),
            }
        ),
        "fertility": pd.DataFrame(
            {"caseid": case, "births": asked["children"], "living_children": asked["children"]}
        ),
        "unions": pd.DataFrame(
            {
                "caseid": case,
                "marital_status": asked["marital_status"],
                "ever_partnered": asked["union"],
                "partner_education": asked["partner_education"],
                "is_working": asked["is_working"],
                "partner_age_years": asked["partner_age"],
            }
        ),
        "violence": _violence(chunk),
    }
    return made | _births(chunk)


def _stratum(chunk: Chunk, name: str = "stratum") -> pd.Series:
    interviewed = chunk.homes[chunk.homes["is_interviewed"]].reset_index(drop=True)
    return interviewed[name]


def _violence(chunk: Chunk) -> pd.DataFrame:
    asked = chunk.violence
    frame = {"caseid": _case(asked, chunk.year), "violence_weight": _weight(asked["weight"] * 1.1)}
    is_widow = asked["marital_status"].eq(3)
    for kind, acts in ACT_CHANCES.items():
        for letter in acts:
            code = asked[f"{kind}_{letter}"]
            # widows are not asked how often
            frame[f"{kind}_{letter}"] = code.mask(is_widow & code.gt(0), 4.0)
    for name, summed in SUMMARIES.items():
        codes = pd.DataFrame({act: frame[act] for act in summed if _is_asked(act, chunk.year)})
        frame[name] = codes.gt(0).any(axis=1).astype(float).mask(codes.isna().all(axis=1))
    for letter in "abcdef":
        frame[f"control_{letter}"] = asked["emotional_a"].where(asked["emotional_a"] < 4)
    for name in ("partner_drinks", "partner_is_drunk"):
        frame[name] = asked[name]
    return pd.DataFrame(frame)


def _is_asked(act: str, year: int) -> bool:
    return str(year) in load_codebook("endes").column("violence", act).raw


def _births(chunk: Chunk) -> dict[str, pd.DataFrame]:
    births = chunk.births
    case = _case(births, chunk.year, "mother_line")
    month = 12 * chunk.year + births["month"] - 1 - np.floor(births["age_days"] / DAYS_A_MONTH)
    history = pd.DataFrame(
        {
            "caseid": case,
            "birth": births["birth"],
            "birth_order": births["birth_order"],
            "birth_month": month % 12 + 1,
            "birth_year": month // 12,
            "sex": np.where(births["is_female"], 2, 1),
            "is_alive": 1,
            "child_line": births["line"],
        }
    )
    recent = births["age_days"] < 60 * DAYS_A_MONTH
    care = births.loc[recent, ["birth", "first_check_month", "prenatal_checks", "delivery_code"]]
    return {"births": history, "prenatal": care.assign(caseid=case[recent])}


def _programmes(rng: np.random.Generator, chunk: Chunk) -> pd.DataFrame:
    homes = chunk.homes[chunk.homes["is_interviewed"]]
    n = len(homes)
    has = homes["has_juntos"].to_numpy()
    silent = rng.random(n) < 0.004
    months = homes["juntos_months"].to_numpy()
    whole = rng.random(n) < 0.4
    return pd.DataFrame(
        {
            "hhid": homes["hhid"],
            "has_juntos": np.where(silent, 8, np.where(has, 1, 2)),
            "juntos_years": np.where(has & ~silent, months // 12, np.nan),
            "juntos_months": np.where(has & ~silent, np.where(whole, 0, months % 12), np.nan),
        }
    )


def _health(rng: np.random.Generator, chunk: Chunk) -> pd.DataFrame:
    adults = chunk.members[chunk.members["role"] == "mother"]
    n = len(adults)
    trait = rng.standard_normal(n) + 0.5 * adults["poverty_rate"].to_numpy()
    effect = chunk.model.depression_effect * adults["has_juntos"].to_numpy(dtype=float)
    items = {
        f"symptom_{letter}": np.searchsorted(
            [0.7, 1.9, 2.6], 0.6 * (trait + effect) + 0.8 * rng.standard_normal(n)
        ).astype(float)
        for letter in "abcdefghi"
    }
    silent = rng.random(n) < 0.06
    frame = pd.DataFrame(items, index=adults.index)
    frame[silent] = np.nan
    weight = np.where(silent, np.nan, np.round(adults["weight"] * MILLION * 0.9) + 1)
    return frame.assign(hhid=adults["hhid"], line=adults["line"], adult_weight=weight)
