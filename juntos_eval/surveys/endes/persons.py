"""ENDES persons: RECH1 to one row a member or visitor of an interviewed household."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.endes import clean, schema
from juntos_eval.surveys.endes.households import CARRIED, clean_households
from juntos_eval.surveys.endes.join import Account, attach, open_endes, without_match
from juntos_eval.surveys.endes.keys import household_id, person_id
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["WITHOUT_HOUSEHOLD", "clean_persons"]

WITHOUT_HOUSEHOLD: Final = "no interviewed household of this key"

#: From these codes on there is no age and no count of years.
FIRST_AGE_FLAG: Final = 98
FIRST_YEARS_FLAG: Final = 90


def clean_persons(raw: RawFolder, year: int, *, households: CleanTable | None = None) -> CleanTable:
    """Clean RECH1, the design of the household beside each person.

    Parameters
    ----------
    raw : RawFolder
    year : int
    households : CleanTable, optional
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
    >>> from juntos_eval.surveys.endes import clean_persons
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2019,))
    ...     persons = clean_persons(RawFolder.at(folder), 2019)
    >>> bool((persons.frame["relation"] == "head").groupby(persons.frame["household_id"]).sum().eq(1).all())
    True
    """
    homes = clean_households(raw, year) if households is None else households
    opened = open_endes(raw, "persons", year)
    where = opened.source.name
    listed = opened.frame.assign(household_id=household_id(opened.frame["hhid"]))
    lost = without_match(
        listed["household_id"], homes.frame["household_id"], what="interviewed household", where=where
    )
    listed = listed[~lost]
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = np.int64(year)
    frame["household_id"] = listed["household_id"]
    frame["person_id"] = person_id(listed["household_id"], listed["line"], where=where)
    frame["line"] = listed["line"].astype("int64")
    frame["slept_here"] = clean.as_flag(listed["slept_here"])
    for name in ("relation", "sex", "education_level", "marital_status"):
        frame[name] = clean.full_labels(listed, "persons", name)
    frame["age_years"] = listed["age_years"].where(listed["age_years"] < FIRST_AGE_FLAG)
    frame["education_years"] = clean.number(listed, "education_years").where(
        lambda years: years < FIRST_YEARS_FLAG
    )
    frame = attach(
        frame, homes.frame[list(CARRIED)], on="household_id", what="households", where="households"
    )
    account = Account(
        first=opened,
        others=(homes,),
        dropped={WITHOUT_HOUSEHOLD: int(lost.sum())},
        details=homes.provenance.details,
    )
    return finish(frame, schema.PERSONS, account.provenance(year))
