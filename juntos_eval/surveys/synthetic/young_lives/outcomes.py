"""Outcomes with and without Juntos: the difference is what is planted, and no file holds both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Floats
from juntos_eval.numerics.lms import lms_quantile
from juntos_eval.surveys.growth.reference import who_curve
from juntos_eval.surveys.synthetic.young_lives.children import Cohort
from juntos_eval.surveys.synthetic.young_lives.parameters import YoungLivesModel

__all__ = ["Outcomes", "Siblings", "body_sizes", "draw_outcomes", "draw_siblings"]

_BASE_HAZ: Final = {"younger": (-1.25, -1.5, -1.15, -1.05, -1.1), "older": (-1.4, -1.5, -1.5, -1.3, -1.3)}
_PPVT: Final = {2: (30.0, 15.0), 3: (58.0, 17.0), 4: (75.0, 17.0), 5: (90.0, 16.0)}
_MOST_PPVT: Final = 125


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Realised and untreated outcomes of a cohort; every array has shape (children, 5).

    Attributes
    ----------
    haz, haz_0, baz : numpy.ndarray
    theta, theta_0 : numpy.ndarray
        Ability behind PPVT.
    maths, maths_0 : numpy.ndarray
    works, works_0, enrolled, enrolled_0 : numpy.ndarray
    """

    haz: Floats
    haz_0: Floats
    baz: Floats
    theta: Floats
    theta_0: Floats
    maths: Floats
    maths_0: Floats
    works: Bools
    works_0: Bools
    enrolled: Bools
    enrolled_0: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """The next younger sibling of some younger-cohort children; rounds 3 to 5.

    Attributes
    ----------
    frame : pandas.DataFrame
        ``child`` (row of the cohort), ``line is_female birth`` (decimal year) and, by round, ``haz_3 haz_0_3
        early_3 late_3 theta_3 …``; early and late are years of exposure within and after 36 months of life.
    """

    frame: pd.DataFrame


def draw_outcomes(cohort: Cohort, model: YoungLivesModel, rng: np.random.Generator) -> Outcomes:
    """Draw a cohort's outcomes.

    Parameters
    ----------
    cohort : Cohort
    model : YoungLivesModel
    rng : numpy.random.Generator

    Returns
    -------
    Outcomes
    """
    home, years = cohort.children, cohort.years_exposed
    poverty = home["poverty"].to_numpy()[:, None]
    since = cohort.interview - cohort.interview[:, :1]
    shape = years.shape
    haz_0 = (
        np.asarray(_BASE_HAZ[cohort.name])
        + home["body"].to_numpy()[:, None]
        + (model.poverty_haz + model.poverty_trend * since) * poverty
        + rng.normal(0, 0.4, shape)
    )
    theta_0 = home["mind"].to_numpy()[:, None] - 0.45 * poverty + rng.normal(0, 0.6, shape)
    maths_0 = home["mind"].to_numpy()[:, None] - 0.40 * poverty + rng.normal(0, 0.7, shape)
    age = cohort.age_months / 12
    rural = home["is_rural"].to_numpy()[:, None]
    chance = expit(-2.1 + 0.18 * (age - 8) + 0.7 * poverty + 0.5 * rural + home["drive"].to_numpy()[:, None])
    luck = rng.uniform(size=shape)
    stays = expit(6.0 - 0.45 * np.clip(age - 9, 0, None) - 0.5 * poverty + home["mind"].to_numpy()[:, None])
    stays = np.where(age < 6, 0.15, stays)
    fate = rng.uniform(size=shape)
    after = np.where(np.arange(5) >= 2, years, 0.0)
    return Outcomes(
        haz=haz_0 + model.haz_per_year * years,
        haz_0=haz_0,
        baz=0.4 - 0.15 * poverty + rng.normal(0, 0.9, shape),
        theta=theta_0 + model.ppvt_per_year * years,
        theta_0=theta_0,
        maths=maths_0 + model.maths_per_year * years,
        maths_0=maths_0,
        works=luck < np.clip(chance + model.work_per_year * years, 0.01, 0.99),
        works_0=luck < np.clip(chance, 0.01, 0.99),
        enrolled=fate < np.clip(stays + model.enrolment_per_year * after, 0.01, 0.999),
        enrolled_0=fate < np.clip(stays, 0.01, 0.999),
    )


