"""Juntos households of ENAHO 2024 and 2025 against like households without Juntos.

A design replication of the matching studies (Perova & Vakis 2009 and after) on public files: no number of
theirs is compared with, for the years, the item and the outcomes are others. The item of module 700 asks
about the programme in a reference period ("recent or ever beneficiary"), so the treated are those who say so.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from pandas import DataFrame, Series

from juntos_eval.arrays import FrozenMapping
from juntos_eval.studies.comparison import Comparison, Text
from juntos_eval.studies.demonstration import EntrantsDemonstration
from juntos_eval.studies.study import Study

__all__ = ["COVARIATE_LABELS", "STUDY", "prepare"]

TREATMENT: Final = "has_juntos"
WEIGHTS: Final = "household_weight"

#: In every year. The stratum by size of place contains rurality: a separate indicator would be collinear.
HOUSEHOLD_COVARIATES: Final = (
    "members_0_5",
    "members_6_11",
    "members_12_18",
    "members_19_64",
    "members_65_plus",
    "head_age_years",
    "head_sex",
    "head_has_partner",
    "dominio",
    "estrato",
    "poverty_rate",
    "poverty_rate_squared",
    "extreme_poverty_rate",
)

#: Where the table of dwellings is there (2025).
DWELLING_COVARIATES: Final = (
    "altitude_m",
    "wall_material",
    "has_earth_floor",
    "has_electricity",
    "has_piped_water",
    "has_sewer",
    "is_overcrowded",
)

#: Where it is not: the altitude of the district's capital.
DISTRICT_ALTITUDE: Final = ("district_altitude_m",)

WALL_MATERIALS: Final = FrozenMapping(
    {
        "brick_or_block": "brick",
        "adobe": "earth",
        "rammed_earth": "earth",
        "stone_with_mud": "earth",
        "cane_with_mud": "earth",
        "stone_with_lime": "other",
        "wood": "other",
        "plywood_sheet_or_mat": "other",
        "other": "other",
    }
)

#: Short words for covariates, as tables and figures name them: a column, or one level of it.
COVARIATE_LABELS: Final = FrozenMapping(
    {
        "propensity score": Text(en="Propensity score", es="Puntaje de propensión"),
        "members_0_5": Text(en="Members aged 0–5", es="Miembros de 0 a 5 años"),
        "members_6_11": Text(en="Members aged 6–11", es="Miembros de 6 a 11 años"),
        "members_12_18": Text(en="Members aged 12–18", es="Miembros de 12 a 18 años"),
        "members_19_64": Text(en="Members aged 19–64", es="Miembros de 19 a 64 años"),
        "members_65_plus": Text(en="Members aged 65 or more", es="Miembros de 65 años o más"),
        "head_age_years": Text(en="Age of the head", es="Edad del jefe o jefa"),
        "head_sex[female]": Text(en="Female head", es="Jefa mujer"),
        "head_has_partner": Text(en="Head with a partner", es="Jefe o jefa con pareja"),
        "dominio": Text(en="Domain", es="Dominio"),
        "estrato": Text(en="Place", es="Lugar"),
        "estrato[100000_to_499999]": Text(en="Place: 100,000–499,999", es="Lugar: 100 000–499 999 hab."),
        "estrato[50000_to_99999]": Text(en="Place: 50,000–99,999", es="Lugar: 50 000–99 999 hab."),
        "estrato[20000_to_49999]": Text(en="Place: 20,000–49,999", es="Lugar: 20 000–49 999 hab."),
        "estrato[2000_to_19999]": Text(en="Place: 2,000–19,999", es="Lugar: 2 000–19 999 hab."),
        "estrato[500_to_1999]": Text(en="Place: 500–1,999", es="Lugar: 500–1 999 hab."),
        "estrato[rural_composite_area]": Text(
            en="Place: rural, composite area", es="Lugar: rural, AER compuesto"
        ),
        "estrato[rural_simple_area]": Text(en="Place: rural, simple area", es="Lugar: rural, AER simple"),
        "poverty_rate": Text(en="District poverty", es="Pobreza del distrito"),
        "poverty_rate_squared": Text(en="District poverty, squared", es="Pobreza del distrito, al cuadrado"),
        "extreme_poverty_rate": Text(en="District extreme poverty", es="Pobreza extrema del distrito"),
        "altitude_m": Text(en="Altitude", es="Altitud"),
        "district_altitude_m": Text(en="Altitude of the district", es="Altitud del distrito"),
        "has_earth_floor": Text(en="Earth floor", es="Piso de tierra"),
        "wall_material": Text(en="Walls", es="Paredes"),
        "wall_material[earth]": Text(en="Walls: adobe, earth, mud", es="Paredes: adobe, tapia, barro"),
        "wall_material[other]": Text(en="Walls: wood or other", es="Paredes: madera u otro"),
        "has_electricity": Text(en="Electric light", es="Electricidad"),
        "has_piped_water": Text(en="Piped water", es="Agua de red pública"),
        "has_sewer": Text(en="Public sewer", es="Desagüe de red pública"),
        "is_overcrowded": Text(en="Overcrowded", es="Hacinamiento"),
    }
)

GROUPS: Final = FrozenMapping(
    {
        "5_17": Text(en="Children 5–17", es="Niñas, niños y adolescentes de 5 a 17 años"),
        "5_13": Text(en="Children 5–13", es="Niñas y niños de 5 a 13 años"),
        "5_13_girls": Text(en="Girls 5–13", es="Niñas de 5 a 13 años"),
        "5_13_boys": Text(en="Boys 5–13", es="Niños de 5 a 13 años"),
        "14_17": Text(en="Adolescents 14–17", es="Adolescentes de 14 a 17 años"),
        "14_17_girls": Text(en="Girls 14–17", es="Mujeres de 14 a 17 años"),
        "14_17_boys": Text(en="Boys 14–17", es="Varones de 14 a 17 años"),
    }
)

CHILD_WORK: Final = Text(
    en="Child work last week (share of children)", es="Trabajo infantil la semana pasada (proporción)"
)
HOUSEHOLDS: Final = Text(en="Households with a member under 19", es="Hogares con un miembro menor de 19 años")
FOOD_OUTCOMES: Final = FrozenMapping(
    {
        "fies_raw_score": Text(en="FIES raw score (0–8)", es="Puntaje bruto FIES (0–8)"),
        "is_food_insecure": Text(
            en="Moderate or severe food insecurity (Rasch category)",
            es="Inseguridad alimentaria moderada o grave (categoría Rasch)",
        ),
    }
)


def prepare(households: DataFrame) -> DataFrame:
    """Add outcomes and covariates that the clean table has only as finer categories.

    Rare walls, floors and marital states would tell the arms apart in small groups, so they are joined.

    Parameters
    ----------
    households : pandas.DataFrame
        The analysis table of one year.

    Returns
    -------
    pandas.DataFrame
        With ``head_has_partner`` and ``poverty_rate_squared``; where there are dwellings
        ``has_earth_floor`` and ``wall_material`` (brick, earth, other); where there is the food scale
        ``is_food_insecure``, 1 for moderate or severe. Missing where the category is.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.studies.juntos_households import prepare
    >>> frame = pd.DataFrame(
    ...     {"head_marital_status": ["married"], "poverty_rate": [0.5], "fies_category": [None]})
    >>> prepare(frame)[["head_has_partner", "poverty_rate_squared", "is_food_insecure"]].iloc[0].tolist()
    [1.0, 0.25, nan]
    """
    added = {
        "head_has_partner": _is_among(households["head_marital_status"], "married", "cohabiting"),
        # eligibility bends in district poverty: with the square the arms balance better
        "poverty_rate_squared": households["poverty_rate"] ** 2,
    }
    if "fies_category" in households:
        added["is_food_insecure"] = _is_among(households["fies_category"], "moderate", "severe")
    if "floor" in households:
        added["has_earth_floor"] = _is_among(households["floor"], "earth")
        walls = households["wall"].map(WALL_MATERIALS).astype("str").where(households["wall"].notna())
        added["wall_material"] = walls.astype(pd.CategoricalDtype(["brick", "earth", "other"]))
    return households.assign(**added)


def _is_among(category: Series[Any], *values: str) -> Series[Any]:
    return category.isin(values).astype("float64").where(category.notna())


def _child_work(year: int, group: str) -> Comparison:
    outcome = f"working_share_{group}"
    return Comparison(
        id=f"{outcome}_{year}",
        year=year,
        outcome=outcome,
        treatment=TREATMENT,
        covariates=HOUSEHOLD_COVARIATES,
        dwelling=DWELLING_COVARIATES,
        instead=DISTRICT_ALTITUDE,
        exact=("dominio",),
        weights=WEIGHTS,
        people=f"children_{group}",
        labels=FrozenMapping({"outcome": CHILD_WORK, "population": GROUPS[group]}),
    )


def _food_security(outcome: str) -> Comparison:
    return Comparison(
        id=f"{outcome}_2025",
        year=2025,
        outcome=outcome,
        treatment=TREATMENT,
        covariates=HOUSEHOLD_COVARIATES,
        dwelling=DWELLING_COVARIATES,
        instead=DISTRICT_ALTITUDE,
        exact=("dominio",),
        weights=WEIGHTS,
        scale="score" if outcome == "fies_raw_score" else "share",
        labels=FrozenMapping({"outcome": FOOD_OUTCOMES[outcome], "population": HOUSEHOLDS}),
    )


STUDY: Final = Study(
    id="juntos_households",
    title=Text(
        en="Juntos households and child work, ENAHO 2024–2025",
        es="Hogares Juntos y trabajo infantil, ENAHO 2024–2025",
    ),
    comparisons=(
        *(_child_work(2025, group) for group in GROUPS),
        *(_child_work(2024, group) for group in GROUPS),
        *(_food_security(outcome) for outcome in FOOD_OUTCOMES),
    ),
    prepare=prepare,
    headline="working_share_5_17_2025",
    demonstrations=(
        EntrantsDemonstration(
            id="entrants_working_share_5_17",
            outcome="working_share_5_17",
            people="children_5_17",
            treatment=TREATMENT,
            covariates=(
                "members_0_5",
                "members_6_11",
                "members_12_18",
                "members_19_64",
                "members_65_plus",
                "head_age_years",
                "head_sex",
                "estrato",
                "poverty_rate",
                "district_altitude_m",
            ),
            weights=WEIGHTS,
            labels=FrozenMapping({"outcome": CHILD_WORK, "population": GROUPS["5_17"]}),
        ),
    ),
)
