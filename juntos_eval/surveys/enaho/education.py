r"""Education (module 03): enrolment, attendance, schooling and grade for age, ages 3 and more.

A pupil's **grade for age** compares the grade enrolled in with the one of a child who entered primary school
at six and never repeated: grade g of primary at age g + 5, year s of secondary at age s + 11. The delay is
age minus that age; two years or more is over-age (*extraedad*), the Ministry of Education's threshold.
"""

from __future__ import annotations

from typing import Final

import numpy as np
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
    weight_field,
)
from juntos_eval.surveys.harmonise import Harmonised, open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish

__all__ = [
    "EDUCATION",
    "clean_education",
    "education_of",
    "grade_delay_years",
    "is_attending_school",
    "school_grade",
    "years_of_schooling",
]

PRIMARY_GRADES: Final = 6
SECONDARY_YEARS: Final = 5
ENTRY_AGE: Final = 6
OVER_AGE_YEARS: Final = 2

#: Years before the level, and whether the years within it count.
_YEARS_BEFORE: Final = {
    "none": (0, False),
    "initial": (1, False),
    "primary_incomplete": (0, True),
    "primary": (7, False),
    "secondary_incomplete": (7, True),
    "secondary": (12, False),
    "tertiary_incomplete": (12, True),
    "tertiary": (12, True),
    "university_incomplete": (12, True),
    "university": (12, True),
    "postgraduate": (17, True),
}


def _answer(name: str) -> Field:
    return declared("enaho", "education", name, dtype="boolean", is_nullable=True)


def _years(name: str, description: str, description_es: str, *, least: float, most: float) -> Field:
    return Field(
        name=name,
        dtype="float",
        description=description,
        description_es=description_es,
        is_nullable=True,
        minimum=least,
        maximum=most,
        unit="years",
    )


EDUCATION: Final = TableSchema(
    name="education",
    description="One row a person of 3 years or more of module 03: schooling, enrolment, attendance",
    description_es="Una fila por persona de 3 años o más del módulo 03: estudios, matrícula, asistencia",
    key=("person_id",),
    design=PERSON_DESIGN,
    fields=(
        *place_fields("education", is_person=True),
        label_field("education", "relation"),
        label_field("education", "sex"),
        declared("enaho", "education", "age_years", dtype="float", is_nullable=True, limits=(0, 120)),
        label_field("education", "mother_tongue"),
        label_field("education", "education_level"),
        _years(
            "years_of_schooling", "Years of schooling passed", "Años de estudio aprobados", least=0, most=30
        ),
        _answer("can_read_write"),
        _answer("was_enrolled_last_year"),
        _answer("is_enrolled"),
        Field(
            name="is_attending",
            dtype="boolean",
            is_nullable=True,
            description="Enrolled this year and attending now",
            description_es="Matriculado este año y asiste actualmente",
        ),
        label_field("education", "enrolled_level"),
        _years(
            "school_grade",
            "Grade enrolled in: 1-6 primary, 7-11 secondary",
            "Grado de matrícula: 1-6 primaria, 7-11 secundaria",
            least=1,
            most=11,
        ),
        _years(
            "grade_delay_years",
            "Age minus the age of the grade; negative is ahead",
            "Edad menos la edad del grado; negativo es adelanto",
            least=-12,
            most=110,
        ),
        Field(
            name="is_over_age",
            dtype="boolean",
            is_nullable=True,
            description="Two years or more behind the grade of the age",
            description_es="Dos años o más de atraso respecto de la edad del grado (extraedad)",
        ),
        label_field("education", "school_type"),
        weight_field("education", "person_weight"),
        weight_field("education", "household_weight"),
    ),
)


def years_of_schooling(level: pd.Series, year: pd.Series, grade: pd.Series) -> pd.Series:
    """Return years of schooling passed, by the level, year and grade of p301a, p301b and p301c.

    None counts 0 and initial 1; primary counts its grades, 7 when complete (initial and six grades);
    secondary 7 and its years, 12 when complete; higher education 12 and its years; postgraduate 17 and its
    years. Special education has no grades and is missing.

    Parameters
    ----------
    level : pandas.Series of category
    year, grade : pandas.Series of float

    Returns
    -------
    pandas.Series of float

    References
    ----------
    Sánchez and Navarro (2016), as recorded with the study's evidence: the rule of p301a-p301c.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.education import years_of_schooling
    >>> level = pd.Series(["none", "primary_incomplete", "secondary_incomplete", "university"])
    >>> years_of_schooling(level, pd.Series([None, 0, 3, 5.0]), pd.Series([None, 4, None, None])).tolist()
    [0.0, 4.0, 10.0, 17.0]
    """
    text = level.astype("object")
    before = text.map({name: float(years) for name, (years, _) in _YEARS_BEFORE.items()})
    counts = text.map({name: float(is_counted) for name, (_, is_counted) in _YEARS_BEFORE.items()})
    within = year.astype("float64").fillna(0) + grade.astype("float64").fillna(0)
    is_answered = year.notna() | grade.notna() | counts.eq(0)
    return (before + counts * within).where(is_answered).astype("float64")


