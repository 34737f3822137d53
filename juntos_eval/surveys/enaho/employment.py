"""Employment (module 05): labour-force status, occupation, hours, earnings, transfers; ages 14 and more."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.enaho.place import (
    PERSON_DESIGN,
    flag,
    identified,
    label,
    label_field,
    number,
    place_fields,
    refuse_empty,
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish

__all__ = [
    "EMPLOYMENT",
    "clean_employment",
    "employment_of",
    "labour_income_year",
    "received_juntos",
    "weekly_hours",
]

#: No one works more hours than a week has.
HOURS_OF_WEEK: Final = 168
INCOMES: Final = ("wage_main", "profit_main", "wage_secondary", "profit_secondary")
#: From this year the transfer is a yes/no question; before, a box that is ticked or empty.
FIRST_ASKED: Final = 2009
FIRST_TICKED: Final = 2006


def _hours(name: str, description: str, description_es: str) -> Field:
    return Field(
        name=name,
        dtype="float",
        description=description,
        description_es=description_es,
        is_nullable=True,
        minimum=0,
        maximum=HOURS_OF_WEEK,
        unit="hours a week",
    )


def _code(name: str) -> Field:
    return declared("enaho", "employment", name, dtype="float", is_nullable=True, limits=(0, None))


EMPLOYMENT: Final = TableSchema(
    name="employment",
    description="One row a person of 14 years or more of module 05: labour-force status, hours, earnings",
    description_es="Una fila por persona de 14 años o más del módulo 05: actividad, horas, ingresos",
    key=("person_id",),
    design=PERSON_DESIGN,
    fields=(
        *place_fields("employment", is_person=True),
        label_field("employment", "relation"),
        label_field("employment", "sex"),
        declared("enaho", "employment", "age_years", dtype="float", is_nullable=True, limits=(0, 120)),
        label_field("employment", "labour_status"),
        Field(
            name="is_employed",
            dtype="boolean",
            is_nullable=True,
            description="Worked last week, or has a job or business to return to (INEI)",
            description_es="Ocupado según el INEI",
        ),
        label_field("employment", "occupation_category"),
        _code("occupation"),
        _code("industry"),
        _hours("hours_main", "Hours in the main occupation", "Horas en la ocupación principal"),
        _hours("hours_secondary", "Hours in other occupations", "Horas en las ocupaciones secundarias"),
        _hours(
            "hours_week",
            "Hours in all occupations; 0 for those not employed",
            "Horas en todas las ocupaciones; 0 si no está ocupado",
        ),
        Field(
            name="labour_income_year",
            dtype="float",
            is_nullable=True,
            description="Earnings from all occupations, imputed and deflated by INEI; 0 if not employed",
            description_es="Ingreso laboral de todas las ocupaciones, imputado y deflactado por el INEI",
            unit="soles a year",
        ),
        Field(
            name="received_juntos",
            dtype="boolean",
            is_nullable=True,
            description="Received a Juntos transfer in the last six months",
            description_es="Recibió transferencia de Juntos en los últimos seis meses",
        ),
        declared("enaho", "employment", "juntos_amount", dtype="float", is_nullable=True, limits=(0, None)),
        declared(
            "enaho", "employment", "juntos_amount_year", dtype="float", is_nullable=True, limits=(0, None)
        ),
        weight_field("employment", "person_weight"),
    ),
)


def weekly_hours(is_employed: pd.Series, main: pd.Series, secondary: pd.Series) -> pd.Series:
    """Return hours in all occupations: 0 for those not employed, missing where the main one's are.

    A file without any hours gives none: zeros of those not employed alone would read as a mean.

    Parameters
    ----------
    is_employed : pandas.Series of boolean
    main, secondary : pandas.Series of float
        Hours a week; no second occupation is 0.

    Returns
    -------
    pandas.Series of float

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.employment import weekly_hours
    >>> employed = pd.Series([True, True, False, None], dtype="boolean")
    >>> weekly_hours(employed, pd.Series([40.0, None, None, 3]), pd.Series([5.0, 2, None, None])).tolist()
    [45.0, nan, 0.0, nan]
    """
    if main.isna().all():  # a file without hours tells nothing of those who do not work either
        return main
    hours = (main + secondary.fillna(0)).where(is_employed.fillna(value=False).astype(bool))
    return hours.mask(is_employed.eq(other=False).fillna(value=False).astype(bool), 0.0)


def labour_income_year(is_employed: pd.Series, incomes: pd.DataFrame) -> pd.Series:
    """Return earnings of a year from all occupations: 0 for those not employed.

    Someone employed without any earnings has 0 (an unpaid family worker), unless no income column exists.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.employment import labour_income_year
    >>> employed = pd.Series([True, False, None], dtype="boolean")
    >>> incomes = pd.DataFrame({"wage": [900.0, None, 5], "profit": [100.0, None, None]})
    >>> labour_income_year(employed, incomes).tolist()
    [1000.0, 0.0, nan]
    """
    if incomes.isna().all(axis=None):
        return pd.Series(float("nan"), index=incomes.index)
    total = incomes.sum(axis=1, min_count=0)
    total = total.mask(is_employed.isna())
    return total.mask(is_employed.eq(other=False).fillna(value=False).astype(bool), 0.0)


def received_juntos(transfer: pd.Series, year: int) -> pd.Series:
    """Return receipt: from 2009 as answered, 2006-2008 by ``indjun``, where an empty field is no.

    Before 2006 nobody was asked: ``p5566a`` was about other institutions.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.employment import received_juntos
    >>> ticked = pd.Series([True, None], dtype="boolean")
    >>> received_juntos(ticked, 2007).tolist(), received_juntos(ticked, 2009).tolist()
    ([True, False], [True, <NA>])
    """
    if FIRST_TICKED <= year < FIRST_ASKED and transfer.notna().any():
        return transfer.fillna(value=False)
    return transfer


def clean_employment(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 05: one row a person of 14 years or more.

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
    opened = open_table(raw, survey="enaho", table="employment", year=year)
    return employment_of(opened, year=year)


def employment_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_panel = clean.optional(opened.frame, "relation").eq("panel")
    listed = opened.frame[~is_panel]
    frame = identified(listed, table="employment", year=year)
    for name in ("relation", "sex", "labour_status", "occupation_category"):
        frame[name] = label(listed, "employment", name)
    for name in ("age_years", "occupation", "industry", "juntos_amount", "juntos_amount_year"):
        frame[name] = number(listed, name)
    refuse_empty(frame, "labour_status", where=opened.source.name)
    frame["is_employed"] = clean.has_any(frame["labour_status"], ("employed",))
    for name in ("hours_main", "hours_secondary"):
        frame[name] = number(listed, f"{name}_imputed").fillna(number(listed, name))
    frame["hours_week"] = weekly_hours(frame["is_employed"], frame["hours_main"], frame["hours_secondary"])
    frame["labour_income_year"] = labour_income_year(
        frame["is_employed"], pd.DataFrame({name: number(listed, name) for name in INCOMES})
    )
    frame["received_juntos"] = received_juntos(flag(listed, "juntos_transfer"), year)
    frame["person_weight"] = number(listed, "person_weight")
    dropped = {"former panel member, not in the household now": int(is_panel.sum())}
    return finish(frame, EMPLOYMENT, opened.provenance(survey="enaho", year=year, dropped=dropped))
