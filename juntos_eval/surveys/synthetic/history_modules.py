"""What a block's households answer in a year, module by module, under canonical names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from juntos_eval.arrays import Bools, Floats
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic.history_items import (
    LAST_SHORT_YEAR,
    Context,
    Items,
    code,
    household_items,
    person_items,
)

__all__ = ["MODULES", "module_items"]

#: Soles of a year's transfer: 100 a month from 2005.
TRANSFER: Final = 1200.0


def _ranked(rng: np.random.Generator, table: str, name: str, year: int, quality: Floats) -> Floats:
    """Draw a code of a column, those first in the code table for the better off."""
    codes = np.asarray([float(item.code) for item in load_codebook("enaho").codes_of(table, name, year)])
    place = np.clip((1 - expit(quality)) * len(codes) + rng.normal(0, 0.8, len(quality)), 0, len(codes) - 1)
    return codes[place.astype(np.int64)]


def sumaria_items(context: Context) -> Items:
    """Return module 34: consumption, lines, poverty, transfers."""
    home, state, rng = context.homes, context.state, context.rng
    size = state.is_member[home].sum(axis=1).astype(float)
    index = 1.0 + 0.03 * (context.year - 2004)
    dominio = context.frame.districts["dominio"].to_numpy()[context.families.district[home]]
    place = np.where(context.families.is_rural[home], 0.75, np.where(dominio == 8, 1.15, 1.0))
    line = 200.0 * index * place
    spending = np.exp(state.log_ratio[home]) * line * 12 * size
    poor, extreme = state.log_ratio[home] < 0, state.log_ratio[home] < np.log(0.54)
    label = np.where(extreme, "extreme_poor", np.where(poor, "poor", "not_poor"))
    juntos = np.where(state.has_juntos[home] & (rng.random(len(home)) < 0.93), TRANSFER, 0.0)
    return {
        **household_items(context, home),
        "members": size,
        "persons": size,
        "earners": np.minimum(size, 2),
        "income_gross": spending * np.exp(rng.normal(0.2, 0.25, len(home))),
        "income_net": spending * np.exp(rng.normal(0.1, 0.25, len(home))),
        "spending_monetary": 0.8 * spending,
        "spending": spending,
        "extreme_poverty_line": 0.54 * line,
        "poverty_line": line,
        "poverty": code("sumaria", "poverty", label, context.year),
        "spatial_deflator": place / 1.15,
        "juntos_income": juntos,
        "juntos_income_with_records": np.where(state.has_juntos[home], TRANSFER, 0.0),
        "pension65_income": np.zeros(len(home)),
        "public_transfers": juntos,
    }


def member_items(context: Context) -> Items:
    """Return module 02: who lives here, and what children did last week."""
    people, outcomes, year, rng = context.people, context.outcomes, context.year, context.rng
    n = len(people)
    works = outcomes.works_seen
    is_asked = ~np.isnan(works)
    for_income = is_asked & (works == 1) & (rng.random(n) < 0.4)
    idle = np.where(rng.random(n) < 0.06, "housework_only", "studying_only")
    task = np.where(works == 1, "farm_or_herding", idle)
    is_told = is_asked & ~for_income
    told = np.where(is_told, task, "")
    answer = np.where(told == "studying_only", "other", told) if year <= LAST_SHORT_YEAR else told
    yes, no = np.full(n, 1.0), np.full(n, 2.0)
    adult = people.age >= 12
    single = code("members", "marital_status", np.where(people.slot < 2, "cohabiting", "single"), year)
    long_hours = np.clip(np.rint(np.exp(rng.normal(2.2, 0.7, n))), 1, 98)
    return {
        **person_items(context, "members"),
        "is_member": yes,
        "is_absent_30_days": no,
        "is_present_30_days": np.full(n, np.nan),
        "age_months": np.where(people.age == 0, rng.integers(0, 12, n), np.nan),
        "marital_status": np.where(adult, single, np.nan),
        "has_worked": np.where(is_asked, np.where(for_income, yes, no), np.nan),
        "main_activity_answer": code("members", "main_activity_answer", answer, year),
        "main_activity": code("members", "main_activity", told, year),
        "task_hours": np.where(works == 1, long_hours, np.nan),
        "is_hazardous_task": np.where(works == 1, 0.0, np.nan),
        "is_hazardous_time": np.where(works == 1, (long_hours > 35).astype(float), np.nan),
    }


def education_items(context: Context) -> Items:
    """Return module 03: schooling and attendance, ages 3 and more."""
    people, outcomes, families, year = context.people, context.outcomes, context.families, context.year
    rng, n = context.rng, len(context.people)
    is_pupil = ~np.isnan(outcomes.attends_seen)
    attends = outcomes.attends_seen == 1
    delay = np.minimum(rng.poisson(0.5 + 0.5 * families.is_rural[people.home]), 4)
    grade = np.clip(people.age - 5 - delay, 1, 11)
    is_primary = grade <= 6
    adult_years = families.schooling[people.home]
    level = np.select(
        [people.age < 6, is_pupil & is_primary, is_pupil, adult_years < 1, adult_years < 7, adult_years < 12],
        ["none", "primary_incomplete", "secondary_incomplete", "none", "primary_incomplete", "secondary"],
        "university",
    )
    within = np.select(
        [is_pupil & is_primary, is_pupil, level == "primary_incomplete", level == "university"],
        [np.maximum(grade - 1, 0), np.maximum(grade - 7, 0), np.clip(adult_years, 1, 5), 5.0],
        0.0,
    )
    yes_no = np.where(is_pupil, np.where(attends, "yes", "no"), np.where(people.age >= 18, "no", ""))
    tongue = np.where(families.language[people.home] == 1, "quechua", "spanish")
    enrolled = np.where(attends, np.where(is_primary, "primary", "secondary"), "")
    items = {
        **person_items(context, "education"),
        "mother_tongue": code("education", "mother_tongue", tongue, year),
        "education_level": code("education", "education_level", level, year),
        "education_year": np.where(level == "none", np.nan, np.where(is_primary & is_pupil, 0, within)),
        "education_grade": np.where(is_primary & is_pupil, within, np.nan),
        "can_read_write": np.full(n, np.nan),
        "was_enrolled_last_year": code("education", "was_enrolled_last_year", yes_no, year),
        "is_enrolled": code("education", "is_enrolled", yes_no, year),
        "is_attending": np.where(attends, 1.0, np.nan),
        "enrolled_level": code("education", "enrolled_level", enrolled, year),
        "enrolled_year": np.where(attends & ~is_primary, grade - 6, np.nan),
        "enrolled_grade": np.where(attends & is_primary, grade, np.nan),
        "school_type": np.where(attends, 1.0, np.nan),
    }
    return _rows(items, people.age >= 3)


def employment_items(context: Context) -> Items:
    """Return module 05: status, hours and transfers, ages 14 and more."""
    people, outcomes, state, year = context.people, context.outcomes, context.state, context.year
    rng, n = context.rng, len(context.people)
    employed = ~np.isnan(outcomes.hours_seen) | (outcomes.works_seen == 1)
    hours = np.where(np.isnan(outcomes.hours_seen), np.where(employed, 12.0, np.nan), outcomes.hours_seen)
    status = np.where(employed, "employed", np.where(rng.random(n) < 0.08, "unemployed", "inactive"))
    trade = np.where(context.families.is_rural[people.home], "self_employed", "employee")
    receives = state.has_juntos[people.home] & (people.slot == np.where(_has_spouse(context), 1, 0))
    told = receives & (rng.random(n) < 0.95)
    transfer = np.where(told, "yes", "" if year < 2009 else "no")
    wage = np.where(employed, hours * 52 * 5.0 * np.exp(rng.normal(0, 0.5, n)), np.nan)
    items = {
        **person_items(context, "employment"),
        "labour_status": code("employment", "labour_status", status, year),
        "has_worked": np.where(employed, 1.0, 2.0),
        "has_job": np.where(employed, np.nan, 2.0),
        "has_business": np.where(employed, np.nan, 2.0),
        "occupation": np.where(employed, 611.0, np.nan),
        "industry": np.where(employed, 111.0, np.nan),
        "occupation_category": code("employment", "occupation_category", np.where(employed, trade, ""), year),
        "hours_main": hours,
        "hours_main_imputed": hours,
        "hours_secondary": np.full(n, np.nan),
        "hours_secondary_imputed": np.full(n, np.nan),
        "wage_main": np.where(trade == "employee", wage, np.nan),
        "profit_main": np.where(trade == "self_employed", wage, np.nan),
        "wage_secondary": np.full(n, np.nan),
        "profit_secondary": np.full(n, np.nan),
        "juntos_transfer": code("employment", "juntos_transfer", transfer, year),
        "juntos_amount": np.where(told, TRANSFER / 12 if year < 2010 else TRANSFER / 6, np.nan),
        "juntos_amount_year": np.where(told, TRANSFER, 0.0),
    }
    return _rows(items, people.age >= 14)


def _has_spouse(context: Context) -> Bools:
    return np.asarray(context.state.is_member[:, 1][context.people.home])


def health_items(context: Context) -> Items:
    """Return module 04: illness, care, insurance."""
    people, rng, year = context.people, context.rng, context.year
    n = len(people)
    kind = rng.choice(5, n, p=[0.2, 0.15, 0.05, 0.01, 0.59])
    names = ("has_symptom", "has_illness", "has_relapse", "has_accident", "had_none")
    boxes = {name: _box("health", name, kind == position, year) for position, name in enumerate(names)}
    is_ill = kind < 4
    where = rng.integers(0, 4, n)
    care = ("consulted_post", "consulted_hospital", "consulted_pharmacy", "sought_no_care")
    places = {
        name: np.where(is_ill, _box("health", name, where == position, year), np.nan)
        for position, name in enumerate(care)
    }
    insured = np.where(rng.random(n) < expit(-1.2 + 0.15 * (year - 2004)), 1.0, 2.0)
    return {
        **person_items(context, "health"),
        "has_chronic_illness": np.where(rng.random(n) < 0.25, 1.0, 2.0),
        **boxes,
        **places,
        "insured_sis": insured,
        "insured_essalud": np.full(n, 2.0),
    }


def _box(table: str, name: str, ticked: Bools, year: int) -> Floats:
    """Tick a box with its own number where the year writes it so, else with 1; 0 is a box left."""
    numbers = [
        item.code for item in load_codebook("enaho").codes_of(table, name, year) if item.value == "yes"
    ]
    return np.where(ticked, float(max(numbers)), 0.0)


def housing_items(context: Context) -> Items:
    """Return module 01: the dwelling."""
    home, year, rng = context.homes, context.year, context.rng
    n = len(home)
    quality = 1.5 * (context.state.log_ratio[home] + 0.5) - context.families.is_rural[home]
    ranked = {
        name: _ranked(rng, "housing", name, year, quality)
        for name in ("dwelling_type", "wall", "floor", "roof", "water_source", "toilet", "cooking_fuel")
        if load_codebook("enaho").codes_of("housing", name, year)
    }
    districts = context.frame.districts.iloc[context.families.district[home]]
    lit = rng.random(n) < expit(quality + 2)
    needs = {f"nbi_{need}": (rng.random(n) < expit(-quality - 2 - 0.4 * need)) * 1.0 for need in range(1, 6)}
    return {
        **household_items(context, home),
        "result": np.ones(n),
        "interview_date": np.asarray(
            [f"{year}{month:02d}15" for month in context.state.month[home]], dtype=object
        ),
        **ranked,
        "rooms": np.clip(rng.poisson(2 + expit(quality)), 1, 12).astype(float),
        "has_electricity": lit * 1.0,
        "electric_meter": np.where(lit, 1.0, np.nan),
        **needs,
        "latitude": districts["latitude"].to_numpy(dtype=float),
        "longitude": districts["longitude"].to_numpy(dtype=float),
        "altitude_m": districts["altitude_m"].to_numpy(dtype=float),
    }


def programme_items(context: Context) -> Items:
    """Return module 37: programmes of the household, from 2012."""
    home, state, rng = context.homes, context.state, context.rng
    n = len(home)
    answered = rng.random(n) < 0.95
    wants = context.families.wish[home] < 0.35
    ever = state.has_juntos[home] | ((context.year >= 2020) & state.is_eligible[home] & wants)
    asked = np.where(answered, 1.0, np.nan)
    return {
        **household_items(context, home),
        "food_programmes_informant": np.where(answered, 1.0, 0.0),
        "programmes_informant": np.where(answered, 1.0, 0.0),
        "has_juntos": asked * ever,
        "has_pension65": asked * (rng.random(n) < 0.05),
        "has_school_breakfast": asked * (rng.random(n) < 0.4),
        "has_school_lunch": asked * (rng.random(n) < 0.2),
    }


def _rows(items: Mapping[str, NDArray[Any]], wanted: Bools) -> Items:
    return {name: values[wanted] for name, values in items.items()}


MODULES: Final[Mapping[str, Callable[[Context], Items]]] = {
    "sumaria": sumaria_items,
    "members": member_items,
    "education": education_items,
    "employment": employment_items,
    "health": health_items,
    "housing": housing_items,
    "programmes": programme_items,
}


def module_items(table: str, context: Context) -> Items:
    """Return every item of a module that the simulation fills, under its canonical name."""
    return MODULES[table](context)
