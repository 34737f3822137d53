"""ENDES births: REC21 and REC41 to one row a birth, with prenatal care and the place of delivery."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.endes import clean, schema, women_schema
from juntos_eval.surveys.endes.join import Account, attach, open_endes, open_optional, without_match
from juntos_eval.surveys.endes.keys import person_id
from juntos_eval.surveys.endes.women import clean_women, keyed
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["clean_births"]

#: M13 and M14: from here on the answer is a code.
FIRST_CHECK_FLAG: Final = 90

#: M15: deliveries in a health facility, public or private.
FACILITIES: Final = (21, 39)
FIRST_PLACE_FLAG: Final = 97

WITHOUT_WOMAN: Final = "no interviewed woman of this key"

#: What a birth takes over from its mother.
OF_MOTHER: Final = (
    "person_id",
    "interview_year",
    "interview_month",
    "woman_weight",
    *(field.name for field in (*schema.DESIGN, *schema.JUNTOS)),
)


def clean_births(raw: RawFolder, year: int, *, women: CleanTable | None = None) -> CleanTable:
    """Clean REC21 and, where the folder has it, REC41.

    Parameters
    ----------
    raw : RawFolder
    year : int
    women : CleanTable, optional
        Of the same year, cleaned already; else they are cleaned here.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If a file, its columns or its content is not what was declared, or two files are of different years.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.endes import clean_births
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2019,))
    ...     births = clean_births(RawFolder.at(folder), 2019)
    >>> recent = births.frame["months_ago"] < 60
    >>> bool(births.frame.loc[recent, "prenatal_checks"].notna().any())
    True
    """
    mothers = clean_women(raw, year) if women is None else women
    opened = open_endes(raw, "births", year)
    listed = keyed(opened)
    selected = keyed(open_endes(raw, "women", year))["person_id"]
    without_match(listed["person_id"], selected, what="woman of REC0111", where=opened.source.name)
    listed["birth_id"] = _birth_id(listed)
    told = listed["birth_id"]
    lost = ~listed["person_id"].isin(mothers.frame["person_id"])
    listed = listed[~lost]
    care = open_optional(raw, "prenatal", year)
    listed = _with_care(listed, care, told)
    listed = attach(
        listed, mothers.frame[list(OF_MOTHER)], on="person_id", what="women", where="interviewed women"
    )
    account = Account(
        first=opened,
        others=(mothers,) if care is None else (mothers, care),
        dropped={WITHOUT_WOMAN: int(lost.sum())},
        details=mothers.provenance.details,
    )
    return finish(_frame(listed, year, opened.source.name), women_schema.BIRTHS, account.provenance(year))


def _birth_id(listed: pd.DataFrame) -> pd.Series:
    index = clean.whole_number(listed["birth"], where="index of the birth")
    return listed["person_id"] + "-" + index.astype("str").str.zfill(2)


def _with_care(listed: pd.DataFrame, care: Harmonised | None, told: pd.Series) -> pd.DataFrame:
    """Bring prenatal care beside; its births must be among those told in REC21."""
    if care is None:
        return listed
    rows = keyed(care)
    rows = rows.assign(birth_id=_birth_id(rows))
    where = care.source.name
    without_match(rows["birth_id"], told, what="birth of REC21", where=where)
    wanted = [
        name for name in ("first_check_month", "prenatal_checks", "delivery_code") if name in rows.columns
    ]
    return attach(listed, rows[["birth_id", *wanted]], on="birth_id", what="prenatal care", where=where)


def _frame(listed: pd.DataFrame, year: int, where: str) -> pd.DataFrame:
    frame = listed[[name for name in OF_MOTHER if not name.startswith("interview_")]].copy()
    frame["year"] = np.int64(year)
    for name in ("birth_id", "household_id"):
        frame[name] = listed[name]
    frame["birth"] = listed["birth"].astype("int64")
    for name in ("birth_order", "birth_year", "birth_month"):
        frame[name] = clean.number(listed, name)
    frame["months_ago"] = clean.months_between(
        listed["birth_year"], listed["birth_month"], listed["interview_year"], listed["interview_month"]
    )
    frame["sex"] = clean.full_labels(listed, "births", "sex")
    frame["is_alive"] = clean.as_flag(listed["is_alive"])
    line = clean.number(listed, "child_line")
    here = line.between(1, 90)
    child = person_id(listed["household_id"], line.where(here, 1.0), where=where)
    frame["child_id"] = child.where(here)
    return frame.assign(**_care(listed))


def _care(listed: pd.DataFrame) -> dict[str, pd.Series]:
    checks = clean.number(listed, "prenatal_checks")
    checks = checks.where(checks < FIRST_CHECK_FLAG)
    first = clean.number(listed, "first_check_month")
    first = first.where(first < FIRST_CHECK_FLAG)
    place = clean.number(listed, "delivery_code")
    known = place.where(place < FIRST_PLACE_FLAG)
    return {
        "prenatal_checks": checks,
        "has_six_checks": (checks >= 6).astype("boolean").mask(checks.isna()),
        # without any check there was no early one
        "has_early_check": (first <= 3).astype("boolean").mask(first.isna() & ~checks.eq(0)),
        "is_born_in_facility": known.between(*FACILITIES).astype("boolean").mask(known.isna()),
    }
