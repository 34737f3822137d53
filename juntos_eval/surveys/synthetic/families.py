"""Families and their members: who lives together, of which age and sex, and how that changes in a year."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.surveys.synthetic.sample import Sample

__all__ = ["MARITAL_STATUSES", "RELATIONS", "age_members", "draw_families", "draw_members", "list_leftovers"]

#: Values of the clean column `relation`; members hold positions in this tuple.
RELATIONS: Final = (
    "panel",
    "head",
    "spouse",
    "child",
    "child_in_law",
    "grandchild",
    "parent",
    "other_relative",
    "domestic_worker",
    "lodger",
    "other_non_relative",
    "sibling",
)
MARITAL_STATUSES: Final = ("cohabiting", "married", "widowed", "divorced", "separated", "single")

PANEL, HEAD, SPOUSE, CHILD, CHILD_IN_LAW, GRANDCHILD = range(6)
COHABITING, MARRIED, WIDOWED, DIVORCED, SEPARATED, SINGLE = range(6)

# Beside head, spouse and children: relation, members a family, age as a share of the head's plus a number,
# its spread.
OTHERS: Final = (
    ("child_in_law", 0.05, 0.5, 2.0, 8.0),
    ("grandchild", 0.20, 0.2, -4.0, 6.0),
    ("parent", 0.06, 1.0, 24.0, 6.0),
    ("other_relative", 0.06, 0.0, 27.0, 22.0),
    ("domestic_worker", 0.0015, 0.0, 45.0, 15.0),
    ("other_non_relative", 0.03, 0.0, 34.0, 20.0),
    ("sibling", 0.045, 0.9, 0.0, 9.0),
)
# Share of lines that are household members, by position in RELATIONS.
IS_MEMBER_SHARE: Final = (0.0, 1.0, 1.0, 0.97, 0.87, 0.87, 0.84, 0.71, 0.0, 0.0, 0.54, 0.85)

ABSENT_SHARE: Final = 0.016
PRESENT_SHARE: Final = 0.15
LEFTOVER_SHARE: Final = 0.19
HEAD_SWITCH_SHARE: Final = 0.03
MISREPORT_SHARE: Final = 0.015


def draw_families(rng: np.random.Generator, sample: Sample) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put a family in every dwelling, and another one in the second year where the link is false.

    Parameters
    ----------
    rng : numpy.random.Generator
    sample : Sample

    Returns
    -------
    families : pandas.DataFrame
        ``cluster first_wave`` and the household's lasting random parts ``poverty_noise work_noise
        answer_noise hidden``, standard normal and independent of each other.
    interviews : pandas.DataFrame
        ``wave dwelling family is_same_family``; the last says whether the family was interviewed in the
        first wave too.
    """
    dwellings = sample.dwellings
    is_first = dwellings["in_0"].to_numpy()
    stays = is_first & dwellings["in_1"].to_numpy() & ~dwellings["is_false_link"].to_numpy()
    newcomers = np.flatnonzero(dwellings["in_1"].to_numpy() & ~stays)
    settled = np.flatnonzero(is_first)
    family_of_first = np.cumsum(is_first) - 1
    place = np.concatenate([settled, newcomers])
    n = len(place)
    families = pd.DataFrame(
        {
            "cluster": dwellings["cluster"].to_numpy()[place],
            "first_wave": (np.arange(n) >= len(settled)).astype(int),
            **{
                name: rng.standard_normal(n)
                for name in ("poverty_noise", "work_noise", "answer_noise", "hidden")
            },
        }
    )
    family_in_second = family_of_first.copy()
    family_in_second[newcomers] = len(settled) + np.arange(len(newcomers))
    second = np.flatnonzero(dwellings["in_1"])
    interviews = pd.DataFrame(
        {
            "wave": np.repeat([0, 1], [len(settled), len(second)]),
            "dwelling": np.concatenate([settled, second]),
            "family": np.concatenate([family_of_first[settled], family_in_second[second]]),
            "is_same_family": np.concatenate([np.zeros(len(settled), dtype=bool), stays[second]]),
        }
    )
    return families, interviews


