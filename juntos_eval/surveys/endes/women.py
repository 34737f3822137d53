"""ENDES women: REC0111 and the files beside it to one row an interviewed woman."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.endes import clean, women_schema
from juntos_eval.surveys.endes.households import CARRIED, clean_households
from juntos_eval.surveys.endes.join import Account, attach, open_endes, open_optional, without_match
from juntos_eval.surveys.endes.keys import person_id, split_case
from juntos_eval.surveys.endes.persons import WITHOUT_HOUSEHOLD
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["FIRST_AGE_FLAG", "clean_women", "keyed", "union"]

#: From here on a partner's age is a code.
FIRST_AGE_FLAG: Final = 97

NOT_INTERVIEWED: Final = "woman not interviewed (weight 0, or neither weight nor answers)"

#: Files with one row a woman, and what is taken of each.
BESIDE: Final = {
    "women_local": ("mother_tongue_code", "has_juntos"),
    "fertility": ("births", "living_children"),
    "unions": ("marital_status", "ever_partnered", "partner_education", "is_working", "partner_age_years"),
}


def keyed(opened: Harmonised) -> pd.DataFrame:
    """Return a file of women with ``household_id``, ``line`` and ``person_id`` for its CASEID.

    Parameters
    ----------
    opened : Harmonised

    Returns
    -------
    pandas.DataFrame
    """
    where = opened.source.name
    household, line = split_case(opened.frame["caseid"], where=where)
    keys = {"household_id": household, "line": line}
    return opened.frame.drop(columns="caseid").assign(
        **keys, person_id=person_id(household, line, where=where)
    )


def clean_women(raw: RawFolder, year: int, *, households: CleanTable | None = None) -> CleanTable:
    """Clean REC0111 and, where the folder has them, REC91, RE223132 and RE516171.

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
    >>> from juntos_eval.surveys.endes import clean_women
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2019,))
    ...     women = clean_women(RawFolder.at(folder), 2019)
    >>> women.frame["age_years"].between(12, 49).all()
    np.True_
    """
    homes = clean_households(raw, year) if households is None else households
    opened = open_endes(raw, "women", year)
    where = opened.source.name
    listed = keyed(opened)
    selected = listed["person_id"]
    is_blank = _is_blank(listed)
    listed = listed[~is_blank]
    weight = clean.sampling_weight(listed["woman_weight"], where=f"{where}, V005")
    is_interviewed = weight > 0
    listed, weight = listed[is_interviewed], weight[is_interviewed]
    lost = without_match(
        listed["household_id"], homes.frame["household_id"], what="interviewed household", where=where
    )
    listed, weight = listed[~lost], weight[~lost]
    beside = {table: open_optional(raw, table, year) for table in BESIDE}
    for table, other in beside.items():
        listed = _bring(listed, other, table, selected)
    frame = _frame(listed, year).assign(woman_weight=weight)
    place = homes.frame[list(CARRIED)]
    frame = attach(frame, place, on="household_id", what="households", where="households")
    account = Account(
        first=opened,
        others=(homes, *(other for other in beside.values() if other is not None)),
        dropped={
            NOT_INTERVIEWED: int(is_blank.sum() + (~is_interviewed).sum()),
            WITHOUT_HOUSEHOLD: int(lost.sum()),
        },
        details={**homes.provenance.details, "weight": "woman_weight"},
    )
    return finish(frame, women_schema.WOMEN, account.provenance(year))


def _is_blank(listed: pd.DataFrame) -> pd.Series:
    """Tell the women of whom only the roster speaks: no weight, no schooling, no wealth of their own."""
    told = [name for name in ("woman_weight", "education_level", "wealth_quintile") if name in listed]
    return listed[told].isna().all(axis=1)


def _bring(listed: pd.DataFrame, other: Harmonised | None, table: str, selected: pd.Series) -> pd.DataFrame:
    """Bring a file of women beside; it may hold some who were selected and not interviewed to the end."""
    if other is None:
        return listed
    rows = keyed(other)
    wanted = [name for name in BESIDE[table] if name in rows]
    where = other.source.name
    without_match(rows["person_id"], selected, what="woman of REC0111", where=where)
    return attach(listed, rows[["person_id", *wanted]], on="person_id", what=table, where=where)


def _frame(listed: pd.DataFrame, year: int) -> pd.DataFrame:
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = np.int64(year)
    for name in ("household_id", "person_id", "line"):
        frame[name] = listed[name]
    for name in (
        "interview_year",
        "interview_month",
        "age_years",
        "births",
        "living_children",
        "mother_tongue_code",
    ):
        frame[name] = clean.number(listed, name)
    for name in ("education_level", "violence_selection"):
        frame[name] = clean.full_labels(listed, "women", name)
    for name, values in union(listed).items():
        frame[name] = values
    frame["is_working"] = clean.as_flag(clean.full_labels(listed, "unions", "is_working"))
    frame["is_affiliated_to_juntos"] = clean.as_flag(clean.full_labels(listed, "women_local", "has_juntos"))
    return frame


def union(listed: pd.DataFrame) -> dict[str, pd.Series]:
    """Return marital status and what is known of the partner, all missing where the file is not there.

    Parameters
    ----------
    listed : pandas.DataFrame

    Returns
    -------
    dict of str to pandas.Series
    """
    return {
        "marital_status": clean.full_labels(listed, "unions", "marital_status"),
        "has_ever_partnered": clean.as_flag(
            clean.full_labels(listed, "unions", "ever_partnered"), "now", "formerly"
        ),
        "partner_education": clean.full_labels(listed, "unions", "partner_education"),
        "partner_age_years": clean.number(listed, "partner_age_years").where(
            lambda years: years < FIRST_AGE_FLAG
        ),
    }
