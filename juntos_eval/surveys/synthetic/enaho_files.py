"""Modules 200, 700 and 130 as INEI would have published the simulated survey."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.surveys.synthetic.activities import activity_items
from juntos_eval.surveys.synthetic.families import CHILD, HEAD, MARITAL_STATUSES, PANEL, RELATIONS, SPOUSE
from juntos_eval.surveys.synthetic.outcomes import NO_ANSWER
from juntos_eval.surveys.synthetic.parameters import margin
from juntos_eval.surveys.synthetic.population import Wave
from juntos_eval.surveys.synthetic.raw_layout import (
    encode,
    encode_flag,
    padded,
    raw_layout,
    write_csv,
    write_stata,
)

__all__ = ["write_modules"]

#: Table and the number of its file at INEI.
MODULES: Final = (("members", "200"), ("programmes", "700"), ("food_security", "130"))
STATA_YEARS: Final = (2024,)
FOOD_ANSWERS: Final = ("yes", "no", "do_not_know", "refused")
NUCLEUS_SHARE: Final = 0.25

Items = dict[str, Any]


def write_modules(folder: Path, wave: Wave, rng: np.random.Generator) -> tuple[Path, ...]:
    """Write the year's modules under INEI's file names.

    Parameters
    ----------
    folder : Path
        ``<root>/enaho/<year>``.
    wave : Wave
    rng : numpy.random.Generator
        For what no analysis reads: hours, occupations, other programmes.

    Returns
    -------
    tuple of Path
    """
    is_stata = wave.year in STATA_YEARS
    items_of = {
        "members": member_items(wave, rng),
        "programmes": programme_items(wave, rng),
        "food_security": food_items(wave, rng),
    }
    written = []
    for table, module in MODULES:
        layout = raw_layout(table, wave.year)
        if layout is None:
            continue
        items = items_of[table]
        if is_stata:
            path = folder / f"enaho01-{wave.year}-{module}.dta"
            written.append(write_stata(path, layout, items))
        else:
            # INEI's CSV is ordered by month, its .dta by cluster.
            order = np.argsort(items["month"], kind="stable")
            path = folder / f"Enaho01-{wave.year}-{module}.csv"
            written.append(write_csv(path, layout, {name: array[order] for name, array in items.items()}))
    return tuple(written)


def key_items(wave: Wave, rows: Codes) -> Items:
    """Keys, place and weight of the households in ``rows``; shared by all modules."""
    home = wave.households.iloc[rows]
    return {
        "year": np.full(len(rows), wave.year, dtype=float),
        "month": padded(home["month"], 2),
        "conglome": padded(home["conglome"], 6),
        "vivienda": padded(home["vivienda"], 3),
        "hogar": padded(home["hogar"], 2),
        "ubigeo": np.asarray(home["ubigeo"], dtype=object),
        "dominio": home["dominio"].to_numpy(dtype=float),
        "estrato": home["estrato"].to_numpy(dtype=float),
        "nconglome": padded(home["nconglome"], 6),
        "sub_conglome": padded(home["sub_conglome"], 2),
        "ticuest01": np.full(len(rows), 2.0),
        "household_weight": home["weight"].to_numpy(dtype=float),
    }


def person_items(people: pd.DataFrame, is_known: Bools) -> Items:
    """Answers on the person: relation, membership, sex, age, marital status."""
    age = people["age_years"].to_numpy(dtype=float)
    is_member = people["is_member"].to_numpy(dtype=bool)
    sex = people["is_female"].to_numpy(dtype=bool).astype(np.int64)
    knows_status = is_known & (np.nan_to_num(age) >= 12)
    status = people["marital_status"].fillna(0).to_numpy(dtype=np.int64)
    relation = people["relation"].to_numpy(dtype=np.int64)
    return {
        "relation": encode("members", "relation", relation, RELATIONS, np.ones(len(people), dtype=bool)),
        "is_member": encode_flag("members", "is_member", is_member, is_known),
        "is_absent_30_days": encode_flag(
            "members", "is_absent_30_days", people["is_absent"].to_numpy(dtype=bool), is_known & is_member
        ),
        "is_present_30_days": encode_flag(
            "members", "is_present_30_days", people["is_present"].to_numpy(dtype=bool), is_known & ~is_member
        ),
        "sex": encode("members", "sex", sex, ("male", "female"), is_known),
        "age_years": np.where(is_known, age, np.nan),
        "marital_status": encode("members", "marital_status", status, MARITAL_STATUSES, knows_status),
    }


def member_items(wave: Wave, rng: np.random.Generator) -> Items:
    """Every column of module 200."""
    people = wave.members
    household = people["household"].to_numpy()
    is_known = people["relation"].to_numpy() != PANEL
    age = people["age_years"].to_numpy(dtype=float)
    keys = key_items(wave, household)
    return {
        **keys,
        **person_items(people, is_known),
        **activity_items(wave, rng),
        **_running_numbers(people, rng, is_known),
        "codperso": padded(people["position"], 2),
        "age_months": np.where(is_known & (age == 0), rng.integers(0, 12, len(people)), np.nan),
        "p201p": _panel_identifier(wave, household, people["position"].to_numpy()),
        "p217": np.where(is_known, np.nan, rng.choice([1, 2, 3, 4], len(people), p=[0.01, 0.94, 0.04, 0.01])),
        # The person file carries single precision, the household file of the CSV years double.
        "person_weight": keys["household_weight"].astype(np.float32).astype(float),
    }


def _panel_identifier(wave: Wave, household: Codes, position: Codes) -> Floats:
    """Year of the first interview, household key, person: 17 digits in a double, as published."""
    home = wave.households.iloc[household]
    first = np.where(home["is_panel"], wave.year - 3 + home["cluster"] % 4, wave.year)
    number = ((first * 10**6 + home["conglome"]) * 10**3 + home["vivienda"]) * 10**2 + home["hogar"]
    return np.asarray(number * 10**2 + position, dtype=float)


def _running_numbers(people: pd.DataFrame, rng: np.random.Generator, is_known: Bools) -> Items:
    """Family nuclei, and order numbers among those of an age whom the other modules interview."""
    age, relation = people["age_years"].to_numpy(dtype=float), people["relation"].to_numpy()
    is_resident = is_known & (people["is_member"] | people["is_present"]).to_numpy(dtype=bool)
    household = people["household"]

    def running(is_counted: Bools) -> Floats:
        number = pd.Series(is_counted.astype(int)).groupby(household.to_numpy()).cumsum().to_numpy()
        return np.where(is_known, np.where(is_counted, number, 0), np.nan)

    in_nucleus = np.isin(relation, (HEAD, SPOUSE, CHILD))
    is_asked = is_known & (rng.random(int(household.max()) + 1) < NUCLEUS_SHARE)[household]
    return {
        "p203a": np.where(is_known, np.where(in_nucleus, 1.0, 2.0 * (age >= 15)), np.nan),
        "p203b": np.where(is_known, np.where(in_nucleus, relation, 1), np.nan),
        "p212": running(is_resident & (age >= 3)),
        "p213": running(is_resident),
        "p214": running(is_resident & (age >= 14)),
        "p215": np.where(is_asked & (age >= 1), running(is_resident & (age >= 1)), np.nan),
        "p216": np.where(is_asked, (rng.random(len(people)) < 0.075).astype(float), np.nan),
    }


def informants(wave: Wave, rng: np.random.Generator) -> Codes:
    """Position of the adult who answers: the head, or the spouse of every other couple."""
    second = wave.members.loc[
        (wave.members["position"] == 2) & (wave.members["relation"] == SPOUSE), "household"
    ]
    has_spouse = np.zeros(len(wave.households), dtype=bool)
    has_spouse[second] = True
    return np.where(has_spouse & (rng.random(len(has_spouse)) < 0.5), 2, 1)


def programme_items(wave: Wave, rng: np.random.Generator) -> Items:
    """Every column of module 700."""
    home = wave.households
    n = len(home)
    answered = home["has_answered_programmes"].to_numpy(dtype=bool)
    juntos = home["has_juntos"].to_numpy(dtype=bool)
    informant = np.where(answered, informants(wave, rng), 0).astype(float)
    rates = margin("programmes").set_index("item")
    flags: dict[str, Bools] = {
        str(item): rng.random(n) < np.where(juntos, with_juntos, without)
        for item, with_juntos, without in zip(
            rates.index, rates["with_juntos"], rates["without_juntos"], strict=True
        )
    }
    has_pupil = (home["members_6_11"] + home["members_12_18"]).to_numpy() > 0
    old_chance = expit(-1.8 + 2.5 * home["poverty_rate"] + 0.8 * home["is_rural"])
    mapped = {
        "has_juntos": juntos,
        "has_pension65": rng.random(n) < np.where(home["members_65_plus"] > 0, old_chance, 0.005),
        "has_school_breakfast": rng.random(n) < np.where(has_pupil, np.where(juntos, 0.66, 0.50), 0.01),
        "has_school_lunch": rng.random(n) < np.where(has_pupil, np.where(juntos, 0.48, 0.15), 0.0),
    }
    food = [flags[item] for item in flags if item.startswith("p701")]
    food += [mapped["has_school_breakfast"], mapped["has_school_lunch"]]
    other = [flags[item] for item in flags if item.startswith("p710")]
    other += [mapped["has_juntos"], mapped["has_pension65"]]
    flags["p701_09"], flags["p710_14"] = ~np.any(food, axis=0), ~np.any(other, axis=0)
    return {
        **key_items(wave, np.arange(n)),
        "food_programmes_informant": informant,
        "programmes_informant": informant,
        **{item: np.where(answered, flag.astype(float), np.nan) for item, flag in flags.items()},
        **{item: encode_flag("programmes", item, flag, answered) for item, flag in mapped.items()},
    }


def food_items(wave: Wave, rng: np.random.Generator) -> Items:
    """Every column of module 130: the eight FIES items and who answered them."""
    home = wave.households
    n = len(home)
    answered = home["has_answered_food"].to_numpy(dtype=bool)
    position = informants(wave, rng)
    lines = wave.members.reset_index(names="line").set_index(["household", "position"])["line"]
    line = lines.reindex(pd.MultiIndex.from_arrays([np.arange(n), position])).to_numpy()
    traits = person_items(wave.members.iloc[line], answered)
    names = {
        "relation": "p203",
        "is_member": "p204",
        "is_absent_30_days": "p205",
        "is_present_30_days": "p206",
        "sex": "p207",
        "age_years": "p208a",
        "marital_status": "p209",
    }
    answers = {
        f"fies_{j}": encode(
            "food_security",
            f"fies_{j}",
            home[f"fies_{j}"].to_numpy(),
            FOOD_ANSWERS,
            (home[f"fies_{j}"] != NO_ANSWER).to_numpy(),
        )
        for j in range(1, 9)
    }
    keys = key_items(wave, np.arange(n))
    return {
        **keys,
        **answers,
        **{names[item]: np.where(answered, values, np.nan) for item, values in traits.items()},
        "informant": np.where(answered, position, 0).astype(float),
        "household_weight": keys["household_weight"].astype(np.float32).astype(float),
    }
