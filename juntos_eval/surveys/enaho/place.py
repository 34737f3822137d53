"""Keys, place and sampling design of a row: the columns that every table of ENAHO shares."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.schema import Field, SampleDesign, declared

__all__ = [
    "HOUSEHOLD_DESIGN",
    "PERSON_DESIGN",
    "flag",
    "identified",
    "label",
    "label_field",
    "number",
    "place_fields",
    "refuse_empty",
    "weight_field",
]

#: Rows are households: their expansion factor.
HOUSEHOLD_DESIGN: Final = SampleDesign(weight="household_weight", strata="stratum", psu="psu")
#: Rows are persons: the expansion factor of persons.
PERSON_DESIGN: Final = SampleDesign(weight="person_weight", strata="stratum", psu="psu")


def identified(listed: pd.DataFrame, *, table: str, year: int) -> pd.DataFrame:
    """Return year, keys, place and design of harmonised rows; missing where an extract lacks the column.

    Parameters
    ----------
    listed : pandas.DataFrame
        Harmonised.
    table : str
        Its name in ``columns.csv``.
    year : int

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.place import identified
    >>> keys = pd.DataFrame({"conglome": ["000153"], "vivienda": ["012"], "hogar": ["11"]})
    >>> made = identified(keys, table="sumaria", year=2011)
    >>> made.loc[0, "household_id"], made.loc[0, "year"].item(), made["stratum"].isna().item()
    ('000153-012-11', 2011, True)
    """
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = pd.Series(year, index=listed.index, dtype="int64")
    frame["household_id"] = clean.household_id(listed)
    if "codperso" in listed:
        frame["person_id"] = clean.person_id(listed)
    for key in (*clean.HOUSEHOLD_KEY, *(["codperso"] if "codperso" in listed else [])):
        frame[key] = listed[key]
    frame["ubigeo"] = clean.optional(listed, "ubigeo").astype("str")
    frame["month"] = number(listed, "month")
    for name in ("dominio", "estrato"):
        frame[name] = label(listed, table, name)
    frame["is_rural"] = clean.is_rural(frame["estrato"])
    frame["stratum"] = clean.stratum(frame["dominio"], frame["estrato"]).astype("str")
    frame["psu"] = listed["conglome"]
    return frame


def place_fields(table: str, *, is_person: bool) -> tuple[Field, ...]:
    """Describe the columns that ``identified`` makes.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.place import place_fields
    >>> [field.name for field in place_fields("sumaria", is_person=False)][:2]
    ['year', 'household_id']
    """
    person = (
        Field(
            name="person_id",
            dtype="str",
            description="Person: household_id-codperso",
            description_es="Persona: household_id-codperso",
            width=16,
        ),
    )
    keys = (*clean.HOUSEHOLD_KEY, *(["codperso"] if is_person else []))
    return (
        declared("enaho", table, "year", dtype="int", limits=(2004, None)),
        Field(
            name="household_id",
            dtype="str",
            description="Household: conglome-vivienda-hogar",
            description_es="Hogar: conglome-vivienda-hogar",
            width=13,
        ),
        *(person if is_person else ()),
        *(declared("enaho", table, name, dtype="str") for name in keys),
        declared("enaho", table, "ubigeo", dtype="str", is_nullable=True),
        declared("enaho", table, "month", dtype="float", is_nullable=True, limits=(1, 12)),
        label_field(table, "dominio"),
        label_field(table, "estrato"),
        Field(
            name="is_rural",
            dtype="boolean",
            is_nullable=True,
            description="Place of fewer than 2,000 inhabitants (to 2015: 401 dwellings)",
            description_es="Centro poblado de menos de 2 000 habitantes (hasta 2015: 401 viviendas)",
        ),
        Field(
            name="stratum",
            dtype="str",
            is_nullable=True,
            description="Stratum of the sampling design: codes of domain and size of place",
            description_es="Estrato del diseño muestral: códigos de dominio y de estrato geográfico",
            width=3,
        ),
        Field(
            name="psu",
            dtype="str",
            description="Primary sampling unit of the design (conglome)",
            description_es="Unidad primaria de muestreo (conglome)",
            width=6,
        ),
    )


def number(listed: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of numbers, all missing where the year or the extract lacks it.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.place import number
    >>> number(pd.DataFrame({"a": [1.0]}), "b").tolist()
    [nan]
    """
    return clean.optional(listed, name).astype("float64")


def label(listed: pd.DataFrame, table: str, name: str) -> pd.Series:
    """Return a column of labels with the labels of all years, all missing where it is lacking.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.place import label
    >>> label(pd.DataFrame({"a": [1]}), "sumaria", "poverty").cat.categories.tolist()
    ['extreme_poor', 'poor', 'not_poor']
    """
    labels = pd.CategoricalDtype(list(load_codebook("enaho").labels_of(table, name)))
    return clean.optional(listed, name).astype("object").astype(labels)


def label_field(table: str, name: str) -> Field:
    """Describe a column of labels that may be missing.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.place import label_field
    >>> label_field("sumaria", "poverty").is_nullable
    True
    """
    return declared("enaho", table, name, dtype="category", is_nullable=True)


def flag(listed: pd.DataFrame, name: str) -> pd.Series:
    """Return a yes/no column as boolean, all missing where it is lacking.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.place import flag
    >>> flag(pd.DataFrame({"a": ["yes", "no", None]}), "a").tolist()
    [True, False, <NA>]
    """
    return clean.as_boolean(clean.optional(listed, name))


def weight_field(table: str, name: str) -> Field:
    """Describe an expansion factor, missing where an extract lacks it.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.place import weight_field
    >>> weight_field("education", "person_weight").unit
    'persons'
    """
    return declared("enaho", table, name, dtype="float", is_nullable=True, limits=(1e-9, None))


def refuse_empty(frame: pd.DataFrame, name: str, *, where: str) -> None:
    """Raise where a column that a table is about holds nothing.

    Raises
    ------
    SchemaError
    """
    if frame[name].isna().all():
        raise SchemaError(
            f"Nobody has an answer in {name}",
            where=f"{where}, {len(frame):,} rows",
            remedy="the file is of another module, or its answers were lost: use it as published",
        )
