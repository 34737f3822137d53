"""ENDES violence: REC84DV to one row a woman, what a partner did to her, and by which rule she counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.endes import clean, women_schema
from juntos_eval.surveys.endes.households import CARRIED, clean_households
from juntos_eval.surveys.endes.join import Account, attach, open_endes, open_optional, without_match
from juntos_eval.surveys.endes.persons import WITHOUT_HOUSEHOLD
from juntos_eval.surveys.endes.women import keyed, union
from juntos_eval.surveys.harmonise import Harmonised
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import SampleDesign, finish

__all__ = ["ACTS", "clean_violence"]

#: The acts of each kind: D105A-G and J; D105H, I; D103A, B, D.
ACTS: Final = {
    "physical_violence": tuple(f"physical_{letter}" for letter in "abcdefgj"),
    "sexual_violence": ("sexual_h", "sexual_i"),
    "emotional_violence": ("emotional_a", "emotional_b", "emotional_d"),
}

#: INEI's own summaries of "ever", D104 and D106 to D108, and what each kind made of the acts must agree with.
SUMMARIES: Final = {
    "physical_violence": ("inei_less_severe", "inei_severe"),
    "sexual_violence": ("inei_sexual",),
    "emotional_violence": ("inei_emotional",),
}

LAST_12_MONTHS: Final = ("often", "sometimes")
EVER: Final = (*LAST_12_MONTHS, "not_last_12_months", "frequency_missing")

#: What is taken of the files of women, where the folder has them.
BESIDE: Final = {
    "women": ("age_years", "violence_selection", "woman_weight"),
    "unions": ("marital_status", "ever_partnered", "partner_education", "partner_age_years"),
}


def clean_violence(raw: RawFolder, year: int, *, households: CleanTable | None = None) -> CleanTable:
    """Clean REC84DV: physical, sexual and emotional violence by a partner, and his drinking.

    An act counts for the last 12 months if it happened often or sometimes (codes 1, 2), and ever if it
    happened at all (1 to 4). A kind of violence is missing where no act of it was answered. Acts that the
    year's file does not have (D105G in 2020, D105J before 2016) are left out: the provenance names them, and
    counts the women whom INEI's own summaries (D104, D106 to D108) call otherwise.

    Parameters
    ----------
    raw : RawFolder
    year : int
    households : CleanTable, optional
        Of the same year, cleaned already; else they are cleaned here.

    Returns
    -------
    CleanTable
        ``provenance.details["weight"]`` names the weight to use: that of the module (D005, as DHS does), else
        that of the woman (V005, as INEI does), else that of the household.

    Raises
    ------
    SourceError, SchemaError
        If a file, its columns or its content is not what was declared, or two files are of different years.

    References
    ----------
    Croft, T. N. et al. Guide to DHS Statistics, chapter 17 (domestic violence).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.endes import clean_violence
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2019,))
    ...     table = clean_violence(RawFolder.at(folder), 2019)
    >>> table.provenance.details["weight"]
    'violence_weight'
    """
    homes = clean_households(raw, year) if households is None else households
    opened = open_endes(raw, "violence", year)
    where = opened.source.name
    listed = keyed(opened)
    lost = without_match(
        listed["household_id"], homes.frame["household_id"], what="interviewed household", where=where
    )
    listed = listed[~lost]
    beside = {table: open_optional(raw, table, year) for table in BESIDE}
    for table, other in beside.items():
        listed = _bring(listed, other, table)
    frame = _frame(listed, year, where)
    place = homes.frame[list(CARRIED)]
    frame = attach(frame, place, on="household_id", what="households", where="households")
    acts = [name for names in ACTS.values() for name in names]
    absent = [name for name in acts if name not in listed or listed[name].isna().all()]
    account = Account(
        first=opened,
        others=(homes, *(other for other in beside.values() if other is not None)),
        dropped={WITHOUT_HOUSEHOLD: int(lost.sum())},
        notes=_disagreements(listed, frame),
        details={
            **homes.provenance.details,
            "weight": _weight(frame),
            "acts_without_answers": ", ".join(absent),
            "sample": _rule(frame),
        },
    )
    # of a folder without D005 the design's weight is the next best
    design = SampleDesign(weight=_weight(frame), strata="stratum", psu="psu")
    return finish(frame, replace(women_schema.VIOLENCE, design=design), account.provenance(year))


def _bring(listed: pd.DataFrame, other: Harmonised | None, table: str) -> pd.DataFrame:
    if other is None:
        return listed
    rows = keyed(other)
    wanted = [name for name in BESIDE[table] if name in rows]
    where = other.source.name
    without_match(
        listed["person_id"], rows["person_id"], what=f"row of {where}", where=f"REC84DV and {where}"
    )
    return attach(listed, rows[["person_id", *wanted]], on="person_id", what=table, where=where)


def _frame(listed: pd.DataFrame, year: int, where: str) -> pd.DataFrame:
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = np.int64(year)
    for name in ("household_id", "person_id", "line"):
        frame[name] = listed[name]
    frame["age_years"] = clean.number(listed, "age_years")
    frame["violence_selection"] = clean.full_labels(listed, "women", "violence_selection")
    for name, values in union(listed).items():
        frame[name] = values
    for kind, names in ACTS.items():
        acts = _answers(listed, names)
        frame[f"has_{kind}_last_12_months"] = clean.any_act(acts, LAST_12_MONTHS)
        frame[f"has_{kind}_ever"] = clean.any_act(acts, EVER)
    both = [name for kind in ("physical_violence", "sexual_violence") for name in ACTS[kind]]
    frame["has_any_violence_last_12_months"] = clean.any_act(_answers(listed, both), LAST_12_MONTHS)
    frame["is_controlled"] = clean.any_act(_answers(listed, [f"control_{one}" for one in "abcdef"]), EVER)
    drinks = clean.as_flag(clean.full_labels(listed, "violence", "partner_drinks"), *LAST_12_MONTHS)
    drunk = clean.as_flag(clean.full_labels(listed, "violence", "partner_is_drunk"), "often")
    frame["has_drinking_partner"] = drinks
    # only partners who drink are asked after: others are not often drunk
    is_abstinent = (~drinks).fillna(value=False).astype(bool)
    frame["has_often_drunk_partner"] = drunk.mask(drunk.isna() & is_abstinent, other=False)
    for name, raw_name in (("violence_weight", "D005"), ("woman_weight", "V005")):
        frame[name] = _optional_weight(listed, name, where=f"{where}, {raw_name}")
    frame["has_answered"] = frame["has_physical_violence_ever"].notna().astype("boolean")
    frame["is_in_sample"] = _in_sample(frame)
    return frame


def _disagreements(listed: pd.DataFrame, frame: pd.DataFrame) -> dict[str, int]:
    """Count the women for whom INEI's summaries and the acts say different things."""
    counts = {}
    for kind, names in SUMMARIES.items():
        told = clean.any_act(_answers(listed, names), ("yes",))
        both = told.notna() & frame[f"has_{kind}_ever"].notna()
        differ = (told != frame[f"has_{kind}_ever"]).fillna(value=False) & both
        counts[f"has_{kind}_ever: INEI's summary says otherwise"] = int(differ.sum())
    return counts