def draw_siblings(cohort: Cohort, wanted: int, model: YoungLivesModel, rng: np.random.Generator) -> Siblings:
    """Draw the next younger sibling of as many seen children of round 3 as are wanted.

    Parameters
    ----------
    cohort : Cohort
        The younger one.
    wanted : int
    model : YoungLivesModel
    rng : numpy.random.Generator

    Returns
    -------
    Siblings
    """
    candidates = np.flatnonzero(cohort.is_seen[:, 2])
    child = np.sort(rng.choice(candidates, size=min(wanted, len(candidates)), replace=False))
    home = cohort.children.iloc[child].reset_index(drop=True)
    born = cohort.interview[child, 0] - cohort.age_months[child, 0] / 12 + rng.uniform(1.6, 6.0, len(child))
    size = len(child)
    columns: dict[str, object] = {
        "child": child,
        "line": rng.integers(4, 9, size),
        "is_female": rng.uniform(size=size) < 0.5,
        "birth": born,
    }
    body = 0.5 * home["body"].to_numpy() + rng.normal(0, 0.6, size)
    for place in (2, 3, 4):
        now = cohort.interview[child, place]
        start = home["start"].to_numpy()
        until = np.where(np.isnan(home["end"]), now, np.minimum(now, home["end"]))
        early = np.nan_to_num(np.clip(np.minimum(until, born + 3) - np.maximum(start, born), 0, None))
        total = np.nan_to_num(np.clip(until - np.maximum(start, born), 0, None))
        haz_0 = -1.2 + body + model.poverty_haz * home["poverty"].to_numpy() + rng.normal(0, 0.4, size)
        columns |= {
            f"haz_0_{place + 1}": haz_0,
            f"haz_{place + 1}": haz_0
            + model.early_haz_per_year * early
            + model.haz_per_year * (total - early),
            f"early_{place + 1}": early,
            f"late_{place + 1}": total - early,
            f"theta_{place + 1}": 0.6 * home["mind"].to_numpy()
            - 0.45 * home["poverty"].to_numpy()
            + rng.normal(0, 0.7, size),
        }
    return Siblings(frame=pd.DataFrame(columns))


def ppvt_scores(theta: Floats, survey_round: int) -> Floats:
    """Return raw PPVT scores of abilities."""
    mean, deviation = _PPVT[survey_round]
    return np.clip(np.round(mean + deviation * theta), 0, _MOST_PPVT)


def body_sizes(haz: Floats, baz: Floats, age_months: Floats, is_female: Bools) -> tuple[Floats, Floats]:
    """Return height in cm and weight in kg of z-scores by WHO's tables; beyond month 228 by its row.

    Parameters
    ----------
    haz, baz, age_months : numpy.ndarray, shape (n,)
    is_female : numpy.ndarray, shape (n,)

    Returns
    -------
    height_cm, weight_kg : numpy.ndarray, shape (n,)
    """
    height = _measure("lfa", haz, age_months, is_female)
    bmi = _measure("bmifa", np.clip(baz, -2.9, 2.9), age_months, is_female)
    return np.round(height, 1), np.round(bmi * (height / 100) ** 2, 1)


def _measure(index: str, z: Floats, age_months: Floats, is_female: Bools) -> Floats:
    days = age_months * 365 / 12
    values = np.full(len(z), np.nan)
    for sex, is_sex in (("female", is_female), ("male", ~is_female)):
        for table, rows, at in (
            (index, is_sex & (days <= 1856), days),
            (f"{index}_2007", is_sex & (days > 1856), np.clip(days / 30.4375, 61, 228)),
        ):
            if rows.any():
                values[rows] = lms_quantile(z[rows], *who_curve(table, sex).read(at[rows]))
    return values
