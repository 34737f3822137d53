r"""Child labour by the international thresholds, from module 02 (ages 5-17) with hours from 2012.

**Economic activity** is what module 02 asks: work last week for income (p210), or a task that is work. Hours
(``p211d``, asked of those who worked, from 2012) are of last week. **Child labour** by age and hours is (ICLS
2008, as in the ILO's global estimates):

======== ==========================================================
age      child labour in economic activity
======== ==========================================================
5 to 11  any: one hour or more
12 to 14 14 hours or more (less is permitted light work)
15 to 17 43 hours or more, or hazardous work
======== ==========================================================

Hazardous work by occupation is a national list that module 02 does not carry (INEI's own mark ``codtarea``
holds for 95 of 100 working children in 2024 and tells nothing apart): here only hours count, and the table
says so.

**Household chores** have no hours in ENAHO: whether housework was the only task is all there is. The rule
for surveys with hours (UNICEF: 21 or more at ages 5 to 14; none above) is :func:`is_domestic_labour`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.enaho.place import (
    PERSON_DESIGN,
    flag,
    identified,
    label_field,
    number,
    place_fields,
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish, yes_no

__all__ = [
    "CHILD_WORK",
    "ECONOMIC_HOURS",
    "child_work_of",
    "clean_child_work",
    "is_child_labour",
    "is_domestic_labour",
]

YOUNGEST: Final = 5
OLDEST: Final = 17
#: First age of each group -> weekly hours of economic activity from which it is child labour.
ECONOMIC_HOURS: Final = FrozenMapping({5: 1, 12: 14, 15: 43})
DOMESTIC_HOURS: Final = 21
DOMESTIC_OLDEST: Final = 14

CHILD_WORK: Final = TableSchema(
    name="child_work",
    description="One row a member of 5 to 17 years: work last week, hours, child labour by ILO thresholds",
    description_es="Una fila por miembro de 5 a 17 años: trabajo, horas, trabajo infantil según la OIT",
    key=("person_id",),
    design=PERSON_DESIGN,
    fields=(
        *place_fields("members", is_person=True),
        label_field("members", "relation"),
        label_field("members", "sex"),
        declared("enaho", "members", "age_years", dtype="float", limits=(YOUNGEST, OLDEST)),
        declared("enaho", "members", "has_worked", dtype="boolean", is_nullable=True),
        label_field("members", "main_activity"),
        yes_no(
            "is_working",
            "Economically active last week: for income or by a task that is work",
            "Trabajó la semana pasada: por ingreso o en una tarea de trabajo",
        ),
        Field(
            name="work_hours",
            dtype="float",
            is_nullable=True,
            minimum=0,
            maximum=168,
            unit="hours a week",
            description="Hours of work last week; 0 for those who did not work; asked from 2012",
            description_es="Horas de trabajo la semana pasada; 0 si no trabajó; desde 2012",
        ),
        yes_no(
            "is_child_labour",
            "Child labour in economic activity by age and hours (no list of hazardous occupations)",
            "Trabajo infantil por edad y horas (sin lista de ocupaciones peligrosas)",
        ),
        yes_no(
            "is_doing_housework_only",
            "The only task last week was housework at home",
            "Su única tarea la semana pasada fueron quehaceres del hogar",
        ),
        weight_field("members", "person_weight"),
    ),
)


def is_child_labour(
    age_years: pd.Series,
    is_working: pd.Series,
    hours: pd.Series,
    is_hazardous: pd.Series | None = None,
) -> pd.Series:
    """Return child labour in economic activity by the ICLS thresholds of age and weekly hours.

    Parameters
    ----------
    age_years : pandas.Series
    is_working : pandas.Series of boolean
    hours : pandas.Series
        Hours of economic activity in the week.
    is_hazardous : pandas.Series of boolean, optional
        Work of a kind that is hazardous whatever the hours; counts at every age.

    Returns
    -------
    pandas.Series of boolean
        Missing outside 5-17, where work is missing, and where a threshold of hours decides and hours are
        missing: below 12 any work is child labour, hours known or not.

    References
    ----------
    ILO (2008). Resolution II concerning statistics of child labour, 18th International Conference of Labour
    Statisticians, paragraphs 15-37.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.child_work import is_child_labour
    >>> age, hours = pd.Series([9.0, 13, 13, 16, 16]), pd.Series([None, 13.0, 14, 42, 43])
    >>> is_child_labour(age, pd.Series([True] * 5, dtype="boolean"), hours).tolist()
    [True, False, True, False, True]
    """
    # a row's threshold is that of the last age group begun
    bounds, thresholds = list(ECONOMIC_HOURS), np.asarray([*ECONOMIC_HOURS.values()], dtype=float)
    group = np.searchsorted(bounds, age_years.fillna(-1).to_numpy(), side="right") - 1
    needed = pd.Series(np.where(group >= 0, thresholds[np.maximum(group, 0)], np.nan), index=age_years.index)
    is_long = hours.ge(needed).astype("boolean").mask(hours.isna() & needed.gt(1))
    is_long = is_long.mask(needed.eq(1), other=True)
    if is_hazardous is not None:
        is_long = is_long | is_hazardous.fillna(value=False)
    answer = is_working.astype("boolean") & is_long
    return answer.mask(~age_years.between(YOUNGEST, OLDEST))


def is_domestic_labour(age_years: pd.Series, chore_hours: pd.Series) -> pd.Series:
    """Return hazardous household chores by UNICEF's threshold: 21 hours a week or more, ages 5 to 14.

    Parameters
    ----------
    age_years, chore_hours : pandas.Series

    Returns
    -------
    pandas.Series of boolean
        False at ages 15 to 17, where no threshold holds; missing outside 5-17 and without hours.

    References
    ----------
    UNICEF, MICS indicator on child labour, definition since 2016.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.child_work import is_domestic_labour
    >>> is_domestic_labour(pd.Series([10.0, 10, 16]), pd.Series([20.0, 21, 30])).tolist()
    [False, True, False]
    """
    answer = (chore_hours.ge(DOMESTIC_HOURS) & age_years.le(DOMESTIC_OLDEST)).astype("boolean")
    return answer.mask(chore_hours.isna() | ~age_years.between(YOUNGEST, OLDEST))


def clean_child_work(raw: RawFolder, year: int) -> CleanTable:
    """Clean what module 02 says of the work of members aged 5 to 17.

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
        If the file, its columns or its content is not what was declared, or nobody was asked.
    """
    opened = open_table(raw, survey="enaho", table="members", year=year)
    return child_work_of(opened, year=year)


def child_work_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_panel = opened.frame["relation"].eq("panel")
    is_of_age = opened.frame["age_years"].between(YOUNGEST, OLDEST) & ~is_panel
    is_child = is_of_age & clean.as_boolean(opened.frame["is_member"]).fillna(value=False).astype(bool)
    listed = opened.frame[is_child]
    frame = identified(listed, table="members", year=year)
    for name in ("relation", "sex"):
        frame[name] = listed[name]
    frame["age_years"] = number(listed, "age_years")
    frame["has_worked"] = flag(listed, "has_worked")
    if frame["has_worked"].isna().all():
        raise SchemaError(
            "No child was asked about work",
            where=f"{opened.source.name}, {len(frame):,} members aged {YOUNGEST}-{OLDEST}",
            remedy="use the file as published",
        )
    frame["main_activity"] = clean.main_activity(listed["main_activity_answer"], listed["main_activity"])
    frame["is_working"] = clean.is_working_child(frame["has_worked"], frame["main_activity"])
    is_idle = frame["is_working"].eq(other=False).fillna(value=False).astype(bool)
    frame["work_hours"] = number(listed, "task_hours").mask(is_idle, 0.0)
    if "task_hours" not in listed:
        frame["work_hours"] = float("nan")
    frame["is_child_labour"] = is_child_labour(frame["age_years"], frame["is_working"], frame["work_hours"])
    frame["is_doing_housework_only"] = clean.is_doing_housework_only(
        frame["has_worked"], frame["main_activity"]
    )
    frame["person_weight"] = number(listed, "person_weight")
    dropped = {
        "former panel member, not in the household now": int(is_panel.sum()),
        f"not aged {YOUNGEST}-{OLDEST}": int((~is_of_age & ~is_panel).sum()),
        "no member of the household": int((is_of_age & ~is_child).sum()),
    }
    return finish(frame, CHILD_WORK, opened.provenance(survey="enaho", year=year, dropped=dropped))
