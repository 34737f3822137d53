"""Health (module 04): illness in the last four weeks, care sought, insurance; all persons.

Illness, care and insurance are lists of boxes: a box not ticked is empty in some releases, 0 ("pase") or 2
("no") in others. A list is answered where any of its boxes is ticked; its other boxes are then no.

``p414n_01`` looks like "received a consultation" and is not: it numbers the row of the list and is 1 for
everybody. It is not mapped.
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
    refuse_empty,
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import TableSchema, declared, finish, yes_no

__all__ = ["HEALTH", "any_ticked", "clean_health", "health_of", "ticked"]

PROBLEMS: Final = ("has_symptom", "has_illness", "has_relapse", "has_accident")
#: Health facilities; a pharmacy is none.
FACILITIES: Final = (
    "consulted_post",
    "consulted_centre",
    "consulted_clas",
    "consulted_essalud_post",
    "consulted_hospital",
    "consulted_essalud_hospital",
    "consulted_forces_hospital",
    "consulted_doctor",
    "consulted_clinic",
)
INSURERS: Final = (
    "insured_essalud",
    "insured_private",
    "insured_eps",
    "insured_forces",
    "insured_sis",
    "insured_university",
    "insured_school",
    "insured_other",
)

HEALTH: Final = TableSchema(
    name="health",
    description="One row a person of module 04: illness in four weeks, care sought, insurance",
    description_es="Una fila por persona del módulo 04: enfermedad en cuatro semanas, atención, seguro",
    key=("person_id",),
    design=HOUSEHOLD_DESIGN,
    fields=(
        *place_fields("health", is_person=True),
        label_field("health", "relation"),
        label_field("health", "sex"),
        declared("enaho", "health", "age_years", dtype="float", is_nullable=True, limits=(0, 120)),
        declared("enaho", "health", "has_chronic_illness", dtype="boolean", is_nullable=True),
        *(declared("enaho", "health", name, dtype="boolean", is_nullable=True) for name in PROBLEMS),
        yes_no(
            "has_any_problem",
            "Any illness, symptom, relapse or accident in the last four weeks",
            "Alguna enfermedad, síntoma, recaída o accidente en las últimas cuatro semanas",
        ),
        yes_no(
            "has_sought_care",
            "Went to a health facility, among those with a problem",
            "Acudió a un establecimiento de salud, entre quienes tuvieron un problema",
        ),
        declared("enaho", "health", "insured_sis", dtype="boolean", is_nullable=True),
        declared("enaho", "health", "insured_essalud", dtype="boolean", is_nullable=True),
        yes_no("is_insured", "Has any health insurance", "Tiene algún seguro de salud"),
        weight_field("health", "household_weight"),
    ),
)


def any_ticked(boxes: pd.DataFrame) -> pd.Series:
    """Return whether any box of a list is ticked; no is False, also where nothing was answered.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.health import any_ticked
    >>> any_ticked(pd.DataFrame({"a": [True, None], "b": [None, None]}, dtype="boolean")).tolist()
    [True, False]
    """
    return boxes.fillna(value=False).any(axis=1).astype("boolean")


def ticked(box: pd.Series, is_answered: pd.Series) -> pd.Series:
    """Return a box of a list: no where it is empty and the list was answered, missing where it was not.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.health import ticked
    >>> box = pd.Series([True, None, None], dtype="boolean")
    >>> ticked(box, pd.Series([True, True, False], dtype="boolean")).tolist()
    [True, False, <NA>]
    """
    return box.fillna(value=False).mask(~is_answered.astype(bool))


def clean_health(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 04: one row a person.

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
    opened = open_table(raw, survey="enaho", table="health", year=year)
    return health_of(opened, year=year)


def health_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_panel = clean.optional(opened.frame, "relation").eq("panel")
    listed = opened.frame[~is_panel]
    frame = identified(listed, table="health", year=year)
    for name in ("relation", "sex"):
        frame[name] = label(listed, "health", name)
    frame["age_years"] = number(listed, "age_years")
    frame["has_chronic_illness"] = flag(listed, "has_chronic_illness")
    problems = pd.DataFrame({name: flag(listed, name) for name in PROBLEMS})
    has_problem = any_ticked(problems)
    is_answered = has_problem | flag(listed, "had_none").fillna(value=False)
    for name in PROBLEMS:
        frame[name] = ticked(problems[name], is_answered)
    frame["has_any_problem"] = ticked(has_problem, is_answered)
    refuse_empty(frame, "has_any_problem", where=opened.source.name)
    facility = any_ticked(pd.DataFrame({name: flag(listed, name) for name in FACILITIES}))
    elsewhere = any_ticked(
        pd.DataFrame({name: flag(listed, name) for name in ("consulted_pharmacy", "sought_no_care")})
    )
    frame["has_sought_care"] = ticked(facility, (facility | elsewhere) & has_problem)
    insurers = pd.DataFrame({name: flag(listed, name) for name in INSURERS})
    is_asked = insurers.notna().any(axis=1)
    frame["is_insured"] = any_ticked(insurers).mask(~is_asked)
    for name in ("insured_sis", "insured_essalud"):
        frame[name] = ticked(insurers[name], is_asked.astype("boolean"))
    frame["household_weight"] = number(listed, "household_weight")
    dropped = {"former panel member, not in the household now": int(is_panel.sum())}
    return finish(frame, HEALTH, opened.provenance(survey="enaho", year=year, dropped=dropped))
