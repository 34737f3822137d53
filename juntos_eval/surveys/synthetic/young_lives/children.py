"""Invented children in twenty sites: who they are, when they were interviewed, when Juntos came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Floats
from juntos_eval.surveys.synthetic.young_lives.parameters import SEEN, SITES, YoungLivesModel

__all__ = ["ROUNDS", "Cohort", "draw_cohort", "draw_sites", "months_of"]

ROUNDS: Final = (1, 2, 3, 4, 5)
#: First month of fieldwork by round (year, month) and how many months it took.
_FIELD: Final = ((2002, 8, 5), (2006, 10, 5), (2009, 8, 6), (2013, 9, 6), (2016, 6, 6))
_THIRD_DIGIT: Final = {"younger": 1, "older": 8}
#: Entry of Juntos into sites, poorest first; None: never by 2016.
_ROLLOUT: Final = (*[2005.75] * 5, *[2006.3] * 4, *[2007.4] * 3, *[2011.2] * 2, *[None] * 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A cohort with everything that does not depend on the outcomes.

    Attributes
    ----------
    name : str
    children : pandas.DataFrame
        One row a child: identity, site, poverty, background, dates of Juntos (``start``, ``end`` in decimal
        years, NaN where never), what the household answered by round (``answer_3`` …).
    interview : numpy.ndarray, shape (children, 5)
        In decimal years.
    age_months : numpy.ndarray, shape (children, 5)
    is_seen : numpy.ndarray, shape (children, 5)
    years_exposed : numpy.ndarray, shape (children, 5)
        By the interview.
    """

    name: str
    children: pd.DataFrame
    interview: Floats
    age_months: Floats
    is_seen: Bools
    years_exposed: Floats


def months_of(years: Floats) -> tuple[Floats, Floats]:
    """Return year and month of decimal years."""
    whole = np.floor(years)
    return whole, np.floor((years - whole) * 12) + 1


