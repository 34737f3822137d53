"""The harmonised panel in its released shape: 215 columns, five rows a child, seen or not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Bools, Floats
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.growth import growth_scores
from juntos_eval.surveys.synthetic.young_lives.children import ROUNDS, Cohort
from juntos_eval.surveys.synthetic.young_lives.outcomes import Outcomes, body_sizes
from juntos_eval.surveys.young_lives.availability import load_rounds
from juntos_eval.surveys.young_lives.study_files import SURVEY
from juntos_eval.surveys.young_lives.wealth import SERVICES

__all__ = ["panel_columns", "panel_values"]

_UNKNOWN: Final = -9999.0
#: Chance of a yes where nothing is modelled.
_RARE: Final = 0.07


def panel_values(cohort: Cohort, made: Outcomes, rng: np.random.Generator) -> pd.DataFrame:
    """Give the panel of one cohort under canonical names, codes as released.

    Parameters
    ----------
    cohort : Cohort
    made : Outcomes
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        Children x 5 rows; everything but the key is missing where the child was not seen.
    """
    home = cohort.children.loc[np.repeat(np.arange(len(cohort.children)), len(ROUNDS))].reset_index(drop=True)
    place = np.tile(np.arange(len(ROUNDS)), len(cohort.children))
    values: dict[str, Any] = {
        "child_id": home["child_id"].to_numpy(),
        "cohort": np.full(len(home), 1.0 if cohort.name == "younger" else 0.0),
        "round": place + 1.0,
        "is_seen": cohort.is_seen.ravel().astype(float),
        "is_in_all_rounds": np.repeat(cohort.is_seen.all(axis=1), len(ROUNDS)).astype(float),
        "is_deceased": np.where(home["is_deceased"] & (place == 4), 1.0, np.nan),
    }
    values |= _place_and_person(cohort, home)
    values |= _body(cohort, made, rng)
    values |= _day(cohort, made, rng)
    values |= _school(cohort, made, rng)
    values |= _household(home, place, rng)
    values["has_juntos_released"] = _released_juntos(cohort)
    frame = pd.DataFrame(values)
    frame = pd.concat([frame, pd.DataFrame(_the_rest(frame, rng))], axis=1)
    return _hide(frame, cohort)


def panel_columns() -> dict[str, str]:
    """Return canonical name -> released name, in the order of the release."""
    columns = [column for column in load_codebook(SURVEY).columns if column.table == "panel"]
    return {column.name: column.raw["undated"].split("|")[0] for column in columns}


def _place_and_person(cohort: Cohort, home: pd.DataFrame) -> dict[str, Any]:
    return {
        "interview_date": _dates(cohort.interview.ravel()),
        "community_id": home["community_id"].to_numpy(),
        "site": home["site"].to_numpy(dtype=float),
        "area": np.where(home["is_rural"], 2.0, 1.0),
        "region": home["region"].to_numpy(dtype=float),
        "is_living_in_household": np.ones(len(home)),
        "sex": np.where(home["is_female"], 2.0, 1.0),
        "first_language": np.where(home["is_indigenous"], 32.0, 31.0),
        "ethnicity": np.where(home["region"].eq(33) & home["is_indigenous"], 33.0, 32.0),
        "age_months": np.round(cohort.age_months.ravel(), 2),
    }


def _dates(years: Floats) -> Any:
    days = np.round((years - 1960) * 365.25).astype("int64")
    return pd.Timestamp("1960-01-01") + pd.to_timedelta(days, unit="D")


def _body(cohort: Cohort, made: Outcomes, rng: np.random.Generator) -> dict[str, Any]:
    age, haz, baz = cohort.age_months.ravel(), made.haz.ravel(), made.baz.ravel()
    is_female = np.repeat(cohort.children["is_female"].to_numpy(), len(ROUNDS))
    # a slip of the pen: heights that no child has are released, and flagged
    haz = np.where(rng.uniform(size=len(haz)) < 0.002, -6.5, haz)
    height, weight = body_sizes(haz, baz, age, is_female)
    waz = growth_scores(
        age_days=age * 365 / 12,
        is_female=is_female.astype(float),
        weight_kg=weight,
        height_cm=height,
        is_lying=(age < 24).astype(float),
    ).waz.z
    is_unknown = rng.uniform(size=len(haz)) < 0.01
    # weights are drawn of body mass indices within 2.9 deviations, where the LMS formula needs no restriction
    scores = {"haz": haz, "baz": np.clip(baz, -2.9, 2.9), "waz": waz, "whz": np.clip(baz, -2.9, 2.9)}
    known = {name: np.where(is_unknown, np.nan, np.round(z, 2)) for name, z in scores.items()}
    flags = {"haz": (-6, 6), "baz": (-5, 5), "waz": (-6, 5), "whz": (-5, 5)}
    out: dict[str, Any] = {
        "height_cm": np.where(is_unknown, _UNKNOWN, height),
        "weight_kg": np.where(is_unknown, _UNKNOWN, weight),
        "bmi": np.where(is_unknown, np.nan, np.round(weight / (height / 100) ** 2, 2)),
    }
    for name, z in known.items():
        out[name] = z
        out[f"is_{name}_flagged"] = np.where(
            np.isnan(z), np.nan, ((z < flags[name][0]) | (z > flags[name][1])).astype(float)
        )
    names = {"stunting_released": "haz", "thinness_released": "baz", "underweight_released": "waz"}
    for released, name in names.items():
        grade = (known[name] < -2).astype(float) + (known[name] < -3)
        out[released] = np.where(np.isnan(known[name]) | (out[f"is_{name}_flagged"] == 1), np.nan, grade)
    return out


def _day(cohort: Cohort, made: Outcomes, rng: np.random.Generator) -> dict[str, Any]:
    """Fill 24 hours: work and housework first, school for the enrolled, the rest sleep, study and leisure."""
    size = made.works.size
    rural = np.repeat(cohort.children["is_rural"].to_numpy(), len(ROUNDS))
    old = cohort.age_months.ravel() > 180
    worked = np.where(made.works.ravel(), rng.integers(1, 5, size) + old * rng.integers(0, 4, size), 0)
    is_paid = rng.uniform(size=size) < np.where(old, 0.5, 0.1) * np.where(rural, 0.6, 1.0)
    school = np.where(made.enrolled.ravel(), rng.integers(4, 8, size), 0)
    care, chores = rng.integers(0, 3, size), rng.integers(0, 3, size)
    study = np.where(school > 0, rng.integers(0, 4, size), 0)
    sleep = rng.integers(8, 11, size)
    play = np.clip(24 - sleep - worked - school - care - chores - study, 0, None)
    hours = {
        "sleep_hours": sleep,
        "care_hours": care,
        "chore_hours": chores,
        "family_work_hours": np.where(is_paid, 0, worked),
        "paid_work_hours": np.where(is_paid, worked, 0),
        "school_hours": school,
        "study_hours": study,
        "play_hours": play,
    }
    is_lost = rng.uniform(size=size) < 0.015
    return {name: np.where(is_lost, np.nan, value.astype(float)) for name, value in hours.items()}


def _school(cohort: Cohort, made: Outcomes, rng: np.random.Generator) -> dict[str, Any]:
    age = cohort.age_months.ravel() / 12
    size = len(age)
    is_enrolled = made.enrolled.ravel() & (age >= 5.5)
    grade = np.clip(np.floor(age - 6 + rng.uniform(-0.6, 0.6, size)) + 1, 0, 11)
    enrolled = np.where(rng.uniform(size=size) < 0.005, rng.choice([77.0, 88.0, 99.0], size), is_enrolled)
    return {
        "is_enrolled": enrolled,
        "grade_enrolled": np.where(is_enrolled, grade, np.nan),
        "school_type": np.where(is_enrolled, np.where(rng.uniform(size=size) < 0.85, 2.0, 1.0), np.nan),
        "first_grade_age_years": np.where(age > 7, 6.0, np.nan),
        "school_travel_minutes": np.where(is_enrolled, rng.integers(2, 60, size).astype(float), np.nan),
    }


def _household(home: pd.DataFrame, place: Any, rng: np.random.Generator) -> dict[str, Any]:
    size, poverty = len(home), home["poverty"].to_numpy()
    chance = np.clip(
        0.55 - 0.22 * poverty[:, None] + 0.05 * place[:, None] + np.array([0.1, 0.15, 0.0, -0.1]), 0.02, 0.98
    )
    services = (rng.uniform(size=(size, 4)) < chance).astype(float)
    housing = np.clip(0.42 - 0.12 * poverty + 0.02 * place + rng.normal(0, 0.12, size), 0, 1).round(6)
    durables = np.clip(0.35 - 0.12 * poverty + 0.06 * place + rng.normal(0, 0.12, size), 0, 1).round(6)
    counts = rng.poisson([0.45, 0.5, 0.4, 1.1, 0.1, 0.45, 0.5, 0.4, 1.2, 0.15], size=(size, 10)).astype(float)
    names = [
        f"{sex}s_{age}" for sex in ("male", "female") for age in ("0_5", "6_12", "13_17", "18_60", "61_plus")
    ]
    school = home["mother_schooling"].to_numpy(dtype=float)
    return {
        **{name: services[:, column] for column, name in enumerate(SERVICES)},
        "housing_index": housing,
        "durables_index": durables,
        "services_index": services.mean(axis=1),
        "wealth_index": (housing + durables + services.mean(axis=1)) / 3,
        **{name: counts[:, column] for column, name in enumerate(names)},
        "household_size": counts.sum(axis=1) + 1,
        "mother_education": school,
        "caregiver_education": school,
        "father_education": np.where(rng.uniform(size=size) < 0.15, np.nan, school),
        "head_education": school,
    }


def _released_juntos(cohort: Cohort) -> Floats:
    """Build the released flag as its construction does: code 1, whatever the cohort's dictionary says."""
    flag = np.full((len(cohort.children), len(ROUNDS)), np.nan)
    for place in (2, 3, 4):
        flag[:, place] = cohort.children[f"answer_{place + 1}"].eq(1)
    return flag.ravel()


