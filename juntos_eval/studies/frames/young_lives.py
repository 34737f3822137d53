"""Young Lives Peru: what the studies on it need, and the frames of two rounds they compare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from pandas import DataFrame

from juntos_eval.paths import RawFolder
from juntos_eval.studies.cited_study import Need
from juntos_eval.surveys import young_lives
from juntos_eval.surveys.synthetic.young_lives import write_young_lives
from juntos_eval.surveys.young_lives.locate import find_file
from juntos_eval.surveys.young_lives.study_files import StudyFile, load_deposit

__all__ = ["BASELINE", "children", "needs", "sibling_pairs", "twin", "two_rounds"]

_SOURCE: Final = "UK Data Service, free after registration and under its End User Licence: SN {study}"

#: Covariates of the first round: known for every child, measured before the programme.
BASELINE: Final = (
    "age_months",
    "is_girl",
    "share_aged_0_5",
    "share_aged_6_17",
    "household_size",
    "wealth_index",
    "is_rural",
    "mother_grades",
)


def needs(files: Iterable[tuple[str, int | None]]) -> tuple[Need, ...]:
    """Return the files of the deposit that a study needs, by table and round.

    Parameters
    ----------
    files : iterable of (str, int or None)

    Returns
    -------
    tuple of Need
    """
    by_key = {(file.table, file.round): file for file in load_deposit().files}
    return tuple(_need(by_key[key]) for key in files)


def _need(file: StudyFile) -> Need:
    def locate(raw: RawFolder) -> Path | None:
        found = find_file(raw, file)
        return None if found is None else found.path

    return Need(
        what=f"{file.stem} (round {file.round})" if file.round else file.stem,
        source=_SOURCE.format(study=file.study),
        folder=f"young_lives/UKDA-{file.study}-<format>/",
        names=tuple(f"{file.stem}{suffix}" for suffix in (".dta", ".sav", ".tab")),
        survey="young_lives",
        table=file.table,
        locate=locate,
    )


def twin(folder: Path, seed: int) -> RawFolder:
    """Write a SYNTHETIC deposit of the released size and names, with a planted effect, and open it.

    Parameters
    ----------
    folder : Path
    seed : int

    Returns
    -------
    RawFolder
    """
    write_young_lives(folder, seed=seed)
    return RawFolder.at(folder)


def children(raw: RawFolder) -> DataFrame:
    """Return the younger cohort, a row a child and round seen, with Juntos status and round-1 covariates.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    pandas.DataFrame
        With ``baseline`` covariates repeated on each row of a child, as numbers.
    """
    panel = young_lives.clean_children_panel(raw).frame
    status = young_lives.clean_juntos_status(raw).frame
    kept = ["child_id", "round", "is_juntos", "has_ever_joined", "exposure_group", "exposure_status",
            "months_exposed", "first_round_exposed", "age_at_start_months"]  # fmt: skip
    rows = panel[panel["cohort"] == "younger"].merge(status[kept], on=["child_id", "round"], how="left")
    first = rows[rows["round"] == 1]
    older = first[["males_6_12", "males_13_17", "females_6_12", "females_13_17"]].sum(axis=1, min_count=4)
    baseline = DataFrame(
        {
            "child_id": first["child_id"],
            "age_months": first["age_months"],
            "is_girl": (first["sex"] == "female").astype(float),
            "share_aged_0_5": first["share_aged_0_5"],
            "share_aged_6_17": older / first["household_size"],
            "household_size": first["household_size"],
            "wealth_index": first["wealth_index"],
            "is_rural": (first["area"] == "rural").astype(float),
            "mother_grades": _grades(first["mother_education"]),
            "region_1": first["region"].astype(str),
        }
    )
    return rows.drop(columns=list(BASELINE), errors="ignore").merge(baseline, on="child_id", how="left")


def two_rounds(rows: DataFrame, outcome: str, *, before: int | None, after: int, treated: str) -> DataFrame:
    """Return two rows a child, complete in outcome and covariates: ``unit wave treated y`` and the baseline.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of :func:`children`.
    outcome : str
    before : int or None
        None: an outcome without an earlier level, taken as zero before.
    after : int
    treated : str
        Column that says who is treated; missing rows are in neither arm.

    Returns
    -------
    pandas.DataFrame
    """
    later = rows[rows["round"] == after].set_index("child_id")
    earlier = later if before is None else rows[rows["round"] == before].set_index("child_id")
    change = DataFrame(
        {
            "before": 0.0 if before is None else earlier[outcome].astype("Float64").reindex(later.index),
            "after": later[outcome].astype("Float64"),
            "treated": later[treated].astype("Float64"),
            "site": later["site_drawn"],
        }
    ).join(later[list(BASELINE)])
    complete = change.astype("float64").dropna()
    pieces = [
        complete.drop(columns=["before", "after"]).assign(wave=wave, y=complete[name], unit=complete.index)
        for wave, name in ((1, "before"), (2, "after"))
    ]
    both = pd.concat(pieces, ignore_index=True)
    return both.assign(treated=both["treated"].astype(int), site=both["site"].astype(int))


def sibling_pairs(raw: RawFolder) -> DataFrame:
    """Return index children (rounds 2 and 3) and their next younger siblings (rounds 3 and 4).

    Only households with all four heights, first treated between rounds 2 and 3 or never by round 4.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    pandas.DataFrame
        ``household child is_younger wave treated y`` and the products that the models use.
    """
    rows = children(raw)
    status = young_lives.clean_juntos_status(raw).frame
    siblings = young_lives.clean_siblings(raw, status).frame
    entry = rows.groupby("child_id")["first_round_exposed"].min()
    never = rows[rows["round"] == 4].set_index("child_id")["has_ever_joined"].astype("boolean").eq(False)
    treated = pd.Series(np.nan, index=entry.index)
    treated[entry.eq(3)] = 1.0
    treated[never.reindex(entry.index).fillna(False).astype(bool)] = 0.0
    pieces = []
    for is_younger, table, rounds in ((0, rows, (2, 3)), (1, siblings, (3, 4))):
        for wave, round_ in enumerate(rounds):
            seen = table[table["round"] == round_].drop_duplicates("child_id")
            usable = ~seen["is_haz_flagged"].fillna(False).astype(bool)
            columns = {"household": seen["child_id"], "wave": wave, "is_younger": is_younger}
            pieces.append(DataFrame({**columns, "y": seen["haz"].where(usable)}))
    both = pd.concat(pieces, ignore_index=True)
    both["treated"] = both["household"].map(treated)
    both = both.dropna(subset=["y", "treated"])
    full = both.groupby("household")["y"].transform("size") == 4
    both = both[full].reset_index(drop=True)
    both["treated"] = both["treated"].astype(int)
    return both.assign(
        child=both["household"] + "-" + both["is_younger"].astype(str),
        household_wave=both["household"] + "-" + both["wave"].astype(str),
        treated_wave=both["treated"] * both["wave"],
        wave_younger=both["wave"] * both["is_younger"],
        treated_wave_younger=both["treated"] * both["wave"] * both["is_younger"],
    )


def _grades(education: pd.Series) -> pd.Series:
    """Return grades of school: those of ``grade_n``, 0 for none, 13 for more; NaN for other answers."""
    words = education.astype("str")
    grades = pd.to_numeric(words.str.extract(r"^grade_(\d+)$")[0], errors="coerce")
    beyond = words.str.contains("technical|university|institute", regex=True)
    return grades.mask(words.isin(["none", "no_education"]), 0.0).mask(beyond, 13.0)