def draw_members(rng: np.random.Generator, *, poverty: Floats, is_rural: Bools) -> pd.DataFrame:
    """Draw the members of each family when it is first seen.

    Parameters
    ----------
    rng : numpy.random.Generator
    poverty : numpy.ndarray, shape (families,)
        Poverty rate of the family's district.
    is_rural : numpy.ndarray, shape (families,)

    Returns
    -------
    pandas.DataFrame
        One row a person, the head first within each family: ``family relation is_female age_years
        marital_status is_member is_absent is_present``.
    """
    n = len(poverty)
    head_age = np.clip(np.rint(rng.normal(53.5, 16.5, n)), 16, 97)
    head_is_female = rng.random(n) < 0.36
    pair_chance = np.where(head_is_female, 0.23, 0.84) * (1 - 0.25 * (head_age > 72) - 0.3 * (head_age < 24))
    has_spouse = rng.random(n) < pair_chance
    with_spouse = np.flatnonzero(has_spouse)
    is_woman = ~head_is_female[with_spouse]
    heads = _lines(np.arange(n), HEAD, head_age, head_is_female)
    spouses = _lines(
        with_spouse,
        SPOUSE,
        np.clip(
            head_age[with_spouse] + np.where(is_woman, -3, 3) + 5 * rng.standard_normal(len(with_spouse)),
            16,
            97,
        ),
        is_woman,
    )
    fertility = (2.9 + 1.5 * poverty) * np.where(has_spouse, 1.0, np.where(head_is_female, 0.75, 0.35))
    people = pd.concat(
        [heads, spouses, _children(rng, head_age, fertility, is_rural), *_others(rng, head_age)],
        ignore_index=True,
    )
    people["age_years"] = np.clip(np.rint(people["age_years"]), 0, 98)
    people = people.iloc[np.lexsort((-people["age_years"], people["relation"], people["family"]))]
    return _describe(rng, people.reset_index(drop=True))


def _lines(family: Codes, relation: int, age: Floats, is_female: Bools) -> pd.DataFrame:
    return pd.DataFrame({"family": family, "relation": relation, "age_years": age, "is_female": is_female})


def _children(rng: np.random.Generator, head_age: Floats, fertility: Floats, is_rural: Bools) -> pd.DataFrame:
    """Children born are negative binomial; those of 18 and more leave, sooner from rural places."""
    born = rng.poisson(fertility * rng.gamma(4.0, 0.25, len(head_age)))
    parent = np.repeat(np.arange(len(head_age)), born)
    age = np.rint(head_age[parent] - rng.normal(29, 7.5, len(parent)))
    years_adult = np.maximum(age - 17, 0)
    stays = np.exp(-years_adult / np.where(is_rural[parent], 7.0, 12.0))
    keep = (age >= 0) & (head_age[parent] - age >= 14) & (rng.random(len(parent)) < stays)
    return _lines(parent[keep], CHILD, age[keep], rng.random(int(keep.sum())) < 0.48)


def _others(rng: np.random.Generator, head_age: Floats) -> list[pd.DataFrame]:
    frames = []
    for name, rate, share, shift, spread in OTHERS:
        mean = np.full(len(head_age), rate)
        if name in {"grandchild", "child_in_law"}:
            mean = mean * np.where(head_age > 42, 1.35, 0.0)
        if name == "parent":
            mean = mean * np.where(head_age < 62, 1.5, 0.1)
        host = np.repeat(np.arange(len(head_age)), rng.poisson(mean))
        age = share * head_age[host] + shift + spread * rng.standard_normal(len(host))
        youngest = 18.0 if name in {"domestic_worker", "child_in_law", "parent"} else 0.0
        is_female = rng.random(len(host)) < (1.0 if name == "domestic_worker" else 0.5)
        frames.append(_lines(host, RELATIONS.index(name), np.maximum(age, youngest), is_female))
    return frames


