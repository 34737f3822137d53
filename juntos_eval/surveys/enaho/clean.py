"""One small pure function a variable: canonical columns in, a clean one out."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.convert import as_boolean

__all__ = [
    "HOUSEHOLD_KEY",
    "as_boolean",
    "has_any",
    "household_id",
    "is_doing_housework_only",
    "is_resident",
    "is_rural",
    "is_working_child",
    "main_activity",
    "optional",
    "person_id",
    "stratum",
    "whole",
]

HOUSEHOLD_KEY: Final = ("conglome", "vivienda", "hogar")

#: Places of fewer than 2,000 inhabitants, INEI's rural area.
RURAL: Final = ("500_to_1999", "rural_composite_area", "rural_simple_area")

#: Tasks that are work; housework, study, holidays and "other" are not.
WORK: Final = (
    "family_business",
    "domestic_work_elsewhere",
    "products_for_sale",
    "farm_or_herding",
    "selling",
    "services",
    "making_products",
    "working",
)


def household_id(frame: pd.DataFrame) -> pd.Series:
    """Return ``conglome-vivienda-hogar``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import household_id
    >>> household_id(pd.DataFrame({"conglome": ["015009"], "vivienda": ["012"], "hogar": ["11"]})).tolist()
    ['015009-012-11']
    """
    return frame["conglome"] + "-" + frame["vivienda"] + "-" + frame["hogar"]


def person_id(frame: pd.DataFrame) -> pd.Series:
    """Return ``conglome-vivienda-hogar-codperso``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import person_id
    >>> keys = {"conglome": ["015009"], "vivienda": ["012"], "hogar": ["11"], "codperso": ["01"]}
    >>> person_id(pd.DataFrame(keys)).tolist()
    ['015009-012-11-01']
    """
    return household_id(frame) + "-" + frame["codperso"]


def optional(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column that a year may lack, all missing where it does.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import optional
    >>> optional(pd.DataFrame({"a": [1]}), "b").tolist()
    [nan]
    """
    return frame[name] if name in frame else pd.Series(np.nan, index=frame.index)


def whole(numbers: pd.Series) -> pd.Series:
    """Return whole numbers as integers; anything else stays as it is, for the schema to refuse.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import whole
    >>> whole(pd.Series([9.0])).dtype, whole(pd.Series([9.5])).dtype
    (dtype('int64'), dtype('float64'))
    """
    return numbers.astype("int64") if (numbers % 1).eq(0).all() else numbers


def has_any(labels: pd.Series, wanted: tuple[str, ...]) -> pd.Series:
    """Return whether the label is one of those wanted; missing where it is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import has_any
    >>> has_any(pd.Series(["well", None]), ("well", "spring")).tolist()
    [True, <NA>]
    """
    return labels.isin(wanted).astype("boolean").mask(labels.isna())


def is_rural(estrato: pd.Series) -> pd.Series:
    """Return whether the place has fewer than 2,000 inhabitants (strata 6, 7 and 8).

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import is_rural
    >>> is_rural(pd.Series(["2000_to_19999", "500_to_1999"])).tolist()
    [False, True]
    """
    return has_any(estrato, RURAL)


def stratum(dominio: pd.Series, estrato: pd.Series) -> pd.Series:
    """Return the design's stratum: the codes of domain and size of place, as in ``4-7``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import stratum
    >>> stratum(pd.Series(["Sierra Norte"]), pd.Series(["rural_composite_area"])).tolist()
    ['4-7']
    """
    codebook = load_codebook("enaho")
    codes = [
        labels.astype("str").map({code.value: str(code.code) for code in codebook.codes_of("members", name)})
        for name, labels in (("dominio", dominio), ("estrato", estrato))
    ]
    return codes[0] + "-" + codes[1]


def is_resident(is_member: pd.Series, is_absent: pd.Series, is_present: pd.Series) -> pd.Series:
    """Return usual residence: a member not absent for 30 days, or a non-member present for 30 days.

    Parameters
    ----------
    is_member, is_absent, is_present : pandas.Series of boolean
        p204, p205 (asked of members) and p206 (asked of others).

    Returns
    -------
    pandas.Series of boolean

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import is_resident
    >>> flags = pd.DataFrame({"m": [True, False], "a": [False, None], "p": [None, True]}, dtype="boolean")
    >>> is_resident(flags["m"], flags["a"], flags["p"]).tolist()
    [True, True]
    """
    return (is_member & ~is_absent) | (~is_member & is_present)


def main_activity(answered: pd.Series, recoded: pd.Series) -> pd.Series:
    """Return INEI's recoding of the task (t211), the answer (p211a) where there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import main_activity
    >>> answer = pd.Series(["other", "services", None], dtype="category")
    >>> recoded = pd.Series(["school_holidays", None, None], dtype="category")
    >>> main_activity(answer, recoded).tolist()
    ['school_holidays', 'services', nan]
    """
    labels = load_codebook("enaho").labels_of("members", "main_activity")
    task = recoded.astype("str").where(recoded.notna(), answered.astype("str"))
    return task.astype(pd.CategoricalDtype(list(labels)))


def is_working_child(has_worked: pd.Series, activity: pd.Series) -> pd.Series:
    """Return whether a child worked last week: for income (p210), or by a task that is work (p211a, t211).

    Housework only, study only, school holidays and "other" are no work; missing where nothing was asked, or
    where the task of a child who did not work for income is missing.

    Parameters
    ----------
    has_worked : pandas.Series of boolean
    activity : pandas.Series of category

    Returns
    -------
    pandas.Series of boolean

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import is_working_child
    >>> worked = pd.Series([True, False, False, None, False], dtype="boolean")
    >>> activity = pd.Series([None, "farm_or_herding", "housework_only", None, None], dtype="category")
    >>> is_working_child(worked, activity).tolist()
    [True, True, False, <NA>, <NA>]
    """
    return (has_worked | has_any(activity, WORK)).mask(has_worked.isna())


def is_doing_housework_only(has_worked: pd.Series, activity: pd.Series) -> pd.Series:
    """Return whether the child's only task last week was housework at home; missing where nothing was asked.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.clean import is_doing_housework_only
    >>> worked = pd.Series([True, False, None], dtype="boolean")
    >>> activity = pd.Series([None, "housework_only", None], dtype="category")
    >>> is_doing_housework_only(worked, activity).tolist()
    [False, True, <NA>]
    """
    return (~has_worked & has_any(activity, ("housework_only",))).mask(has_worked.isna())
