"""Who lives in a block in a year, both potential outcomes of everyone, and the columns all modules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic.history_blocks import SLOTS, Families, Frame, YearState
from juntos_eval.surveys.synthetic.history_model import HistoryModel

__all__ = [
    "LAST_SHORT_YEAR",
    "RENUMBERED",
    "Context",
    "Items",
    "Outcomes",
    "People",
    "code",
    "draw_outcomes",
    "household_items",
    "list_people",
    "mean_factor",
    "person_items",
    "text",
]

Items = dict[str, NDArray[Any]]
#: Mean expansion factor of a sample of ENAHO's size; a round number.
MEAN_WEIGHT: Final = 280.0
USUAL_SAMPLE: Final = 33_700
RELATIONS: Final = ("head", "spouse", "parent", *(["child"] * (SLOTS - 3)))


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """One row a person: its household (row of the block) and slot, what lasts and what the year says."""

    home: Codes
    slot: Codes
    age: Floats
    is_female: Bools
    weight: Floats

    def __len__(self) -> int:
        return len(self.home)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Both potential outcomes of each person; missing where the person is of another age.

    Attributes
    ----------
    attends, works, hours : (numpy.ndarray, numpy.ndarray)
        Without and with Juntos: probabilities of the first two, hours of the third.
    attends_seen, works_seen, hours_seen : numpy.ndarray
    """

    attends: tuple[Floats, Floats]
    works: tuple[Floats, Floats]
    hours: tuple[Floats, Floats]
    attends_seen: Floats
    works_seen: Floats
    hours_seen: Floats


def list_people(families: Families, state: YearState) -> People:
    """List the members of the households that are there, by household and slot."""
    home, slot = np.nonzero(state.is_member & state.is_there[:, None])
    return People(
        home=home,
        slot=slot,
        age=state.age[home, slot],
        is_female=families.is_female[home, slot],
        weight=families.weight[home],
    )


def draw_outcomes(
    rng: np.random.Generator, people: People, families: Families, state: YearState, model: HistoryModel
) -> Outcomes:
    """Draw attendance, children's work and adults' hours, with and without Juntos."""
    home, age = people.home, people.age
    poor = -(state.log_ratio[home] - state.log_ratio.mean()) + families.is_rural[home]
    hidden = model.hidden_confounding * families.hidden[home]
    years = state.year - 2004
    girl = people.is_female
    is_pupil = (age >= 6) & (age <= 17)
    base = 3.6 - 0.09 * np.maximum(age - 10, 0) ** 2 - 0.55 * poor + 0.03 * years - hidden
    lift = model.attendance_effect * np.where(age >= 12, 1.0, 1 / 3)
    attends = tuple(np.where(is_pupil, expit(base + t * lift), np.nan) for t in (0, 1))
    is_worker = (age >= 5) & (age <= 17)
    index = -2.6 + 0.22 * (age - 11) + 0.7 * poor - 0.2 * girl - 0.02 * years + hidden
    works = tuple(np.where(is_worker, expit(index + t * model.child_work_effect), np.nan) for t in (0, 1))
    draws, luck = rng.random((2, len(people))), rng.standard_normal(len(people))
    is_adult = (age >= 18) & (age <= 64) & (rng.random(len(people)) < np.where(girl, 0.62, 0.86))
    usual = np.where(girl, 34, 44) + 13 * luck
    shift = np.where(girl, model.women_hours_effect, model.men_hours_effect)
    hours = tuple(np.where(is_adult, np.clip(usual + t * shift, 1, 98), np.nan) for t in (0, 1))
    treated = state.has_juntos[home]
    return Outcomes(
        attends=(attends[0], attends[1]),
        works=(works[0], works[1]),
        hours=(hours[0], hours[1]),
        attends_seen=_seen(draws[0], np.where(treated, attends[1], attends[0])),
        works_seen=_seen(draws[1], np.where(treated, works[1], works[0])),
        hours_seen=np.rint(np.where(treated, hours[1], hours[0])),
    )


def _seen(draw: Floats, chance: Floats) -> Floats:
    return np.where(np.isnan(chance), np.nan, (draw < chance).astype(float))


def code(table: str, name: str, labels: NDArray[Any], year: int) -> Floats:
    """Turn labels into the codes of a year; not a number where a label is empty or the year has none."""
    codes = {
        item.value: float(item.code) for item in reversed(load_codebook("enaho").codes_of(table, name, year))
    }
    names, places = np.unique(labels.astype(str), return_inverse=True)
    return np.asarray([codes.get(str(label), np.nan) for label in names])[places]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a module's items are made of."""

    rng: np.random.Generator
    frame: Frame
    families: Families
    state: YearState
    people: People
    outcomes: Outcomes
    households: int
    numbers: int

    @property
    def year(self) -> int:
        """Year of the survey."""
        return self.state.year

    @property
    def homes(self) -> Codes:
        """Rows of the households that are there."""
        return np.flatnonzero(self.state.is_there)

    def weight(self, home: Codes) -> Floats:
        """Return expansion factors of households."""
        return np.asarray(self.families.weight[home] * mean_factor(self.households))


def household_items(context: Context, home: Codes) -> Items:
    """Return keys, place and weight of the households in these rows of the block."""
    families, year = context.families, context.year
    number = families.cluster[home] + (1 if year <= LAST_SHORT_YEAR else RENUMBERED)
    districts = context.frame.districts
    width = 4 if year <= LAST_SHORT_YEAR and context.numbers < 10_000 else 6
    return {
        "year": np.full(len(home), str(year), dtype=object),
        "month": text(context.state.month[home], 2),
        "conglome": text(number, width),
        "vivienda": text(families.vivienda[home], 3),
        "hogar": np.full(len(home), "11", dtype=object),
        "ubigeo": districts["ubigeo"].to_numpy(dtype=object)[families.district[home]],
        "dominio": districts["dominio"].to_numpy(dtype=float)[families.district[home]],
        "estrato": families.estrato[home].astype(float),
        "household_weight": context.weight(home),
    }


def mean_factor(households: int) -> float:
    """Return the mean expansion factor of a sample of so many households a year."""
    return MEAN_WEIGHT * USUAL_SAMPLE / households


#: INEI's conglome has four digits to this year; later numbers are others, of six.
LAST_SHORT_YEAR: Final = 2011
RENUMBERED: Final = 5001


def text(values: NDArray[Any], width: int) -> NDArray[Any]:
    """Write whole numbers as zero-padded text."""
    return np.char.zfill(values.astype(np.int64).astype(str), width).astype(object)


def person_items(context: Context, table: str) -> Items:
    """Return keys, place, weight and traits of everyone there."""
    people = context.people
    labels = np.asarray(RELATIONS)[people.slot]
    return {
        **household_items(context, people.home),
        "codperso": text(people.slot + 1, 2),
        "relation": code(table, "relation", labels, context.year),
        "sex": code(table, "sex", np.where(people.is_female, "female", "male"), context.year),
        "age_years": people.age,
        "person_weight": context.weight(people.home),
    }