def draw_sites(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the twenty sites: poverty, region, and when Juntos came to each of four communities."""
    poverty = rng.permutation(np.linspace(-1.2, 1.2, SITES))
    rank = np.argsort(np.argsort(-poverty))
    entry = np.asarray([np.nan if _ROLLOUT[one] is None else _ROLLOUT[one] for one in rank], dtype=float)
    region = np.where(rank < 12, 32, np.where(rank < 15, 33, 31))
    sites = pd.DataFrame({"site": np.arange(1, SITES + 1), "site_poverty": poverty, "region": region})
    for community in range(1, 5):
        sites[f"entry_{community}"] = entry + rng.uniform(0, 0.6, SITES)
    return sites


def draw_cohort(
    name: str, sites: pd.DataFrame, *, share: float, model: YoungLivesModel, rng: np.random.Generator
) -> Cohort:
    """Draw one cohort.

    Parameters
    ----------
    name : {"younger", "older"}
    sites : pandas.DataFrame
    share : float
        Of the published number of children.
    model : YoungLivesModel
    rng : numpy.random.Generator

    Returns
    -------
    Cohort
    """
    seen = tuple(max(SITES, round(share * children)) for children in SEEN[name])
    children = _background(name, seen[0], sites, rng)
    field = np.column_stack(
        [year + (month - 1 + rng.uniform(0, length, seen[0])) / 12 for year, month, length in _FIELD]
    )
    first_age = rng.uniform(6, 17.5, seen[0]) if name == "younger" else rng.uniform(90, 101.5, seen[0])
    age = first_age[:, None] + (field - field[:, :1]) * 12
    children = _juntos(children, sites, field, model, rng)
    until = np.where(
        children["end"].isna().to_numpy()[:, None], field, np.minimum(field, children[["end"]].to_numpy())
    )
    years = np.nan_to_num(np.clip(until - children[["start"]].to_numpy(), 0, None))
    is_seen = _attrition(seen, children["poverty"].to_numpy(), rng)
    children["is_deceased"] = ~is_seen[:, 1:].any(axis=1) & (rng.uniform(size=seen[0]) < 0.5)
    children = _answers(children, field, model, name, rng)
    return Cohort(
        name=name, children=children, interview=field, age_months=age, is_seen=is_seen, years_exposed=years
    )


def _background(name: str, size: int, sites: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    site = np.arange(size) % SITES
    serial = np.arange(size) // SITES + 1
    home = sites.iloc[site].reset_index(drop=True)
    poverty = home["site_poverty"].to_numpy() + rng.normal(0, 0.7, size)
    schooling = np.clip(np.round(7.5 - 2.6 * poverty + rng.normal(0, 2.5, size)), 0, 15)
    schooling = np.where(schooling >= 12, np.minimum(schooling + 1, 16), schooling)
    code = (site + 1) * 10_000 + _THIRD_DIGIT[name] * 1_000 + serial
    community = rng.integers(1, 5, size)
    entry = home[[f"entry_{one}" for one in range(1, 5)]].to_numpy()[np.arange(size), community - 1]
    is_indigenous = rng.uniform(size=size) < expit(-1.5 + 1.3 * poverty)
    return pd.DataFrame(
        {
            "code": code,
            "child_id": [f"PE{one:06d}" for one in code],
            "site": site + 1,
            "community_id": [f"PE{a:02d}C{b:02d}" for a, b in zip(site + 1, community, strict=True)],
            "region": home["region"].to_numpy(),
            "entry": entry,
            "is_rural": rng.uniform(size=size) < expit(-0.2 + 2.2 * home["site_poverty"].to_numpy()),
            "poverty": poverty,
            "mother_schooling": schooling,
            "is_indigenous": is_indigenous,
            "is_female": rng.uniform(size=size) < 0.5,
            "body": rng.normal(0, 0.75, size),
            "mind": 0.08 * (schooling - 7) + rng.normal(0, 0.7, size),
            "drive": rng.normal(0, 0.4, size),
        }
    )


def _juntos(
    children: pd.DataFrame,
    sites: pd.DataFrame,
    field: Floats,
    model: YoungLivesModel,
    rng: np.random.Generator,
) -> pd.DataFrame:
    del sites
    size = len(children)
    poverty = children["poverty"].to_numpy()
    is_eligible = children["entry"].notna().to_numpy() & (children["is_rural"].to_numpy() | (poverty > 0.3))
    draw = rng.uniform(size=size)
    joins = is_eligible & (
        draw < expit(-0.9 + model.poverty_entry * poverty + 0.4 * children["is_indigenous"])
    )
    is_late = rng.uniform(size=size) < 0.15
    delay = np.where(is_late, rng.uniform(3.5, 5.5, size), rng.exponential(0.7, size))
    start = np.where(joins, children["entry"] + np.clip(delay, 0, 8), np.nan)
    start = np.where(start < field[:, 4], start, np.nan)
    leaves = ~np.isnan(start) & (rng.uniform(size=size) < 0.08)
    end = np.where(leaves, start + rng.uniform(1.0, 6.0, size), np.nan)
    return children.assign(
        start=start,
        end=np.where(end < field[:, 4], end, np.nan),
        is_turned_down=is_eligible & np.isnan(start) & (rng.uniform(size=size) < 0.25),
        has_heard=rng.uniform(size=size) < np.where(children["entry"].notna(), 0.97, 0.75),
    )


def _attrition(seen: tuple[int, ...], poverty: Floats, rng: np.random.Generator) -> Bools:
    """Leave out as many children a round as were lost, the better-off and the once lost more often."""
    size = seen[0]
    is_seen = np.ones((size, len(ROUNDS)), dtype=bool)
    was_lost = np.zeros(size)
    for place in range(1, len(ROUNDS)):
        weight = np.exp(-0.4 * poverty + 4.0 * was_lost)
        lost = rng.choice(size, size=size - seen[place], replace=False, p=weight / weight.sum())
        is_seen[lost, place] = False
        was_lost = np.maximum(was_lost, ~is_seen[:, place])
    return is_seen


def _answers(
    children: pd.DataFrame, field: Floats, model: YoungLivesModel, name: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Give each household's code of ``appjntr`` in rounds 3 to 5, in the coding of its cohort and round."""
    start, end = children["start"].to_numpy(), children["end"].to_numpy()
    made = {}
    for place in (2, 3, 4):
        now = field[:, place]
        was_in = start < now
        has_left = was_in & (end < now)
        answer = np.select(
            [has_left, was_in, children["is_turned_down"].to_numpy() & (now > children["entry"].to_numpy())],
            [3.0, 1.0, 2.0],
            default=0.0,
        )
        if name == "older" and place == 2:
            answer = _older_codes(answer, model, rng)
        made[f"answer_{place + 1}"] = answer
    return children.assign(**made)


def _older_codes(answer: Floats, model: YoungLivesModel, rng: np.random.Generator) -> Floats:
    swapped = np.where(answer == 1, 2.0, np.where(answer == 2, 1.0, answer))
    if model.older_coding == "label_wrong":
        return answer
    if model.older_coding == "mixed":
        return np.where(rng.uniform(size=len(answer)) < 0.5, swapped, answer)
    return swapped
