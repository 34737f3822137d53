"""ENDES households: RECH0, RECH23 and the file of social programmes to one row an interviewed household."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.endes import clean, schema
from juntos_eval.surveys.endes.join import Account, attach, open_endes, open_optional, without_match
from juntos_eval.surveys.endes.keys import household_id
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["CARRIED", "NOT_INTERVIEWED", "clean_households"]

NOT_INTERVIEWED: Final = "household not interviewed (weight 0)"

#: The columns that every other table takes over from its household.
CARRIED: Final = (
    "household_id",
    *(field.name for field in (*schema.DESIGN, *schema.JUNTOS)),
)


def clean_households(raw: RawFolder, year: int) -> CleanTable:
    """Clean RECH0, RECH23 and, where the year has it, the file of social programmes.

    Households that nobody interviewed (weight 0) are dropped and counted. ``has_juntos`` is QH95 from 2014 on
    (QH90 in 2013) and missing where the year or the folder has no such file: ``provenance.details["juntos"]``
    says which.

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
        If a file, its columns or its content is not what was declared, or two files are of different years.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.endes import clean_households
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2019,))
    ...     table = clean_households(RawFolder.at(folder), 2019)
    >>> table.provenance.details["juntos"], bool((table.frame["household_weight"] > 0).all())
    ('QH95, file of social programmes', True)
    """
    home, dwelling = (open_endes(raw, table, year) for table in ("households", "dwellings"))
    where = home.source.name
    listed = home.frame.assign(household_id=household_id(home.frame["hhid"]))
    _check_year(listed, year, where)
    beside = dwelling.frame.assign(household_id=household_id(dwelling.frame["hhid"])).drop(columns="hhid")
    files = f"{where} and {dwelling.source.name}"
    without_match(listed["household_id"], beside["household_id"], what="dwelling", where=files)
    listed = attach(listed, beside, on="household_id", what="dwellings", where=dwelling.source.name)
    weight = clean.sampling_weight(listed["household_weight"], where=f"{where}, HV005")
    is_interviewed = weight > 0
    listed, weight = listed[is_interviewed], weight[is_interviewed]
    programmes = open_optional(raw, "programmes", year)
    listed, source, notes = _with_juntos(listed, programmes, year)
    *_, repaired = clean.coordinates(clean.number(listed, "longitude"), clean.number(listed, "latitude"))
    frame = _frame(listed, weight, year)
    account = Account(
        first=home,
        others=(dwelling,) if programmes is None else (dwelling, programmes),
        dropped={NOT_INTERVIEWED: int((~is_interviewed).sum())},
        notes=notes | repaired,
        details={"juntos": source, "weight": "household_weight", "strata": "stratum", "psu": "psu"},
    )
    return finish(frame, schema.HOUSEHOLDS, account.provenance(year))


def _frame(listed: pd.DataFrame, weight: pd.Series, year: int) -> pd.DataFrame:
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = np.int64(year)
    frame["household_id"] = listed["household_id"]
    for name in ("interview_year", "interview_month", "members", "sleeping_rooms"):
        frame[name] = clean.number(listed, name)
    frame["longitude"], frame["latitude"], _ = clean.coordinates(
        clean.number(listed, "longitude"), clean.number(listed, "latitude")
    )
    for name in ("psu", "stratum"):
        frame[name] = clean.whole_number(listed[name], where=f"RECH0, {name}").astype("str")
    frame["household_weight"] = weight
    frame["region"] = clean.full_labels(listed, "households", "region")
    frame["is_rural"] = clean.as_flag(clean.full_labels(listed, "households", "area"), "rural")
    frame["ubigeo"] = clean.ubigeo(
        clean.number(listed, "ubigeo"),
        _region_number(listed["region"]),
        clean.number(listed, "province_code"),
        clean.number(listed, "district_code"),
    )
    frame["altitude_m"] = clean.number(listed, "altitude_m").where(
        lambda metres: metres < FIRST_ALTITUDE_FLAG
    )
    for name in ("natural_region", "wealth_quintile"):
        frame[name] = clean.full_labels(listed, "dwellings", name)
    frame["wealth_score"] = clean.number(listed, "wealth_score") / 100_000.0
    frame["has_piped_water"] = _inside(clean.number(listed, "water_code"))
    frame["has_sewer"] = _inside(clean.number(listed, "toilet_code"))
    frame["has_electricity"] = clean.as_flag(clean.full_labels(listed, "dwellings", "has_electricity"))
    frame["has_juntos"] = clean.as_flag(clean.full_labels(listed, "programmes", "has_juntos"))
    frame["juntos_months"] = clean.juntos_months(
        clean.number(listed, "juntos_years"), clean.number(listed, "juntos_months")
    ).where(frame["has_juntos"].fillna(value=False).astype(bool))
    frame["juntos_entry"] = clean.juntos_entry(
        frame["interview_year"], frame["interview_month"], frame["juntos_months"]
    )
    return frame


def _region_number(region: pd.Series) -> pd.Series:
    """Return the number of HV024 again: the labels stand in the order of the departments' codes."""
    numbers = {
        code.value: float(code.code) for code in load_codebook("endes").codes_of("households", "region")
    }
    return region.astype("str").map(numbers)


#: From here on a number is a code: not measured.
FIRST_ALTITUDE_FLAG: Final = 9000

#: HV201 and HV205: inside the dwelling; from 97 on there is no answer.
INSIDE: Final = 11
FIRST_SERVICE_FLAG: Final = 97


def _inside(code: pd.Series) -> pd.Series:
    """Whether a service is inside the dwelling; missing without an answer."""
    return code.eq(INSIDE).astype("boolean").mask(code.isna() | (code >= FIRST_SERVICE_FLAG))


def _check_year(listed: pd.DataFrame, year: int, where: str) -> None:
    """Refuse a file whose interviews are of another year; fieldwork may spill into the next January."""
    interviewed = clean.number(listed, "interview_year").dropna()
    if len(interviewed) and interviewed.eq(year).mean() < 0.5:
        found = ", ".join(f"{value:g}" for value in sorted(interviewed.unique())[:5])
        raise SchemaError(
            f"The file is not of {year}: its interviews are of {found}",
            where=f"{where}, {len(interviewed):,} rows",
            remedy="put each file into the folder of its own year",
        )


def _with_juntos(
    listed: pd.DataFrame, programmes: Harmonised | None, year: int
) -> tuple[pd.DataFrame, str, dict[str, int]]:
    """Bring the answers on Juntos beside the households; say where they come from, or why there are none."""
    if programmes is None:
        if "has_juntos" in listed:
            return listed, "QH90, RECH23", {}
        reason = f"no file of social programmes for {year} in the folder, or none that documents it"
        return listed, f"missing: {reason}", {}
    answers = programmes.frame.assign(household_id=household_id(programmes.frame["hhid"])).drop(
        columns="hhid"
    )
    name = programmes.source.name
    lost = without_match(answers["household_id"], listed["household_id"], what="household", where=name)
    listed = attach(listed, answers, on="household_id", what="social programmes", where=name)
    silent = int(listed["has_juntos"].isna().sum())
    notes = {
        "social programmes: rows without a household": int(lost.sum()),
        "has_juntos: no answer": silent,
    }
    return listed, "QH95, file of social programmes", notes
