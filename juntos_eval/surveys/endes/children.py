"""ENDES children: RECH6 to one row a child listed for measurement, growth and anaemia beside it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.endes import clean, schema
from juntos_eval.surveys.endes.households import CARRIED, clean_households
from juntos_eval.surveys.endes.join import Account, attach, open_endes, without_match
from juntos_eval.surveys.endes.keys import household_id, person_id
from juntos_eval.surveys.endes.persons import clean_persons
from juntos_eval.surveys.growth import DAYS_A_MONTH, anaemia_level, growth_scores, haemoglobin_adjustment
from juntos_eval.surveys.growth.anaemia import AnaemiaRule
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["clean_children"]

INDICES: Final = ("haz", "waz", "whz", "baz")

#: From these codes on nobody was weighed or measured; from those on no blood was taken.
FIRST_MEASURE_FLAG: Final = 9990
FIRST_BLOOD_FLAG: Final = 990


WITHOUT_PERSON: Final = "no person of this key in an interviewed household"

RULES: Final[tuple[AnaemiaRule, ...]] = ("who_1968", "who_2024")


def clean_children(
    raw: RawFolder,
    year: int,
    *,
    households: CleanTable | None = None,
    persons: CleanTable | None = None,
) -> CleanTable:
    """Clean RECH6: z-scores, stunting, haemoglobin and anaemia, with who slept here and the design beside.

    ``haz waz whz baz`` are INEI's (HC70-HC73), else recomputed ones; ``provenance.details["z_scores"]`` says
    which, and ``recomputed_…`` holds ours wherever height, weight and age are in the file. Anaemia is INEI's
    HC57, and recomputed by both rules where haemoglobin, altitude and age are there.

    Parameters
    ----------
    raw : RawFolder
    year : int
    households, persons : CleanTable, optional
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
    >>> from juntos_eval.surveys.endes import clean_children
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=400, years=(2019,))
    ...     children = clean_children(RawFolder.at(folder), 2019)
    >>> gap = (children.frame["haz"] - children.frame["recomputed_haz"]).abs()
    >>> children.provenance.details["z_scores"], bool(gap.median() < 0.1)
    ('INEI (HC70-HC73)', True)
    """
    homes = clean_households(raw, year) if households is None else households
    people = clean_persons(raw, year, households=homes) if persons is None else persons
    opened = open_endes(raw, "children", year)
    where = opened.source.name
    listed = opened.frame.assign(household_id=household_id(opened.frame["hhid"]))
    listed["person_id"] = person_id(listed["household_id"], listed["line"], where=where)
    lost = without_match(listed["person_id"], people.frame["person_id"], what="person of RECH1", where=where)
    listed = _with_person(listed[~lost], people)
    frame, details, notes = _growth(listed, where)
    _check_age(frame, where)
    place = homes.frame[list(CARRIED)]
    frame = attach(frame, place, on="household_id", what="households", where="households")
    frame["child_weight"] = _child_weight(listed, frame["household_weight"], where=where)
    frame = frame.assign(year=np.int64(year), **_anaemia(listed, frame["altitude_m"]))
    frame["juntos_exposure_months"] = _exposure(frame)
    account = Account(
        first=opened,
        others=(homes, people),
        dropped={WITHOUT_PERSON: int(lost.sum())},
        notes=notes,
        details={**homes.provenance.details, **details, "weight": "child_weight"},
    )
    return finish(frame, schema.CHILDREN, account.provenance(year))


def _with_person(listed: pd.DataFrame, people: CleanTable) -> pd.DataFrame:
    """Bring what RECH1 says of a child; its own sex (HC27) where the file has one."""
    told = people.frame[["person_id", "slept_here", "sex", "age_years"]].rename(columns={"sex": "told_sex"})
    return attach(listed, told, on="person_id", what="persons", where="RECH1")


def _check_age(frame: pd.DataFrame, where: str) -> None:
    old = int((frame["age_years"] > 6).sum())
    if old:
        raise SchemaError(
            "Children of RECH6 are over six in RECH1: the lines of the two files do not belong together",
            where=f"{where}, {old:,} rows",
            remedy="put the files of one year and one issue into the year's folder",
        )


def _growth(listed: pd.DataFrame, where: str) -> tuple[pd.DataFrame, dict[str, Any], dict[str, int]]:
    frame = pd.DataFrame(index=listed.index)
    for name in ("household_id", "person_id", "slept_here", "age_years"):
        frame[name] = listed[name]
    frame["line"] = listed["line"].astype("int64")
    frame["mother_line"] = clean.number(listed, "mother_line").where(lambda line: line.between(1, 99))
    own_sex = clean.full_labels(listed, "children", "sex")
    frame["sex"] = own_sex.where(own_sex.notna(), listed["told_sex"])
    frame["age_months"] = clean.number(listed, "age_months").where(lambda months: months < FIRST_AGE_FLAG)
    for name, raw_name in (("weight_kg", "weight_hg"), ("height_cm", "height_mm")):
        frame[name] = clean.implied(
            clean.number(listed, raw_name), decimals=1, missing_from=FIRST_MEASURE_FLAG
        )
    recomputed = _recomputed(frame, clean.full_labels(listed, "children", "measured_position"))
    notes: dict[str, int] = {}
    of_inei = {}
    for name in INDICES:
        raw = clean.number(listed, f"inei_{name}")
        notes |= clean.flag_counts(raw, name)
        of_inei[name] = clean.inei_score(raw)
        frame[f"recomputed_{name}"] = recomputed[name]
    has_inei = of_inei["haz"].notna().any()
    if not has_inei and frame["recomputed_haz"].isna().all():
        raise SchemaError(
            "The file has neither scores of INEI (HC70) nor height, age and sex to make them of",
            where=where,
            remedy="use the whole RECH6 file of the year",
        )
    for name in INDICES:
        frame[name] = of_inei[name] if has_inei else recomputed[name]
    source = "INEI (HC70-HC73)" if has_inei else "recomputed from height, weight and completed months"
    return _with_rates(frame), {"z_scores": source}, notes


#: HC1: from here on there is no age in months.
FIRST_AGE_FLAG: Final = 90


def _recomputed(frame: pd.DataFrame, position: pd.Series) -> dict[str, pd.Series]:
    """Score height and weight by our own tables; completed months stand for half a month more."""
    scores = growth_scores(
        age_days=(frame["age_months"] + 0.5) * DAYS_A_MONTH,
        is_female=frame["sex"].eq("female").astype("float64").mask(frame["sex"].isna()),
        weight_kg=frame["weight_kg"],
        height_cm=frame["height_cm"],
        is_lying=position.eq("lying").astype("float64").mask(position.isna()),
    )
    return {name: pd.Series(getattr(scores, name).usable, index=frame.index) for name in INDICES}


def _with_rates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        is_stunted=clean.below(frame["haz"], -2),
        is_severely_stunted=clean.below(frame["haz"], -3),
        is_underweight=clean.below(frame["waz"], -2),
        is_wasted=clean.below(frame["whz"], -2),
        is_overweight=clean.below(-frame["whz"], -2),
    )


def _child_weight(listed: pd.DataFrame, of_household: pd.Series, *, where: str) -> pd.Series:
    """Return the weight of children measured, that of the household where the year has none."""
    if "measurement_weight" not in listed:
        return of_household
    return clean.sampling_weight(listed["measurement_weight"], where=f"{where}, HV005A")


def _exposure(frame: pd.DataFrame) -> pd.Series:
    """Return months of life in Juntos: 0 where the household is not in it, missing where nobody knows."""
    months = frame[["age_months", "juntos_months"]].min(axis=1, skipna=False)
    is_outside = (~frame["has_juntos"]).fillna(value=False).astype(bool)
    return months.mask(is_outside & frame["age_months"].notna(), 0.0)


def _anaemia(listed: pd.DataFrame, altitude_m: pd.Series) -> dict[str, pd.Series]:
    """Haemoglobin as read and as adjusted, INEI's level, and both rules recomputed."""
    read, adjusted = (
        clean.implied(clean.number(listed, name), decimals=1, missing_from=FIRST_BLOOD_FLAG)
        for name in ("haemoglobin", "adjusted_haemoglobin")
    )
    level = clean.full_labels(listed, "children", "anaemia")
    made = {
        "haemoglobin_g_dl": read,
        "adjusted_haemoglobin_g_dl": adjusted,
        "anaemia": level,
        "is_anaemic": clean.as_flag(level, "severe", "moderate", "mild"),
    }
    months = clean.number(listed, "age_months")
    for rule in RULES:
        corrected = read - haemoglobin_adjustment(altitude_m, rule=rule)
        code = pd.Series(anaemia_level(corrected, age_months=months, rule=rule), index=listed.index)
        made[f"is_anaemic_{rule}"] = clean.below(code, 4)
    return made