def school_grade(level: pd.Series, year: pd.Series, grade: pd.Series) -> pd.Series:
    """Return the grade enrolled in, 1-6 in primary and 7-11 in secondary; missing elsewhere.

    Parameters
    ----------
    level : pandas.Series of category
        Enrolled level (p308a).
    year, grade : pandas.Series of float
        p308b and p308c: primary is answered in either, by release.

    Returns
    -------
    pandas.Series of float

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.education import school_grade
    >>> level = pd.Series(["primary", "secondary", "university"])
    >>> school_grade(level, pd.Series([0.0, 2, 3]), pd.Series([4.0, None, None])).tolist()
    [4.0, 8.0, nan]
    """
    within = year.astype("float64").fillna(0) + grade.astype("float64").fillna(0)
    primary = level.eq("primary") & within.between(1, PRIMARY_GRADES)
    secondary = level.eq("secondary") & within.between(1, SECONDARY_YEARS)
    grades = np.select([primary, secondary], [within, within + PRIMARY_GRADES], np.nan)
    return pd.Series(grades, index=level.index)


def grade_delay_years(age_years: pd.Series, grade: pd.Series) -> pd.Series:
    """Return age minus the age at which the grade is due (six in the first grade).

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.education import grade_delay_years
    >>> grade_delay_years(pd.Series([6.0, 12.0]), pd.Series([1.0, 4.0])).tolist()
    [0.0, 3.0]
    """
    return age_years - (grade + ENTRY_AGE - 1)


def is_attending_school(is_enrolled: pd.Series, attends: pd.Series) -> pd.Series:
    """Return attendance: the enrolled by their answer, the others False (they are not asked).

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.education import is_attending_school
    >>> enrolled = pd.Series([True, True, False, None], dtype="boolean")
    >>> is_attending_school(enrolled, pd.Series([True, False, None, None], dtype="boolean")).tolist()
    [True, False, False, <NA>]
    """
    return is_enrolled & attends


def clean_education(raw: RawFolder, year: int) -> CleanTable:
    """Clean module 03: one row a person of three years or more.

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
    opened = open_table(raw, survey="enaho", table="education", year=year)
    return education_of(opened, year=year)


def education_of(opened: Harmonised, *, year: int) -> CleanTable:
    """Make the table of a file that is open: a year's own, or one wave of a panel's."""
    is_panel = clean.optional(opened.frame, "relation").eq("panel")
    listed = opened.frame[~is_panel]
    frame = identified(listed, table="education", year=year)
    for name in ("relation", "sex", "mother_tongue", "education_level", "enrolled_level", "school_type"):
        frame[name] = label(listed, "education", name)
    frame["age_years"] = number(listed, "age_years")
    frame["years_of_schooling"] = years_of_schooling(
        frame["education_level"], number(listed, "education_year"), number(listed, "education_grade")
    )
    for name in ("can_read_write", "was_enrolled_last_year", "is_enrolled"):
        frame[name] = flag(listed, name)
    frame["is_attending"] = is_attending_school(frame["is_enrolled"], flag(listed, "is_attending"))
    frame["school_grade"] = school_grade(
        frame["enrolled_level"], number(listed, "enrolled_year"), number(listed, "enrolled_grade")
    )
    frame["grade_delay_years"] = grade_delay_years(frame["age_years"], frame["school_grade"])
    delay = frame["grade_delay_years"]
    frame["is_over_age"] = delay.ge(OVER_AGE_YEARS).astype("boolean").mask(delay.isna())
    for name in ("person_weight", "household_weight"):
        frame[name] = number(listed, name)
    dropped = {"former panel member, not in the household now": int(is_panel.sum())}
    return finish(frame, EDUCATION, opened.provenance(survey="enaho", year=year, dropped=dropped))