def _answers(listed: pd.DataFrame, names: tuple[str, ...] | list[str]) -> pd.DataFrame:
    """Return the answers to some acts, those that the file lacks all missing."""
    return pd.DataFrame({name: clean.full_labels(listed, "violence", name) for name in names})


def _optional_weight(listed: pd.DataFrame, name: str, *, where: str) -> pd.Series:
    if name not in listed or listed[name].isna().all():
        return clean.number(listed, name)
    return clean.sampling_weight(listed[name], where=where)


def _in_sample(frame: pd.DataFrame) -> pd.Series:
    """By the rules of DHS where V044 and V502 are known, else whoever answered."""
    if frame["violence_selection"].isna().all() or frame["has_ever_partnered"].isna().all():
        return frame["has_answered"]
    is_selected = clean.as_flag(frame["violence_selection"], "interviewed").fillna(value=False)
    return is_selected & frame["has_ever_partnered"].fillna(value=False)


def _rule(frame: pd.DataFrame) -> str:
    if frame["violence_selection"].isna().all() or frame["has_ever_partnered"].isna().all():
        return "whoever answered: V044 or V502 is not in the folder"
    return "V044 = 1 and V502 > 0"


def _weight(frame: pd.DataFrame) -> str:
    for name in ("violence_weight", "woman_weight"):
        if frame[name].notna().any():
            return name
    return "household_weight"