def _describe(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    n = len(people)
    relation = people["relation"].to_numpy()
    is_member = rng.random(n) < np.asarray(IS_MEMBER_SHARE)[relation]
    return people.assign(
        marital_status=_marital_statuses(rng, people),
        is_member=is_member,
        is_absent=is_member & (rng.random(n) < ABSENT_SHARE),
        is_present=~is_member & (rng.random(n) < PRESENT_SHARE),
    )


def _marital_statuses(rng: np.random.Generator, people: pd.DataFrame) -> Codes:
    age = people["age_years"].to_numpy()
    relation = people["relation"].to_numpy()
    family = people["family"].to_numpy()
    u = rng.random(len(people))
    is_single = u < np.where(relation == HEAD, 0.7, 1.0) * expit((31 - age) / 6)
    alone = np.where(u > 1 - expit((age - 68) / 9), WIDOWED, np.where(u > 0.12, SEPARATED, SINGLE))
    alone = np.where((alone == SEPARATED) & (rng.random(len(people)) < 0.07), DIVORCED, alone)
    status = np.where(is_single, SINGLE, alone)
    status = np.where(relation == CHILD_IN_LAW, np.where(u < 0.8, COHABITING, MARRIED), status)
    # Head and spouse share one status; the younger couples are seldom married.
    head_age = age[relation == HEAD]
    is_couple = np.bincount(family[relation == SPOUSE], minlength=len(head_age)) > 0
    of_couple = np.where(rng.random(len(head_age)) < expit((50 - head_age) / 11), COHABITING, MARRIED)
    in_couple = is_couple[family] & np.isin(relation, (HEAD, SPOUSE))
    return np.where(in_couple, of_couple[family], status)


def age_members(rng: np.random.Generator, members: pd.DataFrame, *, stays: Bools) -> pd.DataFrame:
    """Return the members of the families that are seen again, a year later.

    Most are one year older, some zero or two because months of interview differ. Some leave, and their line
    stays with the relation "panel"; some are born; in a few couples the other one is now called the head.

    Parameters
    ----------
    rng : numpy.random.Generator
    members : pandas.DataFrame
        From ``draw_members``.
    stays : numpy.ndarray, shape (families,)
        Which families are seen again.

    Returns
    -------
    pandas.DataFrame
        As from ``draw_members``.
    """
    again = members.loc[stays[members["family"]]].copy()
    n = len(stays)
    elapsed = rng.choice([0, 1, 2], n, p=[0.05, 0.90, 0.05])
    error = np.where(rng.random(n) < MISREPORT_SHARE, rng.choice([-4, -3, 4, 5], n), 0)
    is_head = again["relation"].to_numpy() == HEAD
    family = again["family"].to_numpy()
    again["age_years"] = np.clip(again["age_years"] + elapsed[family] + error[family] * is_head, 0, 98)
    again = _switch_heads(again, rng.random(n) < HEAD_SWITCH_SHARE)
    leave_chance = np.where(again["age_years"] < 16, 0.015, 0.05) * (again["relation"] > SPOUSE)
    again.loc[rng.random(len(again)) < leave_chance, "relation"] = PANEL
    heads = again.loc[(again["relation"] == HEAD) & (again["age_years"] < 45)]
    parents = heads["family"].to_numpy()[rng.random(len(heads)) < 0.05]
    born = _lines(parents, CHILD, np.zeros(len(parents)), rng.random(len(parents)) < 0.49).assign(
        marital_status=SINGLE, is_member=True, is_absent=False, is_present=False
    )
    whole = pd.concat([again, born], ignore_index=True)
    return whole.iloc[np.argsort(whole["family"], kind="stable")].reset_index(drop=True)


def _switch_heads(again: pd.DataFrame, switches: Bools) -> pd.DataFrame:
    """Exchange what is said of the two of a couple, who stand first and second in their family."""
    relation = again["relation"].to_numpy()
    family = again["family"].to_numpy()
    second = np.flatnonzero((relation == SPOUSE) & switches[family])
    second = second[relation[second - 1] == HEAD]
    for column in ("age_years", "is_female"):
        values = again[column].to_numpy().copy()
        values[second - 1], values[second] = values[second], values[second - 1]
        again[column] = values
    return again


def list_leftovers(rng: np.random.Generator, *, family: Codes, is_panel: Bools) -> pd.DataFrame:
    """Return lines of former panel members who left before the first year simulated.

    Parameters
    ----------
    rng : numpy.random.Generator
    family : numpy.ndarray, shape (interviews,)
    is_panel : numpy.ndarray, shape (interviews,)
        Whether the cluster belongs to the panel.

    Returns
    -------
    pandas.DataFrame
        ``family relation``; nothing else is known of them.
    """
    has_leftovers = is_panel & (rng.random(len(family)) < LEFTOVER_SHARE)
    lines = np.where(has_leftovers, 1 + rng.poisson(0.9, len(family)), 0)
    return pd.DataFrame({"family": np.repeat(family, lines), "relation": PANEL})
