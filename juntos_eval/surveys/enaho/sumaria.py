r"""Sumaria (module 34): income, spending, poverty and transfers of the household, as INEI calculates them.

Spending a person and month is :math:`c = G / (12\, m)` with total spending G of the year and m members;
INEI calls a household poor where :math:`c < z`, its place's poverty line. Two real measures compare
households across places and years:

* ``spending_to_line`` is :math:`c / z`. The line moves with the prices of its place and year, so that it
  deflates in space and time by INEI's own basket. It exists in every year.
* ``real_spending_month`` is :math:`c / (p_s\, p_t)`: ``spatial_deflator`` (``ld``, in the file from 2012)
  times the general price index of the department and year of INEI's deflator file, base 2020. It is missing
  where one of the two is.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.enaho.place import (
    HOUSEHOLD_DESIGN,
    identified,
    label,
    number,
    place_fields,
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish

__all__ = [
    "PRICE_INDICES",
    "SUMARIA",
    "clean_deflators",
    "clean_sumaria",
    "real_spending",
    "spending_per_person",
    "sumaria_of",
    "time_deflator",
]

#: The file has no row for Callao (07): its prices are those of Lima (15), as in INEI's syntax.
CALLAO, LIMA = "07", "15"

_MONEY: Final = (
    "income_gross",
    "income_net",
    "spending_monetary",
    "juntos_income",
    "juntos_income_with_records",
    "pension65_income",
    "public_transfers",
)


def _money(name: str, *, is_nullable: bool = True) -> Field:
    return declared("enaho", "sumaria", name, dtype="float", is_nullable=is_nullable, limits=(0, None))


def _made(name: str, dtype: str, description: str, description_es: str, *, unit: str = "") -> Field:
    return Field(
        name=name,
        dtype=dtype,
        description=description,
        description_es=description_es,
        is_nullable=True,
        unit=unit,
    )


SUMARIA: Final = TableSchema(
    name="sumaria",
    description="One row a household of module 34: income, spending and poverty as INEI calculates them",
    description_es="Una fila por hogar del módulo 34: ingreso, gasto y pobreza calculados por el INEI",
    key=("household_id",),
    design=HOUSEHOLD_DESIGN,
    fields=(
        *place_fields("sumaria", is_person=False),
        declared("enaho", "sumaria", "members", dtype="float", limits=(1, 60)),
        declared("enaho", "sumaria", "persons", dtype="float", is_nullable=True, limits=(1, 60)),
        *(_money(name) for name in _MONEY[:3]),
        _money("spending", is_nullable=False),
        _money("extreme_poverty_line", is_nullable=False),
        _money("poverty_line", is_nullable=False),
        declared("enaho", "sumaria", "poverty", dtype="category"),
        _made("is_poor", "boolean", "Poor by INEI, extreme or not", "Pobre según el INEI, extremo o no"),
        _made("is_extreme_poor", "boolean", "Extreme poor by INEI", "Pobre extremo según el INEI"),
        _made(
            "spending_month",
            "float",
            "Spending a person and month, current soles",
            "Gasto por persona y mes, soles corrientes",
            unit="soles a person and month",
        ),
        _made(
            "spending_to_line",
            "float",
            "Spending a person and month over the poverty line: poor below 1",
            "Gasto por persona y mes sobre la línea de pobreza: pobre por debajo de 1",
            unit="poverty lines",
        ),
        declared("enaho", "sumaria", "spatial_deflator", dtype="float", is_nullable=True, limits=(0.1, 10)),
        _made(
            "time_deflator",
            "float",
            "Prices of department and year over those of 2020",
            "Precios del departamento y año sobre los de 2020",
            unit="index",
        ),
        _made(
            "real_spending_month",
            "float",
            "Spending a person and month at the prices of Lima in 2020",
            "Gasto por persona y mes a precios de Lima de 2020",
            unit="soles of 2020 a person and month",
        ),
        *(_money(name) for name in _MONEY[3:]),
        _made(
            "has_juntos_income",
            "boolean",
            "Income from Juntos in the last twelve months",
            "Ingreso por Juntos en los últimos doce meses",
        ),
        weight_field("sumaria", "household_weight"),
        _made(
            "person_weight",
            "float",
            "Weight of the household's members: household_weight x members",
            "Peso de los miembros del hogar: household_weight x miembros",
            unit="persons",
        ),
    ),
)

PRICE_INDICES: Final = TableSchema(
    name="deflators",
    description="One row a department and year: INEI's price indices, 2020 = 1",
    description_es="Una fila por departamento y año: índices de precios del INEI, 2020 = 1",
    key=("department", "deflator_year"),
    fields=(
        declared("geo", "deflators", "department", dtype="str"),
        declared("geo", "deflators", "deflator_year", dtype="int", limits=(1990, 2100)),
        *(
            declared("geo", "deflators", name, dtype="float", limits=(0.01, 10))
            for name in ("general", *(f"group_{group}" for group in range(1, 9)))
        ),
    ),
)


def spending_per_person(spending: pd.Series, members: pd.Series) -> pd.Series:
    """Return a year's spending of the household as soles a person and month.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.sumaria import spending_per_person
    >>> spending_per_person(pd.Series([12_000.0]), pd.Series([4.0])).tolist()
    [250.0]
    """
    return spending / (12 * members)


def time_deflator(ubigeo: pd.Series, year: int, indices: pd.DataFrame) -> pd.Series:
    """Return the general price index of each row's department in a year; missing where the table has none.

    Parameters
    ----------
    ubigeo : pandas.Series
    year : int
    indices : pandas.DataFrame
        ``department deflator_year general``, as ``clean_deflators`` gives.

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.sumaria import time_deflator
    >>> indices = pd.DataFrame({"department": ["15"], "deflator_year": [2015], "general": [0.89]})
    >>> time_deflator(pd.Series(["070101", "080101"]), 2015, indices).tolist()
    [0.89, nan]
    """
    of_year = indices[indices["deflator_year"].eq(year)].set_index("department")["general"]
    department = ubigeo.str[:2]
    if CALLAO not in of_year.index:
        department = department.replace(CALLAO, LIMA)
    return department.map(of_year).astype("float64")


def real_spending(spending_month: pd.Series, spatial: pd.Series, time: pd.Series) -> pd.Series:
    """Return spending at the prices of Lima in the base year; missing where a deflator is.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.sumaria import real_spending
    >>> real_spending(pd.Series([90.0]), pd.Series([0.9]), pd.Series([0.5])).tolist()
    [200.0]
    """
    return spending_month / (spatial * time)


def clean_deflators(raw: RawFolder) -> CleanTable:
    """Clean INEI's deflator file: one row a department and year.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.
    """
    opened = open_table(raw, survey="geo", table="deflators", year=None)
    frame = opened.frame.assign(deflator_year=clean.whole(opened.frame["deflator_year"]))
    return finish(frame, PRICE_INDICES, opened.provenance(survey="geo", year=None))


def clean_sumaria(raw: RawFolder, year: int, *, deflators: CleanTable | None = None) -> CleanTable:
    """Clean module 34: one row a household.

    ``poverty`` is INEI's; a file in which it and the comparison of spending with the line disagree in more
    than one household of a thousand is refused.

    Parameters
    ----------
    raw : RawFolder
    year : int
    deflators : CleanTable, optional
        For ``time_deflator`` and ``real_spending_month``.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.
    """
    opened = open_table(raw, survey="enaho", table="sumaria", year=year)
    return sumaria_of(opened, year=year, deflators=deflators)


def sumaria_of(opened: Harmonised, *, year: int, deflators: CleanTable | None = None) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    listed = opened.frame
    frame = identified(listed, table="sumaria", year=year)
    for name in ("members", "persons", *_MONEY, "spending", "extreme_poverty_line", "poverty_line"):
        frame[name] = number(listed, name)
    frame["poverty"] = label(listed, "sumaria", "poverty")
    frame["is_poor"] = clean.has_any(frame["poverty"], ("extreme_poor", "poor"))
    frame["is_extreme_poor"] = clean.has_any(frame["poverty"], ("extreme_poor",))
    frame["spending_month"] = spending_per_person(frame["spending"], frame["members"])
    frame["spending_to_line"] = frame["spending_month"] / frame["poverty_line"]
    _check_poverty(frame, where=opened.source.name)
    frame["spatial_deflator"] = number(listed, "spatial_deflator")
    frame["time_deflator"] = (
        time_deflator(frame["ubigeo"], year, deflators.frame)
        if deflators is not None
        else number(listed, "time_deflator")
    )
    frame["real_spending_month"] = real_spending(
        frame["spending_month"], frame["spatial_deflator"], frame["time_deflator"]
    )
    income = frame["juntos_income"]
    frame["has_juntos_income"] = income.gt(0).astype("boolean").mask(income.isna())
    frame["household_weight"] = listed["household_weight"]
    frame["person_weight"] = frame["household_weight"] * frame["members"]
    return finish(frame, SUMARIA, opened.provenance(survey="enaho", year=year))


def _check_poverty(frame: pd.DataFrame, *, where: str) -> None:
    differs = int((frame["spending_to_line"].lt(1) != frame["is_poor"]).sum())
    if differs > max(1, len(frame) / 1000):
        raise SchemaError(
            "Poverty by INEI and spending below the line are not the same",
            where=f"{where}, {differs:,} of {len(frame):,} rows",
            remedy="use sumaria-<year>: its alternates (-12, -12g) lack the poverty variables or their units",
        )
