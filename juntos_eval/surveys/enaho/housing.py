"""The dwelling (module 01) as INEI publishes it: materials, services, unmet basic needs, 2004-2025.

Codes changed in 2007 (walls), 2012 and 2018 (toilet, water): ``codes.csv`` holds them by year. Labels keep
what a year can tell apart: "river or spring" of 2017 is neither "river" nor "spring" of 2018.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.enaho.place import (
    HOUSEHOLD_DESIGN,
    flag,
    identified,
    label,
    label_field,
    number,
    place_fields,
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish, yes_no

__all__ = ["HOUSING", "clean_housing", "housing_of"]

_LABELS: Final = ("wall", "floor", "roof", "water_source", "toilet", "electric_meter", "cooking_fuel")
_NEEDS: Final = tuple(f"nbi_{need}" for need in range(1, 6))

HOUSING: Final = TableSchema(
    name="housing",
    description="One row a household interviewed in module 01: the dwelling, its services, unmet needs",
    description_es="Una fila por hogar entrevistado en el módulo 01: la vivienda, servicios, NBI",
    key=("household_id",),
    design=HOUSEHOLD_DESIGN,
    fields=(
        *place_fields("housing", is_person=False),
        label_field("housing", "result"),
        label_field("housing", "dwelling_type"),
        *(label_field("housing", name) for name in _LABELS),
        declared("enaho", "housing", "rooms", dtype="float", is_nullable=True, limits=(0, 100)),
        yes_no(
            "has_piped_water",
            "Water from the public network, in the dwelling or the building",
            "Agua de red pública, dentro de la vivienda o del edificio",
        ),
        yes_no(
            "has_sewer",
            "Toilet connected to the public sewer, in the dwelling or the building",
            "Servicio higiénico conectado a red pública de desagüe",
        ),
        declared("enaho", "housing", "has_electricity", dtype="boolean", is_nullable=True),
        *(declared("enaho", "housing", name, dtype="boolean", is_nullable=True) for name in _NEEDS),
        Field(
            name="unmet_needs",
            dtype="float",
            is_nullable=True,
            minimum=0,
            maximum=5,
            unit="needs",
            description="Unmet basic needs of five; missing when one is",
            description_es="Necesidades básicas insatisfechas, de cinco; sin dato si falta una",
        ),
        declared("enaho", "housing", "latitude", dtype="float", is_nullable=True, limits=(-18.5, 0.1)),
        declared("enaho", "housing", "longitude", dtype="float", is_nullable=True, limits=(-81.5, -68.5)),
        declared("enaho", "housing", "altitude_m", dtype="float", is_nullable=True, limits=(-10, 6800)),
        weight_field("housing", "household_weight"),
    ),
)


def clean_housing(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 01: one row a household interviewed.

    The file lists every dwelling selected. Rows without an interview have no unmet-need index; they are
    dropped and counted.

    Parameters
    ----------
    raw : RawFolder
    year : int

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.
    """
    opened = open_table(raw, survey="enaho", table="housing", year=year)
    return housing_of(opened, year=year)


def housing_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_empty = opened.frame[[*_NEEDS, "water_source", "toilet"]].isna().all(axis=1)
    listed = opened.frame[~is_empty]
    frame = identified(listed, table="housing", year=year)
    for name in ("result", "dwelling_type", *_LABELS):
        frame[name] = label(listed, "housing", name)
    for name in ("rooms", "latitude", "longitude", "altitude_m", "household_weight"):
        frame[name] = number(listed, name)
    frame["has_piped_water"] = clean.has_any(
        frame["water_source"], ("network_in_dwelling", "network_in_building")
    )
    frame["has_sewer"] = clean.has_any(frame["toilet"], ("sewer_in_dwelling", "sewer_in_building"))
    frame["has_electricity"] = flag(listed, "has_electricity")
    needs = pd.DataFrame({name: flag(listed, name) for name in _NEEDS})
    frame[list(_NEEDS)] = needs
    frame["unmet_needs"] = needs.astype("Float64").sum(axis=1, skipna=False).astype("float64")
    dropped = {"no interview": int(is_empty.sum())}
    return finish(frame, HOUSING, opened.provenance(survey="enaho", year=year, dropped=dropped))
