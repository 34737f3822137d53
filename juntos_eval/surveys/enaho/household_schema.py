"""What the analysis table must be: its columns follow from the tables that it was built with."""

from __future__ import annotations

from typing import Final

from juntos_eval.surveys.enaho import schema
from juntos_eval.surveys.enaho.groups import CHILD_GROUPS, MEMBER_GROUPS
from juntos_eval.surveys.schema import Field, SampleDesign, TableSchema, declared

__all__ = ["OPTIONAL", "households_schema"]


def _count(name: str, english: str, spanish: str) -> Field:
    return Field(
        name=name, dtype="int", minimum=0, unit="persons", description=english, description_es=spanish
    )


def _share(name: str, english: str, spanish: str) -> Field:
    return Field(
        name=name,
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=1,
        description=english,
        description_es=spanish,
    )


_COMPOSITION: Final = (
    *(
        _count(f"members{suffix}", f"Household members{text_en}", f"Miembros del hogar{text_es}")
        for suffix, _, _, text_en, text_es in MEMBER_GROUPS
    ),
    Field(
        name="has_member_under_19",
        dtype="bool",
        description="Some member is under 19",
        description_es="Algún miembro tiene menos de 19 años",
    ),
    Field(
        name="head_age_years",
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=120,
        unit="years",
        description="Age of the head",
        description_es="Edad del jefe o jefa",
    ),
    Field(
        name="head_sex",
        dtype="category",
        is_nullable=True,
        labels=("male", "female"),
        description="Sex of the head",
        description_es="Sexo del jefe o jefa",
    ),
    Field(
        name="head_marital_status",
        dtype="category",
        is_nullable=True,
        labels=declared("enaho", "members", "marital_status", dtype="category").labels,
        description="Marital status of the head",
        description_es="Estado civil del jefe o jefa",
    ),
)
_CHILDREN: Final = tuple(
    field
    for group in CHILD_GROUPS
    for field in (
        _count(
            f"children_{group.name}",
            f"Members {group.label_en} whose work last week is known",
            f"Miembros: {group.label_es}, con dato de trabajo la semana pasada",
        ),
        _share(
            f"working_share_{group.name}",
            f"Share of children_{group.name} who worked; missing if there are none",
            f"Proporción de children_{group.name} que trabajó; sin dato si no hay",
        ),
        _share(
            f"housework_only_share_{group.name}",
            f"Share of children_{group.name} whose only task was housework",
            f"Proporción de children_{group.name} cuya única tarea fueron quehaceres",
        ),
    )
)
_DISTRICT: Final = (
    Field(
        name="department",
        dtype="str",
        is_nullable=True,
        description="Department",
        description_es="Departamento",
    ),
    _share("poverty_rate", "Monetary poverty of the district", "Pobreza monetaria del distrito"),
    _share("extreme_poverty_rate", "Extreme poverty of the district", "Pobreza extrema del distrito"),
    _share(
        "human_development_index",
        "Human development index of the district, 2019",
        "Índice de desarrollo humano del distrito, 2019",
    ),
    Field(
        name="district_altitude_m",
        dtype="float",
        is_nullable=True,
        unit="metres",
        description="Altitude of the district's capital",
        description_es="Altitud de la capital del distrito",
    ),
)

#: Columns that come with each optional table of ``build_households``.
OPTIONAL: Final = {
    "districts": _DISTRICT,
    "food_security": schema.FIES_FIELDS,
    "dwellings": schema.DWELLING_FIELDS,
}


_HOUSEHOLD_TABLES: Final = {
    "households": (
        "One row a household with a member line: the analysis table",
        "Una fila por hogar con algún miembro: la tabla de análisis",
        ("household_id",),
    ),
    "linked_households": (
        "Two rows a household seen in two years and found to be the same",
        "Dos filas por hogar visto en dos años y reconocido como el mismo",
        ("household_id", "year"),
    ),
}


def households_schema(with_tables: frozenset[str], name: str = "households") -> TableSchema:
    """Return the schema of the analysis table, which has the columns of the tables it was built with.

    Parameters
    ----------
    with_tables : frozenset of str
        Of ``districts food_security dwellings``.
    name : str
        ``linked_households`` has two rows a household, one a year.

    Returns
    -------
    TableSchema

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.household_schema import households_schema
    >>> "poverty_rate" in households_schema(frozenset({"districts"})).names()
    True
    """
    more = tuple(field for table, fields in OPTIONAL.items() if table in with_tables for field in fields)
    english, spanish, key = _HOUSEHOLD_TABLES[name]
    return TableSchema(
        name=name,
        description=english,
        description_es=spanish,
        key=key,
        design=SampleDesign(weight="household_weight", strata="stratum", psu="psu"),
        fields=(
            schema.year_field("programmes"),
            schema.HOUSEHOLD_ID,
            *schema.PLACE_FIELDS,
            *schema.PROGRAMME_FIELDS,
            *_COMPOSITION,
            *_CHILDREN,
            *more,
        ),
    )