def _the_rest(frame: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Fill the columns that carry no planted structure, so that the file has all 215."""
    codebook, size = load_codebook(SURVEY), len(frame)
    filled: dict[str, Any] = {}
    for name in panel_columns():
        if name in frame:
            continue
        column = codebook.column("panel", name)
        if column.kind == "code":
            good = [float(code.code) for code in codebook.codes_of("panel", name) if not code.is_missing]
            is_yes_no = set(good) == {0.0, 1.0}
            drawn = (rng.uniform(size=size) < _RARE).astype(float) if is_yes_no else rng.choice(good, size)
            filled[name] = drawn
        elif column.unit == "year":
            filled[name] = np.where(rng.uniform(size=size) < 0.02, 2001.0, np.nan)
        elif column.unit == "years":
            filled[name] = rng.integers(18, 60, size).astype(float)
        elif column.unit == "g":
            filled[name] = np.where(
                rng.uniform(size=size) < 0.1, _UNKNOWN, rng.normal(3200, 450, size).round()
            )
        elif column.unit == "visits":
            filled[name] = rng.choice(
                [0.0, 4.0, 6.0, 8.0, 88.0, 99.0], size, p=[0.05, 0.2, 0.4, 0.29, 0.03, 0.03]
            )
        else:
            filled[name] = rng.poisson(1.5, size).astype(float)
    return filled


def _hide(frame: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Empty what a round does not ask, and whole rows of children not seen."""
    rounds, is_absent = frame["round"].to_numpy(), frame["is_seen"].eq(0).to_numpy()
    key = {"child_id", "cohort", "round", "is_seen", "is_in_all_rounds", "is_deceased"}
    columns: dict[str, pd.Series] = {}
    for column in panel_columns():
        known = load_rounds().get((column, cohort.name))
        is_asked: Bools = np.ones(len(frame), dtype=bool) if known is None else np.isin(rounds, known.rounds)
        columns[column] = frame[column] if column in key else frame[column].where(is_asked & ~is_absent)
    return pd.DataFrame(columns)
