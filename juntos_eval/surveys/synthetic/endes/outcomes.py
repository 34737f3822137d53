"""Both potential outcomes of everyone in synthetic ENDES, and what the interviewer hears."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Floats
from juntos_eval.numerics.lms import lms_quantile
from juntos_eval.surveys.growth.reference import DAYS_A_MONTH, Sex, who_curve
from juntos_eval.surveys.synthetic.endes.parameters import EndesModel

__all__ = ["ACT_CHANCES", "draw_checks", "draw_growth", "draw_violence"]

#: Chance of each act among women with that kind of violence; at least one is set.
ACT_CHANCES: Final = {
    "physical": {"a": 0.85, "b": 0.6, "c": 0.5, "d": 0.35, "e": 0.1, "f": 0.07, "g": 0.05, "j": 0.3},
    "sexual": {"h": 0.85, "i": 0.6},
    "emotional": {"a": 0.75, "b": 0.45, "d": 0.5},
}
KINDS: Final = {
    "physical": (-2.35, "physical_effect"),
    "sexual": (-3.7, "sexual_effect"),
    "emotional": (-2.05, "emotional_effect"),
}
EVER_NOT_LATELY: Final = {"physical": 0.22, "sexual": 0.045, "emotional": 0.12}
MOST_YEARS_OF_EXPOSURE: Final = 3.0


def draw_violence(
    rng: np.random.Generator, women: pd.DataFrame, model: EndesModel, *, year: int, district: Floats
) -> pd.DataFrame:
    r"""Draw violence by the partner in the last 12 months under both treatments, and what she answers.

    .. math::

        P(Y_i(t) = 1) = \Lambda(\beta_k + \gamma p_d + trend (y - 2015) + \sigma_d \eta_d + \sigma_h \nu_h
        + \lambda u_h + t \delta_k)

    Parameters
    ----------
    rng : numpy.random.Generator
    women : pandas.DataFrame
        Ever partnered, with ``poverty_rate hidden has_juntos district``.
    model : EndesModel
    year : int
    district : numpy.ndarray, shape (districts,)
        Standard normal, the same in every year.

    Returns
    -------
    pandas.DataFrame
        For each kind ``<kind>_0 <kind>_1`` (chances), ``<kind>`` (0 never, 1 before, 2 lately), the acts'
        codes; drinking alike.
    """
    n = len(women)
    treated = women["has_juntos"].to_numpy(dtype=bool)
    index = (
        model.poverty_slope * (women["poverty_rate"].to_numpy() - 0.3)
        + model.common_trend * (year - 2015)
        + model.district_spread * district[women["district"].to_numpy()]
        + model.household_spread * rng.standard_normal(n)
        + model.hidden_confounding * women["hidden"].to_numpy()
    )
    made: dict[str, Floats] = {}
    for kind, (level, effect) in KINDS.items():
        chance_0, chance_1 = expit(level + index), expit(level + index + getattr(model, effect))
        lately = rng.random(n) < np.where(treated, chance_1, chance_0)
        before = ~lately & (rng.random(n) < EVER_NOT_LATELY[kind])
        made |= {
            f"{kind}_0": chance_0,
            f"{kind}_1": chance_1,
            kind: np.where(lately, 2, np.where(before, 1, 0)),
        }
        made |= _acts(rng, kind, lately, before)
    chance_0 = expit(-1.9 + 0.6 * index)
    chance_1 = expit(-1.9 + 0.6 * index + model.drinking_effect)
    drinks = rng.random(n) < 0.72
    often = drinks & (rng.random(n) < np.where(treated, chance_1, chance_0))
    made |= {"drunk_0": 0.72 * chance_0, "drunk_1": 0.72 * chance_1, "drunk": often}
    made["partner_drinks"] = np.where(drinks, 2, 0)
    made["partner_is_drunk"] = np.where(drinks, np.where(often, 1, 2 * (rng.random(n) < 0.6)), np.nan)
    return pd.DataFrame(made, index=women.index)


def _acts(rng: np.random.Generator, kind: str, lately: np.ndarray, before: np.ndarray) -> dict[str, Floats]:
    """Codes of each act: 1 often, 2 sometimes in the last 12 months, 3 before, 0 no; one act at least."""
    chances = ACT_CHANCES[kind]
    n = len(lately)
    happened = rng.random((n, len(chances))) < np.array(list(chances.values()))
    happened[~happened.any(axis=1), 0] = True
    how_often = np.where(rng.random((n, len(chances))) < 0.15, 1.0, 2.0)
    code = np.where(lately[:, None], how_often, np.where(before[:, None], 3.0, 0.0))
    code = np.where(happened, code, 0.0)
    return {f"{kind}_{letter}": code[:, place] for place, letter in enumerate(chances)}


def draw_growth(
    rng: np.random.Generator, children: pd.DataFrame, model: EndesModel, year: int
) -> pd.DataFrame:
    r"""Draw height, weight and haemoglobin of children under five.

    .. math::

        HAZ_i(t) = 0.35 - 2.6 p_d - 0.0002 a_d + 0.05 (s_m - 9) - 0.4\, trend (y - 2015) + 0.5 \nu_h
        - 0.3 \lambda u_h + \epsilon_i + t\, \delta \min(e_{iy}, 3)

    with e the child's exposed years: no longer than it has lived, nor than its district is covered.

    Parameters
    ----------
    rng : numpy.random.Generator
    children : pandas.DataFrame
        ``age_days is_female poverty_rate altitude_m mother_years hidden has_juntos exposure_years``.
    model : EndesModel
    year : int

    Returns
    -------
    pandas.DataFrame
        ``haz_0 haz_1 height_cm weight_kg haemoglobin`` (as read).
    """
    n = len(children)
    exposed = np.minimum(
        np.minimum(children["age_days"].to_numpy() / 365.25 + 0.75, children["exposure_years"] + 0.5),
        MOST_YEARS_OF_EXPOSURE,
    )
    haz_0 = (
        0.35
        - 2.6 * children["poverty_rate"].to_numpy()
        - 0.0002 * children["altitude_m"].to_numpy()
        + 0.05 * (children["mother_years"].to_numpy() - 9)
        - 0.4 * model.common_trend * (year - 2015)
        - 0.3 * model.hidden_confounding * children["hidden"].to_numpy()
        + 1.0 * rng.standard_normal(n)
    )
    haz_0 = np.clip(haz_0, -5.5, 5.5)
    haz_1 = haz_0 + model.height_effect * np.asarray(exposed)
    haz = np.where(children["has_juntos"], haz_1, haz_0)
    height = np.round(_quantile("lfa", haz, children), 1)
    bmi_z = np.clip(0.35 + 0.9 * rng.standard_normal(n), -4, 4)
    weight = np.round(_quantile("bmifa", bmi_z, children) * (height / 100) ** 2, 1)
    feet = children["altitude_m"].to_numpy() * 0.0032808
    rise = np.where(children["altitude_m"] < 1000, 0.0, -0.032 * feet + 0.022 * feet**2)
    young = children["age_days"].to_numpy() < 24 * DAYS_A_MONTH
    read = np.round(11.5 - 0.5 * young + rise + 1.05 * rng.standard_normal(n), 1)
    return pd.DataFrame(
        {"haz_0": haz_0, "haz_1": haz_1, "height_cm": height, "weight_kg": weight, "haemoglobin": read},
        index=children.index,
    )


def _quantile(table: str, z: Floats, children: pd.DataFrame) -> Floats:
    result = np.full(len(z), np.nan)
    sexes: tuple[tuple[Sex, bool], ...] = (("female", True), ("male", False))
    for sex, is_female in sexes:
        own = children["is_female"].to_numpy(dtype=bool) == is_female
        curve = who_curve("lfa" if table == "lfa" else "bmifa", sex)
        result[own] = lms_quantile(z[own], *curve.read(children["age_days"].to_numpy()[own]))
    return result


def draw_checks(
    rng: np.random.Generator, births: pd.DataFrame, model: EndesModel, *, year: int
) -> pd.DataFrame:
    """Draw the prenatal checks of births of the last five years, under both treatments.

    A birth is exposed if its mother's household is affiliated and the district was covered when it was born.

    Parameters
    ----------
    rng : numpy.random.Generator
    births : pandas.DataFrame
    model : EndesModel
    year : int

    Returns
    -------
    pandas.DataFrame
        ``checks_0 checks_1`` (means), ``is_exposed``, ``prenatal_checks first_check_month delivery_code``.
    """
    n = len(births)
    log_mean = (
        1.95
        - 0.5 * (births["poverty_rate"].to_numpy() - 0.3)
        - 0.08 * births["is_rural"].to_numpy(dtype=float)
        + 0.01 * (year - 2015)
        - 0.1 * model.hidden_confounding * births["hidden"].to_numpy()
    )
    born = year - np.floor(births["age_days"].to_numpy() / 365.25)
    exposed = births["has_juntos"].to_numpy(dtype=bool) & (born >= births["first_treated"].to_numpy())
    mean_0, mean_1 = np.exp(log_mean), np.exp(log_mean + model.checks_effect)
    checks = np.minimum(rng.poisson(np.where(exposed, mean_1, mean_0)), 20)
    first = np.where(checks > 0, np.minimum(1 + rng.poisson(1.6, n), 9), np.nan)
    facility = rng.random(n) < expit(2.2 - 4.0 * births["poverty_rate"].to_numpy() + 0.15 * (checks - 6))
    return pd.DataFrame(
        {
            "checks_0": mean_0,
            "checks_1": mean_1,
            "is_exposed": exposed,
            "prenatal_checks": checks,
            "first_check_month": first,
            "delivery_code": np.where(facility, 21, 11),
        },
        index=births.index,
    )
